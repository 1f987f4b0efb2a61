//! Where things are in a module's first memory: its stack, and the end of its static variables.
//!
//! Toolchains built on LLVM keep a stack in the linear memory, from a fixed end downwards, and a
//! mutable global with its pointer. Names and exports tell the rest, or the place of the data does.
//! What is not certain is left out: a stack whose lower end is unknown has no dead part that could
//! be told from static variables. It looks at the original only.

use std::collections::BTreeMap;
use walrus::{
    ConstExpr, DataKind, ExportItem, FunctionKind, GlobalId, GlobalKind, Module, ValType,
    ir::{BinaryOp, Instr, Value, Visitor, dfs_in_order},
};

/// The linker's stack, unless it is told another size.
const DEFAULT_STACK: u64 = 65_536;
/// So far into a function its prologue may read the stack pointer.
const PROLOGUE: usize = 4;

/// The mutable globals that can hold an address: index and id.
pub(crate) fn address_globals(module: &Module) -> Vec<(u32, GlobalId)> {
    let globals = (0u32..).zip(module.globals.iter());
    let holds = |ty| matches!(ty, ValType::I32 | ValType::I64);
    let mutable = globals.filter(|(_, global)| global.mutable && holds(global.ty));
    mutable.map(|(index, global)| (index, global.id())).collect()
}

/// What is where.
pub(crate) fn layout(module: &Module) -> seepage_trace::Layout {
    let static_end = named_constant(module, "__data_end");
    let Some((stack_pointer, id)) = stack_pointer(module) else {
        return seepage_trace::Layout { static_end, ..Default::default() };
    };
    let stack = constant(module, id).and_then(|base| Some(stack_start(module, base)?..base));
    seepage_trace::Layout { stack_pointer: Some(stack_pointer), stack, static_end }
}

/// The stack ends at `base`; where does it begin?
fn stack_start(module: &Module, base: u64) -> Option<u64> {
    if let Some(low) = named_constant(module, "__stack_low") {
        return (low < base).then_some(low);
    }
    let data = data_ranges(module)?;
    let comes_first = data.iter().all(|&(start, _)| start >= base);
    if comes_first && (!data.is_empty() || base.is_multiple_of(DEFAULT_STACK)) {
        return Some(0);
    }
    if let Some(end) = named_constant(module, "__data_end").filter(|&end| end < base) {
        return Some(end.next_multiple_of(16));
    }
    // Static variables, then the stack, then the heap: the variables' end is not told. With a stack
    // of the usual size nothing but the stack may be in it.
    let start = base.checked_sub(DEFAULT_STACK)?;
    let is_free = data.iter().all(|&(from, to)| to <= start || from >= base);
    (is_free && !uses_static(module, start..base)).then_some(start)
}

/// The global that the most functions lower as they begin.
pub(crate) fn stack_pointer(module: &Module) -> Option<(u32, GlobalId)> {
    let globals = address_globals(module);
    let called = |name: &str| name == "__stack_pointer" || name.ends_with("/__stack_pointer");
    let by_name = globals.iter().find(|(_, id)| {
        let exported =
            module.exports.iter().find(|it| matches!(it.item, ExportItem::Global(g) if g == *id));
        let name = module.globals.get(*id).name.as_deref();
        name.is_some_and(called) || exported.is_some_and(|export| called(&export.name))
    });
    if let Some(&found) = by_name {
        return Some(found);
    }
    let mut votes: BTreeMap<GlobalId, usize> = BTreeMap::new();
    for (_, function) in module.funcs.iter_local() {
        if let Some(global) = lowered(function) {
            *votes.entry(global).or_default() += 1;
        }
    }
    let (&id, _) = votes.iter().max_by_key(|&(_, &count)| count)?;
    globals.into_iter().find(|&(_, global)| global == id)
}

/// The global that the function reads first, subtracts from, and writes.
fn lowered(function: &walrus::LocalFunction) -> Option<GlobalId> {
    let instructions = &function.block(function.entry_block()).instrs;
    let read =
        instructions.iter().take(PROLOGUE).find_map(|(instruction, _)| match instruction {
            Instr::GlobalGet(get) => Some(get.global),
            _ => None,
        })?;
    let mut subtracts = false;
    for (instruction, _) in instructions.iter().take(8 * PROLOGUE) {
        match instruction {
            Instr::Binop(operation) => {
                subtracts |= matches!(operation.op, BinaryOp::I32Sub | BinaryOp::I64Sub);
            }
            Instr::GlobalSet(set) if set.global == read => return subtracts.then_some(read),
            _ => {}
        }
    }
    None
}

/// The value that a global of that name, or one that is exported under it, always has.
fn named_constant(module: &Module, name: &str) -> Option<u64> {
    let exported = module.exports.iter().find_map(|export| match export.item {
        ExportItem::Global(global) if export.name == name => Some(global),
        _ => None,
    });
    let named = || {
        let found = module.globals.iter().find(|it| it.name.as_deref() == Some(name))?;
        Some(found.id())
    };
    let id = exported.or_else(named)?;
    (!module.globals.get(id).mutable).then(|| constant(module, id))?
}

/// What a global is initialised with.
fn constant(module: &Module, id: GlobalId) -> Option<u64> {
    match &module.globals.get(id).kind {
        GlobalKind::Local(ConstExpr::Value(value)) => address(*value),
        _ => None,
    }
}

fn address(value: Value) -> Option<u64> {
    match value {
        Value::I32(value) => Some(u64::from(value as u32)),
        Value::I64(value) => Some(value as u64),
        _ => None,
    }
}

/// Where the data segments go, unless one goes where the host decides.
fn data_ranges(module: &Module) -> Option<Vec<(u64, u64)>> {
    let active = module.data.iter().filter_map(|data| match &data.kind {
        DataKind::Active { offset, .. } => Some((offset, data.value.len() as u64)),
        DataKind::Passive => None,
    });
    let range = |(offset, length): (&ConstExpr, u64)| match offset {
        ConstExpr::Value(value) => {
            let start = address(*value)?;
            Some((start, start.saturating_add(length)))
        }
        _ => None,
    };
    active.map(range).collect()
}

/// Whether some load or store has a fixed address in the range.
fn uses_static(module: &Module, range: std::ops::Range<u64>) -> bool {
    let mut search = StaticAccess { range, constant: None, found: false };
    for function in module.funcs.iter() {
        if let FunctionKind::Local(local) = &function.kind {
            dfs_in_order(&mut search, local, local.entry_block());
        }
    }
    search.found
}

struct StaticAccess {
    range: std::ops::Range<u64>,
    /// The constant that was pushed just before.
    constant: Option<u64>,
    found: bool,
}

impl<'a> Visitor<'a> for StaticAccess {
    fn start_instr_seq(&mut self, _: &'a walrus::ir::InstrSeq) {
        self.constant = None;
    }

    fn visit_instr(&mut self, instruction: &'a Instr, _: &'a walrus::ir::InstrLocId) {
        let constant = self.constant.take();
        match instruction {
            Instr::Const(it) => self.constant = address(it.value),
            // A load's address is what was pushed last; a store's lies under its value, but an
            // offset that large is an address by itself.
            Instr::Load(load) => {
                let addr = constant.unwrap_or(0).saturating_add(load.arg.offset);
                self.found |= self.range.contains(&addr);
            }
            Instr::Store(store) => self.found |= self.range.contains(&store.arg.offset),
            _ => {}
        }
    }

    fn end_instr_seq(&mut self, _: &'a walrus::ir::InstrSeq) {
        self.constant = None;
    }
}
