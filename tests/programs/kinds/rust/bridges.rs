//! Blocks that cross the bridge between Rust and C, rightly and wrongly: one scenario an argument.
//!
//! std's allocator here is libc's, so that the guest ends well in any case. What may be accused
//! depends on what the build has left: with `whole` Rust's shims are functions, with `lines` the
//! compiler has dissolved them, and only the lines of C's own functions and of Rust's allocator tell.
#![allow(unexpected_cfgs, reason = "the build says what it leaves")]

mod books;

use books::{Scenario, expect, run};
use std::ffi::{CStr, CString, c_char, c_void};
use std::hint::black_box;

unsafe extern "C" {
    fn malloc(bytes: usize) -> *mut c_void;
    fn free(pointer: *mut c_void);
    fn c_malloc(bytes: usize) -> *mut c_void;
    fn c_calloc(bytes: usize) -> *mut c_void;
    fn c_realloc(pointer: *mut c_void, bytes: usize) -> *mut c_void;
    fn c_free(pointer: *mut c_void);
    fn c_give_back(pointer: *mut c_void, release: extern "C" fn(*mut c_void));
    fn c_copy(text: *const c_char) -> *mut c_char;
}

/// What is wrong, and seen by functions and by lines.
fn wrong() {
    if cfg!(any(whole, lines)) {
        expect("heap_error mismatched_free 1");
    }
}

/// What is wrong, but done by a call of C's from Rust, where by lines it could be Rust's allocator.
fn wrong_if_whole() {
    if cfg!(whole) {
        expect("heap_error mismatched_free 1");
    }
}

fn text() -> *mut c_void {
    black_box(CString::new(black_box("bridge")).expect("no zero inside").into_raw()).cast()
}

fn rust_to_c() {
    unsafe { c_free(text()) };
    wrong();
}

fn rust_to_c_realloc() {
    unsafe { c_free(black_box(c_realloc(text(), 400))) };
    wrong();
}

fn rust_to_free() {
    unsafe { free(text()) };
    wrong_if_whole();
}

fn c_to_box() {
    drop(unsafe { Box::from_raw(black_box(c_malloc(8)).cast::<u64>()) });
    wrong();
}

fn c_to_vector() {
    drop(unsafe { Vec::from_raw_parts(black_box(c_calloc(80)).cast::<u64>(), 10, 10) });
    wrong();
}

fn c_to_vector_that_grows() {
    let mut vector = unsafe { Vec::from_raw_parts(black_box(c_malloc(80)).cast::<u64>(), 10, 10) };
    vector.reserve_exact(black_box(100));
    drop(black_box(vector));
    wrong();
}

fn malloc_to_box() {
    drop(unsafe { Box::from_raw(black_box(malloc(8)).cast::<u64>()) });
    wrong_if_whole();
}

extern "C" fn release(pointer: *mut c_void) {
    drop(unsafe { CString::from_raw(pointer.cast()) });
}

/// Each by its own allocator, whoever calls it.
fn allowed() {
    for size in 1..40 {
        unsafe {
            c_free(black_box(malloc(size)));
            free(black_box(c_malloc(size)));
            free(black_box(c_realloc(c_calloc(size), size * 2)));
            c_free(black_box(c_realloc(malloc(size), size * 2)));
            c_give_back(text(), release);
            release(text());
            let copy = black_box(c_copy(c"bridge".as_ptr()));
            drop(black_box(CStr::from_ptr(copy).to_owned()));
            free(copy.cast());
        }
        drop(black_box(vec![0_u8; size]));
        drop(black_box(Box::new([size; 20])));
        let mut grows = black_box(Vec::with_capacity(size));
        grows.extend(0..size * 3);
        drop(black_box(grows.into_boxed_slice()));
        drop(black_box(Box::new(Aligned([size as u8; 64]))));
        drop(black_box(format!("{size}")));
    }
}

#[repr(align(64))]
struct Aligned([u8; 64]);

const ALL: &[Scenario] = &[
    ("rust_to_c", rust_to_c),
    ("rust_to_c_realloc", rust_to_c_realloc),
    ("rust_to_free", rust_to_free),
    ("c_to_box", c_to_box),
    ("c_to_vector", c_to_vector),
    ("c_to_vector_that_grows", c_to_vector_that_grows),
    ("malloc_to_box", malloc_to_box),
    ("allowed", allowed),
];

fn main() {
    run(ALL);
}
