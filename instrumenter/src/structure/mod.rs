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
mod finders;
mod mimalloc;
mod prints;
mod snapshot;
mod stub;
mod tinygo;
mod tlsf;
mod wee_alloc;
mod whole;
mod zig;

use crate::{
    allocators::shape::{Answer, Parameter, Shape},
    facts::Facts,
    graph::CallGraph,
    probe::{ProbeFunction, ProbePair},
};
pub(crate) use snapshot::has_heap_before;

use companions::Companions;
use dominators::Dominators;
use features::Features;
use finders::Found;
use prints::Print;
use seepage_trace::{Role, WORKS_UNSEEN};
use std::collections::BTreeSet;
use walrus::{Module, ValType};

/// A function that structure speaks for.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) function: u32,
    pub(crate) shape: Shape,
    pub(crate) family: &'static str,
    pub(crate) evidence: Vec<String>,
    /// A collector in the module gives its blocks back.
    pub(crate) is_collected: bool,
    /// Why the allocator may not be whole.
    pub(crate) doubt: Option<String>,
}

/// What structure says of a module.
#[derive(Debug, Default)]
pub(crate) struct Structure {
    /// Functions for which independent signs agree.
    pub(crate) found: Vec<Finding>,
    /// Functions for which something speaks, but not enough.
    pub(crate) candidates: Vec<Finding>,
    /// What a probe could settle.
    pub(crate) pairs: Vec<ProbePair>,
    /// Functions of what was found that no call graph would tell are its own.
    pub(crate) own: Vec<u32>,
}

/// The view that all rules have of a module.
pub(crate) struct View<'a> {
    pub(crate) facts: &'a Facts<'a>,
    pub(crate) graph: &'a CallGraph,
    pub(crate) features: &'a Features,
    known: &'a [(u32, Role)],
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

/// Looks for allocators before the functions that make a memory grow, of which `growers` are left to
/// be explained; `known` are the functions whose names tell, and `doors` those of them that only the
/// outside names: what belongs to them may have no name.
pub(crate) fn search(
    module: &Module,
    facts: &Facts<'_>,
    graph: &CallGraph,
    known: &[(u32, Role)],
    doors: &[(u32, Role)],
    growers: &[u32],
) -> Structure {
    if growers.is_empty() && doors.is_empty() {
        return Structure::default();
    }
    let features = Features::new(module, facts);
    let view = View { facts, graph, features: &features, known };
    let mut seen = BTreeSet::new();
    if growers.is_empty() {
        let mut structure = Structure::default();
        behind_doors(&view, &mut structure, &mut seen, doors);
        return structure;
    }
    let dominators = Dominators::new(graph);
    let mut structure = Structure::default();
    for finder in finders::LIST {
        let found = (finder.find)(&view);
        structure.own.extend(&found.own);
        let is_scattered = !finder.is_collected && scattered(&view, &found);
        let functions = found.into_findings(finder);
        if is_scattered { &mut structure.candidates } else { &mut structure.found }
            .extend(functions);
    }
    if structure.found.iter().any(|finding| finding.is_collected) {
        return structure;
    }
    let found = structure.found.iter().map(|finding| finding.function);
    let inside = graph.enclosed(found.chain(structure.own.iter().copied()));
    for &grower in growers.iter().filter(|&&grower| !inside[grower as usize]) {
        heads(&view, &mut structure, &mut seen, grower, &dominators);
    }
    behind_doors(&view, &mut structure, &mut seen, doors);
    structure
}

/// Looks for what belongs to a `malloc` of which no growth tells, as where the memory is fixed.
fn behind_doors(
    view: &View<'_>,
    structure: &mut Structure,
    seen: &mut BTreeSet<u32>,
    doors: &[(u32, Role)],
) {
    for &(function, _) in doors.iter().filter(|(_, role)| *role == Role::Malloc) {
        let is_printed = prints::LIST.iter().any(|it| (it.malloc)(view, function).is_some());
        if is_printed && seen.insert(function) {
            head(view, structure, function, "the outside names it".into());
        }
    }
}

/// Whether the code of some function is that of an allocator that is known.
pub(crate) fn is_known(
    module: &Module,
    facts: &Facts<'_>,
    graph: &CallGraph,
    mut functions: impl Iterator<Item = u32>,
) -> bool {
    let features = Features::new(module, facts);
    let view = View { facts, graph, features: &features, known: &[] };
    let fits = |function| prints::LIST.iter().any(|it| (it.malloc)(&view, function).is_some());
    functions.any(fits) || !mimalloc::find(&view).functions.is_empty()
}

/// A function that works on the state which `malloc` and `free` share, and is none of `functions`.
pub(crate) fn outsider(
    module: &Module,
    facts: &Facts<'_>,
    graph: &CallGraph,
    (malloc, free): (u32, u32),
    functions: impl IntoIterator<Item = u32>,
) -> Option<u32> {
    let features = Features::new(module, facts);
    let view = View { facts, graph, features: &features, known: &[] };
    whole::outsider(&view, malloc, free, functions, false)
}

/// Whether parts of an allocator are inlined where nobody would see them.
fn scattered(view: &View<'_>, found: &Found) -> bool {
    let (malloc, free) = (found.with(Role::Malloc), found.with(Role::Free));
    let all = || found.functions().chain(found.own.iter().copied());
    let is_outside = |(malloc, free)| whole::outsider(view, malloc, free, all(), false).is_some();
    found.is_scattered || malloc.zip(free).is_some_and(is_outside)
}

/// Judges what stands before a grower.
fn heads(
    view: &View<'_>,
    structure: &mut Structure,
    seen: &mut BTreeSet<u32>,
    grower: u32,
    dominators: &Dominators,
) {
    let chain = dominators.chain(grower);
    let has_shape = |function: &u32| matches!(view.integers(*function), Some((1..=4, 1)));
    // From the outside in: the outermost dominator is what the program calls.
    let mut ways: Vec<(u32, String)> = chain
        .iter()
        .map(|&function| {
            (function, format!("every path to the growth in f{grower} goes through it"))
        })
        .collect();
    let is_printed =
        |function: u32| prints::LIST.iter().any(|it| (it.malloc)(view, function).is_some());
    if !chain.iter().any(|function| has_shape(function) && is_printed(*function)) {
        // Several functions may share what grows the memory, as where `memalign` does not go through
        // `malloc`.
        let callers: BTreeSet<u32> = chain
            .iter()
            .flat_map(|&function| view.graph.callers(function))
            .flat_map(|caller| dominators.chain(caller))
            .filter(|&function| is_printed(function))
            .collect();
        let callers = callers.into_iter();
        ways.extend(callers.map(|it| (it, format!("it leads to the growth in f{grower}"))));
    }
    for (function, way) in ways {
        if has_shape(&function) && seen.insert(function) {
            head(view, structure, function, way);
        }
    }
}

/// Judges one function with an allocator's signature.
fn head(view: &View<'_>, structure: &mut Structure, function: u32, way: String) {
    let parameters = view.integers(function).map_or(0, |(parameters, _)| parameters);
    let mut evidence = vec![way];
    let Some((print, signs)) =
        prints::LIST.iter().find_map(|print| Some((print, (print.malloc)(view, function)?)))
    else {
        offer(view, structure, function, parameters);
        let shape = shape(Role::Malloc, "size", parameters);
        structure.candidates.push(Finding {
            function,
            shape,
            family: "unknown",
            evidence,
            is_collected: false,
            doubt: None,
        });
        return;
    };
    evidence.push(signs);
    let malloc = Finding {
        function,
        shape: malloc_shape(view, function, print, parameters),
        family: print.name,
        evidence,
        is_collected: false,
        doubt: None,
    };
    let search = Companions::new(view, function, print, view.known);
    let companions = search.find();
    // A module in which nobody frees has no free; one in which somebody does and cannot be found
    // would make every block look leaked.
    let free = companions.iter().find(|it| it.shape.role == Role::Free).map(|it| it.function);
    let doubt = free.or_else(|| search.known(Role::Free)).and_then(|free| {
        let known = view.known.iter().map(|(function, _)| *function);
        let own = view.graph.functions().filter(|&it| (print.own)(view, it));
        let all: Vec<u32> =
            companions.iter().map(|it| it.function).chain(known).chain(own).collect();
        let outsider = whole::outsider(view, function, free, all.iter().copied(), false)
            .or_else(|| whole::disposer(view, function, free, all.iter().copied()))?;
        Some(format!("f{outsider}{WORKS_UNSEEN}"))
    });
    let is_lost = print.is_inlined && doubt.is_some();
    let malloc = Finding { doubt, ..malloc };
    let own = view.graph.functions().filter(|&it| (print.own)(view, it));
    structure.own.extend(own);
    if search.has_free(&companions) && !is_lost {
        structure.found.push(malloc);
        structure.found.extend(companions);
    } else {
        offer(view, structure, function, parameters);
        structure.candidates.push(malloc);
        structure.candidates.extend(companions);
    }
}

/// Lets a probe settle what may be a `malloc`, with what may be its `free`.
fn offer(view: &View<'_>, structure: &mut Structure, function: u32, parameters: usize) {
    let mut frees = Companions::new(view, function, &prints::UNKNOWN, view.known).free_suspects();
    let known = || view.known.iter().map(|(function, _)| *function);
    frees.retain(|free| whole::outsider(view, function, free.index, known(), true).is_none());
    if !frees.is_empty() {
        let malloc = ProbeFunction::new(function, Role::Malloc, parameters);
        structure.pairs.push(ProbePair { malloc, frees });
    }
}

fn malloc_shape(view: &View<'_>, function: u32, print: &Print, parameters: usize) -> Shape {
    let list = match (parameters, print.self_first) {
        (1, _) => "size",
        (_, prints::ROUNDED) => match view.features.of(function).rounded {
            Some(1) => "align size",
            _ => "size align",
        },
        // Of two, the first is the allocator itself.
        (_, list) => list,
    };
    shape(Role::Malloc, list, parameters)
}

/// A shape from a parameter list, padded with what nobody knows.
fn shape(role: Role, list: &str, parameters: usize) -> Shape {
    let mut parameters_known = Parameter::list(list).unwrap_or_default();
    parameters_known.resize(parameters, Parameter::Other);
    let answer = match role {
        Role::Free => Answer::None,
        Role::PosixMemalign => Answer::ThroughPointer,
        _ => Answer::Address,
    };
    Shape { role, parameters: parameters_known, answer, offset: 0 }
}
