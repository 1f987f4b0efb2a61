//! emmalloc: a word with the region's size stands before the block, and one behind it.

use super::{Descriptor, Evidence, Keeping, Known, MAX_ROUNDING};
use std::ops::Range;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    known: Known::Emmalloc,
    family: "emmalloc",
    by_address: false,
    keeping: |evidence| Some(Box::new(Emmalloc(evidence))),
};

struct Emmalloc<'a>(Evidence<'a>);

impl Emmalloc<'_> {
    fn taken(&self, size: u64) -> u64 {
        let word = self.0.word.size();
        let payload = size.max(2 * word).checked_next_multiple_of(8).unwrap_or(size);
        payload.saturating_add(2 * word)
    }
}

impl Keeping for Emmalloc<'_> {
    fn look(&self, addr: u64, size: u64) -> Option<Range<u64>> {
        let word = self.0.word.size();
        let taken = self.0.word_before(addr, word)?;
        let most = self.taken(size).saturating_add(MAX_ROUNDING);
        let is_size =
            taken >= size.checked_add(2 * word)? && taken <= most && taken.is_multiple_of(4);
        let end = (addr - word).checked_add(taken)?;
        let is_repeated = is_size && self.0.word_before(end, word)? == taken;
        is_repeated.then_some(addr - word..end)
    }

    fn rule(&self, addr: u64, size: u64) -> Range<u64> {
        let start = addr.saturating_sub(self.0.word.size());
        start..start.saturating_add(self.taken(size))
    }
}
