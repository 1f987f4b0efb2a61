//! Lets candidates that structure has found show whether they are an allocator: see [`instrument`].
//!
//! This crate runs no wasm. The caller's [engine](Engine) does, and [`seepage_probe`] judges what it
//! sees.

mod meter;
mod others;
mod reach;
mod readings;
mod sandbox;
mod settle;

use crate::{
    allocators::shape::{Parameter, Shape},
    config::AllocFn,
    error::Error,
    facts::Facts,
};
pub(crate) use others::Others;
use readings::Reading;
pub use sandbox::sandbox;
pub use seepage_probe::engine::{Engine, Instance};
use seepage_probe::{Suspect, Suspects, engine};
use seepage_trace::Role;
pub use settle::{Check, Probed, Probing, inspect, instrument, probe};
use std::collections::BTreeSet;

/// More functions are not tried for one candidate.
pub(crate) const MAX_FREES: usize = 8;

/// Bytes of a page of memory.
const PAGE: u64 = 65536;

/// Nor are more functions that are known to be `malloc`: one that passes is enough.
const MAX_MALLOCS: usize = 4;

/// A module whose candidates can be called.
#[derive(Clone, Debug)]
pub(crate) struct ProbeModule {
    /// Its bytes.
    pub(crate) wasm: Vec<u8>,
    /// Bytes of the memories that it begins with.
    pub(crate) memory: u64,
    /// What to try, the likeliest first.
    pub(crate) heaps: Vec<ProbeHeap>,
}

/// What may be one allocator.
#[derive(Clone, Debug)]
pub(crate) struct ProbeHeap {
    /// The `malloc`.
    pub(crate) malloc: ProbeFunction,
    /// What may be its `free`, the likeliest first.
    pub(crate) frees: Vec<ProbeFunction>,
    /// What may be any other function of it, the likeliest first.
    pub(crate) others: Vec<ProbeFunction>,
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
pub(crate) struct ProbeFunction {
    /// Its index in the original.
    pub(crate) index: u32,
    /// What it may be taken for.
    pub(crate) readings: Vec<Reading>,
    /// Others of the same allocator that it calls.
    calls: Vec<u32>,
}

/// A function that passed a probe: its index among those tried, and that of the reading.
pub(crate) type Passed = (usize, usize);

impl ProbeHeap {
    /// What is to be tried.
    fn suspects(&self) -> Suspects {
        let all =
            |functions: &[ProbeFunction]| functions.iter().map(ProbeFunction::suspect).collect();
        Suspects {
            malloc: self.malloc.suspect(),
            frees: all(&self.frees),
            others: all(&self.others),
        }
    }

    /// The functions that passed, to be hooked on the word of a probe.
    pub(crate) fn settled(&self, malloc: usize, free: Passed, others: &[Passed]) -> Vec<AllocFn> {
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
        ProbeFunction { index, readings, calls: Vec::new() }
    }

    fn suspect(&self) -> Suspect {
        Suspect {
            export: engine::export(self.index),
            readings: self.readings.iter().map(Reading::tried).collect(),
        }
    }

    fn is_called(&self, export: &str) -> bool {
        engine::export(self.index) == export
    }

    /// How many parameters it has.
    pub(crate) fn parameters(&self) -> usize {
        self.readings.first().map_or(0, |reading| reading.parameters.len())
    }

    fn settled(&self, reading: &Reading) -> AllocFn {
        let mut parameters = reading.parameters.clone();
        for parameter in &mut parameters {
            // What a probe passes as the size of a block is right; what the program passes may be
            // the size after a resizing that nobody sees. And an alignment that is not what the
            // function is tried for may be something else.
            let is_aligned = matches!(reading.role, Role::Memalign | Role::AlignedAlloc);
            let is_told = match parameter {
                Parameter::OldSize => true,
                Parameter::Size => reading.role == Role::Free,
                Parameter::Align => !is_aligned,
                _ => false,
            };
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

/// Builds the module.
pub(crate) fn module(
    wasm: &[u8],
    facts: &Facts<'_>,
    heaps: Vec<ProbeHeap>,
    grow_imports: &BTreeSet<u32>,
) -> Result<ProbeModule, Error> {
    let functions = heaps
        .iter()
        .flat_map(|heap| [&heap.malloc].into_iter().chain(&heap.frees).chain(&heap.others));
    let functions: BTreeSet<u32> = functions.map(|function| function.index).collect();
    let pages = facts.module.memories.iter().map(|memory| memory.initial_pages);
    let memory = pages.fold(0u64, u64::saturating_add).saturating_mul(PAGE);
    Ok(ProbeModule { wasm: sandbox(wasm, &functions, grow_imports)?, memory, heaps })
}
