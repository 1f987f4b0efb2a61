//! The figures of a run: what was allocated where, when, and what the memory did meanwhile.
//!
//! Plain data without behaviour, complete and in a fixed order. Blocks and bytes are what the
//! program asked for, not what its allocator took for it.

use seepage_trace::{Frame, ModuleId, TracepointId};

/// A calling context as this outcome numbers it: an index into [`Profile::contexts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StackId(pub u32);

/// A number of blocks and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Count {
    /// Blocks.
    pub blocks: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Count {
    /// Adds one block. Sums wrap: no honest trace reaches 2^64 bytes, and a forged one must not
    /// stop the analysis.
    #[inline]
    pub(crate) fn add(&mut self, bytes: u64) {
        self.blocks = self.blocks.wrapping_add(1);
        self.bytes = self.bytes.wrapping_add(bytes);
    }

    #[inline]
    pub(crate) fn remove(&mut self, bytes: u64) {
        self.blocks = self.blocks.wrapping_sub(1);
        self.bytes = self.bytes.wrapping_sub(bytes);
    }

    pub(crate) fn merge(&mut self, other: Count) {
        self.blocks = self.blocks.wrapping_add(other.blocks);
        self.bytes = self.bytes.wrapping_add(other.bytes);
    }
}

/// What a calling context costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Everything that it allocated.
    pub allocated: Count,
    /// What of it is live at the end.
    pub live: Count,
    /// What of it was live at the program's high-water mark.
    pub peak: Count,
    /// What of it was freed before anything else was allocated.
    pub temporary: Count,
}

/// The figures of a whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Sums over everything.
    pub totals: Totals,
    /// The high-water mark: the first moment at which the most bytes were live.
    pub peak: Peak,
    /// Every calling context; a [`StackId`] is its index.
    pub contexts: Vec<ContextCost>,
    /// Every linear memory, in the order of modules and indices.
    pub memories: Vec<MemoryUse>,
    /// Size of all memories together at the start, in pages of 64 KiB.
    pub initial_pages: u64,
    /// Size of all memories together at the end, in pages of 64 KiB.
    pub final_pages: u64,
    /// Every growth of a memory, in the order of events.
    pub grows: Vec<Grow>,
    /// The course of the run.
    pub timeline: Vec<Point>,
    /// Marked moments, evenly thinned out if there were many.
    pub marks: Vec<Mark>,
    /// How many moments were marked.
    pub mark_count: u64,
    /// How long live bytes had been rising from mark to mark at the last mark.
    pub bytes_rise: Rise,
    /// How long pages had been rising from mark to mark at the last mark.
    pub pages_rise: Rise,
    /// Sizes of all blocks, without the empty buckets.
    pub sizes: Vec<SizeBucket>,
    /// Lifetimes of the blocks that were freed, without the empty buckets.
    pub lifetimes: Vec<LifetimeBucket>,
}

/// Sums over a whole run. `allocated - freed = live`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// What was allocated; a reallocation counts as a free and an allocation.
    pub allocated: Count,
    /// What was freed.
    pub freed: Count,
    /// What is live at the end.
    pub live: Count,
    /// What was freed before anything else was allocated.
    pub temporary: Count,
    /// Reallocations of a block.
    pub reallocs: u64,
    /// Allocations and reallocations that the allocator refused.
    pub failed: u64,
    /// Events: what the clock counts.
    pub events: u64,
}

/// The high-water mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peak {
    /// What was live.
    pub live: Count,
    /// The event that reached it.
    pub clock: u64,
    /// The host's clock when it took the records with that event.
    pub time_ns: u64,
    /// Size of all memories then, in pages of 64 KiB.
    pub pages: u64,
}

/// A calling context and what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextCost {
    /// The module whose code it is.
    pub module: ModuleId,
    /// The frames, innermost first.
    pub frames: Vec<Frame>,
    /// Some outer frames are missing.
    pub truncated: bool,
    /// The trace has this stack. There is one context per module for which it is false: it stands
    /// for every value whose stack is not known.
    pub known: bool,
    /// The tracepoints by which it allocated, by rising number.
    pub tracepoints: Vec<TracepointId>,
    /// Blocks and bytes.
    pub cost: Cost,
    /// Allocations that the allocator refused.
    pub failed: u64,
    /// Blocks allocated here that were freed.
    pub freed_blocks: u64,
    /// Sum of the lifetimes of those, in events.
    pub lifetime_sum: u64,
    /// What was live when [`Profile::bytes_rise`] began.
    pub live_at_rise: Count,
    /// What was live at the last mark.
    pub live_at_mark: Count,
    /// The rule that hides it from the verdict: an index into [`crate::Outcome::suppressed`].
    pub suppressed_by: Option<usize>,
}

/// A linear memory's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryUse {
    /// The module that has it.
    pub module: ModuleId,
    /// Its index in the module.
    pub index: u32,
    /// Bytes of one of its pages.
    pub page_size: u64,
    /// Pages at the start.
    pub initial_pages: u64,
    /// Pages at the end. A memory never shrinks, so this is the most it had.
    pub final_pages: u64,
    /// Pages it may have at most, where the module declares it.
    pub maximum_pages: Option<u64>,
}

/// Who made a memory grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrownBy {
    /// A `memory.grow` in the module.
    Guest,
    /// The host, or another module: the memory was found larger than the records explain.
    Host,
}

/// One growth of a memory, or the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grow {
    /// The event; for a growth by the host, the one after which it was noticed.
    pub clock: u64,
    /// The host's clock when it took the records with that event.
    pub time_ns: u64,
    /// The module.
    pub module: ModuleId,
    /// The memory's index in the module.
    pub memory: u32,
    /// The calling context, for a growth by the guest.
    pub stack: Option<StackId>,
    /// Pages before.
    pub from_pages: u64,
    /// Pages after; the same, when it was refused.
    pub to_pages: u64,
    /// Pages asked for.
    pub delta: u64,
    /// It did not happen.
    pub refused: bool,
    /// Who did it.
    pub by: GrownBy,
    /// Live bytes just before.
    pub live_bytes: u64,
}

/// A moment of the timeline, and the stretch that ends with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// The event.
    pub clock: u64,
    /// The host's clock when it took the records with that event.
    pub time_ns: u64,
    /// What was live at that moment.
    pub live: Count,
    /// The most bytes that were live since the point before.
    pub max_bytes: u64,
    /// Size of all memories, in pages of 64 KiB.
    pub pages: u64,
}

/// A moment that somebody marked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// What it was called.
    pub name: String,
    /// Events so far.
    pub clock: u64,
    /// What was live.
    pub live: Count,
    /// Size of all memories, in pages of 64 KiB.
    pub pages: u64,
}

/// A figure that rose strictly from mark to mark, up to the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rise {
    /// Marks at which it was higher than at the mark before.
    pub steps: u64,
    /// Events at the mark from which it rose.
    pub from_clock: u64,
    /// Its value there.
    pub from: u64,
    /// Its value at the last mark.
    pub to: u64,
}

/// Blocks of about one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeBucket {
    /// The smallest size in it.
    pub from: u64,
    /// The largest size in it.
    pub to: u64,
    /// Blocks allocated with such a size.
    pub allocated: Count,
}

/// Freed blocks of about one lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifetimeBucket {
    /// The shortest lifetime in it, in events.
    pub from: u64,
    /// The longest lifetime in it, in events.
    pub to: u64,
    /// Blocks freed after such a time.
    pub freed: Count,
}
