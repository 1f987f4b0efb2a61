//! talc 4: behind a block stands a tag with the address at which its chunk begins, or else where the
//! tag is.

use super::{Descriptor, Evidence, Keeping, Known, MAX_ROUNDING};
use std::ops::Range;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    known: Known::Talc,
    family: "talc",
    by_address: false,
    keeping: |evidence| Some(Box::new(Talc(evidence))),
};

const ALLOCATED: u64 = 1;
const FLAGS: u64 = 3;

struct Talc<'a>(Evidence<'a>);

impl Talc<'_> {
    /// Where a block ends, in whole words.
    fn end(&self, addr: u64, size: u64) -> Option<u64> {
        addr.checked_add(size)?.checked_next_multiple_of(self.0.word.size())
    }
}

impl Keeping for Talc<'_> {
    fn look(&self, addr: u64, size: u64) -> Option<Range<u64>> {
        let word = self.0.word.size();
        let end = self.end(addr, size)?;
        let behind = self.0.word(end)?;
        let place = if behind > end { behind } else { end };
        let tag = self.0.word(place)?;
        let start = tag & !FLAGS;
        let is_tag = tag & ALLOCATED != 0
            && start <= addr
            && addr - start <= MAX_ROUNDING
            && place - end <= MAX_ROUNDING;
        is_tag.then_some(start..place.checked_add(word)?)
    }

    fn rule(&self, addr: u64, size: u64) -> Range<u64> {
        let word = self.0.word.size();
        let end = self.end(addr, size).unwrap_or(addr);
        // No chunk is smaller than the links of a free one and a tag.
        addr..end.saturating_add(word).max(addr.saturating_add(3 * word))
    }
}
