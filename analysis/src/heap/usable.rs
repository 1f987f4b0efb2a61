//! What an allocator says of its blocks, a size at a time: what a block can hold for which so much was
//! asked.

use super::{Books, Module};
use rustc_hash::FxHashMap;

/// Sizes that are kept apart. Of others nobody says anything.
const MAX_SIZES: usize = 65_536;

/// By size asked for: the least that such a block was able to hold.
pub(crate) type UsableSizes = FxHashMap<u64, u64>;

impl Books {
    /// The allocator says how much the block that it has just handed out can hold.
    #[cold]
    pub(super) fn learn_usable(&mut self, module: &mut Module, addr: u64, usable: u64) {
        let Some(size) = self.blocks.learn_usable(module.table, addr, usable) else { return };
        let count = module.usable_sizes.len();
        match module.usable_sizes.get_mut(&size) {
            Some(least) => *least = usable.min(*least),
            None if count < MAX_SIZES => _ = module.usable_sizes.insert(size, usable),
            None => {}
        }
    }
}
