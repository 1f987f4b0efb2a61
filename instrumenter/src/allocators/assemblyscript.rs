//! AssemblyScript: the TLSF heap and the stub runtime.
//!
//! `__new` is not hooked: it puts a header before the object, so its address is not the one that
//! the collector gives back. TLSF's inner functions count from a block's header, 4 bytes before
//! the address that `__alloc` hands out.

use super::{Family, Known};
use seepage_trace::Role;

/// TLSF's `BLOCK_OVERHEAD` on 32-bit memories.
const HEADER: u32 = 4;

pub(crate) const FAMILY: Family = Family {
    name: "assemblyscript",
    collected: true,
    inlined: false,
    functions: &[
        Known::new(
            Role::Malloc,
            &["~lib/rt/tlsf/__alloc", "~lib/rt/stub/__alloc", "~lib/rt/tlsf/heap.alloc"],
            &["size"],
        ),
        Known::new(
            Role::Realloc,
            &["~lib/rt/tlsf/__realloc", "~lib/rt/stub/__realloc"],
            &["ptr size"],
        ),
        Known::new(Role::Free, &["~lib/rt/tlsf/__free", "~lib/rt/stub/__free"], &["ptr"]),
        Known::new(Role::Malloc, &["~lib/rt/tlsf/allocateBlock"], &["size", "_ size"])
            .at_offset(HEADER),
        Known::new(
            Role::Realloc,
            &["~lib/rt/tlsf/reallocateBlock", "~lib/rt/tlsf/moveBlock"],
            &["_ ptr size"],
        )
        .at_offset(HEADER),
        Known::new(Role::Free, &["~lib/rt/tlsf/freeBlock"], &["ptr", "_ ptr"]).at_offset(HEADER),
    ],
};
