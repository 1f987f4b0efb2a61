//! What is free in a heap when its memory grows.
//!
//! How much that is follows from the books. In how many runs it is, and how long the longest is, is
//! found by a look at all live blocks. That costs as much as the heap is large, and a guest may grow
//! its memory a page at a time: looks have an allowance, which grows with the events of the run, and
//! what goes beyond it is looked at only when the heap is half as large again as at the last look.
//! So all looks together cost no more than a part of the booking and a few looks at the end.

use super::{Books, Module};
use crate::profile::{FreeRuns, FreeSpace};
use std::ops::Range;

/// What looks may cost in any run: so many pages of the table of blocks.
const ALLOWANCE: u64 = 1 << 14;
/// For so many events one page more.
const EVENTS_FOR_A_PAGE: u64 = 4096;
/// So many live blocks cost as much as a page.
const BLOCKS_OF_A_PAGE: u64 = 512;
/// A gap between two blocks that is shorter is no place for another.
const SMALLEST_RUN: u64 = 8;

/// What looks have cost so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Looks {
    spent: u64,
    /// What the dearest has cost.
    dearest: u64,
    /// Growths at which nobody looked.
    pub(super) refused: u64,
}

impl Looks {
    /// Whether a look may be taken that costs so much; one that is not `telling` leaves half of the
    /// allowance to those that are.
    fn allow(&mut self, cost: u64, clock: u64, is_telling: bool) -> bool {
        let allowance = ALLOWANCE + clock / EVENTS_FOR_A_PAGE;
        let share = if is_telling { allowance } else { allowance / 2 };
        let is_allowed = self.spent.saturating_add(cost) <= share;
        let is_due = is_telling && cost > self.dearest.saturating_add(self.dearest / 2);
        if is_allowed || is_due {
            self.spent = self.spent.saturating_add(cost);
            self.dearest = self.dearest.max(cost);
        } else {
            self.refused += 1;
        }
        is_allowed || is_due
    }
}

impl Books {
    /// What is free in the main memory of a module that has `pages`, if it says so, and asks for
    /// `delta` more. Nothing if no block was ever seen there.
    pub(super) fn free_space(
        &mut self,
        module: &Module,
        pages: Option<u64>,
        delta: u64,
    ) -> Option<FreeSpace> {
        let extent = module.extent;
        let (tail, more) = self.space.tail(module.memories, extent.top, pages, delta)?;
        if extent.low == u64::MAX {
            return None;
        }
        let foreign = self.space.untracked_below(module.memories, extent.top);
        let is_others: u64 = foreign.iter().map(|range| range.end - range.start).sum();
        let free = extent.free(is_others);
        let blocks = self.totals.live.blocks / BLOCKS_OF_A_PAGE;
        let pages = self.blocks.pages(module.table, extent.low..extent.top);
        let cost = pages.saturating_add(blocks);
        let is_looked_at = self.looks.allow(cost, self.totals.events, free >= more);
        let runs = is_looked_at.then(|| {
            let mut runs =
                Runs { at: extent.low, foreign: &foreign, sum: 0, found: FreeRuns::default() };
            self.blocks.each_live(module.table, |addr, block| {
                runs.block(addr, extent.taken_by(block.size));
            });
            runs.block(extent.top, 0);
            runs
        });
        Some(FreeSpace {
            bytes: runs.as_ref().map_or(free, |runs| runs.sum),
            tail,
            runs: runs.map(|runs| runs.found),
        })
    }
}

/// The free runs below an address, under way.
struct Runs<'a> {
    at: u64,
    /// Somebody else's stretches that are not passed yet.
    foreign: &'a [Range<u64>],
    sum: u64,
    found: FreeRuns,
}

impl Runs<'_> {
    /// The next block, and what it takes.
    fn block(&mut self, addr: u64, taken: u64) {
        while let Some((next, rest)) = self.foreign.split_first()
            && next.start < addr
        {
            self.run(next.start);
            self.at = self.at.max(next.end);
            self.foreign = rest;
        }
        self.run(addr);
        self.at = self.at.max(addr.saturating_add(taken));
    }

    /// What lies up to `end` is free.
    fn run(&mut self, end: u64) {
        let bytes = end.saturating_sub(self.at);
        if bytes >= SMALLEST_RUN {
            self.sum += bytes;
            self.found.count += 1;
            self.found.largest = self.found.largest.max(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: u64 = 65_536;

    /// A memory that grows to 4 GiB page by page.
    fn grown(is_telling: bool, events: u64) -> Looks {
        let mut looks = Looks::default();
        for pages in 1..=PAGES {
            looks.allow(pages, pages * events, is_telling);
        }
        looks
    }

    #[test]
    fn what_looks_cost_is_bounded() {
        let telling = grown(true, 0);
        assert!(telling.spent <= ALLOWANCE + 3 * PAGES, "{telling:?}");
        assert!(telling.dearest > PAGES / 2, "the large heap was looked at too");
        let other = grown(false, 0);
        assert!(other.spent <= ALLOWANCE / 2, "{other:?}");
        assert!(other.refused < PAGES, "the small heap was looked at");
        let busy = grown(true, 1 << 40);
        assert_eq!(busy.refused, 0, "beside so many events looks cost nothing");
    }
}
