//! Whether an allocator is all in the functions that were found: what the compiler has inlined
//! elsewhere works on the same state there, and would not be seen.

use super::View;
use std::{collections::BTreeSet, ops::RangeInclusive};

/// The statics of a small allocator are no more bytes than these.
const STATICS: u32 = 4096;

/// A function outside `functions`, and what only they call, that works on the state that `malloc`
/// and `free` share. What is only to be tried may have parts that it calls through a table, and
/// state that is known by no more than where it lies.
pub(super) fn outsider(
    view: &View<'_>,
    malloc: u32,
    free: u32,
    functions: impl IntoIterator<Item = u32>,
    to_be_tried: bool,
) -> Option<u32> {
    let (of_malloc, of_free) = (touched(view, malloc), touched(view, free));
    let shared: BTreeSet<u32> = of_malloc.intersection(&of_free).copied().collect();
    // Where the compiler has folded an index into one of the addresses, they share no more than the
    // place where these lie.
    let place = place(&of_malloc).filter(|_| to_be_tried && shared.is_empty());
    let enough = shared.len().clamp(1, 2);
    let is_state = |address: &u32| {
        shared.contains(address) || place.as_ref().is_some_and(|place| place.contains(address))
    };
    let inside = view.graph.enclosed(functions.into_iter().chain([malloc, free]));
    view.graph.functions().find(|&function| {
        let code = view.features.of(function);
        let shared = code.addresses.iter().filter(|address| is_state(address)).count();
        // What the host calls once, without a word, sets the state up.
        let is_start =
            view.integers(function) == Some((0, 0)) && view.graph.is_only_exported(function);
        let is_part = || to_be_tried && view.graph.is_only_entered_from(function, &inside);
        !inside[function as usize] && !is_start && code.stores > 0 && shared >= enough && !is_part()
    })
}

/// A function outside `functions`, and what only they call, that calls `malloc` and gives back a
/// piece of what it gets as `free` and its like do: the sign that is left where the state is behind
/// a pointer.
pub(super) fn disposer(
    view: &View<'_>,
    malloc: u32,
    free: u32,
    functions: impl IntoIterator<Item = u32>,
) -> Option<u32> {
    let mut inside = vec![false; view.graph.functions().count()];
    let hooked = functions.into_iter().chain([malloc, free]);
    hooked.for_each(|it| inside[it as usize] = true);
    let calls_malloc = |function: u32| view.graph.callees(function).contains(&malloc);
    let disposes = |&function: &u32| {
        let callers = || view.graph.callers(function);
        matches!(view.integers(function), Some((2..=3, 0)))
            && view.features.of(function).stores >= 3
            && !inside[function as usize]
            && view.graph.is_only_called(function)
            && callers().any(|it| inside[it as usize])
            && callers().all(|it| inside[it as usize] || calls_malloc(it))
    };
    view.graph.functions().find(|&function| {
        let is_outside = !inside[function as usize] && calls_malloc(function);
        is_outside && view.graph.callees(function).iter().any(disposes)
    })
}

/// The static addresses that a function touches, or what only it calls, and few others.
fn touched(view: &View<'_>, function: u32) -> BTreeSet<u32> {
    let inside = view.graph.enclosed([function]);
    let members = view.graph.functions().filter(|&it| inside[it as usize]);
    let addresses = members.flat_map(|it| view.features.rare_addresses(it));
    addresses.filter(|&address| !is_round(address)).collect()
}

/// A power of two, or one less, is a size or a mask.
fn is_round(address: u32) -> bool {
    address.is_power_of_two() || address.checked_add(1).is_none_or(u32::is_power_of_two)
}

/// Where the statics lie that a `malloc` touches, if they lie together.
pub(super) fn place(addresses: &BTreeSet<u32>) -> Option<RangeInclusive<u32>> {
    let addresses = || addresses.iter().copied().filter(|&address| !is_round(address));
    let (first, last) = (addresses().min()?, addresses().max()?);
    (last - first <= STATICS).then_some(first..=last)
}
