//! The functions that stand before what grows a memory: one for `memory.grow` of each memory, and one
//! for each import by which the module asks its host.
//!
//! ```text
//! (func $seepage:grow (param $delta i32) (result i32)
//!   (local $before i32) (local $context i64) …
//!   (local.set $context (global.get $context))
//!   (local.set $before (memory.grow $m (local.get $delta)))
//!   <record Grow, size = $delta, addr = $before, old = index of $m>
//!   local.get $before)
//!
//! (func $seepage:emscripten_resize_heap (param $bytes i32) (result i32)
//!   (local $before i32) (local $delta i32) (local $context i64) …
//!   (local.set $context (global.get $context))
//!   (local.set $before (memory.size))
//!   (local.set $result (call $emscripten_resize_heap (local.get $bytes)))
//!   (local.set $delta (i32.sub (memory.size) (local.get $before)))
//!   <if it did not grow, and the result is 0: $delta = pages of $bytes - $before, $before = -1>
//!   <if $delta > 0: record Grow, as above>
//!   local.get $result)
//! ```
//!
//! Whatever else an import does that was taken for one writes no record.

use super::{
    has_plain_type,
    record::{Fields, Recorder, convert},
};
use seepage_trace::{TracepointId, abi::RecordKind};
use walrus::{
    FunctionBuilder, FunctionId, InstrSeqBuilder, LocalId, MemoryId, Module, ValType,
    ir::{BinaryOp, UnaryOp},
};

/// Adds the function that grows `memory`, which is the `index`th.
pub(crate) fn grower(
    module: &mut Module,
    recorder: &Recorder,
    memory: MemoryId,
    index: u32,
    tracepoint: TracepointId,
) -> FunctionId {
    let ty = if module.memories.get(memory).memory64 { ValType::I64 } else { ValType::I32 };
    let delta = module.locals.add(ty);
    let before = module.locals.add(ty);
    let scratch = recorder.begin(module);
    let mut builder = FunctionBuilder::new(&mut module.types, &[ty], &[ty]);
    builder.name(format!("seepage:memory.grow {index}"));
    let body = &mut builder.func_body();
    recorder.save_context(body, scratch);
    body.local_get(delta).memory_grow(memory).local_set(before);
    recorder.write(
        body,
        scratch,
        &Fields {
            kind: RecordKind::Grow,
            tracepoint,
            align: None,
            size: &|body| recorder.push_local(body, delta, ty),
            addr: &|body| push_before(recorder, body, before, ty),
            old: Some(&|body| recorder.push_constant(body, index)),
        },
    );
    body.local_get(before);
    builder.finish(vec![delta], &mut module.funcs)
}

/// Adds the function that asks the host by `import` to grow `memory`, the first. There is none where
/// the import is of a type of its own, or answers more than one value.
pub(crate) fn asker(
    module: &mut Module,
    recorder: &Recorder,
    import: FunctionId,
    memory: MemoryId,
    tracepoint: TracepointId,
) -> Option<FunctionId> {
    let ty = module.funcs.get(import).ty();
    let (parameters, results) = module.types.params_results(ty);
    let (parameters, results) = (parameters.to_vec(), results.to_vec());
    if !has_plain_type(module, ty) || results.len() > 1 {
        return None;
    }
    let arguments: Vec<LocalId> = parameters.iter().map(|&ty| module.locals.add(ty)).collect();
    let result = results.first().map(|&ty| (module.locals.add(ty), ty));
    let word = if module.memories.get(memory).memory64 { ValType::I64 } else { ValType::I32 };
    let [before, delta] = [(); 2].map(|()| module.locals.add(word));
    let scratch = recorder.begin(module);
    let name = module.funcs.get(import).name.clone().unwrap_or_else(|| "grow by import".into());
    let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &results);
    builder.name(format!("seepage:{name}"));
    let body = &mut builder.func_body();
    recorder.save_context(body, scratch);
    body.memory_size(memory).local_set(before);
    for &argument in &arguments {
        body.local_get(argument);
    }
    body.call(import);
    if let Some((result, _)) = result {
        body.local_set(result);
    }
    let (subtract, is_positive) = match word {
        ValType::I64 => (BinaryOp::I64Sub, BinaryOp::I64GtS),
        _ => (BinaryOp::I32Sub, BinaryOp::I32GtS),
    };
    body.memory_size(memory).local_get(before).binop(subtract).local_set(delta);
    if let (&[bytes], &[bytes_ty], Some(result)) = (&arguments[..], &parameters[..], result)
        && is_integer(bytes_ty)
        && is_integer(result.1)
    {
        let grown = Grown { before, delta, word };
        book_refusal(body, grown, (bytes, bytes_ty), result);
    }
    body.local_get(delta);
    push_zero(body, word);
    body.binop(is_positive).if_else(
        None,
        |then| {
            let fields = Fields {
                kind: RecordKind::Grow,
                tracepoint,
                align: None,
                size: &|body| recorder.push_local(body, delta, word),
                addr: &|body| push_before(recorder, body, before, word),
                old: Some(&|body| recorder.push_constant(body, 0)),
            };
            recorder.write(then, scratch, &fields);
        },
        |_| {},
    );
    if let Some((result, _)) = result {
        body.local_get(result);
    }
    Some(builder.finish(arguments, &mut module.funcs))
}

/// The locals of what is recorded: pages before and pages grown, both of type `word`.
#[derive(Clone, Copy)]
struct Grown {
    before: LocalId,
    delta: LocalId,
    word: ValType,
}

/// If nothing was grown and the host answered 0, then the pages that are missing to `bytes` were
/// refused.
fn book_refusal(
    body: &mut InstrSeqBuilder<'_>,
    Grown { before, delta, word }: Grown,
    (bytes, bytes_ty): (LocalId, ValType),
    (result, result_ty): (LocalId, ValType),
) {
    let push_is_zero = |body: &mut InstrSeqBuilder<'_>, local: LocalId, ty: ValType| {
        body.local_get(local).unop(match ty {
            ValType::I64 => UnaryOp::I64Eqz,
            _ => UnaryOp::I32Eqz,
        });
    };
    push_is_zero(body, delta, word);
    push_is_zero(body, result, result_ty);
    body.binop(BinaryOp::I32And).if_else(
        None,
        |then| {
            then.local_get(bytes);
            convert(then, bytes_ty, ValType::I64);
            then.i64_const(0xffff).binop(BinaryOp::I64Add).i64_const(16).binop(BinaryOp::I64ShrU);
            then.local_get(before);
            convert(then, word, ValType::I64);
            then.binop(BinaryOp::I64Sub);
            convert(then, ValType::I64, word);
            then.local_set(delta);
            match word {
                ValType::I64 => then.i64_const(-1),
                _ => then.i32_const(-1),
            };
            then.local_set(before);
        },
        |_| {},
    );
}

fn is_integer(ty: ValType) -> bool {
    matches!(ty, ValType::I32 | ValType::I64)
}

fn push_zero(body: &mut InstrSeqBuilder<'_>, ty: ValType) {
    match ty {
        ValType::I64 => body.i64_const(0),
        _ => body.i32_const(0),
    };
}

/// The size before, all ones when refused: in a wide record that is a sign-extended -1.
fn push_before(recorder: &Recorder, body: &mut InstrSeqBuilder<'_>, before: LocalId, ty: ValType) {
    body.local_get(before);
    if recorder.word() == ValType::I64 && ty == ValType::I32 {
        body.unop(UnaryOp::I64ExtendSI32);
    }
}
