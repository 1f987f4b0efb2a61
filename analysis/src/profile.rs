//! The figures of a run: what was allocated where, when, and what the memory did meanwhile.
//!
//! Plain data without behaviour, complete and in a fixed order. Blocks and bytes are what the
//! program asked for, not what its allocator took for it.

mod fragmentation;
mod growth;

use crate::account::Account;
pub use fragmentation::{Fragmentation, Pin};
pub use growth::{FreeRuns, FreeSpace, Grow, GrownBy, GrownFor, Growth, GrowthCause, GrowthShare};
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

/// Whether anything still points to a block, in the words of Valgrind's Memcheck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeakKind {
    /// Nothing does: it can never be freed.
    DefinitelyLost,
    /// Only lost blocks do.
    IndirectlyLost,
    /// Something points into it, not to its start; or what may point to it could not be seen.
    PossiblyLost,
    /// A chain of addresses from outside the heap leads to it.
    StillReachable,
}

impl LeakKind {
    /// All kinds, the worst first.
    pub const ALL: [LeakKind; 4] = [
        LeakKind::DefinitelyLost,
        LeakKind::IndirectlyLost,
        LeakKind::PossiblyLost,
        LeakKind::StillReachable,
    ];

    /// The word for it in options.
    pub fn name(self) -> &'static str {
        match self {
            LeakKind::DefinitelyLost => "definite",
            LeakKind::IndirectlyLost => "indirect",
            LeakKind::PossiblyLost => "possible",
            LeakKind::StillReachable => "reachable",
        }
    }
}

/// Live blocks by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// By [`LeakKind`], in the order of [`LeakKind::ALL`].
    counts: [Count; 4],
}

impl Kinds {
    /// The blocks of a kind.
    pub fn of(&self, kind: LeakKind) -> Count {
        self.counts[kind as usize]
    }

    pub(crate) fn of_mut(&mut self, kind: LeakKind) -> &mut Count {
        &mut self.counts[kind as usize]
    }
}

/// Blocks of one kind that were allocated in one context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LossRecord {
    /// The context.
    pub stack: StackId,
    /// What became of the blocks.
    pub kind: LeakKind,
    /// The blocks themselves.
    pub count: Count,
    /// Lost blocks of any context that only these lead to.
    pub indirect: Count,
    /// Bytes that would be free if these blocks were: with everything that only they hold. `None`
    /// if there were too many blocks to tell.
    pub retained: Option<u64>,
}

/// What was looked at for addresses of blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roots {
    /// Mutable globals.
    pub globals: u64,
    /// Bytes of memory outside the heap.
    pub static_bytes: u64,
    /// Bytes of the live part of the stack in memory, among these.
    pub stack_bytes: u64,
    /// Addresses that the host holds.
    pub host: u64,
}

/// A block that something outside the memory holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The module in whose memory it is.
    pub module: ModuleId,
    /// The address that is held.
    pub root: u64,
    /// Where the block begins.
    pub addr: u64,
    /// Its size.
    pub bytes: u64,
    /// Bytes that would be free without it: with everything that only it holds.
    pub retained: u64,
}

/// The live blocks at the end, by what points to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reachability {
    /// The modules whose blocks were judged.
    pub modules: Vec<ModuleId>,
    /// All blocks of these modules that no rule suppresses.
    pub kinds: Kinds,
    /// What suppressed contexts hold, and all that only this leads to.
    pub suppressed: Count,
    /// The blocks by context and kind: lost ones first, then by bytes.
    pub records: Vec<LossRecord>,
    /// What was looked at.
    pub roots: Roots,
    /// Blocks that are lost as far as one can see, and only possibly because locals of calls that
    /// were under way could not be read.
    pub maybe_in_locals: Count,
    /// The blocks that the host's addresses lead to.
    pub held: Vec<Held>,
    /// Bytes that each group of [`crate::Session::group_roots`] retains, where its module was judged.
    pub held_by_group: Vec<Option<u64>>,
}

/// Addresses that the host holds for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootGroup {
    /// The module whose blocks they lead to.
    pub module: ModuleId,
    /// Some of the [`seepage_trace::State::roots`] of its image.
    pub roots: Vec<u64>,
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
    /// How many events make a stretch of [`ContextCost::course`].
    pub stretch_events: u64,
    /// Every linear memory, in the order of modules and indices.
    pub memories: Vec<MemoryUse>,
    /// Size of all memories together at the start, in pages of 64 KiB.
    pub initial_pages: u64,
    /// Size of all memories together at the end, in pages of 64 KiB.
    pub final_pages: u64,
    /// Every growth of a memory, in the order of events.
    pub grows: Vec<Grow>,
    /// Why the memories grew.
    pub growth: Growth,
    /// What that went to, the largest share first. The shares add up to the growth.
    pub growth_shares: Vec<GrowthShare>,
    /// What the bytes of all memories are for at the end.
    pub account: Option<Account>,
    /// What they were for at the high-water mark.
    pub peak_account: Option<Account>,
    /// What of the free memory is in pieces that are too small at the end, and what keeps them apart.
    pub fragmentation: Fragmentation,
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
    /// What became of the blocks that are live at the end, for modules of which there is an image.
    pub reachability: Option<Reachability>,
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
    /// What of `freed` a collector took back without a call, as images of its books or a new block
    /// in its place have shown.
    pub collected: Count,
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
    /// The least that was live of it in each stretch of [`Profile::stretch_events`] events. Empty
    /// if nothing of it was live from one to the next.
    pub course: Vec<Count>,
    /// The rule that hides it from the verdict: an index into [`crate::Outcome::suppressed`].
    pub suppressed_by: Option<usize>,
}

/// On which side of a module's border something was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallSide {
    /// The host called the allocator, or another module did.
    Host,
    /// The module's own code did.
    Module,
}

impl CallSide {
    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            CallSide::Host => "host",
            CallSide::Module => "module",
        }
    }
}

#[cfg(test)]
impl ContextCost {
    /// One that did nothing.
    pub(crate) fn empty() -> ContextCost {
        ContextCost {
            module: ModuleId(0),
            frames: Vec::new(),
            truncated: false,
            known: true,
            tracepoints: Vec::new(),
            cost: Cost::default(),
            failed: 0,
            freed_blocks: 0,
            lifetime_sum: 0,
            live_at_rise: Count::default(),
            live_at_mark: Count::default(),
            course: Vec::new(),
            suppressed_by: None,
        }
    }
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
    /// What an image of the moment shows, if there is one.
    pub found: Option<AtMark>,
    /// Why it is not known what is lost, if it is not.
    pub not_judged: Option<NotJudged>,
}

/// Why nobody can say what is lost at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotJudged {
    /// There is no image of a memory with live blocks.
    NoImage,
    /// What is live may only be waiting for a collector.
    Collected,
    /// What is live may have been freed.
    FreesUnseen,
}

impl NotJudged {
    /// The reason, in a sentence without a full stop.
    pub fn reason(self) -> &'static str {
        match self {
            NotJudged::NoImage => "there is no image of the memory",
            NotJudged::Collected => {
                "the heap is garbage-collected, and what is live may only be waiting for its collector"
            }
            NotJudged::FreesUnseen => {
                "no function that frees could be found, and what is live may have been freed"
            }
        }
    }
}

/// What an image of a marked moment shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AtMark {
    /// What points to the blocks, if those of all modules could be judged.
    pub kinds: Option<Kinds>,
    /// What was known noise then, and is in none of those kinds.
    pub suppressed: Count,
    /// What the bytes of all memories were for.
    pub account: Account,
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
