//! Where a module asks its host for a larger memory.
//!
//! Emscripten's `sbrk` has no `memory.grow`: it calls an import, `emscripten_resize_heap` or before
//! that `enlargeMemory`, and JavaScript grows the memory. Minified, the import is a letter, of which
//! the glue may tell the name; else it is found by who calls it: a function that asks how large the
//! memory is, and then something of the host that takes a number and answers one.

use crate::{facts::Facts, glue, graph::CallGraph};
use std::collections::BTreeSet;

/// What Emscripten calls it, now and formerly.
const NAMES: [&str; 2] = ["emscripten_resize_heap", "enlargeMemory"];

/// A body of at most so many bytes with a `memory.grow` does nothing else.
const HAND_BYTES: u32 = 16;

/// How the host comes to grow the memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostGrowth {
    /// The imports that the module calls for it.
    pub(crate) imports: BTreeSet<u32>,
    /// The functions that call one of them for it.
    pub(crate) callers: BTreeSet<u32>,
    /// Functions with a `memory.grow` by which the host does what it was asked for.
    pub(crate) hands: BTreeSet<u32>,
}

impl HostGrowth {
    pub(crate) fn find(facts: &Facts<'_>, graph: &CallGraph, glue: Option<&str>) -> HostGrowth {
        if facts.module.memories.is_empty() {
            return HostGrowth::default();
        }
        let is_named = |name: &str| NAMES.iter().any(|known| name.contains(known));
        let mut told: BTreeSet<u32> = imports(facts, is_named).collect();
        if let (true, Some(glue)) = (told.is_empty(), glue) {
            let names: BTreeSet<_> = NAMES.iter().flat_map(|it| glue::imports(glue, it)).collect();
            told = imports(facts, |it| names.contains(it)).collect();
        }
        let is_told = !told.is_empty();
        let hands: BTreeSet<u32> =
            graph.growers().into_iter().filter(|&it| is_hand(facts, graph, it)).collect();
        let grows_itself = graph.growers().iter().any(|grower| !hands.contains(grower));
        let asks = |import: u32| graph.callers(import).filter(|&it| graph.asks_size(it));
        let imports: BTreeSet<u32> = match is_told {
            true => told,
            false if grows_itself => BTreeSet::new(),
            false => (0..facts.imports.len() as u32)
                .filter(|&it| graph.import_shape(it) == Some((1, 1)) && asks(it).next().is_some())
                .collect(),
        };
        let callers = imports.iter().flat_map(|&import| graph.callers(import));
        let callers = callers.filter(|&it| is_told || graph.asks_size(it)).collect();
        let hands = if imports.is_empty() { BTreeSet::new() } else { hands };
        HostGrowth { imports, callers, hands }
    }

    /// The functions that make a memory grow: by instruction, or by asking the host.
    pub(crate) fn growers(&self, graph: &CallGraph) -> Vec<u32> {
        let by_instruction = self.by_instruction(graph);
        if by_instruction.is_empty() {
            self.callers.iter().copied().collect()
        } else {
            by_instruction
        }
    }

    /// The functions that grow a memory themselves, and for their callers in the module.
    pub(crate) fn by_instruction(&self, graph: &CallGraph) -> Vec<u32> {
        let mut growers = graph.growers();
        growers.retain(|grower| !self.hands.contains(grower));
        growers
    }
}

fn imports(facts: &Facts<'_>, is_wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = u32> {
    let all = (0..).zip(&facts.imports);
    all.filter(move |(_, import)| is_wanted(import.name)).map(|(index, _)| index)
}

/// Whether a function is no more than a `memory.grow` for the host, as `__growWasmMemory`.
fn is_hand(facts: &Facts<'_>, graph: &CallGraph, function: u32) -> bool {
    let takes_one =
        graph.signature(function).is_some_and(|(it, answer)| it.len() == 1 && it == answer);
    takes_one
        && graph.is_only_exported(function)
        && facts.body_size(function).is_some_and(|size| size <= HAND_BYTES)
}
