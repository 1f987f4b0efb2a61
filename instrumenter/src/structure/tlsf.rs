//! AssemblyScript's TLSF heap, under its incremental and its minimal collector.
//!
//! `allocateBlock(root, size)` keeps two limits that nothing else has: the largest block, 2^30 - 4,
//! and 2^29 - 2, up to which a request is rounded. It answers the block's header, 4 bytes before
//! the address that `__free` takes. What gives blocks back is known by `insertBlock`, which it
//! shares with what splits and adds memory for `allocateBlock`.

use super::{View, finders::Found};
use seepage_trace::Role;
use std::collections::BTreeSet;

const BLOCK_MAXSIZE: i64 = 1_073_741_820;
const ROUNDED_BELOW: i64 = 536_870_910;

/// TLSF's `BLOCK_OVERHEAD` on 32-bit memories.
const HEADER: u32 = 4;

/// The heap has no more functions than these; where more fit, the signs have misled.
const MAX_FUNCTIONS: usize = 6;

/// The heap's functions, if the module has it.
pub(super) fn find(view: &View<'_>) -> Found {
    let grows = |function: u32| {
        let callees = view.graph.callees(function).iter();
        view.graph.grows(function) || callees.into_iter().any(|&callee| view.graph.grows(callee))
    };
    let allocate = view.graph.functions().find(|&function| {
        let code = view.features.of(function);
        let fits = matches!(view.integers(function), Some((1 | 2, 1)));
        fits && code.has(BLOCK_MAXSIZE)
            && code.has(ROUNDED_BELOW)
            && code.has_any(&[256, 65535])
            && grows(function)
    });
    let Some(allocate) = allocate else { return Found::default() };
    let callees = |function: u32| -> BTreeSet<u32> {
        view.graph.callees(function).iter().copied().filter(|&it| it != function).collect()
    };
    let helpers = callees(allocate);
    let inner: BTreeSet<u32> = helpers.iter().flat_map(|&helper| callees(helper)).collect();
    let inserts: BTreeSet<u32> = inner
        .into_iter()
        .filter(|&it| matches!(view.integers(it), Some((1 | 2, 0))) && it != allocate)
        .collect();
    let Some((parameters, _)) = view.integers(allocate) else { return Found::default() };
    let mut found = Found::default();
    let mut add = |function: u32, role: Role, list: &str, offset: u32, sign: &'static str| {
        found.add(view, function, role, list, sign);
        if let Some(shape) = found.last_shape() {
            shape.offset = offset;
        }
    };
    let list = if parameters == 1 { "size" } else { "_ size" };
    let sign = "has the limits of AssemblyScript's TLSF heap (2^30 - 4, 2^29 - 2)";
    add(allocate, Role::Malloc, list, HEADER, sign);
    for function in view.graph.functions() {
        if function == allocate || helpers.contains(&function) || inserts.contains(&function) {
            continue;
        }
        let calls = callees(function);
        if calls.is_disjoint(&inserts) {
            continue;
        }
        let stores = view.features.of(function).stores > 0;
        match view.integers(function) {
            Some((1, 0)) if stores && view.features.of(function).has(15) => add(
                function,
                Role::Free,
                "ptr",
                0,
                "checks a block's alignment and inserts it among the free ones",
            ),
            Some((2, 0)) if stores => add(
                function,
                Role::Free,
                "_ ptr",
                HEADER,
                "marks a block as free and inserts it among the free ones",
            ),
            Some((3, 1)) if calls.contains(&allocate) => add(
                function,
                Role::Realloc,
                "_ ptr size",
                HEADER,
                "allocates a block, and inserts another among the free ones",
            ),
            _ => {}
        }
    }
    let is_whole = found.with(Role::Free).is_some() && found.functions().count() <= MAX_FUNCTIONS;
    if is_whole { found } else { Found::default() }
}
