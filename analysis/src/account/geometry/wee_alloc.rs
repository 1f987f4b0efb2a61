//! wee_alloc: in front of a block stand the addresses of the next cell and of the one before, with
//! flags.

use super::{Descriptor, Evidence, Keeping, Known};
use std::ops::Range;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    known: Known::WeeAlloc,
    family: "wee_alloc",
    by_address: false,
    keeping: |evidence| Some(Box::new(WeeAlloc(evidence))),
};

const ALLOCATED: u64 = 1;
const FLAGS: u64 = 3;
/// What is left of a large cell is cut off only from 512 words on, and its header.
const WORDS_LEFT: u64 = 512 + 2;

struct WeeAlloc<'a>(Evidence<'a>);

impl Keeping for WeeAlloc<'_> {
    fn look(&self, addr: u64, size: u64) -> Option<Range<u64>> {
        let word = self.0.word.size();
        let start = addr.checked_sub(2 * word)?;
        let (next, before) = (self.0.word(start)?, self.0.word_before(addr, word)?);
        let (end, before_start) = (next & !FLAGS, before & !FLAGS);
        let least = addr.checked_add(size)?;
        let most = least.saturating_add(WORDS_LEFT * word);
        let is_cell = next & ALLOCATED != 0
            && (least..=most).contains(&end)
            // Each of two neighbours names the other.
            && (before_start == 0
                || before_start < start && self.0.word(before_start)? & !FLAGS == start);
        is_cell.then_some(start..end)
    }

    fn rule(&self, addr: u64, size: u64) -> Range<u64> {
        let word = self.0.word.size();
        let rounded = size.checked_next_multiple_of(word).unwrap_or(size).max(word);
        addr.saturating_sub(2 * word)..addr.saturating_add(rounded)
    }
}
