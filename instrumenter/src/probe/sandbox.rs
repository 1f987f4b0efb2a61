//! The module that is probed: candidates are exported, and it needs no host.
//!
//! What it imported is its own now: functions answer 0, but for those by which it may ask its host
//! for a larger memory, which grow it; globals are 0 and tables empty. Its start function does not
//! run. Its memory has a maximum, what it does is [paid for](super::meter), and every function is
//! called with 64-bit numbers, whatever it takes. So any engine runs it alike, and what it cannot
//! bound need not be bounded.

use super::{meter::Meter, reach};
use crate::{error::Error, graph::index_of, rewrite};
use seepage_probe::engine::{FUEL, MEMORY, export};
use std::collections::BTreeSet;
use walrus::{
    ConstExpr, ConstOp, DataKind, ElementItems, ElementKind, ExportId, FunctionBuilder, FunctionId,
    FunctionKind, GlobalId, GlobalKind, ImportKind, MemoryId, Module, ModuleConfig, TagKind,
    TypeId, ValType,
    ir::{BinaryOp, UnaryOp, Value},
};

/// Bytes that a memory may come to have.
pub(super) const MAX_MEMORY: u64 = 256 << 20;

/// Entries that a table may get.
const MAX_TABLE: u64 = 1 << 20;

/// Builds the module, in which only what the functions reach has its code.
///
/// # Errors
/// When the bytes are no module that can be rewritten.
pub fn sandbox(
    wasm: &[u8],
    functions: &BTreeSet<u32>,
    grow_imports: &BTreeSet<u32>,
) -> Result<Vec<u8>, Error> {
    let mut config = ModuleConfig::new();
    config.generate_name_section(false).generate_producers_section(false);
    let mut module = config.parse(wasm).map_err(|error| Error::Invalid(format!("{error:#}")))?;
    let ids: Vec<FunctionId> = module.funcs.iter().map(|function| function.id()).collect();
    module.start = None;
    let exports: Vec<ExportId> = module.exports.iter().map(|export| export.id()).collect();
    exports.into_iter().for_each(|export| module.exports.delete(export));
    let customs: Vec<_> = module.customs.iter().map(|(id, _)| id).collect();
    customs.into_iter().for_each(|custom| _ = module.customs.delete(custom));

    bound(&mut module);
    let memory = module.memories.iter().next().map(|memory| memory.id());
    if let Some(memory) = memory {
        module.exports.add(MEMORY, memory);
    }
    let reached = reach::reached(&module, &ids, functions);
    let (reached, others): (Vec<_>, Vec<_>) =
        ids.iter().copied().partition(|&id| reached.get(index_of(id) as usize) == Some(&true));
    others.into_iter().for_each(|function| silence(&mut module, function));
    own(&mut module, memory, grow_imports);

    let nothing = ConstExpr::Value(Value::I64(0));
    let fuel = module.globals.add_local(ValType::I64, true, false, nothing);
    module.exports.add(FUEL, fuel);
    reached.into_iter().for_each(|function| Meter { fuel }.add(&mut module, function));
    for &function in functions {
        if let Some(&id) = ids.get(function as usize)
            && let Some(door) = door(&mut module, id)
        {
            module.exports.add(&export(function), door);
        }
    }
    Ok(module.emit_wasm())
}

/// Bounds what may grow. Threads there are none.
fn bound(module: &mut Module) {
    for memory in module.memories.iter_mut() {
        let most = MAX_MEMORY >> memory.page_size_log2.unwrap_or(16).min(63);
        memory.shared = false;
        memory.maximum = Some(memory.maximum.unwrap_or(most).min(most).max(memory.initial));
    }
    for table in module.tables.iter_mut() {
        let most = table.initial.saturating_add(MAX_TABLE);
        table.maximum = Some(table.maximum.unwrap_or(most).min(most));
    }
}

/// Empties a function: a probe must not compile megabytes.
fn silence(module: &mut Module, id: FunctionId) {
    let function = module.funcs.get(id);
    // A type of its own, such as one of a recursion group, must stay what it is.
    if !matches!(function.kind, FunctionKind::Local(_))
        || !rewrite::has_plain_type(module, function.ty())
    {
        return;
    }
    let (parameters, results) = types(module, function.ty());
    let arguments: Vec<_> = parameters.iter().map(|&ty| module.locals.add(ty)).collect();
    let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &results);
    builder.func_body().unreachable();
    module.funcs.get_mut(id).kind = FunctionKind::Local(builder.local_func(arguments));
}

/// Makes what is imported the module's own, where a value can be made up for it.
fn own(module: &mut Module, memory: Option<MemoryId>, grow_imports: &BTreeSet<u32>) {
    let imports: Vec<_> = module.imports.iter().cloned().collect();
    let mut globals = BTreeSet::new();
    for import in imports {
        let is_own = match import.kind {
            ImportKind::Function(id) => {
                let grown = memory.filter(|_| grow_imports.contains(&index_of(id)));
                stub(module, id, grown)
            }
            ImportKind::Memory(id) => {
                module.memories.get_mut(id).import = None;
                true
            }
            ImportKind::Table(id) => {
                let table = module.tables.get_mut(id);
                let is_own = table.element_ty.nullable;
                if is_own {
                    table.import = None;
                }
                is_own
            }
            ImportKind::Global(id) => {
                let global = module.globals.get_mut(id);
                let zero = zero(global.ty);
                let is_own = zero.is_some();
                if let Some(zero) = zero {
                    global.kind = GlobalKind::Local(zero);
                    globals.insert(id);
                }
                is_own
            }
            ImportKind::Tag(id) => {
                module.tags.get_mut(id).kind = TagKind::Local;
                true
            }
        };
        if is_own {
            module.imports.delete(import.id());
        }
    }
    constants(module, &globals);
}

/// Gives an imported function a body. Whether it could be done.
fn stub(module: &mut Module, id: FunctionId, grown: Option<MemoryId>) -> bool {
    let ty = module.funcs.get(id).ty();
    if !rewrite::has_plain_type(module, ty) {
        return false;
    }
    let (parameters, results) = types(module, ty);
    let arguments: Vec<_> = parameters.iter().map(|&ty| module.locals.add(ty)).collect();
    let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &results);
    let mut body = builder.func_body();
    let is_word = |ty: &ValType| matches!(ty, ValType::I32 | ValType::I64);
    match (grown, &parameters[..], &results[..]) {
        (Some(memory), [wanted], [answer]) if is_word(wanted) && is_word(answer) => {
            let is_long = module.memories.get(memory).memory64;
            // What an Emscripten host does that is asked for a memory of so many bytes.
            body.local_get(arguments[0]);
            if *wanted == ValType::I32 {
                body.unop(UnaryOp::I64ExtendUI32);
            }
            body.i64_const(65535).binop(BinaryOp::I64Add).i64_const(16).binop(BinaryOp::I64ShrU);
            body.memory_size(memory);
            if !is_long {
                body.unop(UnaryOp::I64ExtendUI32);
            }
            body.binop(BinaryOp::I64Sub);
            if !is_long {
                body.unop(UnaryOp::I32WrapI64);
            }
            body.memory_grow(memory);
            match is_long {
                true => body.i64_const(-1).binop(BinaryOp::I64Ne),
                false => body.i32_const(-1).binop(BinaryOp::I32Ne),
            };
            if *answer == ValType::I64 {
                body.unop(UnaryOp::I64ExtendUI32);
            }
        }
        _ => {
            for &result in &results {
                match result {
                    ValType::I32 => body.i32_const(0),
                    ValType::I64 => body.i64_const(0),
                    ValType::F32 => body.f32_const(0.0),
                    ValType::F64 => body.f64_const(0.0),
                    ValType::V128 => body.const_(Value::V128(0)),
                    ValType::Ref(ty) if ty.nullable => body.ref_null(ty),
                    ValType::Ref(_) => body.unreachable(),
                };
            }
        }
    }
    module.funcs.get_mut(id).kind = FunctionKind::Local(builder.local_func(arguments));
    true
}

/// A function that takes and answers 64-bit numbers for one that may not: what is no integer is 0.
/// There is none for what takes a reference that cannot be null.
fn door(module: &mut Module, id: FunctionId) -> Option<FunctionId> {
    let (parameters, results) = types(module, module.funcs.get(id).ty());
    let arguments: Vec<_> = parameters.iter().map(|_| module.locals.add(ValType::I64)).collect();
    let longs = vec![ValType::I64; parameters.len()];
    let mut builder = FunctionBuilder::new(&mut module.types, &longs, &[ValType::I64]);
    let mut body = builder.func_body();
    for (&argument, ty) in arguments.iter().zip(&parameters) {
        match ty {
            ValType::I32 => body.local_get(argument).unop(UnaryOp::I32WrapI64),
            ValType::I64 => body.local_get(argument),
            ValType::F32 => body.f32_const(0.0),
            ValType::F64 => body.f64_const(0.0),
            ValType::V128 => body.const_(Value::V128(0)),
            ValType::Ref(ty) if ty.nullable => body.ref_null(*ty),
            ValType::Ref(_) => return None,
        };
    }
    body.call(id);
    for _ in results.iter().skip(1) {
        body.drop();
    }
    match results.first() {
        Some(ValType::I64) => &mut body,
        Some(ValType::I32) => body.unop(UnaryOp::I64ExtendUI32),
        Some(_) => body.drop().i64_const(0),
        None => body.i64_const(0),
    };
    Some(builder.finish(arguments, &mut module.funcs))
}

/// Puts 0 where a constant is the value of a global that was imported: that may be asked only of
/// imported ones.
fn constants(module: &mut Module, globals: &BTreeSet<GlobalId>) {
    let types: Vec<(GlobalId, ConstExpr)> =
        globals.iter().filter_map(|&id| Some((id, zero(module.globals.get(id).ty)?))).collect();
    let put = |expression: &mut ConstExpr| {
        let of = |id: &GlobalId| types.iter().find(|(known, _)| known == id).map(|(_, it)| it);
        match expression {
            ConstExpr::Global(id) => {
                if let Some(zero) = of(id) {
                    *expression = zero.clone();
                }
            }
            ConstExpr::Extended(operations) => {
                for operation in operations {
                    let ConstOp::GlobalGet(id) = operation else { continue };
                    *operation = match of(id) {
                        Some(ConstExpr::Value(Value::I32(value))) => ConstOp::I32Const(*value),
                        Some(ConstExpr::Value(Value::I64(value))) => ConstOp::I64Const(*value),
                        Some(ConstExpr::RefNull(ty)) => ConstOp::RefNull(*ty),
                        _ => continue,
                    };
                }
            }
            _ => {}
        }
    };
    let segments: Vec<_> = module.data.iter().map(|data| data.id()).collect();
    for segment in segments {
        if let DataKind::Active { offset, .. } = &mut module.data.get_mut(segment).kind {
            put(offset);
        }
    }
    for element in module.elements.iter_mut() {
        if let ElementKind::Active { offset, .. } = &mut element.kind {
            put(offset);
        }
        if let ElementItems::Expressions(_, items) = &mut element.items {
            items.iter_mut().for_each(put);
        }
    }
    for table in module.tables.iter_mut() {
        table.init.iter_mut().for_each(put);
    }
    let globals: Vec<GlobalId> = module.globals.iter().map(|global| global.id()).collect();
    for global in globals {
        if let GlobalKind::Local(value) = &mut module.globals.get_mut(global).kind {
            put(value);
        }
    }
}

fn zero(ty: ValType) -> Option<ConstExpr> {
    Some(match ty {
        ValType::I32 => ConstExpr::Value(Value::I32(0)),
        ValType::I64 => ConstExpr::Value(Value::I64(0)),
        ValType::F32 => ConstExpr::Value(Value::F32(0.0)),
        ValType::F64 => ConstExpr::Value(Value::F64(0.0)),
        ValType::V128 => ConstExpr::Value(Value::V128(0)),
        ValType::Ref(ty) if ty.nullable => ConstExpr::RefNull(ty),
        ValType::Ref(_) => return None,
    })
}

fn types(module: &Module, ty: TypeId) -> (Vec<ValType>, Vec<ValType>) {
    let (parameters, results) = module.types.params_results(ty);
    (parameters.to_vec(), results.to_vec())
}
