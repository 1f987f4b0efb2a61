//! Which locals and operands of a function can be an address.
//!
//! Forward over the body, operator by operator: what is loaded, returned, passed or read from a
//! global can be one, and so can whatever is computed from it. What is computed from constants, the
//! stack pointer and comparisons is none. A local can be an address if one is ever put there.

use super::{Body, live};
use std::collections::BTreeSet;
use wasmparser::{FuncValidator, Operator, ValType, ValidatorResources};

/// Each round but the last finds another local; code from compilers takes two or three.
const MAX_ROUNDS: usize = 32;

/// What can be an address in one function.
pub(super) struct Values<'a> {
    globals: &'a BTreeSet<u32>,
    /// By local.
    locals: Vec<bool>,
}

/// One walk from the function's start.
struct Walk {
    check: FuncValidator<ValidatorResources>,
    /// Whether each operand can be an address, innermost last.
    operands: Vec<bool>,
    /// How many of them the last operator has put there.
    returned: usize,
}

impl<'a> Values<'a> {
    /// # Errors
    /// When the body is not valid.
    pub(super) fn new(
        body: &Body<'_>,
        globals: &'a BTreeSet<u32>,
    ) -> wasmparser::Result<Values<'a>> {
        let is_given = |local| local < body.parameters && fits(body.start.get_local_type(local));
        let locals = (0..body.start.len_locals()).map(is_given).collect();
        let mut values = Values { globals, locals };
        for _ in 0..MAX_ROUNDS {
            let before = values.locals.clone();
            values.walk(body, body.operators.len())?;
            if values.locals == before {
                return Ok(values);
            }
        }
        values.locals.fill(true);
        Ok(values)
    }

    /// How many addresses the call at a place may keep for when it goes on.
    ///
    /// # Errors
    /// When the body is not valid.
    pub(super) fn kept(&mut self, body: &Body<'_>, place: usize) -> wasmparser::Result<u32> {
        if matches!(body.operators.get(place + 1), Some((Operator::Unreachable, _))) {
            return Ok(0);
        }
        let Walk { check, operands, returned } = self.walk(body, place + 1)?;
        let below = operands.iter().rev().enumerate().skip(returned);
        let operands = below
            .filter(|(_, is_address)| **is_address)
            .map(|(depth, _)| room(check.get_operand_type(depth).flatten()));
        let locals = (0..).zip(live::behind(body, place, &self.locals));
        let locals = locals
            .filter(|&(_, is_live)| is_live)
            .map(|(local, _)| room(body.start.get_local_type(local)));
        Ok(operands.chain(locals).fold(0, u32::saturating_add))
    }

    /// Goes through the first `count` operators, and notes the locals in which addresses are put.
    fn walk(&mut self, body: &Body<'_>, count: usize) -> wasmparser::Result<Walk> {
        let mut walk = Walk { check: body.start.clone(), operands: Vec::new(), returned: 0 };
        for (operator, offset) in body.operators.iter().take(count) {
            let (taken, returned) = operator.operator_arity(&walk.check).unwrap_or_default();
            let (taken, returned) = (taken as usize, returned as usize);
            let operands = &mut walk.operands;
            let from = operands.len().saturating_sub(taken);
            let taken: Vec<bool> = operands.drain(from..).collect();
            walk.check.op(*offset, operator)?;
            walk.returned = returned;
            // Behind a branch that is always taken the operands of its block are gone.
            let height = walk.check.operand_stack_height() as usize;
            operands.resize(height.saturating_sub(returned), true);
            for depth in (0..returned.min(height)).rev() {
                let kind = walk.check.get_operand_type(depth).flatten();
                let is_address = self.yields(operator, &taken);
                operands.push(fits(kind) && is_address);
            }
            if let Operator::LocalSet { local_index } | Operator::LocalTee { local_index } =
                operator
                && taken.last().copied().unwrap_or(true)
                && fits(body.start.get_local_type(*local_index))
                && let Some(local) = self.locals.get_mut(*local_index as usize)
            {
                *local = true;
            }
        }
        Ok(walk)
    }

    /// Whether an operator can yield an address, from operands of which some can be one.
    fn yields(&self, operator: &Operator<'_>, taken: &[bool]) -> bool {
        use Operator as Op;
        match operator {
            Op::LocalGet { local_index } => {
                self.locals.get(*local_index as usize).copied().unwrap_or(true)
            }
            Op::GlobalGet { global_index } => self.globals.contains(global_index),
            // The condition is no part of what it selects.
            Op::Select | Op::TypedSelect { .. } => taken.iter().take(2).any(|&it| it),
            Op::I32Const { .. } | Op::I64Const { .. } | Op::V128Const { .. } => false,
            Op::MemorySize { .. } | Op::MemoryGrow { .. } | Op::TableSize { .. } => false,
            Op::I32Load8S { .. } | Op::I32Load8U { .. } => false,
            Op::I32Load16S { .. } | Op::I32Load16U { .. } => false,
            Op::I64Load8S { .. } | Op::I64Load8U { .. } => false,
            Op::I64Load16S { .. } | Op::I64Load16U { .. } => false,
            Op::I32Eqz | Op::I32Eq | Op::I32Ne | Op::I64Eqz | Op::I64Eq | Op::I64Ne => false,
            Op::I32LtS | Op::I32LtU | Op::I32GtS | Op::I32GtU => false,
            Op::I32LeS | Op::I32LeU | Op::I32GeS | Op::I32GeU => false,
            Op::I64LtS | Op::I64LtU | Op::I64GtS | Op::I64GtU => false,
            Op::I64LeS | Op::I64LeU | Op::I64GeS | Op::I64GeU => false,
            Op::F32Eq | Op::F32Ne | Op::F32Lt | Op::F32Gt | Op::F32Le | Op::F32Ge => false,
            Op::F64Eq | Op::F64Ne | Op::F64Lt | Op::F64Gt | Op::F64Le | Op::F64Ge => false,
            Op::I32Clz | Op::I32Ctz | Op::I32Popcnt => false,
            Op::I64Clz | Op::I64Ctz | Op::I64Popcnt => false,
            Op::RefIsNull => false,
            Op::LocalTee { .. }
            | Op::I32Add
            | Op::I32Sub
            | Op::I32Mul
            | Op::I32And
            | Op::I32Or
            | Op::I32Xor
            | Op::I32Shl
            | Op::I32ShrS
            | Op::I32ShrU
            | Op::I32Rotl
            | Op::I32Rotr
            | Op::I32Extend8S
            | Op::I32Extend16S
            | Op::I32WrapI64
            | Op::I64ExtendI32S
            | Op::I64ExtendI32U
            | Op::I64Add
            | Op::I64Sub
            | Op::I64Mul
            | Op::I64And
            | Op::I64Or
            | Op::I64Xor
            | Op::I64Shl
            | Op::I64ShrS
            | Op::I64ShrU
            | Op::I64Rotl
            | Op::I64Rotr => taken.contains(&true),
            _ => true,
        }
    }
}

/// Whether an address fits into a value of that type.
fn fits(kind: Option<ValType>) -> bool {
    room(kind) > 0
}

/// How many addresses of four bytes fit into a value of that type. What is not known may be
/// anything.
fn room(kind: Option<ValType>) -> u32 {
    match kind {
        Some(ValType::I32) => 1,
        Some(ValType::I64) => 2,
        Some(ValType::V128) | None => 4,
        Some(ValType::F32 | ValType::F64 | ValType::Ref(_)) => 0,
    }
}
