//! What code a probe can come to.

use super::others::elements;
use crate::graph::index_of;
use std::collections::BTreeSet;
use walrus::{FunctionId, FunctionKind, LocalFunction, Module, TypeId, ir};

/// Instructions that may be kept for calls through a table: an allocator with functions of that kind,
/// such as wee_alloc, has short ones, and any other function of their type might be meant as well.
const MOST: u64 = 100_000;

/// By function: whether the exported ones lead to it, by direct calls or through a table.
pub(super) fn reached(module: &Module, ids: &[FunctionId], exported: &BTreeSet<u32>) -> Vec<bool> {
    let mut reach = Reach { module, ids, reached: vec![false; ids.len()], types: BTreeSet::new() };
    exported.iter().for_each(|&function| _ = reach.add(function));
    let mut targets: Vec<(u64, u32)> = elements(module)
        .into_values()
        .collect::<BTreeSet<u32>>()
        .into_iter()
        .filter_map(|function| Some((reach.local(function)?.size(), function)))
        .collect();
    targets.sort_unstable();
    let mut kept = 0;
    while let Some(at) = targets.iter().position(|&(_, function)| reach.is_called(function)) {
        let (_, function) = targets.remove(at);
        kept += reach.add(function);
        if kept > MOST {
            break;
        }
    }
    reach.reached
}

struct Reach<'a> {
    module: &'a Module,
    ids: &'a [FunctionId],
    reached: Vec<bool>,
    /// Of functions that are called through a table.
    types: BTreeSet<TypeId>,
}

impl Reach<'_> {
    fn local(&self, function: u32) -> Option<&LocalFunction> {
        match &self.module.funcs.get(*self.ids.get(function as usize)?).kind {
            FunctionKind::Local(local) => Some(local),
            _ => None,
        }
    }

    /// Whether a call through a table may mean the function.
    fn is_called(&self, function: u32) -> bool {
        self.local(function).is_some_and(|local| self.types.contains(&local.ty()))
    }

    /// Adds a function and all that it calls directly; gives the instructions that are new.
    fn add(&mut self, function: u32) -> u64 {
        let mut size = 0;
        let mut work = vec![function];
        while let Some(function) = work.pop() {
            if std::mem::replace(&mut self.reached[function as usize], true) {
                continue;
            }
            let mut calls = Calls::default();
            if let Some(local) = self.local(function) {
                size += local.size();
                ir::dfs_in_order(&mut calls, local, local.entry_block());
            }
            work.extend(calls.direct);
            self.types.extend(calls.indirect);
        }
        size
    }
}

#[derive(Default)]
struct Calls {
    direct: Vec<u32>,
    indirect: Vec<TypeId>,
}

impl<'instr> ir::Visitor<'instr> for Calls {
    fn visit_function_id(&mut self, function: &FunctionId) {
        self.direct.push(index_of(*function));
    }

    fn visit_call_indirect(&mut self, call: &ir::CallIndirect) {
        self.indirect.push(call.ty);
    }
}
