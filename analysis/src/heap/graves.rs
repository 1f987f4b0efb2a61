//! Who had allocated what was freed of late.
//!
//! An address that was freed remembers who freed it, in the table of blocks. That it remembers who
//! had allocated it as well is for messages only, so it is kept for the last frees alone, in a ring
//! that costs one store a free and is searched when something is wrong.

use super::blocks::TableId;
use crate::profile::StackId;

/// Frees that are remembered.
const GRAVES: usize = 1 << 14;

/// A block that was freed. None is at address 0.
#[derive(Clone, Copy, Debug)]
struct Grave {
    addr: u64,
    table: TableId,
    stack: StackId,
}

/// The last frees.
#[derive(Clone)]
pub(super) struct Graves {
    ring: Box<[Grave; GRAVES]>,
    next: usize,
}

impl Default for Graves {
    fn default() -> Graves {
        let empty = Grave { addr: 0, table: TableId(0), stack: StackId(0) };
        Graves { ring: Box::new([empty; GRAVES]), next: 0 }
    }
}

impl Graves {
    /// A block that `stack` had allocated is gone.
    #[inline]
    pub(super) fn bury(&mut self, table: TableId, addr: u64, stack: StackId) {
        self.ring[self.next % GRAVES] = Grave { addr, table, stack };
        self.next = self.next.wrapping_add(1);
    }

    /// Who had allocated the last block at an address, unless that is long ago. Slow: for messages.
    pub(super) fn find(&self, table: TableId, addr: u64) -> Option<StackId> {
        let latest_first = (1..=GRAVES).map(|back| self.next.wrapping_sub(back) % GRAVES);
        let mut graves = latest_first.map(|at| self.ring[at]);
        let found = graves.find(|grave| grave.addr == addr && grave.table == table);
        found.map(|grave| grave.stack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_block_at_an_address_counts_until_it_is_forgotten() {
        let mut graves = Graves::default();
        graves.bury(TableId(0), 8, StackId(1));
        graves.bury(TableId(0), 8, StackId(2));
        assert_eq!(graves.find(TableId(0), 8), Some(StackId(2)));
        assert_eq!(graves.find(TableId(1), 8), None);
        (0..GRAVES as u64).for_each(|at| graves.bury(TableId(0), 16 + at, StackId(3)));
        assert_eq!(graves.find(TableId(0), 8), None);
    }
}
