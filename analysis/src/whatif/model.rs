//! An allocator that hands out numbers: where a block would be, and how large the memory.
//!
//! ```text
//! start                                              top            end              bytes
//!   │ chunk free chunk chunk free chunk … chunk       │   never used  │ somebody else's │
//! ```
//!
//! [`Tags`] is a heap of chunks with headers: best fit, split and merged, with a top that grows by
//! whole pages and is never given back, as in dlmalloc, emmalloc and TLSF. [`Classes`] rounds small
//! blocks up to classes and carves each class out of runs of its own. Neither knows traces.

use std::collections::{BTreeMap, BTreeSet};

pub(super) const PAGE: u64 = 65_536;
/// No memory is as large: what a forged trace asks for beyond it is refused.
const LARGEST: u64 = 1 << 48;

/// What an allocator took for a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) start: u64,
    pub(super) size: u64,
}

impl Chunk {
    pub(super) fn end(self) -> u64 {
        self.start + self.size
    }
}

/// How an allocator lays out chunks, and by how much it grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// Bytes of a chunk before the block.
    pub(super) header: u64,
    /// Bytes of a chunk behind the block.
    pub(super) footer: u64,
    /// Blocks are at multiples of this.
    pub(super) align: u64,
    /// The smallest chunk.
    pub(super) least: u64,
    /// Bytes behind the top that are never handed out.
    pub(super) foot: u64,
    /// What it asks for beyond what it needs when it grows.
    pub(super) padding: u64,
    /// When it grows it asks for a whole block, even if a part of it is there.
    pub(super) asks_whole: bool,
    /// It grows to twice the size, if that is more than it needs.
    pub(super) doubles: bool,
    /// The fewest pages by which it grows.
    pub(super) pages: u64,
}

impl Rule {
    /// What a block takes; nothing if that is too much for any memory.
    fn chunk(&self, size: u64) -> Option<u64> {
        let size = Some(size).filter(|&size| size < LARGEST)?;
        Some((size + self.header + self.footer).max(self.least).next_multiple_of(self.align))
    }
}

/// A heap of either kind.
#[derive(Debug)]
pub(super) enum Model {
    Tags(Tags),
    Classes(Classes),
}

impl Model {
    /// The memory's size.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Model::Tags(tags) => tags.bytes,
            Model::Classes(classes) => classes.pages.bytes,
        }
    }

    /// Somebody else grew the memory.
    pub(super) fn others_grow(&mut self, bytes: u64) {
        let tags = match self {
            Model::Tags(tags) => tags,
            Model::Classes(classes) => &mut classes.pages,
        };
        tags.others_grow(bytes);
    }

    pub(super) fn alloc(&mut self, size: u64, align: u64) -> Option<Chunk> {
        match self {
            Model::Tags(tags) => tags.alloc(size, align),
            Model::Classes(classes) => classes.alloc(size, align),
        }
    }

    pub(super) fn free(&mut self, chunk: Chunk) {
        match self {
            Model::Tags(tags) => tags.free(chunk),
            Model::Classes(classes) => classes.free(chunk),
        }
    }

    /// Resizes a block: where it is, if there is room, else somewhere else. Of what no memory can
    /// hold the old block is lost.
    pub(super) fn realloc(&mut self, chunk: Chunk, size: u64, align: u64) -> Option<Chunk> {
        let resized = match self {
            Model::Tags(tags) => tags.resize(chunk, size),
            Model::Classes(classes) => classes.resize(chunk, size),
        };
        resized.or_else(|| {
            let moved = self.alloc(size, align);
            self.free(chunk);
            moved
        })
    }
}

/// A heap of chunks with headers.
#[derive(Debug)]
pub(super) struct Tags {
    pub(super) rule: Rule,
    by_addr: BTreeMap<u64, u64>,
    by_size: BTreeSet<(u64, u64)>,
    /// Everything from here to `end` was never handed out, or was given back.
    top: u64,
    end: u64,
    bytes: u64,
    /// Nothing was asked for yet.
    is_fresh: bool,
}

impl Tags {
    /// A heap from `start` on, if that lies in a memory of so many bytes, else behind its end.
    pub(super) fn new(rule: Rule, start: u64, bytes: u64) -> Tags {
        let bytes = bytes.min(LARGEST);
        let top = rule.first_chunk(start.min(bytes));
        let (by_addr, by_size) = Default::default();
        Tags { rule, by_addr, by_size, top, end: bytes, bytes, is_fresh: true }
    }

    fn others_grow(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes).min(LARGEST);
        // An allocator that begins inside the memory takes it as large as it finds it.
        if self.is_fresh && self.top < self.end {
            self.end = self.bytes;
        }
    }

    fn alloc(&mut self, size: u64, align: u64) -> Option<Chunk> {
        let need = self.rule.chunk(size)?;
        if align <= self.rule.align || align > LARGEST {
            return self.take(need);
        }
        // As `memalign` has it: more than enough, and what is over at both ends is given back.
        let taken = self.take(need + align + self.rule.least)?;
        let block = (taken.start + self.rule.header).next_multiple_of(align);
        let mut start = block - self.rule.header;
        if start > taken.start && start - taken.start < self.rule.least {
            start += align;
        }
        if start > taken.start {
            self.free(Chunk { start: taken.start, size: start - taken.start });
        }
        Some(self.shrink(Chunk { start, size: taken.end() - start }, need))
    }

    fn take(&mut self, need: u64) -> Option<Chunk> {
        self.is_fresh = false;
        if let Some(&(size, start)) = self.by_size.range((need, 0)..).next() {
            let chunk = self.unlink(Chunk { start, size });
            return Some(self.shrink(chunk, need));
        }
        if !self.top_has(need) {
            if need + self.bytes > LARGEST {
                return None;
            }
            self.grow(need);
        }
        let start = self.top;
        self.top += need;
        Some(Chunk { start, size: need })
    }

    fn top_has(&self, need: u64) -> bool {
        self.end.saturating_sub(self.top) >= need + self.rule.foot
    }

    fn grow(&mut self, need: u64) {
        if self.end < self.bytes {
            // Somebody else's memory lies between: what is left of the top is one more free chunk.
            let size = self.end.saturating_sub(self.top);
            let size = size - size % self.rule.align;
            if size >= self.rule.least {
                self.link(Chunk { start: self.top, size });
            }
            self.top = self.rule.first_chunk(self.bytes);
        }
        let there = if self.rule.asks_whole { 0 } else { self.bytes.saturating_sub(self.top) };
        let missing = (need + self.rule.foot + self.rule.padding).saturating_sub(there);
        let mut pages = missing.div_ceil(PAGE).max(self.rule.pages);
        if self.rule.doubles {
            pages = pages.max(self.bytes / PAGE);
        }
        self.bytes = self.bytes.saturating_add(pages.saturating_mul(PAGE));
        self.end = self.bytes;
    }

    fn free(&mut self, mut chunk: Chunk) {
        if let Some((&start, &size)) = self.by_addr.range(..chunk.start).next_back()
            && start + size == chunk.start
        {
            self.unlink(Chunk { start, size });
            chunk = Chunk { start, size: size + chunk.size };
        }
        if let Some(&size) = self.by_addr.get(&chunk.end()) {
            self.unlink(Chunk { start: chunk.end(), size });
            chunk.size += size;
        }
        if chunk.end() == self.top {
            self.top = chunk.start;
        } else {
            self.link(chunk);
        }
    }

    fn resize(&mut self, mut chunk: Chunk, size: u64) -> Option<Chunk> {
        let need = self.rule.chunk(size)?;
        if chunk.size < need {
            let missing = need - chunk.size;
            let next = chunk.end();
            match self.by_addr.get(&next) {
                Some(&size) if size >= missing => {
                    self.unlink(Chunk { start: next, size });
                    chunk.size += size;
                }
                None if next == self.top && self.top_has(missing) => {
                    self.top += missing;
                    chunk.size = need;
                }
                _ => return None,
            }
        }
        Some(self.shrink(chunk, need))
    }

    /// Gives back what a chunk has beyond `need`, if that is enough for a chunk.
    fn shrink(&mut self, chunk: Chunk, need: u64) -> Chunk {
        if chunk.size - need < self.rule.least {
            return chunk;
        }
        self.free(Chunk { start: chunk.start + need, size: chunk.size - need });
        Chunk { size: need, ..chunk }
    }

    fn link(&mut self, chunk: Chunk) {
        self.by_addr.insert(chunk.start, chunk.size);
        self.by_size.insert((chunk.size, chunk.start));
    }

    fn unlink(&mut self, chunk: Chunk) -> Chunk {
        self.by_addr.remove(&chunk.start);
        self.by_size.remove(&(chunk.size, chunk.start));
        chunk
    }
}

impl Rule {
    /// Where the first chunk begins whose block is not before `addr`.
    fn first_chunk(&self, addr: u64) -> u64 {
        (addr + self.header).next_multiple_of(self.align) - self.header
    }
}

/// Blocks larger than this have pages of their own.
const LARGEST_CLASS: u64 = 32 << 10;

/// A heap of classes of sizes.
#[derive(Debug)]
pub(super) struct Classes {
    /// Classes between a size and its double, as a binary logarithm.
    steps: u32,
    /// Free places, by class.
    free: BTreeMap<u64, Vec<u64>>,
    /// Where the runs and the large blocks come from.
    pages: Tags,
}

impl Classes {
    pub(super) fn new(steps: u32, least_pages: u64, start: u64, bytes: u64) -> Classes {
        let rule = Rule {
            header: 0,
            footer: 0,
            align: PAGE,
            least: PAGE,
            foot: 0,
            padding: 0,
            asks_whole: false,
            doubles: false,
            pages: least_pages,
        };
        let free = BTreeMap::new();
        Classes { steps, free, pages: Tags::new(rule, start, bytes) }
    }

    fn class(&self, size: u64) -> u64 {
        let size = size.max(8);
        let step = (size.next_power_of_two() / 2) >> self.steps;
        size.next_multiple_of(step.max(8))
    }

    fn alloc(&mut self, size: u64, align: u64) -> Option<Chunk> {
        // A power of two is aligned to itself in a run, as long as that is within a page.
        let wanted = if align > 16 { size.max(align).checked_next_power_of_two()? } else { size };
        if wanted > LARGEST_CLASS {
            return self.pages.alloc(size, align);
        }
        let size = self.class(wanted);
        let places = self.free.entry(size).or_default();
        if places.is_empty() {
            let run = self.pages.alloc(PAGE, PAGE)?;
            let starts = (0..PAGE / size).rev().map(|place| run.start + place * size);
            places.extend(starts);
        }
        places.pop().map(|start| Chunk { start, size })
    }

    fn free(&mut self, chunk: Chunk) {
        if chunk.size > LARGEST_CLASS {
            self.pages.free(chunk);
        } else {
            self.free.entry(chunk.size).or_default().push(chunk.start);
        }
    }

    fn resize(&mut self, chunk: Chunk, size: u64) -> Option<Chunk> {
        if chunk.size > LARGEST_CLASS && size > LARGEST_CLASS {
            return self.pages.resize(chunk, size);
        }
        (size <= LARGEST_CLASS && self.class(size) == chunk.size).then_some(chunk)
    }
}
