//! Which functions may be the rest of an allocator: what resizes a block, gives a zeroed one, or one
//! of an alignment.
//!
//! The code only says which functions are worth a try: they answer one integer, and call `malloc` or
//! `free`, share their state, or stand beside them in a table of functions. What they do is for the
//! probe to see.

use super::{ProbeFunction, ProbePair, Reading};
use crate::{facts::Facts, graph::CallGraph, graph::index_of, structure::features::Features};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};
use walrus::{ConstExpr, Data, DataKind, ElementItems, ElementKind, Module, ValType, ir::Value};

/// More functions are not tried for one allocator.
const MOST: usize = 16;

/// Bytes of code that one more function may bring along: a probe must not compile half a program.
const MOST_CODE: u32 = 64 << 10;

/// A table of an allocator's functions has so many entries or fewer: `alloc`, `resize`, `remap` and
/// `free` are Zig's.
const TABLE: usize = 6;

/// The search for the others of any allocator of a module.
pub(crate) struct Others<'a> {
    facts: &'a Facts<'a>,
    graph: &'a CallGraph,
    features: Features,
    /// Functions by their index in the table.
    elements: BTreeMap<u32, u32>,
    /// The words of static data, segment by segment.
    data: Vec<Vec<u32>>,
}

impl<'a> Others<'a> {
    pub(crate) fn new(module: &Module, facts: &'a Facts<'a>, graph: &'a CallGraph) -> Others<'a> {
        let words = |segment: &Data| -> Vec<u32> {
            let offset = match segment.kind {
                DataKind::Active { offset: ConstExpr::Value(Value::I32(offset)), .. } => offset,
                _ => 0,
            };
            // Words are aligned in memory; a segment may begin anywhere.
            let bytes = segment.value.iter().skip(offset.wrapping_neg() as usize % 4).copied();
            let bytes: Vec<u8> = bytes.collect();
            let words = bytes.chunks_exact(4).filter_map(|word| word.try_into().ok());
            words.map(u32::from_le_bytes).collect()
        };
        Others {
            facts,
            graph,
            features: Features::new(module, facts),
            elements: elements(module),
            data: module.data.iter().map(words).collect(),
        }
    }

    /// The functions to try, the likeliest first.
    pub(crate) fn of(&self, pair: &ProbePair) -> Vec<ProbeFunction> {
        let malloc = pair.malloc.index;
        let frees: Vec<u32> = pair.frees.iter().map(|free| free.index).collect();
        let neighbours = self.neighbours(malloc, &frees);
        let mut state: BTreeSet<u32> = self.features.rare_addresses(malloc).into_iter().collect();
        if let Some(&free) = frees.first() {
            state.extend(self.features.rare_addresses(free));
        }
        let score = |function: u32| -> Option<(usize, usize)> {
            let (parameters, results) = self.graph.signature(function)?;
            let is_integer = |ty: &ValType| matches!(ty, ValType::I32 | ValType::I64);
            let fits = results.len() == 1 && parameters.iter().chain(results).all(is_integer);
            let is_private = self.graph.is_only_called(function)
                && self.graph.callers(function).all(|caller| caller == malloc);
            if !fits || function == malloc || is_private {
                return None;
            }
            let callees = self.graph.callees(function);
            let calls = usize::from(callees.contains(&malloc))
                + usize::from(callees.iter().any(|callee| frees.contains(callee)));
            let touched = self.features.of(function).addresses.iter();
            let shared = touched.filter(|address| state.contains(address)).count();
            let score = 8 * usize::from(neighbours.contains(&function)) + 4 * calls + shared;
            (score > 0).then_some((score, parameters.len()))
        };
        let mut scored: Vec<(usize, u32, usize)> = self
            .graph
            .functions()
            .filter_map(|function| {
                score(function).map(|(score, parameters)| (score, function, parameters))
            })
            .collect();
        scored.sort_by_key(|&(score, function, _)| (Reverse(score), function));
        let mut compiled = BTreeSet::new();
        for function in [malloc].into_iter().chain(frees.iter().copied()) {
            compiled.extend(self.reached(function, &compiled).unwrap_or_default());
        }
        let mut others: Vec<ProbeFunction> = Vec::new();
        for (_, function, parameters) in scored {
            let readings = Reading::of_others(parameters, neighbours.contains(&function));
            if others.len() == MOST || readings.is_empty() {
                continue;
            }
            if let Some(code) = self.reached(function, &compiled) {
                compiled.extend(code);
                others.push(ProbeFunction::with(function, readings));
            }
        }
        let all: Vec<u32> = others.iter().map(|other| other.index).collect();
        for other in &mut others {
            let callees = self.graph.callees(other.index).iter();
            other.calls = callees
                .filter(|callee| **callee != other.index && all.contains(callee))
                .copied()
                .collect();
        }
        others
    }

    /// What a function reaches by direct calls beyond what is compiled anyway, if it is not too much.
    fn reached(&self, function: u32, compiled: &BTreeSet<u32>) -> Option<BTreeSet<u32>> {
        let mut reached = BTreeSet::new();
        let mut work = vec![function];
        let mut bytes = 0;
        while let Some(function) = work.pop() {
            if compiled.contains(&function) || !reached.insert(function) {
                continue;
            }
            bytes += self.facts.body_size(function).unwrap_or(0);
            if bytes > MOST_CODE {
                return None;
            }
            work.extend(self.graph.callees(function));
        }
        Some(reached)
    }

    /// The functions that stand with `malloc` and one of `frees` in a table of functions in static
    /// data.
    fn neighbours(&self, malloc: u32, frees: &[u32]) -> BTreeSet<u32> {
        let function = |word: &u32| self.elements.get(word).copied();
        let mut neighbours = BTreeSet::new();
        for words in &self.data {
            for at in 0..words.len() {
                if function(&words[at]) != Some(malloc) {
                    continue;
                }
                // It ends where a word is no function's.
                let row: Vec<u32> = words[at..].iter().map_while(function).take(TABLE).collect();
                if row.iter().any(|function| frees.contains(function)) {
                    neighbours.extend(row);
                }
            }
        }
        neighbours
    }
}

/// The functions that a module's tables begin with, by index. Several tables would be confused, and
/// then what is found in them only fails its probe.
pub(super) fn elements(module: &Module) -> BTreeMap<u32, u32> {
    let mut elements = BTreeMap::new();
    for segment in module.elements.iter() {
        let ElementKind::Active { offset: ConstExpr::Value(Value::I32(offset)), .. } = segment.kind
        else {
            continue;
        };
        if let ElementItems::Functions(functions) = &segment.items {
            // A hostile offset may be anything; such a module does not even start.
            let indices = (0u32..).map(|index| index.wrapping_add(offset as u32));
            elements.extend(indices.zip(functions.iter().map(|&function| index_of(function))));
        }
    }
    elements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_any_offset() {
        let of = |offset: &str| {
            let text = format!(
                "(module (table 9 funcref) (func $a) (func $b)
                    (elem (i32.const {offset}) func $b $a))"
            );
            let wasm = wat::parse_str(text).expect("the text is a module");
            elements(&Module::from_buffer(&wasm).expect("it is read"))
        };
        assert_eq!(of("3"), BTreeMap::from([(3, 1), (4, 0)]));
        assert_eq!(of("-1"), BTreeMap::from([(u32::MAX, 1), (0, 0)]));
    }
}
