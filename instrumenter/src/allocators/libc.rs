//! C: dlmalloc and emmalloc as wasi-libc and Emscripten's libc have them, musl's names for them,
//! and mimalloc.

use super::{Family, Known};
use seepage_trace::Role;

pub(crate) const FAMILY: Family = Family {
    name: "libc",
    collected: false,
    functions: &[
        Known::new(
            Role::Malloc,
            &[
                "malloc",
                "malloc_command_export",
                "__wrap_malloc",
                "__real_malloc",
                "dlmalloc",
                "__libc_malloc",
                "__libc_malloc_impl",
                "emmalloc_malloc",
                "mi_malloc",
                "c.malloc.malloc",
            ],
            &["size"],
        ),
        Known::new(
            Role::Calloc,
            &[
                "calloc",
                "calloc_command_export",
                "__wrap_calloc",
                "__real_calloc",
                "dlcalloc",
                "__libc_calloc",
                "emmalloc_calloc",
                "mi_calloc",
                "c.malloc.calloc",
            ],
            &["count size"],
        ),
        Known::new(
            Role::Realloc,
            &[
                "realloc",
                "realloc_command_export",
                "__wrap_realloc",
                "__real_realloc",
                "dlrealloc",
                "__libc_realloc",
                "emmalloc_realloc",
                "mi_realloc",
                "c.malloc.realloc",
            ],
            &["ptr size"],
        ),
        Known::new(
            Role::Free,
            &[
                "free",
                "free_command_export",
                "__wrap_free",
                "__real_free",
                "dlfree",
                "__libc_free",
                "emmalloc_free",
                "mi_free",
                "cfree",
                "c.malloc.free",
            ],
            &["ptr"],
        ),
        Known::new(
            Role::Memalign,
            &[
                "memalign",
                "__wrap_memalign",
                "dlmemalign",
                "__libc_memalign",
                "emmalloc_memalign",
                "c.malloc.memalign",
            ],
            &["align size"],
        ),
        Known::new(
            Role::AlignedAlloc,
            &[
                "aligned_alloc",
                "__wrap_aligned_alloc",
                "__libc_aligned_alloc",
                "emmalloc_aligned_alloc",
                "c.malloc.aligned_alloc",
            ],
            &["align size"],
        ),
        Known::new(Role::Memalign, &["mi_malloc_aligned"], &["size align"]),
        Known::new(
            Role::PosixMemalign,
            &[
                "posix_memalign",
                "__wrap_posix_memalign",
                "dlposix_memalign",
                "__posix_memalign",
                "emmalloc_posix_memalign",
                "mi_posix_memalign",
                "c.malloc.posix_memalign",
            ],
            &["out align size"],
        ),
        Known::new(Role::Malloc, &["valloc", "dlvalloc", "pvalloc"], &["size"]),
        Known::new(
            Role::UsableSize,
            &[
                "malloc_usable_size",
                "dlmalloc_usable_size",
                "emmalloc_usable_size",
                "mi_malloc_usable_size",
                "mi_usable_size",
                "c.malloc.malloc_usable_size",
            ],
            &["ptr"],
        ),
    ],
};
