//! Whether a module begins with a heap in use.
//!
//! Tools such as Wizer run a program's start and store its memory as the new module's data. The
//! allocator's state, zero in what a compiler makes, is then part of that data.

use super::features::Function;
use crate::graph::index_of;
use std::collections::BTreeMap;
use walrus::{
    ConstExpr, DataKind, FunctionKind, LocalFunction, Module,
    ir::{Instr, InstrSeq, Value, Visitor, dfs_in_order},
};

/// So many words of an allocator's state that are not zero are no coincidence: a compiled
/// allocator may have a few parameters with initial values.
const WORDS: usize = 6;

/// Whether the static words that the allocator's functions touch hold something already.
pub(crate) fn has_heap_before(module: &Module, allocator: impl Iterator<Item = u32>) -> bool {
    let allocator: Vec<u32> = allocator.collect();
    let mut addresses: Vec<u32> = module
        .funcs
        .iter()
        .filter(|function| allocator.contains(&index_of(function.id())))
        .filter_map(|function| match &function.kind {
            FunctionKind::Local(local) => Some(touched(local)),
            _ => None,
        })
        .flatten()
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    let set = addresses.iter().filter(|&&address| {
        module.data.iter().any(|data| {
            let DataKind::Active { offset: ConstExpr::Value(Value::I32(offset)), .. } = data.kind
            else {
                return false;
            };
            let start = u64::from(address).checked_sub(u64::from(offset as u32));
            let word = start.and_then(|start| {
                let start = usize::try_from(start).ok()?;
                data.value.get(start..start.checked_add(4)?)
            });
            word.is_some_and(|word| word.iter().any(|&byte| byte != 0))
        })
    });
    set.take(WORDS).count() == WORDS
}

/// The static addresses that a function may touch itself: the text of a panic is only passed on.
fn touched(local: &LocalFunction) -> Vec<u32> {
    let mut constants = Constants::default();
    dfs_in_order(&mut constants, local, local.entry_block());
    let is_passed =
        |address: &u32| constants.seen.get(address).is_some_and(|seen| seen.passed == seen.times);
    let addresses = Function::new(local).addresses.into_iter();
    addresses.filter(|address| !is_passed(address)).collect()
}

/// How often a constant occurs, and how often as an argument.
#[derive(Default)]
struct Seen {
    times: u32,
    passed: u32,
}

#[derive(Default)]
struct Constants {
    seen: BTreeMap<u32, Seen>,
}

impl Visitor<'_> for Constants {
    fn start_instr_seq(&mut self, sequence: &InstrSeq) {
        // Constants in a row up to a call are what is passed in it.
        let mut is_before_call = false;
        for (instruction, _) in sequence.instrs.iter().rev() {
            match instruction {
                Instr::Const(constant) => {
                    let Value::I32(value) = constant.value else { continue };
                    let seen = self.seen.entry(value as u32).or_default();
                    seen.times += 1;
                    seen.passed += u32::from(is_before_call);
                }
                Instr::LocalGet(_) => {}
                Instr::Call(_) | Instr::CallIndirect(_) => is_before_call = true,
                _ => is_before_call = false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An allocator with twelve words of state, of which so many are not zero before the run, and
    /// eight texts that it passes on.
    fn begins_in_use(words: usize) -> bool {
        let state: String = (0..12)
            .map(|at| if at < words { "\\01\\00\\00\\00" } else { "\\00\\00\\00\\00" })
            .collect();
        let sums = |at: usize| {
            let (one, other) = (1024 + 8 * at, 1028 + 8 * at);
            format!("(i32.store (i32.const {one}) (i32.load (i32.const {other})))")
        };
        let panics = |at: usize| {
            format!("(call $panic (i32.const {}) (i32.const 24) (local.get 0))", 2048 + 24 * at)
        };
        let text = format!(
            "(module (memory 1) (func $panic (param i32 i32 i32))
                (func $malloc (param i32) {} {})
                (data (i32.const 1024) \"{state}\") (data (i32.const 2048) \"{}\"))",
            (0..6).map(sums).collect::<String>(),
            (0..8).map(panics).collect::<String>(),
            "a text of twenty-four by".repeat(8)
        );
        let wasm = wat::parse_str(text).expect("the text is a module");
        let module = Module::from_buffer(&wasm).expect("it is read");
        has_heap_before(&module, std::iter::once(1))
    }

    #[test]
    fn state_that_holds_something() {
        assert!(begins_in_use(12));
        assert!(begins_in_use(WORDS));
        assert!(!begins_in_use(WORDS - 1));
    }

    #[test]
    fn texts_are_no_state() {
        assert!(!begins_in_use(0));
    }
}
