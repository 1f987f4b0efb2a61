//! Whether a module begins with a heap in use.
//!
//! Tools such as Wizer run a program's start and store its memory as the new module's data. The
//! allocator's state, zero in what a compiler makes, is then part of that data.

use super::features::Function;
use crate::graph::index_of;
use walrus::{ConstExpr, DataKind, FunctionKind, Module, ir::Value};

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
            FunctionKind::Local(local) => Some(Function::new(local).addresses),
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
