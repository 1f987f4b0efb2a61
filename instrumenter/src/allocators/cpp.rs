//! C++: `operator new` and `delete` with and without sizes, alignments and `nothrow`.
//!
//! On 64-bit memories and with some compilers `size_t` is `unsigned long long` or `unsigned int`.

use super::{Family, Known};
use seepage_trace::Role;

/// The family of `new` and `delete` where they are known to be apart from `malloc` and `free`.
pub(crate) const NEW: &str = "c++ new";
/// The same of `new[]` and `delete[]`.
pub(crate) const NEW_ARRAY: &str = "c++ new[]";

/// Which of C++'s doors a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Door {
    /// For arrays.
    pub(crate) is_array: bool,
    /// Without an alignment, and not the one that returns null.
    pub(crate) is_plain: bool,
}

/// The door of that name.
pub(crate) fn door(name: &str) -> Door {
    let is_array = ["operator new[]", "operator delete[]", "_Zna", "_Zda"];
    Door {
        is_array: is_array.iter().any(|start| name.starts_with(start)),
        is_plain: !name.contains("align_val_t") && !name.contains("nothrow_t"),
    }
}

pub(crate) const FAMILY: Family = Family {
    name: "c++",
    collected: false,
    inlined: false,
    functions: &[
        Known::new(
            Role::Malloc,
            &[
                "operator new(unsigned *)",
                "operator new[](unsigned *)",
                "operator new(std::size_t)",
                "operator new[](std::size_t)",
                "_Znwm",
                "_Znam",
                "_Znwj",
                "_Znaj",
            ],
            // With one parameter it is the size; with two, the pattern also fits the aligned form,
            // whose name ends otherwise: see below.
            &["size"],
        ),
        Known::new(
            Role::Malloc,
            &[
                "operator new(*std::nothrow_t const&)",
                "operator new[](*std::nothrow_t const&)",
                "_ZnwmRKSt9nothrow_t",
                "_ZnamRKSt9nothrow_t",
            ],
            &["size", "size _", "size align _"],
        ),
        Known::new(
            Role::Memalign,
            &[
                "operator new(*std::align_val_t)",
                "operator new[](*std::align_val_t)",
                "_ZnwmSt11align_val_t",
                "_ZnamSt11align_val_t",
            ],
            &["size align"],
        ),
        Known::new(
            Role::Free,
            &[
                "operator delete(void*)",
                "operator delete[](void*)",
                "operator delete(void*, std::nothrow_t const&)",
                "operator delete[](void*, std::nothrow_t const&)",
                "operator delete(void*, std::align_val_t)",
                "operator delete[](void*, std::align_val_t)",
                "operator delete(void*, std::align_val_t, std::nothrow_t const&)",
                "operator delete[](void*, std::align_val_t, std::nothrow_t const&)",
                "_ZdlPv",
                "_ZdaPv",
            ],
            &["ptr", "ptr _", "ptr _ _"],
        ),
        Known::new(
            Role::Free,
            &[
                "operator delete(void*, unsigned *)",
                "operator delete[](void*, unsigned *)",
                "operator delete(void*, std::size_t)",
                "operator delete[](void*, std::size_t)",
                "_ZdlPvm",
                "_ZdaPvm",
            ],
            &["ptr", "ptr size", "ptr size align"],
        ),
    ],
};
