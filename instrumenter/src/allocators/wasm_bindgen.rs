//! wasm-bindgen's exports: doors through which JavaScript allocates.
//!
//! They survive stripping, also as `__wbindgen_export_N` (up to 0.2.104) and `__wbindgen_exportN`
//! (from 0.2.105), whose signatures tell malloc and realloc. The module's own code does not go
//! through them.

use super::{Family, Known};
use seepage_trace::Role;

pub(crate) const FAMILY: Family = Family {
    name: "wasm-bindgen",
    collected: false,
    inlined: false,
    functions: &[
        Known::new(
            Role::Malloc,
            &["__wbindgen_malloc", "__wbindgen_malloc_command_export"],
            &["size", "size align"],
        )
        .door(),
        Known::new(
            Role::Realloc,
            &["__wbindgen_realloc", "__wbindgen_realloc_command_export"],
            &["ptr old size", "ptr old size align"],
        )
        .door(),
        Known::new(
            Role::Free,
            &["__wbindgen_free", "__wbindgen_free_command_export"],
            &["ptr size", "ptr size align"],
        )
        .door(),
        // A component's memory is handed over the same way.
        Known::new(
            Role::Realloc,
            &["cabi_realloc", "canonical_abi_realloc"],
            &["ptr old align size"],
        )
        .door(),
    ],
};
