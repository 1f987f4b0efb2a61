//! Who calls whom, in the original's function indices.
//!
//! Indirect calls are followed by signature: a `call_indirect` of a type may land in any function
//! of that type whose address is taken. It over-approximates and never misses a call inside the
//! module; calls that go through the host are the host's.

use crate::facts::Facts;
use std::collections::{BTreeMap, BTreeSet};
use walrus::{
    ConstExpr, ElementItems, ExportItem, FunctionId, FunctionKind, GlobalKind, Module, TypeId,
    ValType,
    ir::{self, Instr, Visitor, dfs_in_order},
};

/// The index of a function in the original module.
pub(crate) fn index_of(id: FunctionId) -> u32 {
    // walrus numbers functions as it reads them: the imported ones first, then the defined ones,
    // which is the index space of the module itself.
    id.index() as u32
}

/// The call graph of a module.
#[derive(Debug)]
pub(crate) struct CallGraph {
    nodes: Vec<Node>,
    /// Functions by signature that call indirectly.
    indirect_callers: BTreeMap<Signature, Vec<u32>>,
}

#[derive(Debug, Default)]
struct Node {
    signature: Signature,
    is_defined: bool,
    parameters: Box<[ValType]>,
    results: Box<[ValType]>,
    /// One entry a call site.
    callees: Vec<u32>,
    /// The callees of calls after which something follows.
    returning: Vec<u32>,
    /// One entry a call site.
    callers: Vec<u32>,
    indirect: BTreeSet<Signature>,
    grows: bool,
    asks_size: bool,
    is_address_taken: bool,
    is_exported: bool,
    is_start: bool,
}

/// A function type by its shape. Types that subtyping may relate share one number, so that a
/// call of one is taken to reach functions of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Signature(u32);

struct Signatures {
    numbers: BTreeMap<TypeId, Signature>,
}

impl Signatures {
    fn new(module: &Module) -> Signatures {
        let has_gc = module.types.iter().any(|ty| !ty.is_function())
            || module.types.rec_groups().iter().any(|group| group.types.len() > 1);
        let mut known: Vec<(&[walrus::ValType], &[walrus::ValType])> = Vec::new();
        let mut numbers = BTreeMap::new();
        for ty in module.types.iter().filter(|ty| ty.is_function()) {
            let shape = (ty.params(), ty.results());
            let number = match known.iter().position(|&known| known == shape) {
                _ if has_gc => 0,
                Some(number) => number,
                None => {
                    known.push(shape);
                    known.len() - 1
                }
            };
            numbers.insert(ty.id(), Signature(number as u32));
        }
        Signatures { numbers }
    }

    fn of(&self, ty: TypeId) -> Signature {
        self.numbers.get(&ty).copied().unwrap_or_default()
    }
}

impl CallGraph {
    pub(crate) fn new(module: &Module, facts: &Facts<'_>) -> CallGraph {
        let signatures = Signatures::new(module);
        let mut nodes: Vec<Node> = Vec::new();
        nodes.resize_with(facts.module.functions as usize, Node::default);
        let mut taken: BTreeSet<FunctionId> = BTreeSet::new();
        for function in module.funcs.iter() {
            let Some(node) = nodes.get_mut(index_of(function.id()) as usize) else { continue };
            node.signature = signatures.of(function.ty());
            (node.parameters, node.results) = {
                let (parameters, results) = module.types.params_results(function.ty());
                (parameters.into(), results.into())
            };
            let FunctionKind::Local(local) = &function.kind else { continue };
            node.is_defined = true;
            let mut walk = Walk { node, signatures: &signatures, taken: &mut taken };
            dfs_in_order(&mut walk, local, local.entry_block());
        }
        for element in module.elements.iter() {
            match &element.items {
                ElementItems::Functions(functions) => taken.extend(functions),
                ElementItems::Expressions(_, items) => {
                    items.iter().for_each(|item| take_address(item, &mut taken));
                }
            }
        }
        for global in module.globals.iter() {
            if let GlobalKind::Local(value) = &global.kind {
                take_address(value, &mut taken);
            }
        }
        for table in module.tables.iter() {
            table.init.iter().for_each(|value| take_address(value, &mut taken));
        }
        for export in module.exports.iter() {
            if let ExportItem::Function(function) = export.item
                && let Some(node) = nodes.get_mut(index_of(function) as usize)
            {
                node.is_exported = true;
            }
        }
        if let Some(node) = module.start.and_then(|id| nodes.get_mut(index_of(id) as usize)) {
            node.is_start = true;
        }
        Self::connect(nodes, taken)
    }

    fn connect(mut nodes: Vec<Node>, taken: BTreeSet<FunctionId>) -> CallGraph {
        for index in taken.into_iter().map(index_of) {
            if let Some(node) = nodes.get_mut(index as usize) {
                node.is_address_taken = true;
            }
        }
        let mut indirect_callers: BTreeMap<Signature, Vec<u32>> = BTreeMap::new();
        for caller in 0..nodes.len() {
            for &signature in &nodes[caller].indirect {
                indirect_callers.entry(signature).or_default().push(caller as u32);
            }
            for site in 0..nodes[caller].callees.len() {
                let callee = nodes[caller].callees[site] as usize;
                nodes[callee].callers.push(caller as u32);
            }
        }
        CallGraph { nodes, indirect_callers }
    }

    /// The callers of a function, one for each direct call site.
    pub(crate) fn callers(&self, function: u32) -> impl Iterator<Item = u32> + '_ {
        self.nodes.get(function as usize).into_iter().flat_map(|node| node.callers.iter().copied())
    }

    /// The functions that a function calls directly, one for each call site.
    pub(crate) fn callees(&self, function: u32) -> &[u32] {
        self.nodes.get(function as usize).map_or(&[], |node| &node.callees)
    }

    /// Parameters and results of a function that the module defines.
    pub(crate) fn signature(&self, function: u32) -> Option<(&[ValType], &[ValType])> {
        let node = self.nodes.get(function as usize).filter(|node| node.is_defined)?;
        Some((&node.parameters, &node.results))
    }

    /// Parameters and results of a function, imported or not.
    pub(crate) fn declared(&self, function: u32) -> Option<(&[ValType], &[ValType])> {
        let node = self.nodes.get(function as usize)?;
        Some((&node.parameters, &node.results))
    }

    /// Numbers of integer parameters and results of an import that has no others.
    pub(crate) fn import_shape(&self, function: u32) -> Option<(usize, usize)> {
        let node = self.nodes.get(function as usize).filter(|node| !node.is_defined)?;
        let is_integer = |ty: &ValType| matches!(ty, ValType::I32 | ValType::I64);
        let all = node.parameters.iter().chain(&node.results).all(is_integer);
        all.then_some((node.parameters.len(), node.results.len()))
    }

    /// The functions that contain `memory.grow`.
    pub(crate) fn growers(&self) -> Vec<u32> {
        self.functions().filter(|&function| self.grows(function)).collect()
    }

    /// Whether the function contains `memory.grow`.
    pub(crate) fn grows(&self, function: u32) -> bool {
        self.nodes.get(function as usize).is_some_and(|node| node.grows)
    }

    /// Whether the function contains `memory.size`.
    pub(crate) fn asks_size(&self, function: u32) -> bool {
        self.nodes.get(function as usize).is_some_and(|node| node.asks_size)
    }

    /// Whether nothing but direct calls can enter the function.
    pub(crate) fn is_only_called(&self, function: u32) -> bool {
        self.nodes
            .get(function as usize)
            .is_some_and(|node| !node.is_exported && !node.is_address_taken && !node.is_start)
    }

    /// Whether nothing but the host can enter the function.
    pub(crate) fn is_only_exported(&self, function: u32) -> bool {
        self.nodes.get(function as usize).is_some_and(|node| {
            node.is_exported && !node.is_address_taken && !node.is_start && node.callers.is_empty()
        })
    }

    /// Whether nothing but functions `inside` can enter the function, by direct calls or through a
    /// table.
    pub(crate) fn is_only_entered_from(&self, function: u32, inside: &[bool]) -> bool {
        let is_inside = |caller: &u32| inside.get(*caller as usize) == Some(&true);
        self.nodes.get(function as usize).is_some_and(|node| {
            let through_table = self.indirect_callers.get(&node.signature);
            let mut through_table =
                through_table.into_iter().flatten().filter(|_| node.is_address_taken);
            !node.is_exported
                && !node.is_start
                && node.callers.iter().all(is_inside)
                && through_table.all(is_inside)
        })
    }

    pub(crate) fn functions(&self) -> impl Iterator<Item = u32> + use<> {
        0..self.nodes.len() as u32
    }

    /// The functions from which a call may lead to one of `targets`, the targets included.
    pub(crate) fn reaching(&self, targets: impl IntoIterator<Item = u32>) -> Reaching {
        let mut reached = vec![false; self.nodes.len()];
        let mut signatures = BTreeSet::new();
        let mut work: Vec<u32> = targets.into_iter().collect();
        while let Some(function) = work.pop() {
            let Some(node) = self.nodes.get(function as usize) else { continue };
            if std::mem::replace(&mut reached[function as usize], true) {
                continue;
            }
            work.extend(&node.callers);
            if node.is_address_taken && signatures.insert(node.signature) {
                work.extend(self.indirect_callers.get(&node.signature).into_iter().flatten());
            }
        }
        Reaching { functions: reached, signatures }
    }

    /// The functions from which direct calls lead to one of `targets`, the targets included.
    pub(crate) fn reaching_directly(&self, targets: impl IntoIterator<Item = u32>) -> Vec<bool> {
        self.spread(targets, |node| &node.callers)
    }

    /// The functions that direct calls which return lead to from `start`, which is one of them.
    pub(crate) fn reached_from(&self, start: u32) -> Vec<bool> {
        self.spread([start], |node| &node.returning)
    }

    fn spread(
        &self,
        starts: impl IntoIterator<Item = u32>,
        next: impl Fn(&Node) -> &Vec<u32>,
    ) -> Vec<bool> {
        let mut reached = vec![false; self.nodes.len()];
        let mut work: Vec<u32> = starts.into_iter().collect();
        while let Some(function) = work.pop() {
            let Some(node) = self.nodes.get(function as usize) else { continue };
            if !std::mem::replace(&mut reached[function as usize], true) {
                work.extend(next(node));
            }
        }
        reached
    }

    /// By function: whether it is one of `functions`, or nothing but those inside can enter it.
    pub(crate) fn enclosed(&self, functions: impl IntoIterator<Item = u32>) -> Vec<bool> {
        let mut inside = vec![false; self.nodes.len()];
        let mut work = Vec::new();
        for function in functions {
            if let Some(flag) = inside.get_mut(function as usize) {
                *flag = true;
                work.push(function);
            }
        }
        while let Some(function) = work.pop() {
            for &callee in self.callees(function) {
                let is_inner = !inside[callee as usize]
                    && self.is_only_called(callee)
                    && self.callers(callee).all(|caller| inside[caller as usize]);
                if is_inner {
                    inside[callee as usize] = true;
                    work.push(callee);
                }
            }
        }
        inside
    }

    /// Numbers for the groups of functions that call each other in a circle by direct calls; a
    /// function that does not call itself, even in a roundabout way, is alone in its group.
    ///
    /// Calls that do not return close no circle: otherwise all that can run out of memory would
    /// be one, since a panic's machinery allocates.
    pub(crate) fn recursion_groups(&self) -> Vec<u32> {
        // Tarjan's algorithm (1972), with a stack of its own: call graphs are deeper than threads'
        // stacks.
        const UNSEEN: u32 = u32::MAX;
        let count = self.nodes.len();
        let (mut order, mut low) = (vec![UNSEEN; count], vec![0u32; count]);
        let mut group = vec![UNSEEN; count];
        let (mut open, mut next_order, mut next_group) = (Vec::new(), 0, 0);
        let mut path: Vec<(usize, usize)> = Vec::new();
        for root in 0..count {
            if order[root] != UNSEEN {
                continue;
            }
            path.push((root, 0));
            while let Some(&mut (node, ref mut site)) = path.last_mut() {
                if *site == 0 {
                    (order[node], low[node]) = (next_order, next_order);
                    next_order += 1;
                    open.push(node);
                }
                if let Some(&callee) = self.nodes[node].returning.get(*site) {
                    *site += 1;
                    let callee = callee as usize;
                    if order[callee] == UNSEEN {
                        path.push((callee, 0));
                    } else if group[callee] == UNSEEN {
                        low[node] = low[node].min(order[callee]);
                    }
                    continue;
                }
                path.pop();
                if let Some(&(parent, _)) = path.last() {
                    low[parent] = low[parent].min(low[node]);
                }
                if low[node] == order[node] {
                    while let Some(member) = open.pop() {
                        group[member] = next_group;
                        if member == node {
                            break;
                        }
                    }
                    next_group += 1;
                }
            }
        }
        group
    }
}

/// The functions that can reach some target.
#[derive(Debug)]
pub(crate) struct Reaching {
    functions: Vec<bool>,
    signatures: BTreeSet<Signature>,
}

impl Reaching {
    pub(crate) fn contains(&self, function: u32) -> bool {
        self.functions.get(function as usize).copied().unwrap_or(false)
    }
}

/// Which types of indirect calls can reach a target.
pub(crate) struct IndirectReach<'a> {
    signatures: Signatures,
    reaching: &'a Reaching,
}

impl<'a> IndirectReach<'a> {
    pub(crate) fn new(module: &Module, reaching: &'a Reaching) -> IndirectReach<'a> {
        IndirectReach { signatures: Signatures::new(module), reaching }
    }

    pub(crate) fn contains(&self, ty: TypeId) -> bool {
        self.reaching.signatures.contains(&self.signatures.of(ty))
    }
}

fn take_address(value: &ConstExpr, taken: &mut BTreeSet<FunctionId>) {
    match value {
        ConstExpr::RefFunc(function) => drop(taken.insert(*function)),
        ConstExpr::Extended(operations) => taken.extend(operations.iter().filter_map(|op| {
            if let walrus::ConstOp::RefFunc(function) = op { Some(*function) } else { None }
        })),
        _ => {}
    }
}

struct Walk<'a> {
    node: &'a mut Node,
    signatures: &'a Signatures,
    taken: &'a mut BTreeSet<FunctionId>,
}

impl<'instr> Visitor<'instr> for Walk<'_> {
    fn start_instr_seq(&mut self, seq: &'instr ir::InstrSeq) {
        let following = seq.instrs.iter().skip(1).map(|(next, _)| Some(next)).chain([None]);
        for ((instr, _), next) in seq.instrs.iter().zip(following) {
            let callee = match instr {
                Instr::Call(call) => index_of(call.func),
                Instr::ReturnCall(call) => index_of(call.func),
                _ => continue,
            };
            self.node.callees.push(callee);
            if !matches!(next, Some(Instr::Unreachable(_))) {
                self.node.returning.push(callee);
            }
        }
    }

    fn visit_call_indirect(&mut self, call: &ir::CallIndirect) {
        self.node.indirect.insert(self.signatures.of(call.ty));
    }

    fn visit_return_call_indirect(&mut self, call: &ir::ReturnCallIndirect) {
        self.node.indirect.insert(self.signatures.of(call.ty));
    }

    fn visit_call_ref(&mut self, call: &ir::CallRef) {
        self.node.indirect.insert(self.signatures.of(call.ty));
    }

    fn visit_return_call_ref(&mut self, call: &ir::ReturnCallRef) {
        self.node.indirect.insert(self.signatures.of(call.ty));
    }

    fn visit_ref_func(&mut self, reference: &ir::RefFunc) {
        self.taken.insert(reference.func);
    }

    fn visit_memory_grow(&mut self, _: &ir::MemoryGrow) {
        self.node.grows = true;
    }

    fn visit_memory_size(&mut self, _: &ir::MemorySize) {
        self.node.asks_size = true;
    }
}
