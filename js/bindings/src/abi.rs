//! Bytes in and out. JavaScript writes arguments into memory that it asked for with
//! `seepage_alloc`; a function leaves its result where `seepage_result` says, until the next call.

use serde::{Serialize, de::DeserializeOwned};
use std::{
    alloc::{Layout, alloc, dealloc},
    cell::RefCell,
};

thread_local! {
    static RESULT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The function did what it was asked for; the result says what came of it.
pub(crate) const OK: i32 = 0;
/// It did not; the result says why.
pub(crate) const FAILED: i32 = 1;

/// Bytes that JavaScript has written.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct Address(*mut u8);

impl Address {
    /// What stands there.
    pub(crate) fn bytes<'a>(self, length: usize) -> &'a [u8] {
        // SAFETY: the JavaScript of this package passes what `seepage_alloc` gave it, with its
        // length, and frees it only after the call.
        unsafe { std::slice::from_raw_parts(self.0, length) }
    }

    /// The numbers that stand there.
    pub(crate) fn numbers(self, count: usize) -> impl Iterator<Item = u32> {
        let (numbers, _) = self.bytes(count * 4).as_chunks::<4>();
        numbers.iter().map(|&bytes| u32::from_le_bytes(bytes))
    }

    /// The long numbers that stand there.
    pub(crate) fn long_numbers(self, count: usize) -> impl Iterator<Item = u64> {
        let (numbers, _) = self.bytes(count * 8).as_chunks::<8>();
        numbers.iter().map(|&bytes| u64::from_le_bytes(bytes))
    }

    /// The options that stand there as JSON.
    pub(crate) fn json<T: DeserializeOwned>(self, length: usize) -> Result<T, String> {
        serde_json::from_slice(self.bytes(length)).map_err(|error| error.to_string())
    }
}

/// Leaves bytes for JavaScript to read.
pub(crate) fn give(bytes: Vec<u8>) {
    RESULT.with_borrow_mut(|result| *result = bytes);
}

/// Leaves a value, as JSON.
pub(crate) fn give_json(value: &impl Serialize) {
    // Only maps with keys other than strings could fail.
    give(serde_json::to_vec(value).unwrap_or_default());
}

/// Leaves a result or an error's text, and says which.
pub(crate) fn answer(result: Result<Vec<u8>, String>) -> i32 {
    match result {
        Ok(bytes) => {
            give(bytes);
            OK
        }
        Err(error) => {
            give(error.into_bytes());
            FAILED
        }
    }
}

fn layout(length: usize) -> Option<Layout> {
    Layout::from_size_align(length.max(1), 8).ok()
}

/// Room for an argument; 0 if there is none.
#[unsafe(no_mangle)]
extern "C" fn seepage_alloc(length: usize) -> Address {
    // SAFETY: the layout's size is not zero.
    Address(layout(length).map_or(std::ptr::null_mut(), |layout| unsafe { alloc(layout) }))
}

#[unsafe(no_mangle)]
extern "C" fn seepage_free(address: Address, length: usize) {
    if let Some(layout) = layout(length).filter(|_| !address.0.is_null()) {
        // SAFETY: JavaScript gives back what `seepage_alloc` gave it, with the same length.
        unsafe { dealloc(address.0, layout) }
    }
}

/// Address of the last result.
#[unsafe(no_mangle)]
extern "C" fn seepage_result() -> *const u8 {
    RESULT.with_borrow(|result| result.as_ptr())
}

/// Length of the last result.
#[unsafe(no_mangle)]
extern "C" fn seepage_result_length() -> usize {
    RESULT.with_borrow(Vec::len)
}
