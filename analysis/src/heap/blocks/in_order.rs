//! The live blocks of a table one after the other, without a copy of them: for the end, and for a look
//! at the free space between them in the middle of a run.

use super::{Block, Blocks, FREED, GRANULE_BITS, PAGE_BITS, Page, TableId};
use std::ops::Range;

/// Entries of a hash map cost as much as so many times fewer pages of the table.
const ODD_OF_A_PAGE: usize = 256;
/// And empty places of the directory.
const EMPTY_OF_A_PAGE: usize = 4096;

impl Blocks {
    /// What it costs to visit all blocks of a table beside the visits: in pages, of which there are
    /// no more than lie in the range.
    pub(crate) fn pages(&self, table: TableId, range: Range<u64>) -> u64 {
        let Some(table) = self.tables.get(table.index()) else { return 0 };
        let span = (range.end.saturating_sub(range.start) >> PAGE_BITS).saturating_add(1);
        let pages = (table.near.len() + table.far.len()) as u64;
        let others = table.near.len() / EMPTY_OF_A_PAGE + table.odd.len() / ODD_OF_A_PAGE;
        pages.min(span).saturating_add(others as u64)
    }

    /// Visits all live blocks by address.
    pub(crate) fn each_live(&self, table: TableId, mut visit: impl FnMut(u64, &Block)) {
        let Some(table) = self.tables.get(table.index()) else { return };
        let live = |slot: u32| {
            let index = (slot as usize).checked_sub(1).filter(|_| slot & FREED == 0)?;
            self.slab.get(index)
        };
        let odd = table.odd.iter().filter_map(|(&addr, &slot)| Some((addr, live(slot)?)));
        let mut odd: Vec<(u64, &Block)> = odd.collect();
        odd.sort_unstable_by_key(|&(addr, _)| addr);
        let mut odd = odd.into_iter().peekable();
        let mut page = |number: u64, page: &Page| {
            let start = number << PAGE_BITS;
            for (granule, &slot) in (0u64..).zip(page.iter()) {
                let Some(block) = live(slot) else { continue };
                let addr = start + (granule << GRANULE_BITS);
                while let Some((addr, block)) = odd.next_if(|&(odd, _)| odd < addr) {
                    visit(addr, block);
                }
                visit(addr, block);
            }
        };
        for (number, near) in (0u64..).zip(&table.near) {
            if let Some(near) = near {
                page(number, near);
            }
        }
        let mut far: Vec<(&u64, &Page)> = table.far.iter().collect();
        far.sort_unstable_by_key(|&(number, _)| number);
        far.into_iter().for_each(|(&number, far)| page(number, far));
        odd.for_each(|(addr, block)| visit(addr, block));
    }
}
