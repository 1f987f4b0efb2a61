//! How big the linear memories are, and every growth of one.
//!
//! The guest's own growths come as events. The host's are noticed when a memory is found larger
//! than the events explain.
//!
//! Why a memory grew is judged when the next event shows what it was grown for:
//!
//! ```text
//! grow ─► waiting ─┬─ request from the same context ─► demand, or fragmentation; the rest policy
//!                  └─ anything else, or the end ─────► direct
//! ```

mod grown;

use super::extent::{Extent, need};
use crate::profile::{FreeSpace, Grow, GrownBy, Growth, GrowthCause, MemoryUse, StackId};
use grown::Grown;
pub(crate) use grown::Stretch;
use seepage_trace::ModuleInfo;
use std::ops::Range;

/// The page of the core specification; sizes of several memories are summed up in it.
const PAGE: u64 = 65_536;
/// More memories than a module of any engine has; a forged trace may claim any number.
const MAX_MEMORIES: usize = 1024;

/// When something happened, and beside which heap.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Now {
    pub(crate) clock: u64,
    pub(crate) time_ns: u64,
    pub(crate) live_bytes: u64,
    /// When the high-water mark was, as far as is known now.
    pub(crate) peak_clock: u64,
    /// The end of the highest block that the module's heap ever had.
    pub(crate) top: u64,
    /// What was free in the heap.
    pub(crate) free: Option<FreeSpace>,
}

/// What an allocator was asked for, and from where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) size: u64,
    pub(crate) stack: StackId,
}

/// The memory of a module that its allocator works in, as far as one can tell: the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MainMemory {
    /// Bytes at the start.
    pub(crate) initial: u64,
    /// Bytes now.
    pub(crate) bytes: u64,
    /// Bytes at the high-water mark.
    pub(crate) at_peak: u64,
    /// Its place among all memories.
    pub(crate) place: Option<usize>,
    /// The request for which it last grew because no free piece was large enough; 0 if it never did.
    pub(crate) wanted: u64,
}

/// The memories of one module: a range of [`Space::memories`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MemoryRange {
    start: usize,
    len: usize,
}

impl MemoryRange {
    /// There is no memory: addresses are names, and none lies inside a block.
    pub(crate) fn is_empty(self) -> bool {
        self.len == 0
    }
}

/// All memories.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    memories: Vec<MemoryUse>,
    grows: Vec<Grow>,
    cap: usize,
    /// Growths that were not listed.
    pub(crate) dropped: u64,
    pages: u64,
    /// By memory: its pages at a high-water mark that it has outgrown, and that mark's clock.
    outgrown: Vec<(u64, u64)>,
    /// By memory: [`MainMemory::wanted`].
    wanted: Vec<u64>,
    growth: Growth,
    /// Growths by the guest that nothing explains yet.
    waiting: Vec<Waiting>,
    /// Stretches that somebody else than the allocator grew: memory, start and end.
    untracked: Vec<(usize, Range<u64>)>,
    grown: Grown,
}

/// What is left of the memories.
#[derive(Debug)]
pub(crate) struct SpaceFigures {
    /// With their final sizes.
    pub(crate) memories: Vec<MemoryUse>,
    pub(crate) grows: Vec<Grow>,
    /// Why they grew.
    pub(crate) growth: Growth,
    /// What was grown, by memory and address.
    pub(crate) grown: Vec<Stretch>,
}

/// A growth whose cause is not known yet.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    memory: usize,
    stack: StackId,
    from: u64,
    to: u64,
    /// Its place in the list.
    place: Option<usize>,
}

/// No memory is larger, whatever a trace claims: so that sums of sizes do not overflow.
pub(crate) const MAX_BYTES: u64 = 1 << 48;

/// Growths that wait for their cause, at most; further ones are taken for the program's own.
const MAX_WAITING: usize = 65_536;

/// Stretches that others grew, at most; further ones are taken for the allocator's.
const MAX_UNTRACKED: usize = 4096;

impl Space {
    pub(crate) fn new(cap: usize) -> Space {
        Space {
            memories: Vec::new(),
            grows: Vec::new(),
            cap,
            dropped: 0,
            pages: 0,
            outgrown: Vec::new(),
            wanted: Vec::new(),
            growth: Growth::default(),
            waiting: Vec::new(),
            untracked: Vec::new(),
            grown: Grown::default(),
        }
    }

    /// Size of all memories, in pages of 64 KiB.
    pub(crate) fn pages(&self) -> u64 {
        self.pages
    }

    /// A module begins to run, with the high-water mark at `peak_clock` as far as is known.
    pub(crate) fn module(&mut self, module: &ModuleInfo, peak_clock: u64) -> MemoryRange {
        let start = self.memories.len();
        for (index, memory) in module.memories.iter().take(MAX_MEMORIES).enumerate() {
            self.memories.push(MemoryUse {
                module: module.id,
                index: index as u32,
                page_size: memory.page_size.max(1),
                initial_pages: memory.initial_pages,
                final_pages: memory.initial_pages,
                maximum_pages: memory.maximum_pages,
            });
        }
        // A memory that came later had no pages at a high-water mark, if there was one.
        let came = if peak_clock == 0 { u64::MAX } else { peak_clock };
        self.outgrown.resize(self.memories.len(), (0, came));
        self.wanted.resize(self.memories.len(), 0);
        self.sum_up();
        MemoryRange { start, len: self.memories.len() - start }
    }

    /// The guest asked for more.
    pub(crate) fn grow(
        &mut self,
        range: MemoryRange,
        memory: u32,
        stack: StackId,
        before: Option<u64>,
        delta: u64,
        now: Now,
    ) {
        let Some(known) = self.get(range, memory).map(|memory| memory.final_pages) else { return };
        if let Some(before) = before {
            self.host_size(range, memory, before, now);
        }
        // `memory.grow 0` is how a program asks for the size.
        if delta == 0 {
            return;
        }
        let from_pages = before.unwrap_or(known);
        let refused = before.is_none();
        let to_pages = if refused { from_pages } else { from_pages.saturating_add(delta) };
        self.set(range, memory, to_pages, now.peak_clock);
        let place = self.list(
            Grow {
                clock: now.clock,
                time_ns: now.time_ns,
                module: Default::default(),
                memory,
                stack: Some(stack),
                from_pages,
                to_pages,
                delta,
                refused,
                by: GrownBy::Guest,
                cause: None,
                live_bytes: now.live_bytes,
                request: None,
                free: now.free,
            },
            range,
        );
        let memory = range.start + memory as usize;
        let size = self.memories[memory].page_size;
        // What a trace says twice has grown once.
        let from = from_pages.max(known).saturating_mul(size);
        let to = to_pages.saturating_mul(size).max(from);
        let grow = Waiting { memory, stack, from, to, place };
        if self.waiting.len() >= MAX_WAITING {
            self.was_direct(grow);
        } else if to > from || place.is_some() {
            self.waiting.push(grow);
        }
    }

    /// The host found a memory of that size.
    pub(crate) fn host_size(&mut self, range: MemoryRange, memory: u32, pages: u64, now: Now) {
        let Some(from_pages) = self.get(range, memory).map(|memory| memory.final_pages) else {
            return;
        };
        if pages <= from_pages {
            return;
        }
        self.set(range, memory, pages, now.peak_clock);
        self.list(
            Grow {
                clock: now.clock,
                time_ns: now.time_ns,
                module: Default::default(),
                memory,
                stack: None,
                from_pages,
                to_pages: pages,
                delta: pages - from_pages,
                refused: false,
                by: GrownBy::Host,
                cause: Some(GrowthCause::Unexplained),
                live_bytes: now.live_bytes,
                request: None,
                free: None,
            },
            range,
        );
        let memory = range.start + memory as usize;
        let size = self.memories[memory].page_size;
        let [from, to] = [from_pages, pages].map(|pages| pages.saturating_mul(size));
        self.growth.add(GrowthCause::Unexplained, to.saturating_sub(from));
        // The host grows for the allocator too: then a block has reached into it by now.
        if memory != range.start || now.top <= from {
            self.others(memory, from..to);
        }
    }

    /// Whether a growth waits for its cause.
    #[inline]
    pub(crate) fn has_unexplained(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The next event of the module whose memory grew: a request of its allocator from the context
    /// that grew it is what it was grown for. Any other event says that it was not the allocator.
    /// `is_for` tells whether a growth's context leads through the request's.
    pub(crate) fn explain(
        &mut self,
        range: MemoryRange,
        request: Option<Request>,
        extent: Extent,
        is_for: impl Fn(StackId) -> bool,
    ) {
        let all = std::mem::take(&mut self.waiting);
        let is_own = |it: &Waiting| (range.start..range.start + range.len).contains(&it.memory);
        let (own, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(is_own);
        self.waiting = rest;
        let is_allocators = |it: &Waiting| request.is_some() && is_for(it.stack);
        let (allocators, direct): (Vec<_>, Vec<_>) = own.into_iter().partition(is_allocators);
        direct.into_iter().for_each(|grow| self.was_direct(grow));
        let Some(request) = request else { return };
        let need = need(request.size);
        // What lies above all blocks already needs not be grown.
        let from = allocators.iter().map(|grow| grow.from).min().unwrap_or(0);
        let main = allocators.first().map(|grow| grow.memory);
        let missing = need.saturating_sub(from.saturating_sub(self.tail_start(main, extent.top)));
        let mut missing = missing.checked_next_multiple_of(PAGE).unwrap_or(missing);
        let foreign = self.untracked.iter().filter(|(memory, _)| Some(*memory) == main);
        let foreign = foreign.map(|(_, it)| it.end.min(extent.top).saturating_sub(it.start)).sum();
        // Free bytes enough, and yet no place for it.
        let cause = match extent.has_free(need, foreign) {
            true => GrowthCause::Fragmentation,
            false => GrowthCause::Demand,
        };
        for grow in allocators {
            let bytes = grow.to - grow.from;
            let part = bytes.min(missing);
            missing -= part;
            if cause == GrowthCause::Fragmentation && part > 0 {
                self.wanted[grow.memory] = request.size;
            }
            self.settle(grow, request.stack, [(cause, part), (GrowthCause::Policy, bytes - part)]);
            if let Some(listed) = grow.place.and_then(|place| self.grows.get_mut(place)) {
                listed.request = Some(request.size);
            }
        }
    }

    /// A growth was not the allocator's.
    fn was_direct(&mut self, grow: Waiting) {
        self.settle(grow, grow.stack, [(GrowthCause::Direct, grow.to - grow.from)]);
        if grow.to > grow.from {
            self.others(grow.memory, grow.from..grow.to);
        }
    }

    /// The parts of a growth, by address, have these causes; `stack` wanted it.
    fn settle<const N: usize>(
        &mut self,
        grow: Waiting,
        stack: StackId,
        parts: [(GrowthCause, u64); N],
    ) {
        let main = parts.iter().filter(|(_, bytes)| *bytes > 0).max_by_key(|(_, bytes)| *bytes);
        if let Some(listed) = grow.place.and_then(|place| self.grows.get_mut(place)) {
            listed.cause = main.map(|(cause, _)| *cause);
        }
        let mut at = grow.from;
        for (cause, bytes) in parts {
            self.growth.add(cause, bytes);
            let range = at..at.saturating_add(bytes);
            at = range.end;
            self.grown.add(Stretch { memory: grow.memory, range, cause, stack });
        }
    }

    /// Notes that somebody else than the allocator grew a stretch.
    fn others(&mut self, memory: usize, stretch: Range<u64>) {
        if self.untracked.len() < MAX_UNTRACKED {
            self.untracked.push((memory, stretch));
        }
    }

    /// Whether there are stretches that others than the allocator seem to have grown.
    #[inline]
    pub(crate) fn has_untracked(&self) -> bool {
        !self.untracked.is_empty()
    }

    /// A block has reached higher than any before: what others seemed to have grown there was for the
    /// allocator.
    #[cold]
    pub(crate) fn reach(&mut self, range: MemoryRange, block: Range<u64>) {
        // A memory's stretches are in the order of addresses.
        for index in (0..self.untracked.len()).rev() {
            let (memory, stretch) = &self.untracked[index];
            if *memory == range.start && stretch.end <= block.start {
                return;
            }
            if *memory == range.start && stretch.start < block.end {
                self.untracked.remove(index);
            }
        }
    }

    /// Where begins what was never handed out: above `top`, and above what others grew.
    fn tail_start(&self, memory: Option<usize>, top: u64) -> u64 {
        let own = self.untracked.iter().filter(|(at, _)| Some(*at) == memory);
        own.map(|(_, stretch)| stretch.end).fold(top, u64::max)
    }

    /// Of the stretches that others grew in a module's first memory, what lies below `top`.
    pub(crate) fn untracked_below(&self, range: MemoryRange, top: u64) -> Vec<Range<u64>> {
        let place = (!range.is_empty()).then_some(range.start);
        let mut stretches = self.untracked(place);
        stretches.retain_mut(|stretch| {
            stretch.end = stretch.end.min(top);
            stretch.start < stretch.end
        });
        stretches
    }

    /// The stretches of a memory that others than the allocator grew, by address.
    pub(crate) fn untracked(&self, memory: Option<usize>) -> Vec<Range<u64>> {
        let own = self.untracked.iter().filter(|(at, _)| Some(*at) == memory);
        let mut stretches: Vec<_> = own.map(|(_, stretch)| stretch.clone()).collect();
        stretches.sort_unstable_by_key(|stretch| stretch.start);
        stretches
    }

    /// What was never handed out at the top of a module's first memory, which has `pages`, or as many
    /// as is known, and the bytes of `delta` of its pages.
    pub(crate) fn tail(
        &self,
        range: MemoryRange,
        top: u64,
        pages: Option<u64>,
        delta: u64,
    ) -> Option<(u64, u64)> {
        let memory = self.get(range, 0)?;
        let bytes = pages.unwrap_or(memory.final_pages).saturating_mul(memory.page_size);
        let tail = bytes.saturating_sub(self.tail_start(Some(range.start), top));
        Some((tail, delta.saturating_mul(memory.page_size)))
    }

    /// The memory in which a module's blocks are.
    pub(crate) fn main_memory(&self, range: MemoryRange, peak_clock: u64) -> MainMemory {
        let Some(memory) = self.get(range, 0) else { return MainMemory::default() };
        let bytes = |pages: u64| pages.saturating_mul(memory.page_size).min(MAX_BYTES);
        MainMemory {
            initial: bytes(memory.initial_pages),
            bytes: bytes(memory.final_pages),
            at_peak: bytes(self.pages_at(range.start, peak_clock)),
            place: Some(range.start),
            wanted: self.wanted[range.start],
        }
    }

    /// A memory's pages at the high-water mark.
    fn pages_at(&self, place: usize, peak_clock: u64) -> u64 {
        match self.outgrown[place] {
            (pages, clock) if clock == peak_clock => pages,
            _ => self.memories[place].final_pages,
        }
    }

    /// The memories as they were at the high-water mark.
    pub(crate) fn memories_at(&self, peak_clock: u64) -> Vec<MemoryUse> {
        let at = |(place, memory): (usize, &MemoryUse)| MemoryUse {
            initial_pages: memory.initial_pages.min(self.pages_at(place, peak_clock)),
            final_pages: self.pages_at(place, peak_clock),
            ..*memory
        };
        self.memories.iter().enumerate().map(at).collect()
    }

    pub(crate) fn memories(&self) -> &[MemoryUse] {
        &self.memories
    }

    /// Size of all memories at the start, in pages of 64 KiB.
    pub(crate) fn initial_pages(&self) -> u64 {
        pages(self.memories.iter().map(|memory| (memory.initial_pages, memory.page_size)))
    }

    /// No event comes any more that could explain a growth.
    pub(crate) fn give_up(&mut self, extents: &[(MemoryRange, Extent)]) {
        for &(range, extent) in extents {
            self.explain(range, None, extent, |_| false);
        }
    }

    /// What the memories came to. `extents` are the heaps.
    pub(crate) fn finish(mut self, extents: &[(MemoryRange, Extent)]) -> SpaceFigures {
        // What an allocator grew in advance and then handed out was in demand after all.
        for &(range, extent) in extents.iter().filter(|(range, _)| !range.is_empty()) {
            let used = self.grown.advance_was_demand(range.start, extent.top);
            self.growth.policy_was_demand(used);
        }
        SpaceFigures {
            memories: self.memories,
            grows: self.grows,
            growth: self.growth,
            grown: self.grown.finish(),
        }
    }

    fn get(&self, range: MemoryRange, memory: u32) -> Option<&MemoryUse> {
        let index = usize::try_from(memory).ok().filter(|&index| index < range.len)?;
        self.memories.get(range.start + index)
    }

    fn set(&mut self, range: MemoryRange, memory: u32, pages: u64, peak_clock: u64) {
        let place = range.start + memory as usize;
        if let Some(entry) = self.memories.get_mut(place) {
            if self.outgrown[place].1 != peak_clock {
                self.outgrown[place] = (entry.final_pages, peak_clock);
            }
            entry.final_pages = entry.final_pages.max(pages);
            self.sum_up();
        }
    }

    /// Lists a growth, if there is room, and tells its place.
    fn list(&mut self, grow: Grow, range: MemoryRange) -> Option<usize> {
        if self.grows.len() >= self.cap {
            self.dropped += 1;
            return None;
        }
        let module = self.get(range, grow.memory).map(|memory| memory.module).unwrap_or_default();
        self.grows.push(Grow { module, ..grow });
        Some(self.grows.len() - 1)
    }

    fn sum_up(&mut self) {
        self.pages =
            pages(self.memories.iter().map(|memory| (memory.final_pages, memory.page_size)));
    }
}

fn pages(memories: impl Iterator<Item = (u64, u64)>) -> u64 {
    let add = |sum: u64, (pages, size): (u64, u64)| sum.saturating_add(pages.saturating_mul(size));
    memories.fold(0, add).div_ceil(PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use seepage_trace::Memory;

    const NOW: Now = Now { clock: 5, time_ns: 6, live_bytes: 7, peak_clock: 4, top: 0, free: None };

    fn space(cap: usize) -> (Space, MemoryRange) {
        let memory = |initial_pages, page_size| Memory {
            initial_pages,
            maximum_pages: None,
            page_size,
            is_64: false,
            imported: false,
        };
        let memories = vec![memory(2, PAGE), memory(100, 1)];
        let mut space = Space::new(cap);
        let range = space.module(&ModuleInfo { memories, ..ModuleInfo::default() }, 0);
        (space, range)
    }

    #[test]
    fn every_growth_has_an_author() {
        let (mut space, range) = space(9);
        assert_eq!((space.initial_pages(), space.pages()), (3, 3));
        space.grow(range, 0, StackId(1), Some(2), 3, NOW);
        space.grow(range, 0, StackId(1), None, 9, NOW);
        space.host_size(range, 0, 5, NOW);
        space.grow(range, 0, StackId(1), Some(8), 0, NOW);
        space.grow(range, 7, StackId(1), Some(8), 1, NOW);
        space.host_size(range, 1, 65_537, NOW);
        assert_eq!(space.pages(), 10);
        space.give_up(&[(range, Extent::default())]);
        let figures = space.finish(&[(range, Extent::default())]);
        let SpaceFigures { memories, grows, growth, .. } = figures;
        let told: Vec<_> =
            grows.iter().map(|g| (g.memory, g.by, g.from_pages, g.to_pages, g.refused)).collect();
        use GrownBy::{Guest, Host};
        let expected = [
            (0, Guest, 2, 5, false),
            (0, Guest, 5, 5, true),
            (0, Host, 5, 8, false),
            (1, Host, 100, 65_537, false),
        ];
        assert_eq!(told, expected);
        assert_eq!(memories[0].final_pages, 8);
        assert_eq!((growth.direct, growth.unexplained), (3 * PAGE, 3 * PAGE + 65_437));
    }

    #[test]
    fn what_a_block_reaches_into_is_the_allocators() {
        let (mut space, range) = space(9);
        let grow = |space: &mut Space, pages, top| {
            space.host_size(range, 0, pages, Now { top, ..NOW });
        };
        grow(&mut space, 5, 2 * PAGE);
        grow(&mut space, 7, 3 * PAGE);
        grow(&mut space, 9, 7 * PAGE + 1);
        assert_eq!(space.untracked(Some(0)), [2 * PAGE..5 * PAGE, 5 * PAGE..7 * PAGE]);
        space.reach(range, 9 * PAGE..10 * PAGE);
        space.reach(range, PAGE..2 * PAGE);
        assert_eq!(space.untracked(Some(0)).len(), 2);
        space.reach(range, 6 * PAGE..8 * PAGE);
        assert_eq!(space.untracked(Some(0)).len(), 1);
        space.reach(range, PAGE..2 * PAGE + 1);
        assert_eq!(space.untracked(Some(0)), []);
    }

    #[test]
    fn growths_beyond_the_cap_are_counted_and_still_happen() {
        let (mut space, range) = space(1);
        for before in 2..5 {
            space.grow(range, 0, StackId(0), Some(before), 1, NOW);
        }
        assert_eq!((space.dropped, space.pages()), (2, 6));
    }
}
