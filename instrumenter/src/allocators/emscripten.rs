//! Emscripten's aliases of its libc allocator.

use super::{Family, Known};
use seepage_trace::Role;

pub(crate) const FAMILY: Family = Family {
    name: "emscripten",
    collected: false,
    inlined: false,
    functions: &[
        Known::new(
            Role::Malloc,
            &["_malloc", "emscripten_builtin_malloc", "__emscripten_malloc"],
            &["size"],
        ),
        Known::new(Role::Calloc, &["_calloc", "emscripten_builtin_calloc"], &["count size"]),
        Known::new(Role::Realloc, &["_realloc", "emscripten_builtin_realloc"], &["ptr size"]),
        Known::new(Role::Free, &["_free", "emscripten_builtin_free"], &["ptr"]),
        Known::new(Role::Memalign, &["_memalign", "emscripten_builtin_memalign"], &["align size"]),
    ],
};
