//! Lets a module pay for what it does: whoever calls it need not be able to interrupt it.
//!
//! ```text
//! (func                   (func
//!   (loop $l         →      <fuel -= 9; below zero? trap>
//!     (…)                   (loop $l
//!     (br $l)))               <fuel -= 10; below zero? trap>
//!                             (…) (br $l)))
//! ```
//!
//! A function pays at its entry, and a loop at each round, for the instructions in it that are in no
//! loop further in, those of branches not taken included. What copies or fills at once pays by the
//! length.

use std::collections::BTreeMap;
use walrus::{
    GlobalId, LocalFunction, LocalId, Module, ModuleLocals, ValType,
    ir::{BinaryOp, IfElse, Instr, InstrLocId, InstrSeqId, LegacyCatch, UnaryOp, Value},
};

/// What the payment itself costs.
const PAYMENT: i64 = 8;

/// As many bytes are copied for the price of one instruction, or a fraction of so many elements.
const BYTES_LOG2: i64 = 4;

/// What a function pays with.
pub(super) struct Meter {
    pub(super) fuel: GlobalId,
}

/// Where something is paid, and how much.
struct Price {
    place: InstrSeqId,
    instructions: i64,
}

/// An instruction that costs by a length, which is on top of the stack.
struct Bulk {
    place: InstrSeqId,
    at: usize,
    length: ValType,
}

impl Meter {
    /// Inserts what pays into a function.
    pub(super) fn add(&self, module: &mut Module, function: walrus::FunctionId) {
        let walrus::FunctionKind::Local(local) = &module.funcs.get(function).kind else { return };
        let (prices, bulks) = read(module, local);
        let locals = &mut module.locals;
        let walrus::FunctionKind::Local(local) = &mut module.funcs.get_mut(function).kind else {
            return;
        };
        let mut lengths: BTreeMap<bool, LocalId> = BTreeMap::new();
        // From the end, so that what is before keeps its place.
        for Bulk { place, at, length } in bulks.into_iter().rev() {
            let scratch = scratch(&mut lengths, locals, length);
            let pay = self.pay_for(local, scratch, length);
            insert(local, place, at, pay);
        }
        for Price { place, instructions } in prices {
            let pay = self.pay(local, vec![constant(instructions)]);
            insert(local, place, 0, pay);
        }
    }

    fn pay_for(&self, local: &mut LocalFunction, length: LocalId, ty: ValType) -> Vec<Instr> {
        let mut price: Vec<Instr> = vec![walrus::ir::LocalGet { local: length }.into()];
        if ty == ValType::I32 {
            price.push(walrus::ir::Unop { op: UnaryOp::I64ExtendUI32 }.into());
        }
        price.extend([constant(BYTES_LOG2), binary(BinaryOp::I64ShrU)]);
        let mut pay: Vec<Instr> = vec![walrus::ir::LocalSet { local: length }.into()];
        pay.extend(self.pay(local, price));
        pay.push(walrus::ir::LocalGet { local: length }.into());
        pay
    }

    /// What takes a price, given by instructions, and traps where there is not so much.
    fn pay(&self, local: &mut LocalFunction, price: Vec<Instr>) -> Vec<Instr> {
        let builder = local.builder_mut();
        let alternative = builder.dangling_instr_seq(None).id();
        let consequent = builder.dangling_instr_seq(None).unreachable().id();
        let get = || -> Instr { walrus::ir::GlobalGet { global: self.fuel }.into() };
        let mut pay = vec![get()];
        pay.extend(price);
        pay.extend([
            binary(BinaryOp::I64Sub),
            walrus::ir::GlobalSet { global: self.fuel }.into(),
            get(),
            constant(0),
            binary(BinaryOp::I64LtS),
            IfElse { consequent, alternative }.into(),
        ]);
        pay
    }
}

/// What is to be paid in a function.
fn read(module: &Module, local: &LocalFunction) -> (Vec<Price>, Vec<Bulk>) {
    let entry = local.entry_block();
    let mut prices = vec![Price { place: entry, instructions: PAYMENT }];
    let mut bulks = Vec::new();
    // Hostile code is nested deeper than any stack.
    let mut work = vec![(entry, 0)];
    while let Some((place, payer)) = work.pop() {
        let sequence = local.block(place);
        prices[payer].instructions += sequence.instrs.len() as i64;
        for (at, (instruction, _)) in sequence.instrs.iter().enumerate() {
            match instruction {
                Instr::Loop(it) => {
                    prices.push(Price { place: it.seq, instructions: PAYMENT });
                    work.push((it.seq, prices.len() - 1));
                }
                Instr::Block(it) => work.push((it.seq, payer)),
                Instr::IfElse(it) => {
                    work.extend([(it.consequent, payer), (it.alternative, payer)]);
                }
                Instr::TryTable(it) => work.push((it.seq, payer)),
                Instr::Try(it) => {
                    work.push((it.seq, payer));
                    work.extend(it.catches.iter().filter_map(|catch| match catch {
                        LegacyCatch::Catch { handler, .. } | LegacyCatch::CatchAll { handler } => {
                            Some((*handler, payer))
                        }
                        LegacyCatch::Delegate { .. } => None,
                    }));
                }
                _ => bulks.extend(length(module, instruction).map(|length| Bulk {
                    place,
                    at,
                    length,
                })),
            }
        }
    }
    (prices, bulks)
}

/// The type of the length that an instruction takes, if it takes one.
fn length(module: &Module, instruction: &Instr) -> Option<ValType> {
    let memory = |id| module.memories.get(id).memory64;
    let table = |id| module.tables.get(id).table64;
    let is_long = match instruction {
        Instr::MemoryFill(it) => memory(it.memory),
        Instr::MemoryCopy(it) => memory(it.src) && memory(it.dst),
        Instr::TableFill(it) => table(it.table),
        Instr::TableCopy(it) => table(it.src) && table(it.dst),
        Instr::MemoryInit(_) | Instr::TableInit(_) => false,
        _ => return None,
    };
    Some(if is_long { ValType::I64 } else { ValType::I32 })
}

fn scratch(
    lengths: &mut BTreeMap<bool, LocalId>,
    locals: &mut ModuleLocals,
    ty: ValType,
) -> LocalId {
    *lengths.entry(ty == ValType::I64).or_insert_with(|| locals.add(ty))
}

fn insert(local: &mut LocalFunction, place: InstrSeqId, at: usize, instructions: Vec<Instr>) {
    let instructions = instructions.into_iter().map(|it| (it, InstrLocId::default()));
    local.block_mut(place).instrs.splice(at..at, instructions);
}

fn constant(value: i64) -> Instr {
    walrus::ir::Const { value: Value::I64(value) }.into()
}

fn binary(op: BinaryOp) -> Instr {
    walrus::ir::Binop { op }.into()
}
