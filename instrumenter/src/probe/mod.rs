//! Prepares a module for a probe: the candidates that structure has found are exported, and nothing
//! else of the module is left to run.
//!
//! This crate runs no wasm. Who does takes [`ProbeModule`], tries each [`ProbeHeap`], and hands what
//! passed back as [`AllocFn`]s.

mod others;
mod reach;
mod readings;

use crate::{
    allocators::shape::{Parameter, Shape},
    config::AllocFn,
    error::Error,
    graph::index_of,
    rewrite,
};
pub(crate) use others::Others;
pub use readings::{Meaning, Reading, Service};
use seepage_trace::{Role, abi};
use std::collections::BTreeSet;
use walrus::{FunctionBuilder, FunctionId, FunctionKind, Module};

/// More functions are not tried for one candidate.
pub(crate) const MAX_FREES: usize = 8;

/// Nor are more functions that are known to be `malloc`: one that passes is enough.
const MAX_MALLOCS: usize = 4;

/// A module whose candidates can be called.
#[derive(Clone, Debug)]
pub struct ProbeModule {
    /// Its bytes.
    pub wasm: Vec<u8>,
    /// The memory's export.
    pub memory: String,
    /// Imports by which the module may ask its host for a larger memory.
    pub grow_imports: Vec<(String, String)>,
    /// What to try, the likeliest first.
    pub heaps: Vec<ProbeHeap>,
}

/// What may be one allocator.
#[derive(Clone, Debug)]
pub struct ProbeHeap {
    /// The `malloc`.
    pub malloc: ProbeFunction,
    /// What may be its `free`, the likeliest first.
    pub frees: Vec<ProbeFunction>,
    /// What may be any other function of it, the likeliest first.
    pub others: Vec<ProbeFunction>,
}

/// A function that may be `malloc`, with those that may be its `free`.
#[derive(Clone, Debug)]
pub(crate) struct ProbePair {
    pub(crate) malloc: ProbeFunction,
    /// The likeliest first.
    pub(crate) frees: Vec<ProbeFunction>,
}

/// A function to try.
#[derive(Clone, Debug)]
pub struct ProbeFunction {
    /// Its index in the original.
    pub index: u32,
    /// The export by which it can be called.
    pub export: String,
    /// What it may be taken for.
    pub readings: Vec<Reading>,
    /// Others of the same allocator that it calls.
    calls: Vec<u32>,
}

/// A function that passed a probe: its index among those tried, and that of the reading.
pub type Passed = (usize, usize);

impl ProbeHeap {
    /// The functions that passed, to be hooked on the word of a probe.
    pub fn settled(&self, malloc: usize, free: Passed, others: &[Passed]) -> Vec<AllocFn> {
        let passed = |&(function, reading): &Passed| {
            let function = self.others.get(function)?;
            Some((function, function.readings.get(reading)?))
        };
        let others: Vec<_> = others.iter().filter_map(passed).collect();
        // What does its work by calling one that does the same adds nothing, and may do more: the
        // inner one's blocks are the allocator's. Zig's `remap` and the `resize` that it calls are two
        // services, and the inner call may leave out the block, which `resize` does not look at.
        let is_inner = |&(function, reading): &(&ProbeFunction, &Reading)| {
            !others.iter().any(|(other, same)| {
                function.calls.contains(&other.index) && same.service() == reading.service()
            })
        };
        let pair = [self.malloc.readings.get(malloc).map(|reading| (&self.malloc, reading))]
            .into_iter()
            .chain([self.frees.get(free.0).and_then(|it| Some((it, it.readings.get(free.1)?)))])
            .flatten();
        pair.chain(others.iter().copied().filter(is_inner))
            .map(|(function, reading)| function.settled(reading))
            .collect()
    }
}

impl ProbeFunction {
    /// A `malloc` or a `free` of so many parameters.
    pub(crate) fn new(index: u32, role: Role, parameters: usize) -> ProbeFunction {
        ProbeFunction::with(index, Reading::of(role, parameters))
    }

    fn with(index: u32, readings: Vec<Reading>) -> ProbeFunction {
        ProbeFunction {
            index,
            export: format!("seepage:probe:{index}"),
            readings,
            calls: Vec::new(),
        }
    }

    /// How many parameters it has.
    pub(crate) fn parameters(&self) -> usize {
        self.readings.first().map_or(0, |reading| reading.parameters.len())
    }

    fn settled(&self, reading: &Reading) -> AllocFn {
        let mut parameters = reading.parameters.clone();
        for parameter in &mut parameters {
            // What a probe passes as the size of a block is right; what the program passes may be
            // the size after a resizing that nobody sees.
            let is_told = *parameter == Parameter::OldSize
                || (reading.role == Role::Free && *parameter == Parameter::Size);
            if is_told {
                *parameter = Parameter::Other;
            }
        }
        AllocFn {
            name: format!("f{}", self.index),
            role: reading.role,
            parameters: Some(parameters),
            answer: Some(reading.answer),
            is_probed: true,
        }
    }
}

/// What may be the allocators of a module, by the pairs that structure has found.
pub(crate) fn heaps(others: &Others<'_>, pairs: Vec<ProbePair>) -> Vec<ProbeHeap> {
    let heap = |pair: ProbePair| ProbeHeap {
        others: others.of(&pair),
        malloc: pair.malloc,
        frees: pair.frees,
    };
    pairs.into_iter().map(heap).collect()
}

/// The allocator that a module has for sure, for a probe to confirm: each `malloc` with all else.
pub(crate) fn known_heaps(hooks: &[(u32, Shape)]) -> Vec<ProbeHeap> {
    let of = |wanted: &dyn Fn(Role) -> bool| -> Vec<ProbeFunction> {
        let functions = hooks.iter().filter(|(_, shape)| wanted(shape.role));
        let readings =
            functions.filter_map(|(index, shape)| Some((*index, Reading::known(shape)?)));
        readings.map(|(index, reading)| ProbeFunction::with(index, vec![reading])).collect()
    };
    let frees = of(&|role| role == Role::Free);
    let others = of(&|role| !matches!(role, Role::Malloc | Role::Free));
    let mallocs = of(&|role| role == Role::Malloc).into_iter().take(MAX_MALLOCS);
    mallocs
        .map(|malloc| ProbeHeap { malloc, frees: frees.clone(), others: others.clone() })
        .collect()
}

/// Builds the module, in which only what the candidates reach has its code.
pub(crate) fn module(
    wasm: &[u8],
    heaps: Vec<ProbeHeap>,
    grow_imports: Vec<(String, String)>,
) -> Result<ProbeModule, Error> {
    let mut module = rewrite::parse(wasm)?;
    let ids: Vec<FunctionId> = module.funcs.iter().map(|function| function.id()).collect();
    let functions = heaps
        .iter()
        .flat_map(|heap| [&heap.malloc].into_iter().chain(&heap.frees).chain(&heap.others));
    let mut exported: BTreeSet<u32> = BTreeSet::new();
    for function in functions {
        if exported.insert(function.index) {
            module.exports.add(&function.export, ids[function.index as usize]);
        }
    }
    module.start = None;
    let memory = format!("{}0", abi::MEMORY_EXPORT_PREFIX);
    if let Some(id) = module.memories.iter().next().map(|memory| memory.id()) {
        module.exports.add(&memory, id);
    }
    silence(&mut module, &ids, &exported);
    let wasm = module.emit_wasm();
    Ok(ProbeModule { wasm, memory, grow_imports, heaps })
}

/// Empties the functions that no exported candidate can reach: a probe must not compile megabytes.
fn silence(module: &mut Module, ids: &[FunctionId], exported: &BTreeSet<u32>) {
    let reached = reach::reached(module, ids, exported);
    for (index, &id) in ids.iter().enumerate().filter(|(index, _)| !reached[*index]) {
        let function = module.funcs.get(id);
        if !matches!(function.kind, FunctionKind::Local(_)) {
            continue;
        }
        debug_assert_eq!(index_of(id), index as u32);
        // A type of its own, such as one of a recursion group, must stay what it is.
        let ty = function.ty();
        if !rewrite::has_plain_type(module, ty) {
            continue;
        }
        let (parameters, results) = module.types.params_results(ty);
        let (parameters, results) = (parameters.to_vec(), results.to_vec());
        let arguments: Vec<_> = parameters.iter().map(|&ty| module.locals.add(ty)).collect();
        let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &results);
        builder.func_body().unreachable();
        module.funcs.get_mut(id).kind = FunctionKind::Local(builder.local_func(arguments));
    }
}
