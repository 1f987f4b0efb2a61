//! Blocks that are given back with a layout that is not theirs: one scenario an argument.
//!
//! std's allocator here is libc's, which asks the chunk, so that the guest ends well. Optimised, the
//! layout is gone before it reaches anybody: only unoptimised is there something to see.

mod books;

use books::{Kind, Scenario, expect, run, state};
use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::hint::black_box;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicPtr, Ordering};

static RAW: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 8).expect("a valid layout")
}

fn wrong_layout() {
    unsafe { dealloc(black_box(alloc(layout(100))), layout(40)) };
    expect("heap_error size_mismatch 1");
}

fn wrong_layout_in_realloc() {
    let block = unsafe { realloc(black_box(alloc(layout(100))), layout(60), 200) };
    state(Kind::Reachable, 200);
    RAW.store(black_box(block), Ordering::Relaxed);
    expect("heap_error size_mismatch 1");
}

/// A vector that is put together again with another capacity, and dropped.
fn wrong_capacity() {
    let mut vector = ManuallyDrop::new(black_box(vec![1_u32; 50]));
    let (pointer, length) = (vector.as_mut_ptr(), vector.len());
    drop(unsafe { Vec::from_raw_parts(black_box(pointer), length, 80) });
    expect("heap_error size_mismatch 1");
}

fn right_layouts() {
    for size in 1..40 {
        let block = unsafe { black_box(alloc_zeroed(layout(size))) };
        let block = unsafe { black_box(realloc(block, layout(size), size * 3)) };
        unsafe { dealloc(block, layout(size * 3)) };
    }
}

const ALL: &[Scenario] = &[
    ("wrong_layout", wrong_layout),
    ("wrong_layout_in_realloc", wrong_layout_in_realloc),
    ("wrong_capacity", wrong_capacity),
    ("right_layouts", right_layouts),
];

fn main() {
    run(ALL);
}
