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
    /// The parameters of a `free` that has two.
    pub(crate) free_of_two: &'static str,
    /// Says whether a function is the `free` of a `malloc`, where shared state does not tell.
    pub(crate) free: Option<fn(&View<'_>, u32, u32) -> bool>,
    /// The parameters of a `realloc` that does nothing but with `malloc` and `free`, by their
    /// number, where such a function can be nothing else.
    pub(crate) realloc: &'static [&'static str],
    /// Its `free` is short: where the compiler has put it into its callers, those frees are lost.
    pub(crate) is_inlined: bool,
    /// What else is the allocator's own, and no concern of the program's.
    pub(crate) own: fn(&View<'_>, u32) -> bool,
}

/// All prints.
pub(crate) const LIST: &[Print] = &[
    Print { name: "dlmalloc", malloc: dlmalloc, ..UNKNOWN },
    Print {
        name: "dlmalloc",
        malloc: dlmalloc_in_parts,
        free: Some(frees_in_parts),
        realloc: &["_ ptr size"],
        ..UNKNOWN
    },
    Print { name: "emmalloc", malloc: emmalloc, self_first: "align size", own: claims, ..UNKNOWN },
    Print {
        name: "talc",
        malloc: talc,
        self_first: ROUNDED,
        free_of_two: "ptr _",
        free: Some(talc_frees),
        is_inlined: true,
        realloc: &["ptr old align size"],
        ..UNKNOWN
    },
];

/// Of two parameters the size is the one that is rounded up.
pub(crate) const ROUNDED: &str = "rounded";

/// Stands for an allocator that no print knows.
pub(crate) const UNKNOWN: Print = Print {
    name: "unknown",
    malloc: |_, _| None,
    self_first: "_ size",
    free_of_two: "_ ptr",
    free: None,
    realloc: &[],
    is_inlined: false,
    own: |_, _| false,
};

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

/// The same where the state is passed to it, as by a program with a heap of its own beside the
/// global one, and the searches of large blocks are left in functions of their own: what only
/// `malloc` calls belongs to it.
fn dlmalloc_in_parts(view: &View<'_>, function: u32) -> Option<String> {
    let code = view.features.of(function);
    let is_head = view.integers(function) == Some((2, 1))
        && code.has(245)
        && code.has(504)
        && code.has_any(&[-65588, -65587])
        && code.has(11);
    if !is_head {
        return None;
    }
    let inside = view.graph.enclosed([function]);
    let parts: Vec<u32> = view.graph.functions().filter(|&it| inside[it as usize]).collect();
    let has = |number: i64| parts.iter().any(|&it| view.features.of(it).has(number));
    let stores: u32 = parts.iter().map(|&it| view.features.of(it).stores).sum();
    let is_it = has(65583) && has(31) && has(-8) && stores > 50;
    is_it.then(|| {
        let count = parts.len();
        format!("{count} functions with dlmalloc's constants (245, 504, 65583), {stores} stores")
    })
}

/// Its `free` counts the blocks until the next look at the large ones down from 4,095, and finds
/// the small bins at the same distances in the state.
fn frees_in_parts(view: &View<'_>, malloc: u32, function: u32) -> bool {
    let (code, malloc) = (view.features.of(function), view.features.of(malloc));
    let is_place = |number: &&i64| (64..=1000).contains(*number) && !BIN_SIZES.contains(*number);
    let shared = code.constants.iter().filter(is_place).filter(|&&it| malloc.has(it)).count();
    view.integers(function) == Some((2, 0)) && code.has(4095) && code.has(-8) && shared >= 2
}

/// Sizes and masks of dlmalloc's that are no places in its state.
const BIN_SIZES: [i64; 5] = [245, 248, 255, 256, 504];

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

/// What adds memory to emmalloc's buckets, for `malloc` and once at the start.
fn claims(view: &View<'_>, function: u32) -> bool {
    let code = view.features.of(function);
    let buckets = code.has(63) && code.has(110) && code.has_any(&[71, 127]) && code.has(-4);
    buckets && code.memory_size > 0 && code.has(-16) | code.has(-8)
}

/// talc: 64 bins, linear at first and then by the bits of the size, which is rounded up with its
/// tag; taken from the memory's growth by a handler that adds the page it has got. Version 5 has
/// two kinds of ends and rounds to 16 bytes.
fn talc(view: &View<'_>, function: u32) -> Option<String> {
    let code = view.features.of(function);
    if view.integers(function) != Some((2, 1)) || code.rounded.is_none() {
        return None;
    }
    let has = |numbers: &[i64]| has_near(view, function, numbers);
    let version_3 = has(&[7, -4, 9, -12, 30, 64, 128, 65535]) && (has(&[264]) || has(&[260]));
    let version_5 = has(&[19, -16, 61, 63, 65551, -65536]) && (has(&[272]) || has(&[256]));
    let numbers = if version_3 { "-12, 64, 128, 264" } else { "19, -16, 61, 65551" };
    (version_3 || version_5)
        .then(|| format!("{} bytes with talc's constants ({numbers})", view.bytes(function)))
}

/// Its `free` finds the bins of what is free beside the block in the same way.
fn talc_frees(view: &View<'_>, malloc: u32, function: u32) -> bool {
    let version_5 = view.features.of(malloc).has(65551);
    let numbers: &[i64] = if version_5 { &[19, -16, 63] } else { &[-12, 64, 128, 30, -4] };
    view.integers(function) == Some((2, 0)) && has_near(view, function, numbers)
}

/// Whether a function or what it calls has all the numbers.
fn has_near(view: &View<'_>, function: u32, numbers: &[i64]) -> bool {
    let near = || view.graph.callees(function).iter().copied().chain([function]);
    numbers.iter().all(|&number| near().any(|it| view.features.of(it).has(number)))
}
