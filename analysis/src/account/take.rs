//! Takes the account of all memories at one moment.

use super::{Account, BlockKind, Geometry, Known, Picture, Placed, Told};
use crate::{
    heap::{blocks::LiveBlock, space::MAX_BYTES, survey::Survey},
    image::{MemoryImage, Word},
    kinds::static_end,
    profile::{MemoryUse, StackId},
};
use seepage_trace::ModuleInfo;
use std::ops::Range;

/// One module at one moment: what its main memory looks like.
pub(crate) struct Moment<'a> {
    pub(crate) module: &'a ModuleInfo,
    pub(crate) survey: &'a Survey<'a>,
    pub(crate) image: Option<&'a MemoryImage>,
    /// Live blocks by address.
    pub(crate) blocks: Vec<Placed>,
    /// Size of its main memory.
    pub(crate) bytes: u64,
    /// The allocator, as an image of another moment shows it: for one without an image.
    pub(crate) known: Option<Known>,
    /// The highest address that was ever handed out by then.
    pub(crate) top: u64,
    /// The blocks are those of an earlier moment.
    pub(crate) is_past: bool,
}

impl Moment<'_> {
    /// Calls `use_picture` with the main memory, unless no block was ever seen in it.
    pub(crate) fn picture<R>(&self, use_picture: impl FnOnce(&Picture<'_>) -> R) -> Option<R> {
        self.survey.lowest()?;
        let families: Vec<&str> = (self.module.tracepoints.iter())
            .filter(|tracepoint| tracepoint.role.is_allocators())
            .map(|tracepoint| tracepoint.family.as_str())
            .collect();
        let is_64 = self.module.memories.first().is_some_and(|memory| memory.is_64);
        let word = if is_64 { Word::Eight } else { Word::Four };
        let sizes: Vec<(u64, u64)> =
            self.blocks.iter().map(|block| (block.addr, block.size)).collect();
        let has_begun = |addr: u64| self.survey.was_block(addr);
        let told = self.told(&has_begun);
        let geometry = Geometry::new(&families, self.known, self.image, word, &sizes, told);
        let untracked = self.untracked();
        Some(use_picture(&Picture {
            bytes: self.bytes,
            static_end: static_end(self.module, self.survey),
            stack: self.module.layout.stack.clone(),
            blocks: &self.blocks,
            geometry: &geometry,
            top: self.top,
            fitting: self.survey.usual_size,
            untracked: &untracked,
        }))
    }

    /// What the allocator has told of the blocks, if it tells anything.
    fn told<'b>(&'b self, has_begun: &'b dyn Fn(u64) -> bool) -> Option<Told<'b>> {
        let sizes = self.survey.usable_sizes;
        let usable = |block: &Placed| self.survey.usable(block.addr);
        let blocks = (!self.is_past).then(|| self.blocks.iter().map(usable).collect());
        (!sizes.is_empty()).then_some(Told { blocks, sizes, has_begun })
    }

    /// The stretches that others grew and in which no block is or ever was.
    fn untracked(&self) -> Vec<Range<u64>> {
        let is_free = |stretch: &&Range<u64>| {
            let first = self.blocks.partition_point(|block| block.addr < stretch.start);
            self.blocks.get(first).is_none_or(|block| block.addr >= stretch.end)
                && !self.survey.has_held(stretch)
        };
        self.survey.untracked.iter().filter(is_free).cloned().collect()
    }

    /// Adds the main memory to an account, and tells the allocator. `also` sees the same picture, if
    /// there is one.
    pub(crate) fn add_to(
        &self,
        account: &mut Account,
        also: impl FnOnce(&Picture<'_>),
    ) -> Option<Known> {
        let known = self.picture(|picture| {
            account.add(picture);
            also(picture);
            picture.geometry.known()
        });
        if known.is_none() {
            account.add_unseen(self.survey.main.initial, self.bytes);
        }
        known.flatten()
    }
}

/// Adds the memories that are no module's main one.
pub(crate) fn add_others(memories: &[MemoryUse], account: &mut Account) {
    for memory in memories.iter().filter(|memory| memory.index > 0) {
        let bytes = |pages: u64| pages.saturating_mul(memory.page_size).min(MAX_BYTES);
        account.add_unseen(bytes(memory.initial_pages), bytes(memory.final_pages));
    }
}

/// Live blocks with what became of each, if that is known.
pub(crate) fn judged(live: &[LiveBlock], kinds: Option<&[BlockKind]>) -> Vec<Placed> {
    let kind = |index: usize| kinds.and_then(|kinds| kinds.get(index).copied());
    let place = |(index, &LiveBlock { addr, size, stack, .. }): (usize, &LiveBlock)| {
        let kind = kind(index).unwrap_or(BlockKind::Unknown);
        Placed { addr, size, stack, kind }
    };
    live.iter().enumerate().map(place).collect()
}

/// Blocks of which nobody knows what became of them.
pub(crate) fn placed(blocks: Vec<(u64, u64, StackId)>) -> Vec<Placed> {
    let place = |(addr, size, stack)| Placed { addr, size, stack, kind: BlockKind::Unknown };
    blocks.into_iter().map(place).collect()
}
