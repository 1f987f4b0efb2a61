//! dlmalloc: a word with the chunk's size and three flags stands before the block, and the chunk
//! reaches up to the next such word.

use super::{Descriptor, Evidence, Keeping, Known, MAX_ROUNDING};
use std::ops::Range;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    known: Known::Dlmalloc,
    family: "dlmalloc",
    by_address: false,
    keeping: |evidence| Some(Box::new(Dlmalloc(evidence))),
};

/// The flag of a chunk in use; the lowest says so of the chunk before.
const IN_USE: u64 = 2;
const FLAGS: u64 = 7;

struct Dlmalloc<'a>(Evidence<'a>);

impl Dlmalloc<'_> {
    fn taken(&self, size: u64) -> u64 {
        let word = self.0.word.size();
        let taken = size.saturating_add(word).checked_next_multiple_of(self.0.align);
        taken.unwrap_or(size).max(4 * word)
    }
}

impl Keeping for Dlmalloc<'_> {
    fn look(&self, addr: u64, size: u64) -> Option<Range<u64>> {
        let word = self.0.word.size();
        let header = self.0.word_before(addr, word)?;
        let taken = header & !FLAGS;
        // An aligned block may have been cut out of a larger chunk, but not of one much larger.
        let most = self.taken(size).saturating_add(MAX_ROUNDING);
        let is_size = header & IN_USE != 0 && taken >= size.checked_add(word)? && taken <= most;
        is_size.then_some(addr - word..addr - word + taken)
    }

    fn rule(&self, addr: u64, size: u64) -> Range<u64> {
        let start = addr.saturating_sub(self.0.word.size());
        start..start.saturating_add(self.taken(size))
    }
}
