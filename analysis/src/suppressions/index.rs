//! Which contexts a rule can match at all.
//!
//! A rule that is looked for anywhere in the stack would have to look at every frame of every
//! context. Names are far fewer than frames, so a rule is held against the names, and then only
//! against the contexts in which one of them stands.

use super::{
    Candidate, Rule,
    pattern::{StackPattern, Step},
};
use rustc_hash::FxHashMap;
use std::{collections::hash_map::Entry, sync::Arc};

/// Steps of a rule that are held against the names. The one with the fewest contexts decides.
const MAX_STEPS: usize = 4;

/// The names of functions and files, and where each stands.
pub(super) struct Index<'a> {
    names: Vec<&'a str>,
    /// For each name the places of the candidates, rising.
    places: Vec<Vec<u32>>,
    /// The names of the modules, and the places of their candidates.
    modules: Vec<(&'a str, Vec<u32>)>,
}

impl<'a> Index<'a> {
    pub(super) fn new(candidates: &[Candidate<'a>]) -> Index<'a> {
        let mut index = Index { names: Vec::new(), places: Vec::new(), modules: Vec::new() };
        // Equal names may have several addresses: each is an entry then, which does no harm.
        let mut known: FxHashMap<usize, usize> = FxHashMap::default();
        for (number, candidate) in (0u32..).zip(candidates) {
            let place = &candidate.place;
            match index.modules.iter_mut().find(|(name, _)| *name == place.module) {
                Some((_, places)) => places.push(number),
                None => index.modules.push((place.module, vec![number])),
            }
            for frame in place.frames {
                for name in [Some(&frame.function), frame.file.as_ref()].into_iter().flatten() {
                    let slot = match known.entry(Arc::as_ptr(name) as *const u8 as usize) {
                        Entry::Occupied(entry) => *entry.get(),
                        Entry::Vacant(entry) => {
                            index.names.push(name);
                            index.places.push(Vec::new());
                            *entry.insert(index.names.len() - 1)
                        }
                    };
                    let places = &mut index.places[slot];
                    if places.last() != Some(&number) {
                        places.push(number);
                    }
                }
            }
        }
        index
    }

    /// The places of all candidates that the rule may match, rising; nothing if that cannot be
    /// told without looking at each.
    pub(super) fn candidates(&self, rule: &Rule) -> Option<Vec<u32>> {
        let [stack] = rule.stacks.as_slice() else { return None };
        let steps = eligible(stack).take(MAX_STEPS);
        let mut places = steps.map(|step| self.of_step(step)).min_by_key(Vec::len)?;
        places.sort_unstable();
        places.dedup();
        Some(places)
    }

    fn of_step(&self, step: &Step) -> Vec<u32> {
        let names = self.names.iter().zip(&self.places).filter(|(name, _)| step.may_be(name));
        let modules = self.modules.iter().filter(|(name, _)| step.holds_for_module(name));
        let names = names.flat_map(|(_, places)| places);
        names.chain(modules.flat_map(|(_, places)| places)).copied().collect()
    }
}

/// The steps that must be a frame of whatever the stack's pattern matches.
fn eligible(stack: &StackPattern) -> impl Iterator<Item = &Step> {
    let steps = stack.steps.iter().skip(usize::from(stack.names_allocator));
    steps.filter(|step| !matches!(step, Step::Any))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        profile::Count,
        suppressions::{parse, pattern::Place},
    };
    use proptest::prelude::*;
    use seepage_trace::{Frame, ModuleId};

    fn rule() -> impl Strategy<Value = String> {
        let name = "[ab*]{1,2}|\\^a|b\\$|\\*?x|app|\\.c";
        let line = prop::collection::vec(prop_oneof![name, Just("...".into())], 1..4);
        let frame = ("fun|obj|src", name).prop_map(|(kind, name)| format!("{kind}:{name}"));
        let block = prop::collection::vec(prop_oneof![frame, Just("...".into())], 1..4);
        prop_oneof![
            line.prop_map(|steps| format!("leak:{}", steps.join(" < "))),
            block.prop_map(|steps| format!("{{\nn\nMemcheck:Leak\n{}\n}}", steps.join("\n"))),
        ]
    }

    proptest! {
        /// What is not looked at would not have matched.
        #[test]
        fn nothing_is_missed(
            text in rule(),
            stacks in prop::collection::vec(prop::collection::vec(("[abx]{1,2}", any::<bool>()), 0..4), 1..6),
        ) {
            let Ok(rules) = parse(&text, "x") else { return Ok(()) };
            let frame = |(name, has_file): &(String, bool)| Frame {
                file: has_file.then(|| "src/a.c".into()),
                ..Frame::function(name.as_str())
            };
            let stacks: Vec<Vec<Frame>> =
                stacks.iter().map(|stack| stack.iter().map(frame).collect()).collect();
            let candidates: Vec<Candidate<'_>> = stacks
                .iter()
                .map(|frames| Candidate {
                    module: ModuleId(0),
                    kinds: None,
                    live: Count { blocks: 1, bytes: 1 },
                    place: Place { module: "app.wasm", allocator: &["malloc", "a"], frames },
                })
                .collect();
            let possible = Index::new(&candidates).candidates(&rules[0]);
            let Some(possible) = possible else { return Ok(()) };
            for (number, candidate) in (0u32..).zip(&candidates) {
                let matches = rules[0].matches(&candidate.place);
                prop_assert!(!matches || possible.contains(&number), "{}", text);
            }
        }
    }
}
