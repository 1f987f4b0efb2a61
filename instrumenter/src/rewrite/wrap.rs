//! The functions that stand before an allocator's.
//!
//! ```text
//! (func $seepage:malloc (param $size i32) (result i32)     (func $seepage:free (param $ptr i32)
//!   (local $result i32) (local $context i64) …               (local $context i64) …
//!   (local.set $context (global.get $context))               (local.set $context (global.get $context))
//!   (local.set $result (call $malloc (local.get $size)))     (if (local.get $ptr)
//!   <record Alloc, size = $size, addr = $result>               (then <record Free, addr = $ptr>))
//!   local.get $result)                                       (call $free (local.get $ptr)))
//! ```
//!
//! A `free` is booked before it happens: were it booked after, another thread could be handed the
//! same address in between.
//!
//! A reallocation that works through functions which others call too raises a flag for as long as
//! it runs, and where the flag is up nothing is booked. Only a module with such a one has the flag.

use super::{
    fill::Filling,
    record::{Fields, Push, Recorder, Scratch, convert},
};
use crate::{
    allocators::shape::{Answer, Parameter},
    discover::Hook,
};
use seepage_trace::{Role, TracepointId, abi::RecordKind};
use walrus::{
    ConstExpr, FunctionBuilder, FunctionId, GlobalId, InstrSeqBuilder, LocalId, MemoryId, Module,
    ValType,
    ir::{BinaryOp, LoadKind, MemArg, UnaryOp, Value},
};

/// What wrappers do beside calling the original.
#[derive(Clone, Copy)]
pub(crate) struct Added<'a> {
    pub(crate) recorder: &'a Recorder,
    pub(crate) filling: Option<Filling<'a>>,
    /// Tells how much a block can hold.
    pub(crate) asked: Option<FunctionId>,
    pub(crate) nesting: Option<Nesting>,
}

/// A flag that is up within a reallocation.
#[derive(Clone, Copy)]
pub(crate) struct Nesting {
    flag: GlobalId,
    /// The function raises it.
    raises: bool,
}

impl Nesting {
    pub(crate) fn new(module: &mut Module) -> Nesting {
        let down = ConstExpr::Value(Value::I32(0));
        let flag = module.globals.add_local(ValType::I32, true, false, down);
        module.globals.get_mut(flag).name = Some("seepage:nested".into());
        Nesting { flag, raises: false }
    }

    pub(crate) fn of(self, raises: bool) -> Nesting {
        Nesting { raises, ..self }
    }
}

/// Books what is not nested.
fn book(
    body: &mut InstrSeqBuilder<'_>,
    nesting: Option<Nesting>,
    record: impl FnOnce(&mut InstrSeqBuilder<'_>),
) {
    match nesting {
        None => record(body),
        Some(Nesting { flag, .. }) => {
            body.global_get(flag).unop(UnaryOp::I32Eqz).if_else(None, record, |_| {});
        }
    }
}

/// Adds the wrapper of a hooked function.
pub(crate) fn wrapper(
    module: &mut Module,
    Added { recorder, filling, nesting, asked }: Added<'_>,
    original: FunctionId,
    hook: &Hook,
    tracepoint: TracepointId,
) -> FunctionId {
    let ty = module.funcs.get(original).ty();
    let (parameters, results) = module.types.params_results(ty);
    let (parameters, results) = (parameters.to_vec(), results.to_vec());
    let arguments: Vec<LocalId> = parameters.iter().map(|&ty| module.locals.add(ty)).collect();
    let result = results.first().map(|&ty| (module.locals.add(ty), ty));
    let scratch = recorder.begin(module);
    let raised = nesting.filter(|it| it.raises).map(|it| (it, module.locals.add(ValType::I32)));
    let memory = module.memories.iter().next().map(|memory| (memory.id(), memory.memory64));
    let name = module.funcs.get(original).name.clone();

    let wrap = Wrap { recorder, hook, tracepoint, parameters: &parameters, arguments: &arguments };
    let fill = filling.map(|filling| filling.of(module, &wrap));
    let asked = asked.and_then(|function| Asked::new(module, recorder, function));
    let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &results);
    builder.name(format!("seepage:{}", name.unwrap_or_else(|| hook.shape.role.name().into())));
    let body = &mut builder.func_body();
    recorder.save_context(body, scratch);
    if hook.shape.role == Role::Free {
        book(body, nesting, |body| wrap.book_free(body, scratch));
    }
    if let Some(fill) = &fill {
        fill.before(body);
    }
    if let Some((Nesting { flag, .. }, before)) = raised {
        body.global_get(flag).local_set(before).i32_const(1).global_set(flag);
    }
    for &argument in &arguments {
        body.local_get(argument);
    }
    body.call(original);
    if let Some((Nesting { flag, .. }, before)) = raised {
        body.local_get(before).global_set(flag);
    }
    if let Some((result, result_ty)) = result {
        body.local_set(result);
        if hook.shape.role != Role::Free {
            let answer = (result, result_ty);
            book(body, nesting, |body| {
                wrap.book_result(body, scratch, answer, memory);
                if let Some(asked) = &asked {
                    wrap.push_answer(body, answer, memory);
                    wrap.book_usable(body, scratch, asked);
                }
            });
            if let Some(fill) = &fill {
                fill.after(body, |body| wrap.push_answer(body, answer, memory));
            }
        }
        body.local_get(result);
    }
    builder.finish(arguments, &mut module.funcs)
}

/// How a new block's allocator is asked what the block can hold.
struct Asked {
    function: FunctionId,
    /// Of its parameter and of its result.
    types: [ValType; 2],
    /// Where the block is, as a field.
    block: LocalId,
}

impl Asked {
    fn new(module: &mut Module, recorder: &Recorder, function: FunctionId) -> Option<Asked> {
        let ty = module.funcs.get(function).ty();
        let ([parameter], [result]) = module.types.params_results(ty) else { return None };
        let types = [*parameter, *result];
        Some(Asked { function, types, block: module.locals.add(recorder.word()) })
    }
}

/// A hooked function, and what it is wrapped with.
pub(super) struct Wrap<'a> {
    pub(super) recorder: &'a Recorder,
    pub(super) hook: &'a Hook,
    tracepoint: TracepointId,
    parameters: &'a [ValType],
    arguments: &'a [LocalId],
}

impl Wrap<'_> {
    pub(super) fn argument(&self, meaning: Parameter) -> Option<(LocalId, ValType)> {
        let index = self.hook.shape.index(meaning)?;
        Some((*self.arguments.get(index)?, *self.parameters.get(index)?))
    }

    /// The field for an argument that may not be there.
    fn push(&self, body: &mut InstrSeqBuilder<'_>, meaning: Parameter) {
        match self.argument(meaning) {
            Some((local, ty)) => self.recorder.push_local(body, local, ty),
            None => self.recorder.push_zero(body),
        }
    }

    fn push_block(&self, body: &mut InstrSeqBuilder<'_>) {
        self.push(body, Parameter::Pointer);
        self.recorder.add_constant(body, self.hook.shape.offset);
    }

    pub(super) fn push_size(&self, body: &mut InstrSeqBuilder<'_>) {
        self.push(body, Parameter::Size);
        if let Some((count, ty)) = self.argument(Parameter::Count) {
            self.recorder.push_local(body, count, ty);
            body.binop(match self.recorder.word() {
                ValType::I64 => BinaryOp::I64Mul,
                _ => BinaryOp::I32Mul,
            });
        }
    }

    fn book_free(&self, body: &mut InstrSeqBuilder<'_>, scratch: Scratch) {
        let Some((block, ty)) = self.argument(Parameter::Pointer) else { return };
        let is_sized = self.hook.shape.index(Parameter::Size).is_some();
        body.local_get(block);
        if ty == ValType::I64 {
            body.unop(UnaryOp::I64Eqz).unop(UnaryOp::I32Eqz);
        }
        body.if_else(
            None,
            |then| {
                self.recorder.write(
                    then,
                    scratch,
                    &Fields {
                        kind: if is_sized { RecordKind::FreeSized } else { RecordKind::Free },
                        tracepoint: self.tracepoint,
                        align: self.argument(Parameter::Align),
                        size: &|body| self.push(body, Parameter::Size),
                        addr: &|body| self.push_block(body),
                        old: None,
                    },
                );
            },
            |_| {},
        );
    }

    fn book_result(
        &self,
        body: &mut InstrSeqBuilder<'_>,
        scratch: Scratch,
        result: (LocalId, ValType),
        memory: Option<(MemoryId, bool)>,
    ) {
        let is_realloc = self.hook.shape.role == Role::Realloc;
        if is_realloc {
            self.book_claim(body, scratch);
        }
        let old: Push<'_> = &|body| self.push_old(body);
        self.recorder.write(
            body,
            scratch,
            &Fields {
                kind: if is_realloc { RecordKind::Realloc } else { RecordKind::Alloc },
                tracepoint: self.tracepoint,
                align: self.argument(Parameter::Align),
                size: &|body| self.push_size(body),
                addr: &|body| self.push_answer(body, result, memory),
                old: is_realloc.then_some(old),
            },
        );
    }

    /// What the new block can hold, as its allocator says; where it is is on the stack.
    fn book_usable(&self, body: &mut InstrSeqBuilder<'_>, scratch: Scratch, asked: &Asked) {
        let word = self.recorder.word();
        let [parameter, result] = asked.types;
        body.local_tee(asked.block);
        if word == ValType::I64 {
            body.unop(UnaryOp::I64Eqz).unop(UnaryOp::I32Eqz);
        }
        let push_usable: Push<'_> = &|body| {
            body.local_get(asked.block);
            convert(body, word, parameter);
            body.call(asked.function);
            self.recorder.extend(body, result);
        };
        let usable = Fields {
            kind: RecordKind::Usable,
            tracepoint: self.tracepoint,
            align: None,
            size: push_usable,
            addr: &|body| _ = body.local_get(asked.block),
            old: None,
        };
        body.if_else(None, |then| self.recorder.write(then, scratch, &usable), |_| {});
    }

    /// What the caller says of the block before a reallocation. A reallocation has no room for it,
    /// so it is a record of its own, and only where there is a parameter for it.
    fn book_claim(&self, body: &mut InstrSeqBuilder<'_>, scratch: Scratch) {
        let (Some((block, ty)), Some(_)) =
            (self.argument(Parameter::Pointer), self.argument(Parameter::OldSize))
        else {
            return;
        };
        body.local_get(block);
        if ty == ValType::I64 {
            body.unop(UnaryOp::I64Eqz).unop(UnaryOp::I32Eqz);
        }
        body.if_else(
            None,
            |then| {
                let claim = Fields {
                    kind: RecordKind::Claim,
                    tracepoint: self.tracepoint,
                    align: None,
                    size: &|body| self.push(body, Parameter::OldSize),
                    addr: &|body| self.push_block(body),
                    old: None,
                };
                self.recorder.write(then, scratch, &claim);
            },
            |_| {},
        );
    }

    /// The block before a reallocation; none has no offset.
    fn push_old(&self, body: &mut InstrSeqBuilder<'_>) {
        match self.argument(Parameter::Pointer) {
            Some(pointer) if self.hook.shape.offset != 0 => self.push_unless_null(body, pointer),
            _ => self.push(body, Parameter::Pointer),
        }
    }

    /// An address with the family's offset, but 0 where it is 0.
    fn push_unless_null(&self, body: &mut InstrSeqBuilder<'_>, value: (LocalId, ValType)) {
        let (local, ty) = value;
        self.recorder.push_local(body, local, ty);
        self.recorder.add_constant(body, self.hook.shape.offset);
        self.recorder.push_zero(body);
        body.local_get(local);
        if ty == ValType::I64 {
            body.unop(UnaryOp::I64Eqz).unop(UnaryOp::I32Eqz);
        }
        body.select(None);
    }

    /// The block's address, or 0, from what the function answered.
    fn push_answer(
        &self,
        body: &mut InstrSeqBuilder<'_>,
        (result, ty): (LocalId, ValType),
        memory: Option<(MemoryId, bool)>,
    ) {
        match self.hook.shape.answer {
            Answer::Address if self.hook.shape.offset != 0 => {
                self.push_unless_null(body, (result, ty));
            }
            Answer::Address => self.recorder.push_local(body, result, ty),
            Answer::InPlace => {
                self.push_block(body);
                self.recorder.push_zero(body);
                body.local_get(result);
                if ty == ValType::I64 {
                    body.unop(UnaryOp::I64Eqz).unop(UnaryOp::I32Eqz);
                }
                body.select(None);
            }
            Answer::ThroughPointer => {
                let (Some((out, out_ty)), Some((memory, is_64))) =
                    (self.argument(Parameter::Out), memory)
                else {
                    return self.recorder.push_zero(body);
                };
                let (kind, width, loaded) = if is_64 {
                    (LoadKind::I64 { atomic: false }, 8, ValType::I64)
                } else {
                    (LoadKind::I32 { atomic: false }, 4, ValType::I32)
                };
                // It succeeded, so the address is where it has just written; but if it has not, the
                // wrapper must not trap where the original goes on.
                body.local_get(result).unop(match ty {
                    ValType::I64 => UnaryOp::I64Eqz,
                    _ => UnaryOp::I32Eqz,
                });
                let push_out = |body: &mut InstrSeqBuilder<'_>| {
                    body.local_get(out);
                    convert(body, out_ty, loaded);
                    convert(body, loaded, ValType::I64);
                };
                let push_bytes = |body: &mut InstrSeqBuilder<'_>| {
                    body.memory_size(memory);
                    convert(body, loaded, ValType::I64);
                    body.i64_const(16).binop(BinaryOp::I64Shl);
                };
                push_out(body);
                push_bytes(body);
                body.binop(BinaryOp::I64LtU).binop(BinaryOp::I32And);
                push_bytes(body);
                push_out(body);
                body.binop(BinaryOp::I64Sub).i64_const(i64::from(width)).binop(BinaryOp::I64GeU);
                body.binop(BinaryOp::I32And).if_else(
                    self.recorder.word(),
                    |stored| {
                        stored.local_get(out);
                        convert(stored, out_ty, loaded);
                        stored.load(memory, kind, MemArg { align: width, offset: 0 });
                        self.recorder.extend(stored, loaded);
                    },
                    |failed| self.recorder.push_zero(failed),
                );
            }
            Answer::None => self.recorder.push_zero(body),
        }
    }
}
