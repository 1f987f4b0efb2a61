//! A library whose memory the host hands over and takes back: by the exports that wasm-bindgen makes,
//! under its names.

use std::alloc::{Layout, alloc, dealloc, realloc};
use std::hint::black_box;

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).expect("a valid layout")
}

#[unsafe(no_mangle)]
extern "C" fn __wbindgen_malloc(size: usize, align: usize) -> *mut u8 {
    unsafe { alloc(layout(size, align)) }
}

#[unsafe(no_mangle)]
extern "C" fn __wbindgen_realloc(
    block: *mut u8,
    old: usize,
    new: usize,
    align: usize,
) -> *mut u8 {
    unsafe { realloc(block, layout(old, align), new) }
}

#[unsafe(no_mangle)]
extern "C" fn __wbindgen_free(block: *mut u8, size: usize, align: usize) {
    unsafe { dealloc(block, layout(size, align)) }
}

/// A block of the module's own.
#[unsafe(no_mangle)]
extern "C" fn give(size: usize) -> *mut u8 {
    Box::into_raw(black_box(vec![7_u8; size].into_boxed_slice())).cast()
}

/// Takes a block, whoever has allocated it.
#[unsafe(no_mangle)]
extern "C" fn take(block: *mut u8, size: usize) {
    drop(unsafe { Vec::from_raw_parts(black_box(block), size, size) });
}
