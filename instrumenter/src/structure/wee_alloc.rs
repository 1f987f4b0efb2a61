//! wee_alloc: lists of free cells, one for large ones and 256 for each number of words below.
//!
//! `alloc` takes the memory from a policy that is called through a table, so no path of direct
//! calls leads from it to the growth. What grows has the policy's numbers: at least 64 KiB (16,384
//! words), rounded up with two words of a header. `alloc` and `dealloc` choose a list by the same
//! limit, and share the addresses of the lists.

use super::{View, finders::Found};
use seepage_trace::Role;

/// 65,535, and a header of 8 bytes.
const PAGE_ROUNDING: i64 = 65_543;

/// The bytes of the lists of small cells.
const LISTS: u32 = 1024;

/// 64 KiB in words.
const PAGE_WORDS: i64 = 16_384;

pub(super) fn find(view: &View<'_>) -> Found {
    let source = view.graph.functions().find(|&function| {
        let code = view.features.of(function);
        view.graph.grows(function) && code.has(PAGE_ROUNDING) && code.has(PAGE_WORDS)
    });
    let Some(source) = source else { return Found::default() };
    let chooses = |function: u32| {
        let code = view.features.of(function);
        code.has_any(&[255, 256]) && view.features.rare_addresses(function).len() >= 2
    };
    let of_shape = |results: usize| {
        let functions = view.graph.functions().filter(move |&function| {
            let fits = matches!(view.integers(function), Some((1..=3, n)) if n == results);
            fits && chooses(function)
        });
        functions.collect::<Vec<u32>>()
    };
    let pairs: Vec<(u32, u32)> = of_shape(1)
        .into_iter()
        .flat_map(|malloc| of_shape(0).into_iter().map(move |free| (malloc, free)))
        .filter(|&(malloc, free)| shared(view, malloc, free).len() >= 2)
        .collect();
    let [(malloc, free)] = pairs[..] else { return Found::default() };
    let Some(size) = view.features.of(malloc).rounded else { return Found::default() };
    let mut found = Found { own: vec![source], ..Found::default() };
    found.is_scattered = is_inlined(view, malloc, free, source);
    let list = ["size", "_ size", "_ _ size"][(size as usize).min(2)];
    found.add(
        view,
        malloc,
        Role::Malloc,
        list,
        "chooses among 256 lists by the size in words, beside a growth with wee_alloc's numbers",
    );
    let sign = "chooses among the lists of malloc by the same limit, and answers nothing";
    found.add(view, free, Role::Free, "ptr", sign);
    found
}

/// The addresses of the lists.
fn shared(view: &View<'_>, malloc: u32, free: u32) -> Vec<u32> {
    let of_free = view.features.rare_addresses(free);
    let of_malloc = view.features.rare_addresses(malloc).into_iter();
    of_malloc.filter(|address| of_free.contains(address)).collect()
}

/// Whether other functions choose a list themselves: for a size that the compiler knows, it has
/// put the list's own address there.
fn is_inlined(view: &View<'_>, malloc: u32, free: u32, source: u32) -> bool {
    let lists = shared(view, malloc, free);
    let (Some(&first), Some(&last)) = (lists.first(), lists.last()) else { return false };
    // The 256 lists lie before the other one, or behind it.
    let end = if last - first >= LISTS { last } else { last + LISTS };
    let inside = view.graph.enclosed([malloc, free, source]);
    view.graph.functions().filter(|&function| !inside[function as usize]).any(|function| {
        let code = view.features.of(function);
        let touches = code.addresses.iter().any(|address| (first..=end).contains(address));
        touches && code.stores > 0
    })
}
