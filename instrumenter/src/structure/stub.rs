//! AssemblyScript's stub runtime: a pointer that only goes up, and no collector.
//!
//! `__alloc(size)` keeps the limit of a block, 2^30 - 4 bytes and in older versions 2^30 - 16, and
//! none of TLSF's. Optimised, it may only be left inside of `__new(size, id)`, which has the limit
//! of an object besides. `__free` gives the last block back, by setting the same global.

use super::{View, finders::Found};
use seepage_trace::Role;
use std::collections::BTreeSet;

const BLOCK_LIMITS: [i64; 2] = [1_073_741_820, 1_073_741_808];
const OBJECT_LIMIT: i64 = 1_073_741_804;

/// TLSF's limit of a request that is rounded.
const TLSF_LIMIT: i64 = 536_870_910;

pub(super) fn find(view: &View<'_>) -> Found {
    let functions = || view.graph.functions();
    if functions().any(|function| view.features.of(function).has(TLSF_LIMIT)) {
        return Found::default();
    }
    let grows = |function: u32| {
        let mut callees = view.graph.callees(function).iter();
        view.graph.grows(function) || callees.any(|&callee| view.graph.grows(callee))
    };
    // A program's function with the allocation inlined into it does more than to write a header.
    let is_private = |function: u32| view.graph.is_only_called(function);
    let mut found = Found::default();
    let mut heap_pointers = BTreeSet::new();
    for function in functions().filter(|&function| grows(function)) {
        let code = view.features.of(function);
        if !code.has_any(&BLOCK_LIMITS) || !code.has_any(&[15, 19]) {
            continue;
        }
        match view.integers(function) {
            Some((1, 1)) if code.stores <= 1 && is_private(function) => {
                let sign = "has the limit of a block of AssemblyScript's stub runtime";
                found.add(view, function, Role::Malloc, "size", sign);
            }
            Some((2, 1)) if code.has(OBJECT_LIMIT) => {
                let sign =
                    "has the limits of an object and a block of AssemblyScript's stub runtime";
                found.add(view, function, Role::Malloc, "size", sign);
            }
            Some((2, 1)) if code.stores <= 2 && is_private(function) => {
                let sign = "has the limit of a block, and copies what it held";
                found.add(view, function, Role::Realloc, "ptr size", sign);
            }
            _ => {
                let doubt = format!("f{function} has its own copy of the allocator inlined");
                found.doubt = Some(doubt);
            }
        }
        let callees = view.graph.callees(function).iter().copied();
        let grower = callees.filter(|&callee| view.graph.grows(callee));
        let parts = grower.chain([function]);
        heap_pointers.extend(parts.flat_map(|it| view.features.of(it).global_sets.iter().copied()));
    }
    if found.with(Role::Malloc).is_none() {
        return Found::default();
    }
    let frees = functions().filter(|&function| {
        let code = view.features.of(function);
        let sets = code.global_sets.iter().any(|global| heap_pointers.contains(global));
        view.integers(function) == Some((1, 0)) && sets && code.has(15) && !grows(function)
    });
    for free in frees {
        let sign = "checks a block's alignment, and sets the pointer back";
        found.add(view, free, Role::Free, "ptr", sign);
    }
    found
}
