//! An allocator that nobody knows, and that tells how much each block can hold: `malloc_usable_size`.
//!
//! What stands in front of a block it does not tell. Where two blocks are neighbours, that is all there
//! is between them; whether they are, no address tells, but a gap in which a block has once begun is
//! free.

use super::{Keeping, Overhead};
use crate::{heap::usable::UsableSizes, image::Word};
use std::ops::Range;

/// A header has at most so many words.
const MAX_HEADER: u64 = 4;

/// What an allocator has told of its blocks.
pub(crate) struct Told<'a> {
    /// What each block can hold, in the order of the blocks; of blocks of an earlier moment nothing.
    pub(crate) blocks: Option<Vec<Option<u64>>>,
    /// What a block of a size can hold.
    pub(crate) sizes: &'a UsableSizes,
    /// Whether a block has ever begun at an address.
    pub(crate) has_begun: &'a dyn Fn(u64) -> bool,
}

/// What blocks take by what was told of them.
pub(super) struct Usable<'a> {
    blocks: &'a [(u64, u64)],
    told: Told<'a>,
    /// What is in front of a block, if there were neighbours to show it.
    header: Option<u64>,
}

impl<'a> Usable<'a> {
    /// If nearly all blocks were told of, and hold no more than there is up to the next.
    pub(super) fn new(told: Told<'a>, word: Word, blocks: &'a [(u64, u64)]) -> Option<Usable<'a>> {
        let mut usable = Usable { blocks, told, header: None };
        let mut good = 0;
        for (index, &(addr, size)) in blocks.iter().enumerate() {
            let Some(end) = usable.of(index, size).and_then(|bytes| addr.checked_add(bytes)) else {
                continue;
            };
            let Some(&(next, _)) = blocks.get(index + 1) else {
                good += 1;
                continue;
            };
            let Some(gap) = next.checked_sub(end) else { continue };
            good += 1;
            let least = usable.header.unwrap_or(MAX_HEADER * word.size() + 1);
            if gap < least && !(end..next).any(|addr| (usable.told.has_begun)(addr)) {
                usable.header = Some(gap);
            }
        }
        (good > 0 && good * 20 >= blocks.len() * 19).then_some(usable)
    }

    /// How certain that is.
    pub(super) fn how(&self) -> Overhead {
        match (&self.told.blocks, self.header) {
            (Some(_), Some(_)) => Overhead::Measured,
            (Some(_), None) => Overhead::Told,
            (None, _) => Overhead::Computed,
        }
    }

    fn of(&self, index: usize, size: u64) -> Option<u64> {
        match &self.told.blocks {
            Some(blocks) => blocks.get(index).copied().flatten(),
            None => self.told.sizes.get(&size).copied(),
        }
    }

    fn chunk(&self, addr: u64, bytes: u64) -> Range<u64> {
        addr.saturating_sub(self.header.unwrap_or(0))..addr.saturating_add(bytes)
    }
}

impl Keeping for Usable<'_> {
    fn look(&self, addr: u64, size: u64) -> Option<Range<u64>> {
        let index = self.blocks.binary_search_by_key(&addr, |&(addr, _)| addr).ok()?;
        Some(self.chunk(addr, self.of(index, size)?))
    }

    fn rule(&self, addr: u64, size: u64) -> Range<u64> {
        self.chunk(addr, self.told.sizes.get(&size).copied().unwrap_or(size))
    }
}
