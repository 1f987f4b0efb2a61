//! What will not be seen of the module's heap.

use super::Hook;
use crate::{
    facts::{Facts, Import},
    inspection::NotHooked,
};
use seepage_trace::{Frees, Role};
use std::collections::BTreeSet;

/// How the module gives blocks back.
pub(super) fn frees(facts: &Facts<'_>, hooks: &[Hook]) -> Frees {
    // In a module that names its functions, a `free` that is not there was not linked, since
    // nothing calls it; in a stripped one it may be there unseen.
    let named = facts.names.len().max(facts.debug_names.len()) as u32;
    let is_named = named > facts.module.functions / 2;
    let takes_back = |hook: &&Hook| matches!(hook.shape.role, Role::Free);
    let collected: Vec<_> = hooks.iter().filter(|hook| hook.is_collected).collect();
    if !collected.is_empty() {
        let seen = collected.iter().any(takes_back);
        if seen { Frees::Collected } else { Frees::Unseen }
    } else if hooks.iter().any(|hook| takes_back(&hook)) || is_named && !hooks.is_empty() {
        Frees::Explicit
    } else {
        Frees::Unseen
    }
}

/// A sentence for each thing that is not seen.
pub(super) fn spots(
    facts: &Facts<'_>,
    growers: &[u32],
    hooks: &[Hook],
    settles: Option<String>,
    not_hooked: &[NotHooked],
    frees: Frees,
) -> Vec<String> {
    let mut blind = Vec::new();
    let doubts: BTreeSet<&String> = hooks.iter().filter_map(|hook| hook.doubt.as_ref()).collect();
    blind.extend(doubts.into_iter().cloned());
    let is_imported = hooks.iter().any(|hook| (hook.function as usize) < facts.imports.len());
    if hooks.is_empty() && is_go(facts) {
        blind.push(
            "Go's heap is garbage-collected, and not traced: only memory growth is seen"
                .to_string(),
        );
    } else if hooks.is_empty() {
        let flag = settles.unwrap_or_else(|| "--alloc-fn NAME=ROLE".into());
        blind.push(format!(
            "no allocator was found for sure: only memory growth is seen; settle it with {flag}"
        ));
    } else if frees == Frees::Unseen && !is_imported {
        blind.push(
            "no function that frees was found: what is live cannot be told from what was freed"
                .to_string(),
        );
    } else if frees == Frees::Collected {
        blind.push(
            "the heap is garbage-collected: what is live at the end may only be waiting for the \
             collector"
                .to_string(),
        );
    }
    let is_blind = |refused: &&NotHooked| hooks.is_empty() || !refused.why.ends_with("booked");
    for refused in not_hooked.iter().filter(is_blind) {
        blind.push(format!("f{} `{}` is not hooked: {}", refused.index, refused.name, refused.why));
    }
    const DOORS: [&str; 4] = ["malloc", "free", "_Znwm", "_ZdlPv"];
    let is_allocator =
        |import: &&Import<'_>| import.module == "env" && DOORS.contains(&import.name);
    let imported = facts.imports.iter().find(is_allocator).filter(|_| hooks.is_empty());
    if let Some(import) = imported {
        blind.push(format!(
            "it imports `{}`: the allocator is the main module's, to be instrumented there",
            import.name
        ));
    }
    let by_address =
        facts.all_imports.iter().find(|(from, name)| *from == "GOT.func" && DOORS.contains(name));
    if let Some((_, name)) = by_address {
        blind.push(format!("it calls the main module's `{name}` by address as well, unseen"));
    }
    if facts.has_gc_types {
        blind.push(
            "structures and arrays of WebAssembly's own collected heap are not in linear memory, \
             and not traced"
                .into(),
        );
    }
    if facts.module.memories.is_empty() {
        blind.push("the module has no linear memory".into());
    } else if facts.module.memories.len() > 1 {
        blind.push("the allocator is taken to live in memory 0 of several".into());
    }
    if growers.is_empty() && !facts.module.memories.is_empty() {
        blind.push("no code grows the memory: growth is the host's, seen when records are".into());
    }
    blind
}

/// Whether Go's own compiler made it, whose collector is no allocator with a `free`.
pub(super) fn is_go(facts: &Facts<'_>) -> bool {
    facts.module.producers.iter().any(|it| it.name == "Go cmd/compile")
}
