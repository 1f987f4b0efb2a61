//! The objects of a run by type, where the input knows types: a log of objects does.

use crate::{
    import::FAMILY,
    outcome::Outcome,
    profile::{ContextCost, Count},
};
use rustc_hash::FxHashMap;
use seepage_trace::ModuleInfo;
use std::{cmp::Reverse, sync::Arc};

/// What became of the objects of one type. `allocated - dropped = leaked`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeCost {
    /// The type's name; `None` for objects of types that were too many to be told apart.
    pub name: Option<Arc<str>>,
    /// All that were allocated.
    pub allocated: Count,
    /// Those that were dropped.
    pub dropped: Count,
    /// Those that were not.
    pub leaked: Count,
}

impl Outcome {
    /// The objects by type, by leaked bytes, the largest first; nothing if no types are known.
    pub fn types(&self) -> Vec<TypeCost> {
        let has_types =
            |module: &&ModuleInfo| module.tracepoints.iter().any(|it| it.family == FAMILY);
        let modules: Vec<_> = self.modules.iter().filter(has_types).map(|it| it.id).collect();
        let mut sums: FxHashMap<Option<Arc<str>>, (Count, Count)> = FxHashMap::default();
        let allocated = |context: &&ContextCost| {
            modules.contains(&context.module) && context.cost.allocated.blocks > 0
        };
        for context in self.profile.contexts.iter().filter(allocated) {
            let name = context.frames.first().map(|frame| frame.function.clone());
            let (allocated, leaked) = sums.entry(name).or_default();
            allocated.merge(context.cost.allocated);
            leaked.merge(context.cost.live);
        }
        let types = sums.into_iter().map(|(name, (allocated, leaked))| {
            let mut dropped = allocated;
            dropped.blocks = dropped.blocks.wrapping_sub(leaked.blocks);
            dropped.bytes = dropped.bytes.wrapping_sub(leaked.bytes);
            TypeCost { name, allocated, dropped, leaked }
        });
        let mut types: Vec<TypeCost> = types.collect();
        types.sort_by(|one, other| {
            let key = |it: &TypeCost| {
                Reverse((
                    it.leaked.bytes,
                    it.leaked.blocks,
                    it.allocated.bytes,
                    it.allocated.blocks,
                ))
            };
            key(one).cmp(&key(other)).then_with(|| one.name.cmp(&other.name))
        });
        types
    }
}
