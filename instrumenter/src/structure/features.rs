//! What each function's code is made of, as far as rules ask.

use crate::{facts::Facts, graph::index_of};
use std::collections::{BTreeMap, BTreeSet};
use walrus::{
    FunctionKind, LocalFunction, LocalId, Module,
    ir::{
        self, BinaryOp, Binop, Instr, InstrSeq, Load, MemorySize, Store, UnaryOp, Unop, Value,
        Visitor, dfs_in_order,
    },
};

/// Static data begins at 1024 in what LLVM links; smaller numbers are sizes and masks.
const FIRST_STATIC: i64 = 1024;

/// Counts and constants of one function.
#[derive(Debug, Default)]
pub(crate) struct Function {
    pub(crate) stores: u32,
    pub(crate) clz: u32,
    pub(crate) shr_u: u32,
    pub(crate) shl: u32,
    pub(crate) memory_size: u32,
    pub(crate) mul: u32,
    pub(crate) memory_fill: u32,
    /// The globals that it writes, sorted, each once: who has a frame on the shadow stack moves its
    /// pointer.
    pub(crate) global_sets: Box<[u32]>,
    /// The parameter to which a positive number is added before all others, as a size is that is
    /// to be rounded up.
    pub(crate) rounded: Option<u32>,
    /// Functions called with one of its parameters, as it is, for the last argument; and which.
    pub(crate) passes: Box<[(u32, u32)]>,
    /// The integer constants, sorted, each once.
    pub(crate) constants: Box<[i64]>,
    /// Addresses of static data that it may touch, sorted, each once.
    pub(crate) addresses: Box<[u32]>,
}

impl Function {
    pub(crate) fn new(local: &LocalFunction) -> Function {
        let mut walk = Walk { parameters: &local.args, ..Walk::default() };
        dfs_in_order(&mut walk, local, local.entry_block());
        walk.finish()
    }

    pub(crate) fn has(&self, constant: i64) -> bool {
        self.constants.binary_search(&constant).is_ok()
    }

    pub(crate) fn has_any(&self, constants: &[i64]) -> bool {
        constants.iter().any(|&constant| self.has(constant))
    }
}

/// The features of all functions.
#[derive(Debug)]
pub(crate) struct Features {
    functions: Vec<Function>,
    /// In how many functions each static address occurs.
    occurrences: BTreeMap<u32, u32>,
}

impl Features {
    pub(crate) fn new(module: &Module, facts: &Facts<'_>) -> Features {
        let mut functions = Vec::new();
        functions.resize_with(facts.module.functions as usize, Function::default);
        for function in module.funcs.iter() {
            let FunctionKind::Local(local) = &function.kind else { continue };
            let Some(slot) = functions.get_mut(index_of(function.id()) as usize) else { continue };
            *slot = Function::new(local);
        }
        let mut occurrences = BTreeMap::new();
        for address in functions.iter().flat_map(|function| function.addresses.iter()) {
            *occurrences.entry(*address).or_insert(0) += 1;
        }
        Features { functions, occurrences }
    }

    pub(crate) fn of(&self, function: u32) -> &Function {
        &self.functions[function as usize]
    }

    /// The static addresses of a function that few functions touch: the state it shares with
    /// those only.
    pub(crate) fn rare_addresses(&self, function: u32) -> Vec<u32> {
        let few = 8.max(self.functions.len() as u32 / 100);
        let is_rare = |address: &&u32| self.occurrences.get(*address).is_some_and(|&n| n <= few);
        self.of(function).addresses.iter().filter(is_rare).copied().collect()
    }
}

#[derive(Default)]
struct Walk<'a> {
    parameters: &'a [LocalId],
    function: Function,
    constants: Vec<i64>,
    addresses: Vec<u32>,
    passes: Vec<(u32, u32)>,
    global_sets: BTreeSet<u32>,
}

impl Walk<'_> {
    fn finish(mut self) -> Function {
        self.constants.sort_unstable();
        self.constants.dedup();
        self.addresses.extend(
            self.constants.iter().filter(|&&value| value >= FIRST_STATIC).map(|&v| v as u32),
        );
        self.addresses.sort_unstable();
        self.addresses.dedup();
        Function {
            constants: self.constants.into(),
            addresses: self.addresses.into(),
            passes: self.passes.into(),
            global_sets: self.global_sets.into_iter().collect(),
            ..self.function
        }
    }
}

impl<'instr> Visitor<'instr> for Walk<'_> {
    fn start_instr_seq(&mut self, seq: &'instr InstrSeq) {
        // `i32.const base; i32.load offset=N` touches base + N: LLVM folds the address of a static
        // into either half.
        let pairs = seq.instrs.windows(2).map(|pair| (&pair[0].0, &pair[1].0));
        for (first, second) in pairs {
            let (Instr::Const(base), Instr::Load(load)) = (first, second) else { continue };
            let base = match base.value {
                Value::I32(base) => u64::from(base as u32),
                Value::I64(base) => base as u64,
                _ => continue,
            };
            self.addresses.extend(u32::try_from(base.wrapping_add(load.arg.offset)).ok());
        }
        for pair in seq.instrs.windows(2) {
            let (Instr::LocalGet(get), Instr::Call(call)) = (&pair[0].0, &pair[1].0) else {
                continue;
            };
            let position = self.parameters.iter().position(|&parameter| parameter == get.local);
            self.passes.extend(position.map(|at| (index_of(call.func), at as u32)));
        }
        if self.function.rounded.is_none() {
            let mut triples = seq.instrs.windows(3).map(|it| (&it[0].0, &it[1].0, &it[2].0));
            self.function.rounded = triples.find_map(|it| rounded(self.parameters, it));
        }
    }

    fn visit_const(&mut self, constant: &ir::Const) {
        match constant.value {
            Value::I32(value) => self.constants.push(value.into()),
            Value::I64(value) => self.constants.push(value),
            _ => {}
        }
    }

    fn visit_load(&mut self, load: &Load) {
        self.addresses.extend(
            u32::try_from(load.arg.offset).ok().filter(|&at| i64::from(at) >= FIRST_STATIC),
        );
    }

    fn visit_store(&mut self, store: &Store) {
        self.function.stores += 1;
        self.addresses.extend(
            u32::try_from(store.arg.offset).ok().filter(|&at| i64::from(at) >= FIRST_STATIC),
        );
    }

    fn visit_unop(&mut self, unop: &Unop) {
        self.function.clz += u32::from(matches!(unop.op, UnaryOp::I32Clz | UnaryOp::I64Clz));
    }

    fn visit_binop(&mut self, binop: &Binop) {
        match binop.op {
            BinaryOp::I32ShrU | BinaryOp::I64ShrU => self.function.shr_u += 1,
            BinaryOp::I32Mul | BinaryOp::I64Mul => self.function.mul += 1,
            BinaryOp::I32Shl | BinaryOp::I64Shl => self.function.shl += 1,
            _ => {}
        }
    }

    fn visit_global_set(&mut self, set: &ir::GlobalSet) {
        self.global_sets.insert(set.global.index() as u32);
    }

    fn visit_memory_fill(&mut self, _: &ir::MemoryFill) {
        self.function.memory_fill += 1;
    }

    fn visit_memory_size(&mut self, _: &MemorySize) {
        self.function.memory_size += 1;
    }
}

/// The parameter of `local.get P; const N; add` with a positive N.
fn rounded(parameters: &[LocalId], triple: (&Instr, &Instr, &Instr)) -> Option<u32> {
    let (Instr::LocalGet(get), Instr::Const(number), Instr::Binop(operation)) = triple else {
        return None;
    };
    let is_positive = match number.value {
        Value::I32(number) => number > 0,
        Value::I64(number) => number > 0,
        _ => false,
    };
    let adds = matches!(operation.op, BinaryOp::I32Add | BinaryOp::I64Add);
    let position = parameters.iter().position(|&parameter| parameter == get.local)?;
    (is_positive && adds).then_some(position as u32)
}
