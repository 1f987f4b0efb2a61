//! The blocks that a check has in use: apart from each other, and with something written in each.

use super::{
    Result,
    guest::{Function, Guest},
};
use std::ops::Range;

/// A block with something in it that is nowhere else.
pub(super) struct Block {
    pub(super) range: Range<u64>,
    pub(super) mark: u8,
}

impl Block {
    fn byte(&self, at: u64) -> u8 {
        // Never zero, and another at each place: what has moved within a block is no longer right.
        self.mark.wrapping_add(((at - self.range.start) as u8).wrapping_mul(29)) | 1
    }

    pub(super) fn fill(&self, guest: &mut Guest) -> Result<()> {
        let range = self.range.clone();
        let bytes = guest.bytes(&self.range)?.iter_mut().zip(range);
        bytes.for_each(|(byte, at)| *byte = self.byte(at));
        Ok(())
    }

    /// Whether a part of the block still holds what was written.
    pub(super) fn look(&self, guest: &mut Guest, part: &Range<u64>) -> Result<()> {
        let bytes = guest.bytes(part)?.iter().zip(part.clone());
        match bytes.into_iter().all(|(byte, at)| *byte == self.byte(at)) {
            true => Ok(()),
            false => Err(format!("what was written to {part:x?} has changed")),
        }
    }
}

/// The blocks in use.
#[derive(Default)]
pub(super) struct Blocks(Vec<Block>);

impl Blocks {
    pub(super) fn next_mark(&self) -> u8 {
        (self.0.len() as u8).wrapping_mul(37)
    }

    /// A filled block of `malloc`'s, not yet one of these.
    pub(super) fn make(
        &self,
        guest: &mut Guest,
        malloc: &Function<'_>,
        size: u64,
    ) -> Result<Block> {
        let range = guest.allocate(malloc, size as u32)?;
        let block = Block { range, mark: self.next_mark() };
        block.fill(guest)?;
        Ok(block)
    }

    pub(super) fn add(
        &mut self,
        guest: &mut Guest,
        malloc: &Function<'_>,
        size: u64,
    ) -> Result<()> {
        let block = self.make(guest, malloc, size)?;
        self.insert(block)
    }

    pub(super) fn insert(&mut self, block: Block) -> Result<()> {
        let overlaps = |other: &&Block| {
            other.range.start < block.range.end && block.range.start < other.range.end
        };
        if let Some(other) = self.0.iter().find(overlaps) {
            return Err(format!("{:x?} overlaps {:x?}", block.range, other.range));
        }
        self.0.push(block);
        Ok(())
    }

    pub(super) fn look(&self, guest: &mut Guest) -> Result<()> {
        self.0.iter().try_for_each(|block| block.look(guest, &block.range))
    }

    pub(super) fn free(self, guest: &mut Guest, free: &Function<'_>) -> Result<()> {
        let mut blocks = self.0.into_iter();
        blocks.try_for_each(|Block { range, .. }| {
            guest.free(free, range.start, range.end - range.start)
        })
    }
}
