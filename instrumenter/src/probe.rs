//! Prepares a module for a probe: the candidates that structure has found are exported, and nothing
//! else of the module is left to run.
//!
//! This crate runs no wasm. Who does takes [`ProbeModule`], tries the [`ProbePair`]s, and hands
//! what passed back as [`AllocFn`]s.

use crate::{
    allocators::shape::Parameter, config::AllocFn, error::Error, graph::index_of, rewrite,
};
use seepage_trace::{Role, abi};
use std::collections::BTreeSet;
use walrus::{FunctionBuilder, FunctionId, FunctionKind, Module};

/// More functions are not tried for one candidate.
pub(crate) const MAX_FREES: usize = 8;

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
    pub pairs: Vec<ProbePair>,
}

/// A function that may be `malloc`, with those that may be its `free`.
#[derive(Clone, Debug)]
pub struct ProbePair {
    /// The `malloc`.
    pub malloc: ProbeFunction,
    /// Its `free`, the likeliest first.
    pub frees: Vec<ProbeFunction>,
}

/// A function to try.
#[derive(Clone, Debug)]
pub struct ProbeFunction {
    /// Its index in the original.
    pub index: u32,
    /// The export by which it can be called.
    pub export: String,
    /// What its parameters may mean.
    pub readings: Vec<Reading>,
    role: Role,
}

/// What the parameters of a function may mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading(Vec<Parameter>);

/// A parameter's meaning, as far as a probe needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The size of the block.
    Size,
    /// The block.
    Pointer,
    /// The alignment wanted.
    Align,
    /// Anything.
    Other,
}

impl Reading {
    /// The parameters in order.
    pub fn meanings(&self) -> impl Iterator<Item = Meaning> + '_ {
        self.0.iter().map(|parameter| match parameter {
            Parameter::Size => Meaning::Size,
            Parameter::Pointer => Meaning::Pointer,
            Parameter::Align => Meaning::Align,
            _ => Meaning::Other,
        })
    }
}

impl ProbeFunction {
    /// The function as an allocator's, in the reading of that index, to be hooked on the word of a
    /// probe.
    pub fn settled(&self, reading: usize) -> AllocFn {
        let mut parameters = self.readings.get(reading).map(|reading| reading.0.clone());
        if self.role == Role::Free {
            // What a probe passes as the size is right; what the program passes may be the size
            // after a resizing that nobody sees.
            let sizes = parameters.iter_mut().flatten().filter(|it| **it == Parameter::Size);
            sizes.for_each(|size| *size = Parameter::Other);
        }
        AllocFn { name: format!("f{}", self.index), role: self.role, parameters, is_probed: true }
    }

    pub(crate) fn new(index: u32, role: Role, parameters: usize) -> ProbeFunction {
        let lists: &[&str] = match (role, parameters) {
            (Role::Malloc, 1) => &["size"],
            (Role::Malloc, 2) => &["size align", "align size", "_ size"],
            (Role::Malloc, 3) => &["_ size align", "size align _", "_ align size"],
            (Role::Malloc, _) => &["_ size _ _"],
            (_, 1) => &["ptr"],
            (_, 2) => &["ptr size", "_ ptr", "ptr align"],
            (_, 3) => &["ptr size align", "_ ptr size"],
            (_, 4) => &["_ ptr size align"],
            (_, _) => &["_ ptr size _ _"],
        };
        ProbeFunction {
            index,
            export: format!("seepage:probe:{index}"),
            readings: lists
                .iter()
                .filter_map(|list| Parameter::list(list).ok().map(Reading))
                .collect(),
            role,
        }
    }
}

/// Builds the module, in which only what the candidates reach has its code.
pub(crate) fn module(
    wasm: &[u8],
    pairs: Vec<ProbePair>,
    grow_imports: Vec<(String, String)>,
) -> Result<ProbeModule, Error> {
    let mut module = rewrite::parse(wasm)?;
    let ids: Vec<FunctionId> = module.funcs.iter().map(|function| function.id()).collect();
    let functions = pairs.iter().flat_map(|pair| [&pair.malloc].into_iter().chain(&pair.frees));
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
    Ok(ProbeModule { wasm, memory, grow_imports, pairs })
}

/// Empties the functions that no exported candidate can reach: a probe must not compile megabytes.
fn silence(module: &mut Module, ids: &[FunctionId], exported: &BTreeSet<u32>) {
    let mut reached = vec![false; ids.len()];
    let mut work: Vec<u32> = exported.iter().copied().collect();
    while let Some(function) = work.pop() {
        if std::mem::replace(&mut reached[function as usize], true) {
            continue;
        }
        if let FunctionKind::Local(local) = &module.funcs.get(ids[function as usize]).kind {
            let mut callees = Callees::default();
            walrus::ir::dfs_in_order(&mut callees, local, local.entry_block());
            work.extend(callees.0);
        }
    }
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

#[derive(Default)]
struct Callees(Vec<u32>);

impl<'instr> walrus::ir::Visitor<'instr> for Callees {
    fn visit_function_id(&mut self, function: &FunctionId) {
        self.0.push(index_of(*function));
    }
}
