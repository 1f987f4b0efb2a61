//! The prints of known allocators: constants and counts that their compiled `malloc` keeps through
//! every compiler and level of optimisation.
//!
//! To add one: a function, and a line in [`LIST`].

use super::View;

/// An allocator that is known by its code.
pub(crate) struct Print {
    /// The allocator's name.
    pub(crate) name: &'static str,
    /// Says what in a function's code is this allocator's `malloc`; nothing if it is not.
    pub(crate) malloc: fn(&View<'_>, u32) -> Option<String>,
    /// The parameters of a `malloc` that has two.
    pub(crate) self_first: &'static str,
    /// Programs without a `free` are to be expected, as when a collector gives blocks back.
    pub(crate) may_lack_free: bool,
}

/// All prints.
pub(crate) const LIST: &[Print] = &[
    Print { name: "dlmalloc", malloc: dlmalloc, self_first: "_ size", may_lack_free: false },
    Print { name: "emmalloc", malloc: emmalloc, self_first: "align size", may_lack_free: false },
];

/// Stands for an allocator that no print knows.
pub(crate) const UNKNOWN: Print =
    Print { name: "unknown", malloc: |_, _| None, self_first: "size align", may_lack_free: false };

/// Doug Lea's malloc, in C and in Rust: bins by the bits of the size, in one large function.
fn dlmalloc(view: &View<'_>, function: u32) -> Option<String> {
    let code = view.features.of(function);
    let bytes = view.bytes(function);
    let in_c = bytes > 1400
        && code.has_any(&[255, 256])
        && code.has_any(&[-8, -16])
        && code.has(31)
        && code.has_any(&[11, 15, 19, 35])
        && (code.clz > 0 || code.shr_u > 15)
        && code.stores > 50
        && code.shl > 8;
    // Compiled for size, Rust's has its rounding and shifting in functions of their own, and keeps
    // the numbers that only it has.
    let in_rust = bytes > 1000
        && code.has_any(&[255, 256, 504])
        && code.has(245)
        && code.has_any(&[65583, 16777215])
        && code.has_any(&[4095, 65535])
        && code.stores > 30
        && code.shl > 5;
    (in_c || in_rust).then(|| {
        let numbers = if in_c { "31, 255, -8, 11" } else { "245, 65583, 4095" };
        format!(
            "{bytes} bytes with dlmalloc's constants ({numbers}), {} stores, {} shifts",
            code.stores,
            code.shl + code.shr_u
        )
    })
}

/// Emscripten's small allocator: 64 buckets in a bit map. What grows its memory has the same
/// constants, and asks for the memory's size besides.
fn emmalloc(view: &View<'_>, function: u32) -> Option<String> {
    let code = view.features.of(function);
    let bytes = view.bytes(function);
    let is_it = (200..2500).contains(&bytes)
        && code.has(63)
        && code.has(110)
        && code.has_any(&[71, 127])
        && code.has(-4)
        && code.memory_size == 0;
    is_it.then(|| format!("{bytes} bytes with emmalloc's constants (63, 110, 127, -4)"))
}
