//! The blocks that a check has in use: apart from each other, and with something written in each.

use crate::{
    Result,
    guest::{Function, Guest},
};
use std::ops::Range;

/// A block with something in it that is nowhere else.
pub(crate) struct Block {
    pub(crate) range: Range<u64>,
    pub(crate) mark: u8,
}

impl Block {
    fn byte(&self, at: u64) -> u8 {
        // Never zero, and another at each place: what has moved within a block is no longer right.
        self.mark.wrapping_add(((at - self.range.start) as u8).wrapping_mul(29)) | 1
    }

    pub(crate) fn fill(&self, guest: &mut Guest) -> Result<()> {
        let bytes: Vec<u8> = self.range.clone().map(|at| self.byte(at)).collect();
        guest.write(self.range.start, &bytes)
    }

    /// Whether a part of the block still holds what was written.
    pub(crate) fn look(&self, guest: &mut Guest, part: &Range<u64>) -> Result<()> {
        let bytes = guest.read(part)?;
        match bytes.into_iter().zip(part.clone()).all(|(byte, at)| byte == self.byte(at)) {
            true => Ok(()),
            false => Err(format!("what was written to {part:x?} has changed")),
        }
    }
}

/// The blocks in use.
#[derive(Default)]
pub(crate) struct Blocks(Vec<Block>);

impl Blocks {
    pub(crate) fn next_mark(&self) -> u8 {
        (self.0.len() as u8).wrapping_mul(37)
    }

    /// A filled block of `malloc`'s, not yet one of these.
    pub(crate) fn make(
        &self,
        guest: &mut Guest,
        malloc: &Function<'_>,
        size: u64,
    ) -> Result<Block> {
        let range = guest.allocate(malloc, size)?;
        let block = Block { range, mark: self.next_mark() };
        block.fill(guest)?;
        Ok(block)
    }

    pub(crate) fn add(
        &mut self,
        guest: &mut Guest,
        malloc: &Function<'_>,
        size: u64,
    ) -> Result<()> {
        let block = self.make(guest, malloc, size)?;
        self.insert(block)
    }

    pub(crate) fn insert(&mut self, block: Block) -> Result<()> {
        let overlaps = |other: &&Block| {
            other.range.start < block.range.end && block.range.start < other.range.end
        };
        if let Some(other) = self.0.iter().find(overlaps) {
            return Err(format!("{:x?} overlaps {:x?}", block.range, other.range));
        }
        self.0.push(block);
        Ok(())
    }

    pub(crate) fn look(&self, guest: &mut Guest) -> Result<()> {
        self.0.iter().try_for_each(|block| block.look(guest, &block.range))
    }

    pub(crate) fn free(self, guest: &mut Guest, free: &Function<'_>) -> Result<()> {
        self.0.into_iter().try_for_each(|block| guest.free(free, &block.range))
    }
}
