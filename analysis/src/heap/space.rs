//! How big the linear memories are, and every growth of one.
//!
//! The guest's own growths come as events. The host's are noticed when a memory is found larger
//! than the events explain. It does not judge why a memory grew.

use crate::profile::{Grow, GrownBy, MemoryUse, StackId};
use seepage_trace::ModuleInfo;

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
}

/// The memories of one module: a range of [`Space::memories`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MemoryRange {
    start: usize,
    len: usize,
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
}

impl Space {
    pub(crate) fn new(cap: usize) -> Space {
        Space { memories: Vec::new(), grows: Vec::new(), cap, dropped: 0, pages: 0 }
    }

    /// Size of all memories, in pages of 64 KiB.
    pub(crate) fn pages(&self) -> u64 {
        self.pages
    }

    pub(crate) fn module(&mut self, module: &ModuleInfo) -> MemoryRange {
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
        self.set(range, memory, to_pages);
        self.list(
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
                live_bytes: now.live_bytes,
            },
            range,
        );
    }

    /// The host found a memory of that size.
    pub(crate) fn host_size(&mut self, range: MemoryRange, memory: u32, pages: u64, now: Now) {
        let Some(from_pages) = self.get(range, memory).map(|memory| memory.final_pages) else {
            return;
        };
        if pages <= from_pages {
            return;
        }
        self.set(range, memory, pages);
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
                live_bytes: now.live_bytes,
            },
            range,
        );
    }

    /// Size of all memories at the start, in pages of 64 KiB.
    pub(crate) fn initial_pages(&self) -> u64 {
        pages(self.memories.iter().map(|memory| (memory.initial_pages, memory.page_size)))
    }

    /// The memories' final sizes and the growths.
    pub(crate) fn finish(self) -> (Vec<MemoryUse>, Vec<Grow>) {
        (self.memories, self.grows)
    }

    fn get(&self, range: MemoryRange, memory: u32) -> Option<&MemoryUse> {
        let index = usize::try_from(memory).ok().filter(|&index| index < range.len)?;
        self.memories.get(range.start + index)
    }

    fn set(&mut self, range: MemoryRange, memory: u32, pages: u64) {
        if let Some(entry) = self.memories.get_mut(range.start + memory as usize) {
            entry.final_pages = entry.final_pages.max(pages);
            self.sum_up();
        }
    }

    fn list(&mut self, grow: Grow, range: MemoryRange) {
        if self.grows.len() >= self.cap {
            self.dropped += 1;
            return;
        }
        let module = self.get(range, grow.memory).map(|memory| memory.module).unwrap_or_default();
        self.grows.push(Grow { module, ..grow });
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

    const NOW: Now = Now { clock: 5, time_ns: 6, live_bytes: 7 };

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
        let range = space.module(&ModuleInfo { memories, ..ModuleInfo::default() });
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
        let (memories, grows) = space.finish();
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
