//! Fills blocks with a byte that means nothing, so that whoever reads what was never written, or what
//! was given back, does so in vain.
//!
//! ```text
//! (func $seepage:fill (param $addr i64) (param $size i64) (param $byte i32)
//!   (if <$addr is not 0, and all of it is in the memory>
//!     (then (memory.fill $addr $byte $size))))
//! ```
//!
//! Only what is known to be the block's is filled: a new block by the size that was asked for; what
//! a reallocation adds, if the size before is told or can be asked; a freed block by the size that
//! its caller tells, or by what the allocator says that it can hold. What an allocator hands out
//! zeroed stays so.

use super::{record::convert, wrap::Wrap};
use crate::{
    allocators::shape::Parameter,
    config::{Fill, TransportKind},
    discover::{Discovery, Hook},
    facts::Facts,
    usable::teller,
};
use seepage_trace::Role;
use walrus::{
    FunctionBuilder, FunctionId, InstrSeqBuilder, LocalId, MemoryId, Module, ValType,
    ir::{BinaryOp, MemArg, StoreKind, UnaryOp},
};

/// Families whose new blocks are zeroed, or of which nobody knows what they promise.
const NOT_FILLED: [&str; 3] = ["assemblyscript", "tinygo", "unknown"];

/// Whether blocks of a hooked function may be filled.
pub(crate) fn may_fill(hook: &Hook) -> bool {
    !NOT_FILLED.contains(&hook.family)
}

/// What is not filled though it was asked for, a sentence each.
pub(crate) fn not_filled(discovery: &Discovery) -> Vec<String> {
    let mut families: Vec<&str> =
        discovery.hooks.iter().filter(|hook| !may_fill(hook)).map(|hook| hook.family).collect();
    families.sort_unstable();
    families.dedup();
    let zeroed = families.into_iter().map(|family| {
        format!("--fill leaves the blocks of `{family}` as they are: they may have to be zeroed")
    });
    let is_sizeless = |hook: &&Hook| {
        hook.shape.role == Role::Free
            && may_fill(hook)
            && hook.shape.index(Parameter::Size).is_none()
            && teller(discovery, hook).is_none()
    };
    let sizeless = discovery.hooks.iter().any(|hook| is_sizeless(&hook)).then(|| {
        "--fill leaves blocks as they are that are freed without a size, in a module without \
         `malloc_usable_size`"
            .to_owned()
    });
    zeroed.chain(sizeless).collect()
}

/// Fills blocks in a module.
pub(crate) struct Filler {
    bytes: Fill,
    function: FunctionId,
}

impl Filler {
    /// Adds the function that fills, if that is wanted and there is a memory.
    pub(crate) fn new(
        module: &mut Module,
        facts: &Facts<'_>,
        fill: Option<Fill>,
        transport: TransportKind,
    ) -> Option<Filler> {
        let bytes = fill?;
        let memory = module.memories.iter().next()?;
        let (memory, address) =
            (memory.id(), if memory.memory64 { ValType::I64 } else { ValType::I32 });
        // Who runs a ring's second memory knows the younger instruction too.
        let has_bulk = transport == TransportKind::Ring
            || facts.module.features.iter().any(|feature| feature.starts_with("bulk-memory"));
        let function = function(module, memory, address, has_bulk);
        Some(Filler { bytes, function })
    }

    /// Fills; address and size are on the stack, as 64-bit numbers.
    fn call(&self, body: &mut InstrSeqBuilder<'_>, byte: u8) {
        body.i32_const(byte.into()).call(self.function);
    }
}

/// How a hooked function's blocks are filled.
#[derive(Clone, Copy)]
pub(crate) struct Filling<'a> {
    pub(crate) filler: &'a Filler,
    /// Tells how much a block can hold.
    pub(crate) usable: Option<FunctionId>,
}

impl<'a> Filling<'a> {
    pub(super) fn of(self, module: &mut Module, wrap: &'a Wrap<'a>) -> BlockFill<'a> {
        let [old, room] = [(); 2].map(|()| module.locals.add(ValType::I64));
        BlockFill { wrap, filling: self, old, room }
    }
}

/// The code that fills the blocks of one function.
pub(super) struct BlockFill<'a> {
    wrap: &'a Wrap<'a>,
    filling: Filling<'a>,
    /// Size of the block that is freed or reallocated.
    old: LocalId,
    /// How much it can hold, or where the new one is.
    room: LocalId,
}

impl BlockFill<'_> {
    /// Before the original is called: notes the size of the block that was, and fills what is freed.
    pub(super) fn before(&self, body: &mut InstrSeqBuilder<'_>) {
        let is_free = self.wrap.hook.shape.role == Role::Free;
        let meaning = match self.wrap.hook.shape.role {
            Role::Free => Parameter::Size,
            Role::Realloc => Parameter::OldSize,
            _ => return,
        };
        let Some(block) = self.wrap.argument(Parameter::Pointer) else { return };
        match (self.wrap.argument(meaning), self.filling.usable) {
            (None, None) if is_free => return,
            // Where there was no block all is new; else nothing is known to be.
            (None, None) => {
                body.i64_const(0).i64_const(-1);
                push(body, block);
                body.unop(UnaryOp::I64Eqz).select(None);
            }
            (Some(told), None) => push(body, told),
            (Some(told), Some(_)) if !is_free => push(body, told),
            (None, Some(usable)) => push_usable(body, block, usable),
            // Of what the caller says and what the allocator says, the less.
            (Some(told), Some(usable)) => {
                push(body, told);
                body.local_tee(self.old);
                push_usable(body, block, usable);
                body.local_tee(self.room).local_get(self.old).local_get(self.room);
                body.binop(BinaryOp::I64LtU).select(None);
            }
        }
        body.local_set(self.old);
        if is_free {
            push(body, block);
            body.local_get(self.old);
            self.filling.filler.call(body, self.filling.filler.bytes.freed);
        }
    }

    /// After the original has returned and its answer was booked: fills what is new.
    pub(super) fn after(
        &self,
        body: &mut InstrSeqBuilder<'_>,
        push_answer: impl Fn(&mut InstrSeqBuilder<'_>),
    ) {
        let word = self.wrap.recorder.word();
        let (filler, byte) = (self.filling.filler, self.filling.filler.bytes.allocated);
        let push_size = |body: &mut InstrSeqBuilder<'_>| {
            self.wrap.push_size(body);
            convert(body, word, ValType::I64);
        };
        match self.wrap.hook.shape.role {
            Role::Malloc | Role::Memalign | Role::AlignedAlloc | Role::PosixMemalign => {
                push_answer(body);
                convert(body, word, ValType::I64);
                push_size(body);
                filler.call(body, byte);
            }
            Role::Realloc => {
                push_answer(body);
                convert(body, word, ValType::I64);
                body.local_tee(self.room).unop(UnaryOp::I64Eqz).unop(UnaryOp::I32Eqz);
                push_size(body);
                body.local_get(self.old).binop(BinaryOp::I64GtU).binop(BinaryOp::I32And);
                body.if_else(
                    None,
                    |grown| {
                        grown.local_get(self.room).local_get(self.old).binop(BinaryOp::I64Add);
                        push_size(grown);
                        grown.local_get(self.old).binop(BinaryOp::I64Sub);
                        filler.call(grown, byte);
                    },
                    |_| {},
                );
            }
            _ => {}
        }
    }
}

fn push(body: &mut InstrSeqBuilder<'_>, (local, ty): (LocalId, ValType)) {
    body.local_get(local);
    convert(body, ty, ValType::I64);
}

fn push_usable(
    body: &mut InstrSeqBuilder<'_>,
    (block, ty): (LocalId, ValType),
    usable: FunctionId,
) {
    body.local_get(block).call(usable);
    convert(body, ty, ValType::I64);
}

fn function(module: &mut Module, memory: MemoryId, address: ValType, has_bulk: bool) -> FunctionId {
    let [addr, size] = [(); 2].map(|()| module.locals.add(ValType::I64));
    let byte = module.locals.add(ValType::I32);
    let parameters = [ValType::I64, ValType::I64, ValType::I32];
    let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &[]);
    builder.name("seepage:fill".into());
    let body = &mut builder.func_body();
    let push_bytes = |body: &mut InstrSeqBuilder<'_>| {
        body.memory_size(memory);
        convert(body, address, ValType::I64);
        body.i64_const(16).binop(BinaryOp::I64Shl);
    };
    body.local_get(addr).unop(UnaryOp::I64Eqz).unop(UnaryOp::I32Eqz);
    body.local_get(addr);
    push_bytes(body);
    body.binop(BinaryOp::I64LtU).binop(BinaryOp::I32And);
    push_bytes(body);
    body.local_get(addr).binop(BinaryOp::I64Sub).local_get(size).binop(BinaryOp::I64GeU);
    body.binop(BinaryOp::I32And).if_else(
        None,
        |inside| {
            if has_bulk {
                inside.local_get(addr);
                convert(inside, ValType::I64, address);
                inside.local_get(byte).local_get(size);
                convert(inside, ValType::I64, address);
                inside.memory_fill(memory);
            } else {
                bytewise(inside, memory, address, [addr, size, byte]);
            }
        },
        |_| {},
    );
    builder.finish(vec![addr, size, byte], &mut module.funcs)
}

/// From the last byte to the first, for engines without bulk memory.
fn bytewise(
    body: &mut InstrSeqBuilder<'_>,
    memory: MemoryId,
    address: ValType,
    [addr, size, byte]: [LocalId; 3],
) {
    body.block(None, |done| {
        let out = done.id();
        done.loop_(None, |again| {
            let next = again.id();
            again.local_get(size).unop(UnaryOp::I64Eqz).br_if(out);
            again.local_get(size).i64_const(1).binop(BinaryOp::I64Sub).local_set(size);
            again.local_get(addr).local_get(size).binop(BinaryOp::I64Add);
            convert(again, ValType::I64, address);
            again.local_get(byte);
            again.store(memory, StoreKind::I32_8 { atomic: false }, MemArg { align: 1, offset: 0 });
            again.br(next);
        });
    });
}
