//! A list of gaps by rising address in Rust: the best one serves, and neighbours melt together.
//! Blocks have no header: who gives one back says how large it was.

mod work;

use std::alloc::{GlobalAlloc, Layout};
use std::arch::wasm32::memory_grow;
use std::cell::UnsafeCell;
use std::ptr::null_mut;

const PAGE: usize = 65536;

#[repr(C)]
struct Gap {
    size: usize,
    next: *mut Gap,
}

struct Gaps(UnsafeCell<*mut Gap>);

// One thread is all there is.
unsafe impl Sync for Gaps {}

#[global_allocator]
static GAPS: Gaps = Gaps(UnsafeCell::new(null_mut()));

fn whole(size: usize) -> usize {
    size.max(1).next_multiple_of(16)
}

#[inline(never)]
unsafe fn open(first: *mut *mut Gap, block: *mut u8, size: usize) {
    unsafe {
        let gap = block.cast::<Gap>();
        let (mut at, mut before) = (first, null_mut::<Gap>());
        while !(*at).is_null() && *at < gap {
            before = *at;
            at = &mut (*before).next;
        }
        let mut next = *at;
        (*gap).size = size;
        if block.add(size) == next.cast() {
            (*gap).size += (*next).size;
            next = (*next).next;
        }
        (*gap).next = next;
        if !before.is_null() && before.cast::<u8>().add((*before).size) == block {
            (*before).size += (*gap).size;
            (*before).next = next;
        } else {
            *at = gap;
        }
    }
}

#[inline(never)]
unsafe fn fill(first: *mut *mut Gap, size: usize) -> *mut u8 {
    unsafe {
        loop {
            let (mut at, mut best) = (first, null_mut::<*mut Gap>());
            while !(*at).is_null() {
                let gap = *at;
                if (*gap).size >= size && (best.is_null() || (*gap).size < (**best).size) {
                    best = at;
                }
                at = &mut (*gap).next;
            }
            if !best.is_null() {
                let gap = *best;
                if (*gap).size == size {
                    *best = (*gap).next;
                } else {
                    let rest = gap.cast::<u8>().add(size).cast::<Gap>();
                    (*rest).size = (*gap).size - size;
                    (*rest).next = (*gap).next;
                    *best = rest;
                }
                return gap.cast();
            }
            let pages = size.div_ceil(PAGE);
            let before = memory_grow(0, pages);
            if before == usize::MAX {
                return null_mut();
            }
            open(first, (before * PAGE) as *mut u8, pages * PAGE);
        }
    }
}

unsafe impl GlobalAlloc for Gaps {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { fill(self.0.get(), whole(layout.size())) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe { open(self.0.get(), block, whole(layout.size())) }
    }
}
