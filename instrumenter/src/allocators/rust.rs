//! Rust: the `__rust_*` shims in their spellings, and the dlmalloc below them on targets without a
//! libc.
//!
//! Link-time optimisation drops parameters that an allocator does not use, so a shim's second
//! parameter may be the size or the alignment where both would be expected; what is not certain is
//! `_`. The shims are inlined unevenly, so that much code calls dlmalloc directly: both levels are
//! hooked.

use super::{Family, Known};
use seepage_trace::Role;

pub(crate) const FAMILY: Family = Family {
    name: "rust",
    collected: false,
    inlined: false,
    functions: &[
        Known::new(
            Role::Malloc,
            &[
                "__rust_alloc",
                "__rustc::__rust_alloc",
                "__rustc[*]::__rust_alloc",
                "__rdl_alloc",
                "__rustc::__rdl_alloc",
                "__rustc[*]::__rdl_alloc",
                "__rg_alloc",
                "__rustc::__rg_alloc",
                "__rustc[*]::__rg_alloc",
            ],
            &["size", "size align"],
        ),
        Known::new(
            Role::Calloc,
            &[
                "__rust_alloc_zeroed",
                "__rustc::__rust_alloc_zeroed",
                "__rustc[*]::__rust_alloc_zeroed",
                "__rdl_alloc_zeroed",
                "__rustc::__rdl_alloc_zeroed",
                "__rustc[*]::__rdl_alloc_zeroed",
                "__rg_alloc_zeroed",
                "__rustc::__rg_alloc_zeroed",
                "__rustc[*]::__rg_alloc_zeroed",
            ],
            &["size", "size align"],
        ),
        Known::new(
            Role::Realloc,
            &[
                "__rust_realloc",
                "__rustc::__rust_realloc",
                "__rustc[*]::__rust_realloc",
                "__rdl_realloc",
                "__rustc::__rdl_realloc",
                "__rustc[*]::__rdl_realloc",
                "__rg_realloc",
                "__rustc::__rg_realloc",
                "__rustc[*]::__rg_realloc",
            ],
            &["ptr size", "ptr _ size", "ptr old align size"],
        ),
        Known::new(
            Role::Free,
            &[
                "__rust_dealloc",
                "__rustc::__rust_dealloc",
                "__rustc[*]::__rust_dealloc",
                "__rdl_dealloc",
                "__rustc::__rdl_dealloc",
                "__rustc[*]::__rdl_dealloc",
                "__rg_dealloc",
                "__rustc::__rg_dealloc",
                "__rustc[*]::__rg_dealloc",
            ],
            &["ptr", "ptr _", "ptr size align"],
        ),
        // The method of the inner type: `dlmalloc::dlmalloc::Dlmalloc<A>::malloc` in legacy
        // mangling, `<dlmalloc::dlmalloc::Dlmalloc<dlmalloc::sys::System>>::malloc` in v0, and with
        // `$LT$` where a linker demangled only half. Optimised, it has lost its `self`.
        Known::new(
            Role::Malloc,
            &["dlmalloc::dlmalloc::Dlmalloc*::malloc", "<dlmalloc::dlmalloc::Dlmalloc*::malloc"],
            &["size", "_ size"],
        ),
        Known::new(
            Role::Realloc,
            &["dlmalloc::dlmalloc::Dlmalloc*::realloc", "<dlmalloc::dlmalloc::Dlmalloc*::realloc"],
            &["ptr size", "_ ptr size"],
        ),
        Known::new(
            Role::Free,
            &["dlmalloc::dlmalloc::Dlmalloc*::free", "<dlmalloc::dlmalloc::Dlmalloc*::free"],
            &["ptr", "_ ptr"],
        ),
        Known::new(
            Role::Memalign,
            &[
                "dlmalloc::dlmalloc::Dlmalloc*::memalign",
                "<dlmalloc::dlmalloc::Dlmalloc*::memalign",
            ],
            &["align size", "_ align size"],
        ),
    ],
};

/// The shims with all of Rust's blocks going through them.
pub(crate) const SHIMS: &str = "rust shims";
/// The shims where a compiler has put them into some of their callers.
pub(crate) const INLINED: &str = "rust inlined";

/// How far a shim is from the program: `__rust_alloc` does nothing but call `__rdl_alloc`, or
/// `__rg_alloc` if the program has an allocator of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shim {
    Upper,
    Lower,
}

/// Which of the shims has that name.
pub(crate) fn shim(name: &str) -> Option<Shim> {
    match name.rsplit("::").next().unwrap_or(name) {
        name if name.starts_with("__rust_") => Some(Shim::Upper),
        name if name.starts_with("__rdl_") || name.starts_with("__rg_") => Some(Shim::Lower),
        _ => None,
    }
}
