//! The account: what every byte of a linear memory is for, at one moment.
//!
//! [`walk`] goes through a memory from its first byte to its last and says of each stretch what it
//! is. [`Account`] sums that up, and so its parts always add up to the memory's size; a heap map
//! draws the same stretches. It decides nothing about leaks and reads no event.
//!
//! ```text
//! 0            static_end      lowest                          top ever        the memory's end
//! │ static │ stack │ static │ live overhead live free live … free │    tail          │
//! ```

mod geometry;
pub(crate) mod map;
pub(crate) mod pins;
pub(crate) mod shares;
pub(crate) mod take;

pub use geometry::Overhead;
pub(crate) use geometry::{Geometry, Known, Told};
pub use map::{CellRun, HeapMap, MapMoment};

use crate::profile::{LeakKind, StackId};
use std::ops::Range;

/// What a stretch of memory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Static variables, and whatever else lies below the heap.
    Static,
    /// The stack in memory, live or dead.
    Stack,
    /// A live block.
    Live {
        /// The context that holds it.
        stack: StackId,
        /// What became of it, where that is known.
        kind: BlockKind,
    },
    /// What the allocator took for a block beyond what was asked for.
    Overhead,
    /// Free, and large enough for what the program usually asks for.
    FreeFitting,
    /// Free, and too small for that: external fragmentation.
    FreeFragmented,
    /// Never handed out, at the top.
    Tail,
    /// Grown by somebody whose blocks are not seen.
    Untracked,
}

/// What became of a live block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// What its references say.
    Kind(LeakKind),
    /// A rule spares it.
    Suppressed,
    /// Nobody looked.
    Unknown,
}

/// A live block and what became of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    pub(crate) addr: u64,
    pub(crate) size: u64,
    pub(crate) stack: StackId,
    pub(crate) kind: BlockKind,
}

/// A memory at one moment.
pub(crate) struct Picture<'a> {
    /// Size of the memory.
    pub(crate) bytes: u64,
    /// Everything below is static or stack.
    pub(crate) static_end: u64,
    /// Where the stack is, if that is known.
    pub(crate) stack: Option<Range<u64>>,
    /// Live blocks by address.
    pub(crate) blocks: &'a [Placed],
    pub(crate) geometry: &'a Geometry<'a>,
    /// The highest address that was ever handed out.
    pub(crate) top: u64,
    /// A free run of this size is of use to the program.
    pub(crate) fitting: u64,
    /// Stretches that somebody else grew, by address.
    pub(crate) untracked: &'a [Range<u64>],
}

/// A free run shorter than this is no place for a block: it counts as rounding.
const SMALLEST_RUN: u64 = 8;

/// Says of every stretch of a memory what it is for, in the order of addresses and without a hole.
pub(crate) fn walk(picture: &Picture<'_>, visit: &mut dyn FnMut(Range<u64>, Use)) {
    let mut walker = Walker { picture, at: 0, visit };
    for (index, block) in picture.blocks.iter().enumerate() {
        // Blocks that lie over each other are a guest's affair; a byte is counted once.
        let next = picture.blocks.get(index + 1).map_or(u64::MAX, |next| next.addr);
        let end = block.addr.saturating_add(block.size).min(next);
        let (chunk_start, chunk_end) = picture.geometry.chunk(block.addr, block.size);
        walker.free_to(chunk_start);
        walker.to(block.addr, Use::Overhead);
        walker.to(end, Use::Live { stack: block.stack, kind: block.kind });
        walker.to(chunk_end.min(next), Use::Overhead);
    }
    walker.free_to(picture.top);
    walker.beyond(picture.bytes);
}

struct Walker<'a, 'b> {
    picture: &'a Picture<'a>,
    at: u64,
    visit: &'b mut dyn FnMut(Range<u64>, Use),
}

impl Walker<'_, '_> {
    /// Everything up to `end` is for one thing.
    fn to(&mut self, end: u64, what: Use) {
        let end = end.min(self.picture.bytes);
        if end > self.at {
            (self.visit)(self.at..end, what);
            self.at = end;
        }
    }

    /// Nobody holds what lies up to `end`.
    fn free_to(&mut self, end: u64) {
        self.below(end.min(self.picture.static_end));
        let run = end.min(self.picture.bytes).saturating_sub(self.at);
        let what = if run >= self.picture.fitting.max(SMALLEST_RUN) {
            Use::FreeFitting
        } else if run >= SMALLEST_RUN {
            Use::FreeFragmented
        } else {
            Use::Overhead
        };
        self.outside(end, what);
    }

    /// Static variables and the stack.
    fn below(&mut self, end: u64) {
        if let Some(stack) = &self.picture.stack {
            self.to(end.min(stack.start), Use::Static);
            self.to(end.min(stack.end), Use::Stack);
        }
        // Others may have grown the memory before the first block was handed out.
        self.outside(end, Use::Static);
    }

    /// What lies above everything that was ever handed out.
    fn beyond(&mut self, end: u64) {
        self.below(end.min(self.picture.static_end));
        self.outside(end, Use::Tail);
    }

    /// A stretch without blocks, of which others may have grown a part.
    fn outside(&mut self, end: u64, what: Use) {
        let picture = self.picture;
        for other in picture.untracked {
            self.to(end.min(other.start), what);
            if self.at >= other.start {
                self.to(end.min(other.end), Use::Untracked);
            }
        }
        self.to(end, what);
    }
}

/// The bytes of live blocks by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiveBytes {
    /// By [`LeakKind`].
    kinds: [u64; 4],
    /// Spared by a rule.
    pub suppressed: u64,
    /// Not looked at.
    pub unknown: u64,
}

impl LiveBytes {
    /// The bytes of a kind.
    pub fn of(&self, kind: LeakKind) -> u64 {
        self.kinds[kind as usize]
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.kinds.iter().sum::<u64>() + self.suppressed + self.unknown
    }
}

/// What the bytes of memories are for. The parts add up to the memories' size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Static variables, and what else lies below the heap.
    pub static_bytes: u64,
    /// The stacks in memory.
    pub stack: u64,
    /// Live blocks.
    pub live: LiveBytes,
    /// What allocators took beyond what was asked for.
    pub overhead: u64,
    /// Free runs that are large enough for what the program usually asks for.
    pub free_fitting: u64,
    /// Free runs that are not.
    pub free_fragmented: u64,
    /// Never handed out, at the top.
    pub tail: u64,
    /// Grown by somebody whose blocks are not seen.
    pub untracked: u64,
    /// How the overhead was found; of several memories, in the least certain way.
    pub how: Option<Overhead>,
    /// The longest free run.
    pub largest_free: u64,
    /// Free runs.
    pub free_runs: u64,
}

impl Account {
    /// The size of all memories.
    pub fn total(&self) -> u64 {
        self.static_bytes
            + self.stack
            + self.live.total()
            + self.overhead
            + self.free_fitting
            + self.free_fragmented
            + self.tail
            + self.untracked
    }

    /// Adds a memory.
    pub(crate) fn add(&mut self, picture: &Picture<'_>) {
        self.how = self.how.max(Some(picture.geometry.how()));
        let (mut run, mut last) = (0, 0);
        walk(picture, &mut |range, what| {
            let bytes = range.end - range.start;
            match what {
                Use::Static => self.static_bytes += bytes,
                Use::Stack => self.stack += bytes,
                Use::Live { kind: BlockKind::Kind(kind), .. } => {
                    self.live.kinds[kind as usize] += bytes;
                }
                Use::Live { kind: BlockKind::Suppressed, .. } => self.live.suppressed += bytes,
                Use::Live { kind: BlockKind::Unknown, .. } => self.live.unknown += bytes,
                Use::Overhead => self.overhead += bytes,
                Use::FreeFitting => self.free_fitting += bytes,
                Use::FreeFragmented => self.free_fragmented += bytes,
                Use::Tail => self.tail += bytes,
                Use::Untracked => self.untracked += bytes,
            }
            if matches!(what, Use::FreeFitting | Use::FreeFragmented) {
                if range.start != last || run == 0 {
                    self.free_runs += 1;
                    run = 0;
                }
                run += bytes;
                last = range.end;
                self.largest_free = self.largest_free.max(run);
            }
        });
    }

    /// Adds a memory in which no allocator was seen to work.
    pub(crate) fn add_unseen(&mut self, initial: u64, bytes: u64) {
        self.static_bytes += initial.min(bytes);
        self.untracked += bytes - initial.min(bytes);
    }
}
