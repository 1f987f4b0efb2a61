//! The function that stands before `memory.grow`, one for each memory.
//!
//! ```text
//! (func $seepage:grow (param $delta i32) (result i32)
//!   (local $before i32) (local $context i64) …
//!   (local.set $context (global.get $context))
//!   (local.set $before (memory.grow $m (local.get $delta)))
//!   <record Grow, size = $delta, addr = $before, old = index of $m>
//!   local.get $before)
//! ```

use super::record::{Fields, Recorder};
use seepage_trace::{TracepointId, abi::RecordKind};
use walrus::{
    FunctionBuilder, FunctionId, InstrSeqBuilder, MemoryId, Module, ValType, ir::UnaryOp,
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

/// The size before, all ones when refused: in a wide record that is a sign-extended -1.
fn push_before(
    recorder: &Recorder,
    body: &mut InstrSeqBuilder<'_>,
    before: walrus::LocalId,
    ty: ValType,
) {
    body.local_get(before);
    if recorder.word() == ValType::I64 && ty == ValType::I32 {
        body.unop(UnaryOp::I64ExtendSI32);
    }
}
