//! The blocks of one module at one moment, for whoever has to look at them all.

use super::{
    Gone, Heap,
    blocks::{Blocks, LiveBlock, TableId},
    extent::Extent,
    space::{MainMemory, Stretch},
    usable::UsableSizes,
};
use crate::profile::{MemoryUse, StackId};
use rustc_hash::FxHashMap;
use seepage_trace::ModuleId;
use std::ops::Range;

/// Allocators hand out multiples of this.
const ALIGNMENT: u64 = 8;
/// So much of a stretch is searched for what was once a block.
const LOOKED_AT: u64 = 64 << 20;

/// A look at one module's blocks.
pub(crate) struct Survey<'a> {
    blocks: &'a Blocks,
    table: TableId,
    pub(crate) extent: Extent,
    /// How far the heap reached at the high-water mark.
    pub(crate) top_at_peak: u64,
    pub(crate) main: MainMemory,
    /// The stretches of the memory that others than the allocator grew, by address.
    pub(crate) untracked: Vec<Range<u64>>,
    /// The stretches that the program says hold addresses.
    pub(crate) regions: Vec<Range<u64>>,
    /// What the program usually asks for.
    pub(crate) usual_size: u64,
    /// What blocks of a size can hold, as far as the allocator has told.
    pub(crate) usable_sizes: &'a UsableSizes,
}

impl Survey<'_> {
    /// All live blocks by address.
    pub(crate) fn live(&self) -> Vec<LiveBlock> {
        self.blocks.live(self.table)
    }

    /// The event that put the live block at that address.
    pub(crate) fn since(&self, addr: u64) -> u64 {
        self.blocks.get(self.table, addr).map_or(0, |block| block.since)
    }

    /// How much the live block at that address can hold, if its allocator has told.
    pub(crate) fn usable(&self, addr: u64) -> Option<u64> {
        self.blocks.usable(self.table, addr)
    }

    /// Whether a block was ever at that address.
    pub(crate) fn was_block(&self, addr: u64) -> bool {
        self.blocks.was_block(self.table, addr)
    }

    /// Whether a block ever began in a stretch; of a long one only the beginning is looked at.
    pub(crate) fn has_held(&self, stretch: &Range<u64>) -> bool {
        let start = stretch.start.max(self.extent.low);
        let end = stretch.end.min(self.extent.top).min(start.saturating_add(LOOKED_AT));
        let first = start.checked_next_multiple_of(ALIGNMENT).unwrap_or(u64::MAX);
        (first..end).step_by(ALIGNMENT as usize).any(|addr| self.was_block(addr))
    }

    /// The lowest address at which a block has ever been.
    pub(crate) fn lowest(&self) -> Option<u64> {
        (self.extent.low != u64::MAX).then_some(self.extent.low)
    }
}

/// What is left of a module.
pub(crate) struct ModuleRemains {
    pub(super) table: TableId,
    pub(super) extent: Extent,
    pub(super) top_at_peak: u64,
    pub(super) main: MainMemory,
    pub(super) untracked: Vec<Range<u64>>,
    pub(super) regions: Vec<Range<u64>>,
    pub(super) usable_sizes: UsableSizes,
}

/// What is left of a heap whose books are closed.
pub(crate) struct Remains {
    pub(super) blocks: Blocks,
    pub(super) modules: FxHashMap<ModuleId, ModuleRemains>,
    pub(super) peak_clock: u64,
    /// All memories as they were then.
    pub(crate) memories_at_peak: Vec<MemoryUse>,
    /// What was grown, by memory and address.
    pub(crate) grown: Vec<Stretch>,
    pub(super) gone: Vec<Gone>,
    pub(super) usual_size: u64,
}

impl Remains {
    pub(crate) fn survey(&self, module: ModuleId) -> Option<Survey<'_>> {
        let module = self.modules.get(&module)?;
        Some(Survey {
            blocks: &self.blocks,
            table: module.table,
            extent: module.extent,
            top_at_peak: module.top_at_peak,
            main: module.main,
            untracked: module.untracked.clone(),
            regions: module.regions.clone(),
            usual_size: self.usual_size,
            usable_sizes: &module.usable_sizes,
        })
    }

    /// What was grown of a memory, by address.
    pub(crate) fn grown_in(&self, memory: MainMemory) -> &[Stretch] {
        let Some(place) = memory.place else { return &[] };
        let start = self.grown.partition_point(|stretch| stretch.memory < place);
        let end = self.grown.partition_point(|stretch| stretch.memory <= place);
        &self.grown[start..end]
    }

    /// The blocks that were live at the high-water mark, by address: where, how large, whose.
    pub(crate) fn at_peak(&self, survey: &Survey<'_>) -> Vec<(u64, u64, StackId)> {
        let mut all = Vec::new();
        self.blocks.each_live(survey.table, |addr, block| {
            if block.since <= self.peak_clock {
                all.push((addr, block.size, block.stack));
            }
        });
        let gone = self.gone.iter().filter(|gone| gone.table == survey.table);
        all.extend(gone.map(|gone| (gone.addr, gone.size, gone.stack)));
        all.sort_unstable();
        all
    }
}

impl Heap {
    pub(crate) fn survey(&self, module: ModuleId) -> Option<Survey<'_>> {
        let module = &self.modules[*self.by_id.get(&module)?];
        let main = self.books.space.main_memory(module.memories, self.books.peak.clock);
        Some(Survey {
            blocks: &self.books.blocks,
            table: module.table,
            extent: module.extent,
            top_at_peak: module.extent.top_at(self.books.peak.clock),
            main,
            untracked: self.books.space.untracked(main.place),
            regions: module.annotations.regions().to_vec(),
            usual_size: self.books.recent.usual(),
            usable_sizes: &module.usable_sizes,
        })
    }
}
