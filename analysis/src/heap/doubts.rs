//! What speaks against the books themselves, counted as the run goes on: for the self-check, which
//! alone says how much is too much.
//!
//! The counts are kept as they were early in the run too, whenever the number of events has doubled:
//! what goes wrong at the start may drown in what follows, and is wrong all the same.

use super::{
    Books, Heap, Module,
    blocks::{Blocks, TableId},
};

/// The first time that the counts are kept, in events.
const FIRST: u64 = 256;

/// Counts up to an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Doubts {
    /// The event.
    pub(crate) clock: u64,
    /// Blocks that were handed out, and taken back.
    pub(crate) allocated: u64,
    pub(crate) freed: u64,
    /// Frees and reallocations of what was never handed out.
    pub(crate) unknown: u64,
    /// Blocks that were handed out at the address of one in use.
    pub(crate) overlaps: u64,
    /// New blocks whose neighbourhood was looked at, and those of them that reach into another or lie
    /// in one.
    pub(crate) looked_at: u64,
    pub(crate) entangled: u64,
}

/// The counts, now and then.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doubting {
    now: Doubts,
    early: Vec<Doubts>,
}

impl Doubting {
    #[cold]
    pub(super) fn unknown(&mut self) {
        self.now.unknown += 1;
    }

    #[cold]
    pub(super) fn overlap(&mut self) {
        self.now.overlaps += 1;
    }
}

impl Heap {
    /// The counts early in the run, by rising clock.
    pub(crate) fn early_doubts(&self) -> &[Doubts] {
        &self.books.doubting.early
    }

    /// The counts of the whole run so far.
    pub(crate) fn doubts(&self) -> Doubts {
        self.books.doubts()
    }
}

impl Books {
    fn doubts(&self) -> Doubts {
        Doubts {
            clock: self.totals.events,
            allocated: self.totals.allocated.blocks,
            freed: self.totals.freed.blocks,
            ..self.doubting.now
        }
    }

    /// Takes a closer look at the event of a module that was booked last. That costs too much to do
    /// it each time: it comes with the points of the timeline, at first after every event.
    #[cold]
    pub(super) fn look_closer(&mut self, module: &Module) {
        let clock = self.totals.events;
        let newest = self.newest.filter(|&(table, _)| table == module.table && module.has_places());
        if let Some((table, addr)) = newest
            && let Some(is_entangled) = is_entangled(&mut self.blocks, table, addr, clock)
        {
            self.doubting.now.looked_at += 1;
            self.doubting.now.entangled += u64::from(is_entangled);
        }
        let due = self.doubting.early.last().map_or(FIRST, |last| last.clock.saturating_mul(2));
        if clock >= due {
            let doubts = self.doubts();
            self.doubting.early.push(doubts);
        }
    }
}

/// Whether the block at `addr` shares bytes with another; nothing if it is not one of this event.
fn is_entangled(blocks: &mut Blocks, table: TableId, addr: u64, clock: u64) -> Option<bool> {
    let block = blocks.at(table, addr).filter(|block| block.birth == clock && block.size > 0)?;
    let before = blocks.before(table, addr);
    let is_inside = before.is_some_and(|(start, other)| addr - start < other.size);
    Some(is_inside || blocks.begins_within(table, addr, block.size))
}
