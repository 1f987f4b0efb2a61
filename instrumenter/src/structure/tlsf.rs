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
    let callees = |function: u32| -> BTreeSet<u32> {
        view.graph.callees(function).iter().copied().filter(|&it| it != function).collect()
    };
    let Some(allocate) = allocate(view) else { return Found::default() };
    let helpers = callees(allocate);
    let inner: BTreeSet<u32> =
        helpers.iter().flat_map(|&helper| callees(helper)).chain(helpers.iter().copied()).collect();
    // Both what inserts a block among the free ones and what takes one out ask for its size class.
    let classify: BTreeSet<u32> = inner
        .iter()
        .copied()
        .filter(|&it| matches!(view.integers(it), Some((1 | 2, 0))) && it != allocate)
        .filter(|&it| view.features.of(it).has(BLOCK_MAXSIZE))
        .collect();
    // What inserts one takes its neighbours out.
    let takes_out = |&it: &u32| !callees(it).is_disjoint(&classify);
    let mut inserts: BTreeSet<u32> = classify.iter().copied().filter(takes_out).collect();
    if inserts.is_empty() {
        inserts = classify;
    }
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
    // A program that frees nothing and exports no collector has lost what would.
    let is_inserting = |it: u32| !callees(it).is_disjoint(&inserts);
    let is_own = |it: u32| it == allocate || inner.contains(&it);
    let frees_nothing =
        !inserts.is_empty() && view.graph.functions().all(|it| is_own(it) || !is_inserting(it));
    let gives_back = found.with(Role::Free).is_some() || frees_nothing;
    let is_whole = gives_back && found.functions().count() <= MAX_FUNCTIONS;
    if is_whole { found } else { Found::default() }
}

/// The function that has TLSF's limits, or calls what has them, and makes the memory grow. What calls
/// it may look the same.
fn allocate(view: &View<'_>) -> Option<u32> {
    let grows = |function: u32| {
        let callees = view.graph.callees(function).iter();
        view.graph.grows(function) || callees.into_iter().any(|&callee| view.graph.grows(callee))
    };
    let is_it = |&function: &u32| {
        if !matches!(view.integers(function), Some((1 | 2, 1))) || !grows(function) {
            return false;
        }
        let callees = view.graph.callees(function).iter().copied();
        let inner = callees.clone().flat_map(|it| view.graph.callees(it).iter().copied());
        let near: BTreeSet<u32> = callees.chain(inner).chain([function]).collect();
        let has = |numbers: &[i64]| near.iter().any(|&it| view.features.of(it).has_any(numbers));
        has(&[BLOCK_MAXSIZE]) && has(&[ROUNDED_BELOW]) && has(&[256, 65_535])
    };
    let fitting: BTreeSet<u32> = view.graph.functions().filter(is_it).collect();
    let is_inmost = |function: &u32| {
        let mut callees = view.graph.callees(*function).iter();
        callees.all(|callee| callee == function || !fitting.contains(callee))
    };
    let mut inmost = fitting.iter().copied().filter(is_inmost);
    inmost.next().filter(|_| inmost.next().is_none())
}
