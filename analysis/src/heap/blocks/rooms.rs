//! What live blocks can hold, where their allocator tells: beside the table, so that a heap whose
//! allocator tells nothing pays nothing for it.

use super::{Blocks, FREED, TableId};

/// By place in the slab: by how much a block can hold more than was asked for, plus one; 0 if nobody
/// knows. As long as it has to be.
#[derive(Clone, Default)]
pub(super) struct Rooms(Vec<u32>);

impl Rooms {
    /// Another block is in that place now.
    #[inline(always)]
    pub(super) fn forget(&mut self, index: u32) {
        if let Some(room) = self.0.get_mut(index as usize) {
            *room = 0;
        }
    }

    #[cold]
    fn learn(&mut self, index: usize, spare: u64) {
        if self.0.len() <= index {
            self.0.resize(index + 1, 0);
        }
        self.0[index] = u32::try_from(spare).unwrap_or(u32::MAX).saturating_add(1);
    }
}

impl Blocks {
    /// The allocator says that the live block at `addr` can hold `usable` bytes. The size that was
    /// asked for, if that can be: an allocator whose blocks are smaller than what was asked for does
    /// not know what it says.
    pub(crate) fn learn_usable(&mut self, table: TableId, addr: u64, usable: u64) -> Option<u64> {
        let slot = self.tables.get(table.index())?.peek(addr);
        let index = (slot as usize).checked_sub(1).filter(|_| slot & FREED == 0)?;
        let size = self.slab.get(index)?.size;
        self.rooms.learn(index, usable.checked_sub(size)?);
        Some(size)
    }

    /// How much the live block at `addr` can hold, if its allocator has told.
    pub(crate) fn usable(&self, table: TableId, addr: u64) -> Option<u64> {
        let slot = self.tables.get(table.index())?.peek(addr);
        let index = (slot as usize).checked_sub(1).filter(|_| slot & FREED == 0)?;
        let spare = self.rooms.0.get(index)?.checked_sub(1)?;
        Some(self.slab.get(index)?.size.saturating_add(spare.into()))
    }
}
