//! mimalloc: pages of blocks of one size, in segments of 4 MiB (version 2) or behind a map of
//! 64 KiB slices (version 3).
//!
//! `mi_malloc(size)` looks into a table of the pages for small sizes, up to 512 bytes, and falls
//! back on one generic function, as its siblings do. `mi_free(ptr)` finds the page by the address.
//! Both are short, and stand above whatever gives mimalloc its memory. The aligned functions look into
//! the table as well, and fall back on functions that are told the heap and call the generic one.

use super::{View, finders::Found, prints};
use seepage_trace::Role;
use std::collections::{BTreeMap, BTreeSet};

/// The mask of a segment's address.
const SEGMENT: i64 = -4_194_304;

/// The largest size that has a page of its own in the table.
const SMALL: [i64; 2] = [512, 1024];

const MAX_MALLOC: u32 = 400;
const MAX_WRAPPER: u32 = 40;
const MAX_RESIZE: u32 = 120;

pub(super) fn find(view: &View<'_>) -> Found {
    let callees = |function: u32| -> BTreeSet<u32> {
        view.graph.callees(function).iter().copied().filter(|&it| it != function).collect()
    };
    let Some(free) = free(view) else { return Found::default() };
    // What looks into the table, by what it falls back on.
    let mut by_generic: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for function in view.graph.functions() {
        let code = view.features.of(function);
        let is_short = view.bytes(function) <= MAX_MALLOC;
        if is_short && code.has_any(&SMALL) && code.has(-4) && code.has(3) && code.stores > 0 {
            let large = callees(function).into_iter().filter(|&it| view.bytes(it) > MAX_MALLOC);
            large.for_each(|generic| by_generic.entry(generic).or_default().push(function));
        }
    }
    // Where the table is looked into for a heap that is passed along, `mi_malloc` names the heap.
    let passes_on_to = |users: &[u32]| -> Vec<u32> {
        let with_heap = |user: &u32| matches!(view.integers(*user), Some((2..=4, 1)));
        let users: Vec<u32> = users.iter().copied().filter(with_heap).collect();
        let is_it = |&function: &u32| {
            let [callee] = view.graph.callees(function) else { return false };
            view.integers(function) == Some((1, 1))
                && view.bytes(function) <= MAX_WRAPPER
                && users.contains(callee)
        };
        view.graph.functions().filter(is_it).collect()
    };
    let is_malloc = |users: &[u32]| users.iter().any(|&it| view.integers(it) == Some((1, 1)));
    let has_malloc = |users: &Vec<u32>| is_malloc(users) || !passes_on_to(users).is_empty();
    let mut generics = by_generic.into_iter().filter(|(_, users)| has_malloc(users));
    let (Some((generic, users)), None) = (generics.next(), generics.next()) else {
        return Found::default();
    };
    let mut found = Found::default();
    for function in passes_on_to(&users) {
        let sign = "passes on to what looks into a table of pages for sizes up to 512";
        found.add(view, function, Role::Malloc, "size", sign);
    }
    for user in users {
        match view.integers(user) {
            Some((1, 1)) => {
                let sign = "looks into a table of pages for sizes up to 512, as mimalloc does";
                found.add(view, user, Role::Malloc, "size", sign);
            }
            Some((2, 1)) if view.features.of(user).mul > 0 => {
                let sign = "multiplies, and looks into mimalloc's table of pages";
                found.add(view, user, Role::Calloc, "count size", sign);
            }
            _ => {}
        }
    }
    found.add(
        view,
        free,
        Role::Free,
        "ptr",
        "finds a block's page by its address, as mimalloc does",
    );
    let slow = slow(view, generic);
    aligned(view, &slow, &mut found);
    let helpers = callees(free);
    let gives_back = |function: u32| {
        let called = callees(function);
        called.contains(&free) || called.intersection(&helpers).count() >= 2
    };
    for function in view.graph.functions() {
        // `mi_realloc(ptr, size)`, or with an alignment behind these, only adds the heap, and whether
        // to clear.
        let inner = callees(function);
        let passes_on = view.bytes(function) <= MAX_RESIZE
            && !inner.is_empty()
            && inner.iter().all(|it| slow.contains(it))
            && inner.iter().any(|&it| gives_back(it));
        let list = match view.integers(function) {
            Some((2, 1)) if inner.len() == 1 => "ptr size",
            Some((3, 1)) if inner.len() == 2 => "ptr size _",
            _ => continue,
        };
        if passes_on {
            let sign = "passes on to what allocates from mimalloc's pages and frees";
            found.add(view, function, Role::Realloc, list, sign);
        }
    }
    found.own = sources(view, generic);
    let inside = view.graph.enclosed(found.functions());
    let other = view.graph.callers(generic).find(|&it| it != generic && !inside[it as usize]);
    found.doubt = other.map(|it| format!("f{it}, which is not hooked, allocates there as well"));
    found
}

/// `mi_free`, which nothing else resembles: it answers nothing, and goes from the address to the
/// page by a mask and a division, or by a map. Of the few that do, it is the one that the program
/// calls.
fn free(view: &View<'_>) -> Option<u32> {
    let is_it = |&function: &u32| {
        let code = view.features.of(function);
        let by_segment = code.has(SEGMENT) && code.mul > 0;
        let by_map = code.has(32_768) && code.shl > 0;
        view.integers(function) == Some((1, 0))
            && (by_segment || by_map)
            && code.has(15)
            && code.has(65_535)
            && code.shr_u > 0
            && (1..=6).contains(&code.stores)
    };
    let callers = |function: u32| view.graph.callers(function).collect::<BTreeSet<_>>().len();
    let frees = view.graph.functions().filter(is_it);
    frees.max_by_key(|&function| callers(function))
}

/// The functions that allocate by the generic one, or by another of these, and are told the heap.
fn slow(view: &View<'_>, generic: u32) -> BTreeSet<u32> {
    let mut slow = BTreeSet::new();
    let mut work = vec![generic];
    while let Some(function) = work.pop() {
        let callers = view.graph.callers(function).filter(|&it| it != generic);
        let told: Vec<u32> =
            callers.filter(|&it| matches!(view.integers(it), Some((3..=6, 1)))).collect();
        work.extend(told.into_iter().filter(|&it| slow.insert(it)));
    }
    slow
}

/// `mi_malloc_aligned(size, align)` and its siblings: the size is what is rounded up for the table.
/// Those that clear call something else as well.
fn aligned(view: &View<'_>, slow: &BTreeSet<u32>, found: &mut Found) {
    for function in view.graph.functions() {
        let code = view.features.of(function);
        let looks_up = code.has_any(&SMALL) && code.has(-4) && code.has(3) && code.stores > 0;
        let callees = view.graph.callees(function);
        let falls_back = callees.iter().any(|it| slow.contains(it));
        if !looks_up || !falls_back || view.integers(function) != Some((2, 1)) {
            continue;
        }
        let list = match code.rounded {
            Some(0) => "size align",
            Some(1) => "align size",
            _ => continue,
        };
        let clears = callees.iter().any(|it| !slow.contains(it));
        let role = if clears { Role::Calloc } else { Role::Memalign };
        let sign = "looks into mimalloc's table of pages, and falls back on what is told the heap";
        found.add(view, function, role, list, sign);
    }
}

/// What leads from the generic function to the growth: the pages are mimalloc's, whoever asks for
/// the first of them. An allocator below it, which may have other users, is not mimalloc's own.
fn sources(view: &View<'_>, generic: u32) -> Vec<u32> {
    let growers = view.graph.growers();
    let reaching = view.graph.reaching(growers.iter().copied());
    let mut reached = BTreeSet::new();
    let mut work = vec![generic];
    while let Some(function) = work.pop() {
        let is_printed = || prints::LIST.iter().any(|it| (it.malloc)(view, function).is_some());
        let is_own = reaching.contains(function) && !growers.contains(&function) && !is_printed();
        if is_own && reached.insert(function) {
            work.extend(view.graph.callees(function));
        }
    }
    reached.into_iter().collect()
}
