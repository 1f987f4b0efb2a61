//! Writes one record, over either transport.
//!
//! ```text
//! ring, narrow:                                       call, narrow:
//!   global.get $head   local.tee $at                    i32.const <kind, tracepoint, alignment>
//!   i32.const <kind, tracepoint, alignment>             <size>
//!   i32.store $ring                                     <context>
//!   (i32.store $ring offset=4 $at <size>)               <addr>
//!   (i64.store $ring offset=8 $at <context>)            <old>
//!   (i32.store $ring offset=16 $at <addr>)              call $event
//!   (i32.store $ring offset=20 $at <old>)
//!   $head := $at + 24, and at the ring's end: call $flush
//! ```
//!
//! Before it, over the ring, the context is looked up in a small cache beside the ring; only a
//! value that is not in it costs a call of the host.

use crate::config::TransportKind;
use seepage_trace::{
    RecordLayout, TracepointId,
    abi::{self, NO_ALIGNMENT, RecordKind, RingLayout},
    sites::Transport,
};
use walrus::{
    ConstExpr, FunctionId, GlobalId, InstrSeqBuilder, LocalId, MemoryId, Module, ValType,
    ir::{BinaryOp, LoadKind, MemArg, StoreKind, UnaryOp, Value},
};

/// What the module got for writing records.
pub(crate) struct Recorder {
    layout: RecordLayout,
    way: Way,
    /// The global that holds the calling context, if contexts are wanted.
    pub(crate) context: Option<GlobalId>,
}

enum Way {
    Ring {
        layout: RingLayout,
        memory: MemoryId,
        head: GlobalId,
        flush: FunctionId,
        seen: FunctionId,
    },
    Call {
        event: FunctionId,
    },
}

/// Puts one value on the stack, as wide as the layout's fields are.
pub(crate) type Push<'a> = &'a dyn Fn(&mut InstrSeqBuilder<'_>);

/// One record, as code.
pub(crate) struct Fields<'a> {
    pub(crate) kind: RecordKind,
    pub(crate) tracepoint: TracepointId,
    /// The parameter that holds the alignment, and its type.
    pub(crate) align: Option<(LocalId, ValType)>,
    pub(crate) size: Push<'a>,
    pub(crate) addr: Push<'a>,
    pub(crate) old: Option<Push<'a>>,
}

/// The locals that a function needs for writing a record.
#[derive(Clone, Copy)]
pub(crate) struct Scratch {
    /// The context in which the function was called.
    context: Option<LocalId>,
    at: LocalId,
}

impl Recorder {
    pub(crate) fn new(
        module: &mut Module,
        transport: TransportKind,
        layout: RecordLayout,
        with_contexts: bool,
    ) -> Recorder {
        let import = |module: &mut Module, name: &str, parameters: &[ValType]| {
            let ty = module.types.add(parameters, &[]);
            module.add_import_func(abi::IMPORT_MODULE, name, ty).0
        };
        let way = match transport {
            TransportKind::Call => {
                let word = word(layout);
                let parameters = [ValType::I32, word, ValType::I64, word, word];
                Way::Call { event: import(module, abi::IMPORT_EVENT, &parameters) }
            }
            TransportKind::Ring => {
                let ring = RingLayout::new(layout);
                let pages = u64::from(ring.pages);
                let memory = module.memories.add_local(false, false, pages, Some(pages), None);
                module.memories.get_mut(memory).name = Some("seepage:ring".into());
                let start = ConstExpr::Value(Value::I32(ring.start as i32));
                let head = module.globals.add_local(ValType::I32, true, false, start);
                module.globals.get_mut(head).name = Some("seepage:head".into());
                let flush = import(module, abi::IMPORT_FLUSH, &[]);
                let seen = import(module, abi::IMPORT_CONTEXT, &[ValType::I64]);
                Way::Ring { layout: ring, memory, head, flush, seen }
            }
        };
        let context = with_contexts.then(|| {
            let zero = ConstExpr::Value(Value::I64(0));
            let context = module.globals.add_local(ValType::I64, true, false, zero);
            module.globals.get_mut(context).name = Some("seepage:context".into());
            context
        });
        Recorder { layout, way, context }
    }

    pub(crate) fn transport(&self) -> Transport {
        match self.way {
            Way::Ring { layout, .. } => Transport::Ring(layout),
            Way::Call { .. } => Transport::Call,
        }
    }

    /// The type of a record's fields.
    pub(crate) fn word(&self) -> ValType {
        word(self.layout)
    }

    /// Exports what the host needs.
    pub(crate) fn finish(&self, module: &mut Module) {
        if let Way::Ring { memory, head, .. } = self.way {
            module.exports.add(abi::RING_MEMORY, memory);
            module.exports.add(abi::RING_HEAD, head);
        }
    }

    /// Begins a function that writes records: remembers the context of its caller.
    pub(crate) fn begin(&self, module: &mut Module) -> Scratch {
        Scratch {
            context: self.context.map(|_| module.locals.add(ValType::I64)),
            at: module.locals.add(ValType::I32),
        }
    }

    pub(crate) fn save_context(&self, body: &mut InstrSeqBuilder<'_>, scratch: Scratch) {
        if let (Some(global), Some(local)) = (self.context, scratch.context) {
            body.global_get(global).local_set(local);
        }
    }

    /// Pushes a local of an integer type as a field.
    pub(crate) fn push_local(&self, body: &mut InstrSeqBuilder<'_>, local: LocalId, ty: ValType) {
        body.local_get(local);
        self.extend(body, ty);
    }

    /// Makes a field of the integer on the stack. What is wider than the field keeps its low half:
    /// a 64-bit size of a block in a 32-bit memory.
    pub(crate) fn extend(&self, body: &mut InstrSeqBuilder<'_>, ty: ValType) {
        convert(body, ty, self.word());
    }

    pub(crate) fn write(
        &self,
        body: &mut InstrSeqBuilder<'_>,
        scratch: Scratch,
        fields: &Fields<'_>,
    ) {
        match &self.way {
            Way::Call { event } => {
                push_head(body, fields);
                (fields.size)(body);
                push_context(body, scratch);
                (fields.addr)(body);
                match fields.old {
                    Some(old) => old(body),
                    None => self.push_zero(body),
                }
                body.call(*event);
            }
            &Way::Ring { layout, memory, head, flush, seen } => {
                self.look_up_context(body, scratch, memory, layout, seen);
                body.global_get(head).local_tee(scratch.at);
                push_head(body, fields);
                store(body, memory, ValType::I32, 0);
                let field = |body: &mut InstrSeqBuilder<'_>, push: Push<'_>, offset| {
                    body.local_get(scratch.at);
                    push(body);
                    store(body, memory, self.word(), offset);
                };
                let [size_at, context_at, addr_at, old_at] = match self.layout {
                    RecordLayout::Narrow => [4, 8, 16, 20],
                    RecordLayout::Wide => [8, 16, 24, 32],
                };
                field(body, fields.size, size_at);
                body.local_get(scratch.at);
                push_context(body, scratch);
                store(body, memory, ValType::I64, context_at);
                field(body, fields.addr, addr_at);
                if let Some(old) = fields.old {
                    field(body, old, old_at);
                }
                body.local_get(scratch.at)
                    .i32_const(self.layout.size() as i32)
                    .binop(BinaryOp::I32Add)
                    .local_tee(scratch.at)
                    .global_set(head)
                    .local_get(scratch.at)
                    .i32_const(layout.end as i32)
                    .binop(BinaryOp::I32GeU)
                    .if_else(None, |then| _ = then.call(flush), |_| {});
            }
        }
    }

    fn look_up_context(
        &self,
        body: &mut InstrSeqBuilder<'_>,
        scratch: Scratch,
        memory: MemoryId,
        layout: RingLayout,
        seen: FunctionId,
    ) {
        let Some(context) = scratch.context else { return };
        let mask = (layout.cache_slots - 1) * 8;
        body.local_get(context)
            .unop(UnaryOp::I32WrapI64)
            .i32_const(mask as i32)
            .binop(BinaryOp::I32And)
            .local_tee(scratch.at)
            .load(memory, LoadKind::I64 { atomic: false }, MemArg { align: 8, offset: 0 })
            .local_get(context)
            .binop(BinaryOp::I64Ne)
            .if_else(
                None,
                |then| {
                    then.local_get(context).call(seen).local_get(scratch.at).local_get(context);
                    store(then, memory, ValType::I64, 0);
                },
                |_| {},
            );
    }

    pub(crate) fn push_zero(&self, body: &mut InstrSeqBuilder<'_>) {
        match self.word() {
            ValType::I64 => body.i64_const(0),
            _ => body.i32_const(0),
        };
    }

    pub(crate) fn push_constant(&self, body: &mut InstrSeqBuilder<'_>, value: u32) {
        match self.word() {
            ValType::I64 => body.i64_const(value.into()),
            _ => body.i32_const(value as i32),
        };
    }

    /// Adds a constant to the field on the stack.
    pub(crate) fn add_constant(&self, body: &mut InstrSeqBuilder<'_>, value: u32) {
        if value != 0 {
            self.push_constant(body, value);
            body.binop(match self.word() {
                ValType::I64 => BinaryOp::I64Add,
                _ => BinaryOp::I32Add,
            });
        }
    }
}

/// Converts the unsigned integer on the stack.
pub(crate) fn convert(body: &mut InstrSeqBuilder<'_>, from: ValType, to: ValType) {
    match (from, to) {
        (ValType::I32, ValType::I64) => _ = body.unop(UnaryOp::I64ExtendUI32),
        (ValType::I64, ValType::I32) => _ = body.unop(UnaryOp::I32WrapI64),
        _ => {}
    }
}

fn word(layout: RecordLayout) -> ValType {
    match layout {
        RecordLayout::Narrow => ValType::I32,
        RecordLayout::Wide => ValType::I64,
    }
}

fn push_head(body: &mut InstrSeqBuilder<'_>, fields: &Fields<'_>) {
    match fields.align {
        None => {
            body.i32_const(abi::head(fields.kind, fields.tracepoint, NO_ALIGNMENT) as i32);
        }
        Some((align, ty)) => {
            body.i32_const(abi::head(fields.kind, fields.tracepoint, 0) as i32).local_get(align);
            match ty {
                ValType::I64 => body.unop(UnaryOp::I64Ctz).unop(UnaryOp::I32WrapI64),
                _ => body.unop(UnaryOp::I32Ctz),
            };
            body.binop(BinaryOp::I32Or);
        }
    }
}

fn push_context(body: &mut InstrSeqBuilder<'_>, scratch: Scratch) {
    match scratch.context {
        Some(context) => body.local_get(context),
        None => body.i64_const(0),
    };
}

fn store(body: &mut InstrSeqBuilder<'_>, memory: MemoryId, ty: ValType, offset: u64) {
    let (kind, align) = match ty {
        ValType::I64 => (StoreKind::I64 { atomic: false }, 8),
        _ => (StoreKind::I32 { atomic: false }, 4),
    };
    body.store(memory, kind, MemArg { align, offset });
}
