//! The growths of the memories: each by itself, why they were, and what they went to.

use super::StackId;
use seepage_trace::ModuleId;

/// Who made a memory grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrownBy {
    /// A `memory.grow` in the module, or a call of an import that is there for it.
    Guest,
    /// The host, or another module: the memory was found larger than the records explain.
    Host,
}

/// Why a memory grew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrowthCause {
    /// The program asked its allocator for more than all that was free.
    Demand,
    /// Enough was free, but in pieces too small for what was asked for.
    Fragmentation,
    /// The allocator took more than it needed, and has not handed it out.
    Policy,
    /// Not the allocator: some other code of the module.
    Direct,
    /// The host, or another module.
    Unexplained,
}

impl GrowthCause {
    /// All causes.
    pub const ALL: [GrowthCause; 5] = [
        GrowthCause::Demand,
        GrowthCause::Fragmentation,
        GrowthCause::Policy,
        GrowthCause::Direct,
        GrowthCause::Unexplained,
    ];

    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            GrowthCause::Demand => "demand",
            GrowthCause::Fragmentation => "fragmentation",
            GrowthCause::Policy => "policy",
            GrowthCause::Direct => "direct",
            GrowthCause::Unexplained => "unexplained",
        }
    }
}

/// Bytes by which all memories grew, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    /// For more live bytes than fitted.
    pub demand: u64,
    /// For want of a free run that was long enough.
    pub fragmentation: u64,
    /// By allocators that took more than they needed.
    pub policy: u64,
    /// By other code of the modules.
    pub direct: u64,
    /// By the host or other modules.
    pub unexplained: u64,
}

impl Growth {
    pub(crate) fn add(&mut self, cause: GrowthCause, bytes: u64) {
        let part = match cause {
            GrowthCause::Demand => &mut self.demand,
            GrowthCause::Fragmentation => &mut self.fragmentation,
            GrowthCause::Policy => &mut self.policy,
            GrowthCause::Direct => &mut self.direct,
            GrowthCause::Unexplained => &mut self.unexplained,
        };
        *part = part.saturating_add(bytes);
    }

    /// The bytes of a cause.
    pub fn of(&self, cause: GrowthCause) -> u64 {
        match cause {
            GrowthCause::Demand => self.demand,
            GrowthCause::Fragmentation => self.fragmentation,
            GrowthCause::Policy => self.policy,
            GrowthCause::Direct => self.direct,
            GrowthCause::Unexplained => self.unexplained,
        }
    }

    /// Of what allocators took in advance, so much was handed out since.
    pub(crate) fn policy_was_demand(&mut self, used: u64) {
        let used = used.min(self.policy);
        self.policy -= used;
        self.demand = self.demand.saturating_add(used);
    }

    /// The whole growth.
    pub fn total(&self) -> u64 {
        GrowthCause::ALL.into_iter().fold(0, |sum, cause| sum.saturating_add(self.of(cause)))
    }
}

/// What a share of the growth went to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrownFor {
    /// Blocks that are lost, and what hangs on them.
    Lost,
    /// Blocks that are possibly lost.
    PossiblyLost,
    /// A container that only grows.
    Container,
    /// Blocks that something still points to.
    Held,
    /// Live blocks that are known noise.
    Suppressed,
    /// Live blocks of which nobody knows what points to them.
    Live,
    /// More live bytes for a while: it is free now.
    Free,
    /// Want of a free run that was long enough.
    Fragmentation,
    /// Nothing yet: an allocator took it in advance.
    Policy,
    /// Other code of the module.
    Direct,
    /// The host, or it is not known.
    Unexplained,
}

impl GrownFor {
    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            GrownFor::Lost => "lost",
            GrownFor::PossiblyLost => "possibly-lost",
            GrownFor::Container => "container",
            GrownFor::Held => "held",
            GrownFor::Suppressed => "suppressed",
            GrownFor::Live => "live",
            GrownFor::Free => "free",
            GrownFor::Fragmentation => "fragmentation",
            GrownFor::Policy => "policy",
            GrownFor::Direct => "direct",
            GrownFor::Unexplained => "unexplained",
        }
    }
}

/// A share of the growth of all memories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrowthShare {
    /// What it went to.
    pub what: GrownFor,
    /// Of blocks, the context that holds them; of lost ones, that of those that hang on nothing. Of
    /// all else the context that asked for it.
    pub stack: Option<StackId>,
    /// The bytes.
    pub bytes: u64,
    /// The finding that says more about it: an index into [`crate::Outcome::findings`].
    pub finding: Option<usize>,
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
    /// Why, for the most part. `None` if it was refused.
    pub cause: Option<GrowthCause>,
    /// Live bytes just before.
    pub live_bytes: u64,
    /// Bytes that the allocator was asked for when it grew, if it was the allocator.
    pub request: Option<u64>,
    /// What was free in the heap just before, for a growth by the guest of its first memory.
    pub free: Option<FreeSpace>,
}

/// What was free in a heap at one moment. What blocks take beyond their size is an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeSpace {
    /// Bytes between the blocks and up to the highest byte ever handed out.
    pub bytes: u64,
    /// Bytes above that, which had never been handed out.
    pub tail: u64,
    /// The runs that make up `bytes`, if they were looked at.
    pub runs: Option<FreeRuns>,
}

/// Free runs between blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FreeRuns {
    /// How many.
    pub count: u64,
    /// Bytes of the longest.
    pub largest: u64,
}
