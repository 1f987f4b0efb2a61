//! Finding an allocator by what its code does, where no name tells.
//!
//! ```text
//! growers ──► dominators ──► a known print on the chain? ──► malloc
//!                                └► companions that share its state ──► free, realloc, memalign
//! ```
//!
//! Every sign is kept as a sentence of evidence. A sign alone decides nothing: an allocator is
//! hooked only when independent signs agree (where it stands in the call graph, what its code looks
//! like, who shares its state), and everything below that is a candidate, to be shown to a person
//! who can settle it with `--alloc-fn`.

mod companions;
mod dominators;
pub(crate) mod features;
mod prints;
mod snapshot;

use crate::{
    allocators::shape::{Answer, Parameter, Shape},
    facts::Facts,
    graph::CallGraph,
};
pub(crate) use snapshot::has_heap_before;

use companions::Companions;
use dominators::Dominators;
use features::Features;
use prints::Print;
use seepage_trace::Role;
use std::collections::BTreeSet;
use walrus::{Module, ValType};

/// A function that structure speaks for.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) function: u32,
    pub(crate) shape: Shape,
    pub(crate) family: &'static str,
    pub(crate) evidence: Vec<String>,
}

/// What structure says of a module.
#[derive(Debug, Default)]
pub(crate) struct Structure {
    /// Functions for which independent signs agree.
    pub(crate) found: Vec<Finding>,
    /// Functions for which something speaks, but not enough.
    pub(crate) candidates: Vec<Finding>,
}

/// The view that all rules have of a module.
pub(crate) struct View<'a> {
    pub(crate) facts: &'a Facts<'a>,
    pub(crate) graph: &'a CallGraph,
    pub(crate) features: &'a Features,
}

impl View<'_> {
    /// Integer parameters and at most one integer result: their numbers.
    pub(crate) fn integers(&self, function: u32) -> Option<(usize, usize)> {
        let (parameters, results) = self.graph.signature(function)?;
        let is_integer = |ty: &ValType| matches!(ty, ValType::I32 | ValType::I64);
        let fits = results.len() <= 1 && parameters.iter().chain(results).all(is_integer);
        fits.then_some((parameters.len(), results.len()))
    }

    pub(crate) fn bytes(&self, function: u32) -> u32 {
        self.facts.body_size(function).unwrap_or(0)
    }
}

/// Looks for allocators.
pub(crate) fn search(module: &Module, facts: &Facts<'_>, graph: &CallGraph) -> Structure {
    let features = Features::new(module, facts);
    let view = View { facts, graph, features: &features };
    let growers = growers(&view);
    if growers.is_empty() {
        return Structure::default();
    }
    let dominators = Dominators::new(graph);
    let mut structure = Structure::default();
    let mut seen = BTreeSet::new();
    for &grower in &growers {
        // From the outside in: the outermost dominator is what the program calls.
        for function in dominators.chain(grower) {
            let Some((parameters @ 1.., 1)) = view.integers(function) else { continue };
            if parameters > 3 || !seen.insert(function) {
                continue;
            }
            head(&view, &mut structure, grower, function, parameters);
        }
    }
    structure
}

/// Judges a dominator of growth that has an allocator's signature.
fn head(view: &View<'_>, structure: &mut Structure, grower: u32, function: u32, parameters: usize) {
    let mut evidence = vec![format!("every path to the growth in f{grower} goes through it")];
    let Some((print, signs)) =
        prints::LIST.iter().find_map(|print| Some((print, (print.malloc)(view, function)?)))
    else {
        let shape = shape(Role::Malloc, "size", parameters);
        structure.candidates.push(Finding { function, shape, family: "unknown", evidence });
        return;
    };
    evidence.push(signs);
    let malloc =
        Finding { function, shape: malloc_shape(print, parameters), family: print.name, evidence };
    let companions = Companions::new(view, function, print).find();
    let has_free = companions.iter().any(|finding| finding.shape.role == Role::Free);
    // A module in which nobody frees has no free; one in which somebody does and cannot be found
    // would make every block look leaked.
    if has_free || print.may_lack_free {
        structure.found.push(malloc);
        structure.found.extend(companions);
    } else {
        structure.candidates.push(malloc);
        structure.candidates.extend(companions);
    }
}

fn malloc_shape(print: &Print, parameters: usize) -> Shape {
    // The only parameter is the size; of two, the first is the allocator itself.
    shape(Role::Malloc, if parameters == 1 { "size" } else { print.self_first }, parameters)
}

/// A shape from a parameter list, padded with what nobody knows.
fn shape(role: Role, list: &str, parameters: usize) -> Shape {
    let mut parameters_known = Parameter::list(list).unwrap_or_default();
    parameters_known.resize(parameters, Parameter::Other);
    let answer = if role == Role::Free { Answer::None } else { Answer::Address };
    Shape { role, parameters: parameters_known, answer, offset: 0 }
}

/// The functions that make a memory grow: by instruction, or by asking the host.
fn growers(view: &View<'_>) -> Vec<u32> {
    let by_instruction = view.graph.growers();
    if !by_instruction.is_empty() {
        return by_instruction;
    }
    let imports = view.facts.imports.iter().enumerate();
    let mut growers: Vec<u32> = imports
        .filter(|(_, import)| import.name.contains("resize_heap"))
        .flat_map(|(index, _)| view.graph.callers(index as u32))
        .collect();
    growers.sort_unstable();
    growers.dedup();
    growers
}
