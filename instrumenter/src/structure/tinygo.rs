//! TinyGo's runtime: `runtime.alloc(size, layout)`, under every collector of it.
//!
//! The code of `runtime.alloc` differs with the collector, and the simplest is no more than a
//! pointer that goes up. So the module itself must say that TinyGo has made it: in its producers,
//! by the exports of its scheduler, or by the imports that only its own JavaScript serves. Of such
//! a module the allocator is what every path to the growth goes through, called from many places.

use super::{View, dominators::Dominators, finders::Found};
use seepage_trace::Role;
use std::collections::BTreeSet;

/// All of a program's code allocates; a start that grows the memory once does not.
const CALLERS: usize = 8;

pub(super) fn find(view: &View<'_>) -> Found {
    if !is_tinygo(view) {
        return Found::default();
    }
    let dominators = Dominators::new(view.graph);
    let callers = |function: u32| view.graph.callers(function).collect::<BTreeSet<_>>().len();
    let is_it = |function: &u32| {
        matches!(view.integers(*function), Some((1..=3, 1))) && callers(*function) >= CALLERS
    };
    let growers = view.graph.growers();
    let heads: BTreeSet<u32> = growers
        .iter()
        .filter_map(|&grower| dominators.chain(grower).into_iter().find(is_it))
        .collect();
    // The start grows the memory too, without going through `runtime.alloc`.
    let above: BTreeSet<u32> =
        growers.iter().flat_map(|&grower| view.graph.callers(grower)).filter(is_it).collect();
    let mut candidates = heads.iter().chain(&above).copied().collect::<BTreeSet<u32>>().into_iter();
    let (Some(malloc), None) = (candidates.next(), candidates.next()) else {
        return Found::default();
    };
    let mut found = Found::default();
    let sign = "TinyGo has made the module, and this grows the memory for all of it";
    found.add(view, malloc, Role::Malloc, "size", sign);
    found
}

fn is_tinygo(view: &View<'_>) -> bool {
    let facts = view.facts;
    let by_producers = facts.module.producers.iter().any(|producer| producer.name == "TinyGo");
    let by_exports = facts.exports.iter().any(|(name, _)| *name == "go_scheduler");
    by_producers || by_exports
}
