//! Which of the functions that may be an allocator's is the likeliest to be it, and the option that
//! would say so.

use crate::{
    allocators::shape::{Parameter, Shape},
    discover::Hook,
    probe::ProbePair,
};
use seepage_trace::Role;
use std::{cmp::Reverse, collections::BTreeSet};

/// The candidates, the likeliest first, each function once.
pub(crate) fn ranked(mut candidates: Vec<Hook>, pairs: &[ProbePair]) -> Vec<Hook> {
    let frees = |hook: &Hook| free_of(hook, &candidates, pairs).is_some();
    let mut keys: Vec<_> = candidates
        .iter()
        // A known print is a sign of its own, and an allocator can be believed if it has a `free`.
        .map(|hook| (has_print(hook), frees(hook), hook.evidence.len()))
        .map(Reverse)
        .zip(0..)
        .collect();
    // By place where nothing else tells: the outermost comes first.
    keys.sort_unstable();
    let mut seen = BTreeSet::new();
    let order: Vec<usize> = keys.into_iter().map(|(_, at)| at).collect();
    let mut hooks: Vec<Option<Hook>> = candidates.drain(..).map(Some).collect();
    order
        .into_iter()
        .filter_map(|at| hooks[at].take())
        .filter(|hook| seen.insert(hook.function))
        .collect()
}

/// The options that name the likeliest allocator: its `malloc` and, where one is known, its `free`.
pub(crate) fn option(ranked: &[Hook], pairs: &[ProbePair]) -> Option<String> {
    let malloc = ranked.iter().find(|hook| hook.shape.role == Role::Malloc)?;
    let named = named(malloc.function, &malloc.shape);
    let Some((function, shape)) = free_of(malloc, ranked, pairs) else {
        return Some(format!("{named} (no function that may be its free was found)"));
    };
    Some(format!("{named} {}", self::named(function, &shape)))
}

fn has_print(hook: &Hook) -> bool {
    hook.family != "unknown"
}

/// What would free the blocks of a candidate.
fn free_of(malloc: &Hook, candidates: &[Hook], pairs: &[ProbePair]) -> Option<(u32, Shape)> {
    let is_free = |hook: &&Hook| hook.shape.role == Role::Free && hook.family == malloc.family;
    if let Some(free) = candidates.iter().find(is_free) {
        return Some((free.function, free.shape.clone()));
    }
    let pair = pairs.iter().find(|pair| pair.malloc.index == malloc.function)?;
    let free = pair.frees.first()?;
    // An allocator that is told itself is told so by both; what else a `free` takes nobody knows.
    let has_self = malloc.shape.parameters.first() == Some(&Parameter::Other);
    let mut parameters = vec![Parameter::Other; free.parameters()];
    *parameters.get_mut(usize::from(has_self))? = Parameter::Pointer;
    Some((free.index, Shape { role: Role::Free, parameters, ..malloc.shape.clone() }))
}

/// The option for a function, with its parameters if they are not those that it would be taken to
/// have.
fn named(function: u32, shape: &Shape) -> String {
    let role = shape.role.name();
    let lists = Shape::default_parameters(shape.role).iter();
    let default = lists.filter_map(|list| Parameter::list(list).ok());
    let is_default = default.into_iter().any(|list| list == shape.parameters);
    if is_default {
        format!("--alloc-fn f{function}={role}")
    } else {
        let list = shape.describe().replace(' ', "");
        format!("--alloc-fn 'f{function}={role}({list})'")
    }
}
