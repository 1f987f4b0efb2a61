//! Whether an allocator is all in the functions that were found: what the compiler has inlined
//! elsewhere works on the same state there, and would not be seen.

use super::View;
use std::collections::BTreeSet;

/// A function outside `functions`, and what only they call, that works on the state that `malloc`
/// and `free` share.
pub(super) fn outsider(
    view: &View<'_>,
    malloc: u32,
    free: u32,
    functions: impl IntoIterator<Item = u32>,
) -> Option<u32> {
    let state = state(view, malloc, free);
    if state.is_empty() {
        return None;
    }
    let inside = view.graph.enclosed(functions.into_iter().chain([malloc, free]));
    let enough = state.len().min(2);
    view.graph.functions().find(|&function| {
        let code = view.features.of(function);
        let shared = code.addresses.iter().filter(|address| state.contains(address)).count();
        // What the host calls once, without a word, sets the state up.
        let is_start =
            view.integers(function) == Some((0, 0)) && view.graph.is_only_exported(function);
        !inside[function as usize] && !is_start && code.stores > 0 && shared >= enough
    })
}

/// The static addresses that both of them touch, in code of their own or of what only they call,
/// and few others.
fn state(view: &View<'_>, malloc: u32, free: u32) -> BTreeSet<u32> {
    let of = |function: u32| -> BTreeSet<u32> {
        let inside = view.graph.enclosed([function]);
        let members = view.graph.functions().filter(|&it| inside[it as usize]);
        members.flat_map(|it| view.features.rare_addresses(it)).collect()
    };
    let (malloc, free) = (of(malloc), of(free));
    // A power of two, or one less, is a size or a mask.
    let is_round = |address: u32| {
        address.is_power_of_two() || address.checked_add(1).is_none_or(u32::is_power_of_two)
    };
    malloc.intersection(&free).copied().filter(|&address| !is_round(address)).collect()
}
