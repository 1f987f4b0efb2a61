//! Zig's allocators for wasm, which are only called through a table of four functions.
//!
//! `WasmAllocator`, later `BrkAllocator`, has classes of sizes up to a page of 64 KiB, less the
//! word for its lists; whole pages above. `WasmPageAllocator`, up to Zig 0.13, has a bit map of
//! pages. `alloc(context, size, align, return address)`, `free(context, ptr, size, align, ...)`
//! and `resize(context, ptr, size, align, size, ...)`, with `remap` beside it, keep these
//! parameters because they are called by address.

use super::{View, finders::Found};
use crate::allocators::shape::Answer;
use seepage_trace::Role;

/// What rounds a large size with its word up to pages of 64 KiB.
const CLASSES: [i64; 2] = [65_539, 65_535];

/// The bits of a page map that a growth adds, in `WasmPageAllocator`: a page of them.
const PAGE_MAP: i64 = 2048;

pub(super) fn find(view: &View<'_>) -> Found {
    let by_address =
        || view.graph.functions().filter(|&function| !view.graph.is_only_called(function));
    let of_shape = |shape: (usize, usize)| {
        by_address().filter(move |&function| view.integers(function) == Some(shape))
    };
    let has_classes =
        |function: u32| CLASSES.iter().all(|&number| view.features.of(function).has(number));
    let classes = |shape: (usize, usize)| -> Vec<u32> {
        of_shape(shape).filter(|&function| has_classes(function)).collect()
    };
    let pages = |function: u32| view.features.of(function).has(65_535);
    let (mallocs, frees) = (classes((4, 1)), classes((5, 0)));
    if let ([malloc], [free]) = (&mallocs[..], &frees[..])
        && share(view, *malloc, *free)
    {
        let sign = "has the classes of sizes of Zig's WasmAllocator, and is called by address";
        let mut resizes = classes((6, 1));
        // `remap` may do no more than call `resize`, without the block, which that does not need.
        let remaps = of_shape((6, 1)).filter(|&function| {
            let callees = view.graph.callees(function);
            matches!(callees, [resize] if resizes.contains(resize))
        });
        let remaps: Vec<u32> = remaps.collect();
        resizes.extend(remaps);
        return whole(view, *malloc, *free, resizes, sign);
    }
    let mallocs: Vec<u32> = of_shape((4, 1))
        .filter(|&it| pages(it) && view.features.of(it).has(PAGE_MAP) && view.graph.grows(it))
        .collect();
    let frees: Vec<u32> = of_shape((5, 0)).filter(|&it| pages(it)).collect();
    if let ([malloc], [free]) = (&mallocs[..], &frees[..])
        && shares_helper(view, *malloc, *free)
    {
        let resizes = of_shape((6, 1)).filter(|&it| pages(it) && shares_helper(view, it, *free));
        let sign = "rounds to pages and keeps the page map of Zig's WasmPageAllocator";
        return whole(view, *malloc, *free, resizes.collect(), sign);
    }
    Found::default()
}

fn whole(view: &View<'_>, malloc: u32, free: u32, resizes: Vec<u32>, sign: &'static str) -> Found {
    let mut found = Found::default();
    found.add(view, malloc, Role::Malloc, "_ size", sign);
    found.add(view, free, Role::Free, "_ ptr", "takes a block of the same classes or pages back");
    for resize in resizes {
        // `resize` answers whether it could, and `remap` the block, which stays where it is.
        let sign = "compares two sizes by the same classes or pages";
        found.add(view, resize, Role::Realloc, "_ ptr old _ size", sign);
        if let Some(shape) = found.last_shape() {
            shape.answer = Answer::InPlace;
        }
    }
    found
}

/// Both touch the heads of the same lists, or call what does.
fn share(view: &View<'_>, a: u32, b: u32) -> bool {
    let touched = |function: u32| {
        let callees = view.graph.callees(function).iter().copied();
        let parts: Vec<u32> = callees.chain([function]).collect();
        parts.into_iter().flat_map(|it| view.features.rare_addresses(it)).collect::<Vec<_>>()
    };
    let (a, b) = (touched(a), touched(b));
    a.iter().any(|address| *address > 65_539 && b.contains(address))
}

/// What works on the page map, which both touch or call.
fn shares_helper(view: &View<'_>, a: u32, b: u32) -> bool {
    let own = |function: u32| -> Vec<u32> { view.graph.callees(function).to_vec() };
    let second = |function: u32| -> Vec<u32> {
        own(function).into_iter().flat_map(own).chain(own(function)).collect()
    };
    let (a_helpers, b_helpers) = (second(a), second(b));
    a_helpers.iter().any(|helper| b_helpers.contains(helper)) || share(view, a, b)
}
