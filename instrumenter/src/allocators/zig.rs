//! Zig: the page-level allocators of its standard library. `c_allocator` ends in libc's `malloc`.
//!
//! The allocators are called through tables of functions only. Alignments are logarithms there, so
//! they are not taken for alignments. A `free` is told the size, which is another one where a resizing
//! has been inlined, so it is not compared.

use super::{Family, Known};
use seepage_trace::Role;

pub(crate) const FAMILY: Family = Family {
    name: "zig",
    collected: false,
    inlined: true,
    functions: &[
        Known::new(
            Role::Malloc,
            &[
                "heap.WasmAllocator.alloc",
                "heap.wasm_allocator.alloc",
                "heap.BrkAllocator.alloc",
                "heap.WasmPageAllocator.alloc",
            ],
            &["_ size _ _"],
        ),
        Known::new(
            Role::Realloc,
            &[
                "heap.WasmAllocator.resize",
                "heap.wasm_allocator.resize",
                "heap.BrkAllocator.resize",
                "heap.WasmPageAllocator.resize",
            ],
            &["_ ptr old _ size _"],
        )
        .in_place(),
        Known::new(
            Role::Realloc,
            &[
                "heap.WasmAllocator.remap",
                "heap.wasm_allocator.remap",
                "heap.BrkAllocator.remap",
                "heap.WasmPageAllocator.remap",
            ],
            &["_ ptr old _ size _"],
        ),
        Known::new(
            Role::Free,
            &[
                "heap.WasmAllocator.free",
                "heap.wasm_allocator.free",
                "heap.BrkAllocator.free",
                "heap.WasmPageAllocator.free",
            ],
            &["_ ptr _ _ _"],
        ),
    ],
};
