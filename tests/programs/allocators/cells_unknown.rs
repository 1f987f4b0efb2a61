//! A slab allocator in Rust: pages of cells of one power of two, with a bitmap of those in use;
//! what is larger has whole pages, which are kept for later in a list.

mod work;

use std::alloc::{GlobalAlloc, Layout};
use std::arch::wasm32::memory_grow;
use std::cell::UnsafeCell;
use std::ptr::null_mut;

const PAGE: usize = 65536;
const CLASSES: usize = 12;
const WORDS: usize = 128;

#[repr(C)]
struct Page {
    next: *mut Page,
    size: usize,
    pages: usize,
    used: usize,
    taken: [u32; WORDS],
}

struct Heap {
    partial: [*mut Page; CLASSES],
    spare: *mut Page,
}

struct Cells(UnsafeCell<Heap>);

// One thread is all there is.
unsafe impl Sync for Cells {}

#[global_allocator]
static CELLS: Cells =
    Cells(UnsafeCell::new(Heap { partial: [null_mut(); CLASSES], spare: null_mut() }));

fn class(size: usize) -> usize {
    size.next_power_of_two().max(16).trailing_zeros() as usize - 4
}

impl Heap {
    #[inline(never)]
    unsafe fn pages(&mut self, pages: usize) -> *mut Page {
        unsafe {
            let mut at: *mut *mut Page = &mut self.spare;
            while !(*at).is_null() {
                let page = *at;
                if (*page).pages == pages {
                    *at = (*page).next;
                    return page;
                }
                at = &mut (*page).next;
            }
            let before = memory_grow(0, pages);
            if before == usize::MAX {
                return null_mut();
            }
            let page = (before * PAGE) as *mut Page;
            (*page).pages = pages;
            page
        }
    }

    #[inline(never)]
    unsafe fn take(&mut self, size: usize) -> *mut u8 {
        unsafe {
            let class = class(size);
            if class >= CLASSES {
                let page = self.pages((size + size_of::<Page>()).div_ceil(PAGE));
                if page.is_null() {
                    return null_mut();
                }
                (*page).size = 0;
                return page.add(1).cast();
            }
            let mut page = self.partial[class];
            if page.is_null() {
                page = self.pages(1);
                if page.is_null() {
                    return null_mut();
                }
                (*page).size = 16 << class;
                (*page).used = 0;
                (*page).taken = [0; WORDS];
                (*page).next = null_mut();
                self.partial[class] = page;
            }
            let mut word = 0;
            while (*page).taken[word] == u32::MAX {
                word += 1;
            }
            let slot = word * 32 + (*page).taken[word].trailing_ones() as usize;
            (*page).taken[word] |= 1 << (slot % 32);
            (*page).used += 1;
            if (*page).used == (PAGE - size_of::<Page>()) / (*page).size {
                self.partial[class] = (*page).next;
            }
            page.add(1).cast::<u8>().add(slot * (*page).size)
        }
    }

    #[inline(never)]
    unsafe fn give(&mut self, block: *mut u8) {
        unsafe {
            let page = (block as usize & !(PAGE - 1)) as *mut Page;
            if (*page).size == 0 {
                (*page).next = self.spare;
                self.spare = page;
                return;
            }
            let size = (*page).size;
            let slot = (block as usize - page.add(1) as usize) / size;
            (*page).taken[slot / 32] &= !(1 << (slot % 32));
            if (*page).used == (PAGE - size_of::<Page>()) / size {
                (*page).next = self.partial[class(size)];
                self.partial[class(size)] = page;
            }
            (*page).used -= 1;
        }
    }
}

unsafe impl GlobalAlloc for Cells {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { (*self.0.get()).take(layout.size()) }
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        unsafe { (*self.0.get()).give(block) }
    }
}
