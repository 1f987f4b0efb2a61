//! A library without a host: no imports, no start, only exports that allocate when told to.
//! `live_blocks` and `live_bytes` are the truth, for they know every block of the module.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::mem::forget;

struct Counting {
    blocks: Cell<usize>,
    bytes: Cell<usize>,
}

// One thread is all there is.
unsafe impl Sync for Counting {}

impl Counting {
    fn change(&self, blocks: isize, bytes: isize) {
        self.blocks.set(self.blocks.get().wrapping_add_signed(blocks));
        self.bytes.set(self.bytes.get().wrapping_add_signed(bytes));
    }
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.change(1, layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.change(1, layout.size() as isize);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        self.change(0, size as isize - layout.size() as isize);
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.change(-1, -(layout.size() as isize));
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting { blocks: Cell::new(0), bytes: Cell::new(0) };

thread_local! {
    /// What `make` made, until `free_all`.
    static MADE: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// Makes and keeps `n` blocks of growing size, and answers how many are kept now.
#[unsafe(no_mangle)]
pub extern "C" fn make(n: u32) -> u32 {
    MADE.with_borrow_mut(|made| {
        made.extend((1..=n).map(|size| vec![1; size as usize].into_boxed_slice()));
        made.len() as u32
    })
}

/// Leaks `times` blocks of `bytes` bytes; nothing will ever free them.
#[unsafe(no_mangle)]
pub extern "C" fn leak(bytes: u32, times: u32) -> u32 {
    for _ in 0..times {
        forget(std::hint::black_box(Vec::<u8>::with_capacity(bytes as usize)));
    }
    bytes * times
}

/// Allocates a lot, and gives it all back.
#[unsafe(no_mangle)]
pub extern "C" fn churn(n: u32) -> u32 {
    let mut map = BTreeMap::new();
    for key in 0..n {
        map.insert(key * 7919 % 1000, "x".repeat(key as usize % 100));
    }
    map.values().map(|text| text.len() as u32).sum()
}

#[unsafe(no_mangle)]
pub extern "C" fn free_all() {
    MADE.with_borrow_mut(|made| *made = Vec::new());
}

#[unsafe(no_mangle)]
pub extern "C" fn live_blocks() -> u32 {
    COUNTING.blocks.get() as u32
}

#[unsafe(no_mangle)]
pub extern "C" fn live_bytes() -> u32 {
    COUNTING.bytes.get() as u32
}
