//! What a guest does to its heap that makes no sense: counted and described, never an error.
//!
//! One entry for each kind, place and function called there, with an example. It decides nothing:
//! whether an anomaly is a finding is for [`crate::analyses`] to say.

use crate::profile::StackId;
use rustc_hash::FxHashMap;
use seepage_trace::TracepointId;

/// What makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnomalyKind {
    /// A block was freed that had been freed already.
    DoubleFree,
    /// Something was freed that is no block.
    UnknownFree,
    /// An address inside a block was freed.
    InteriorFree,
    /// Something was reallocated that is no live block.
    UnknownRealloc,
    /// The allocator returned the address of a live block.
    Overlap,
    /// A block was freed with another size than it was allocated with.
    SizeMismatch,
    /// A block was freed with another alignment than it was allocated with.
    AlignmentMismatch,
    /// A block was freed by a function that is for the blocks of another one, as `free` is for
    /// those of `malloc` and not for those of `new`.
    MismatchedFree,
    /// A block was freed by the host and allocated by the module, or the other way round. Only
    /// where that was asked for: see [`crate::Config::crossing_frees`].
    CrossingFree,
    /// The allocator refused.
    FailedAllocation,
}

impl AnomalyKind {
    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            AnomalyKind::DoubleFree => "double-free",
            AnomalyKind::UnknownFree => "unknown-free",
            AnomalyKind::InteriorFree => "interior-free",
            AnomalyKind::UnknownRealloc => "unknown-realloc",
            AnomalyKind::Overlap => "overlap",
            AnomalyKind::SizeMismatch => "size-mismatch",
            AnomalyKind::AlignmentMismatch => "alignment-mismatch",
            AnomalyKind::MismatchedFree => "mismatched-free",
            AnomalyKind::CrossingFree => "crossing-free",
            AnomalyKind::FailedAllocation => "failed-allocation",
        }
    }

    /// Whether it is an error of the program or of its allocator. A refusal is neither.
    pub fn is_error(self) -> bool {
        self != AnomalyKind::FailedAllocation
    }
}

/// One kind of anomaly at one place. All but the count tell of its first occurrence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// What it is.
    pub kind: AnomalyKind,
    /// Where.
    pub stack: StackId,
    /// The function of the allocator that was called there.
    pub by: TracepointId,
    /// How often.
    pub count: u64,
    /// The event.
    pub clock: u64,
    /// The address; for a refused allocation 0, or the block that was to be resized.
    pub address: u64,
    /// The size that the caller passed, where it passed one; of an alignment mismatch, the
    /// alignment.
    pub size: Option<u64>,
    /// The size of the block that it is about, where there is one; of an alignment mismatch, its
    /// alignment. Of what is no block in its own module, it is one of another at that address.
    pub block_size: Option<u64>,
    /// Where that block was allocated.
    pub allocation: Option<StackId>,
    /// The function that had allocated it, unless it is gone by now.
    pub allocated_by: Option<TracepointId>,
    /// Where the address was freed before.
    pub first_free: Option<StackId>,
}

impl Anomaly {
    pub(crate) fn new(kind: AnomalyKind, (stack, by): At, clock: u64, address: u64) -> Anomaly {
        Anomaly {
            kind,
            stack,
            by,
            count: 1,
            clock,
            address,
            size: None,
            block_size: None,
            allocation: None,
            allocated_by: None,
            first_free: None,
        }
    }
}

/// A place, and the function that was called there: without lines several calls are one place.
type At = (StackId, TracepointId);

/// All anomalies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Anomalies {
    list: Vec<Anomaly>,
    index: FxHashMap<(AnomalyKind, At), usize>,
    cap: usize,
    /// Occurrences that found no place.
    pub(crate) dropped: u64,
}

impl Anomalies {
    pub(crate) fn new(cap: usize) -> Anomalies {
        Anomalies { cap, ..Anomalies::default() }
    }

    /// Whether it has happened at this place before, and is listed.
    pub(crate) fn knows(&self, kind: AnomalyKind, at: At) -> bool {
        self.index.contains_key(&(kind, at))
    }

    /// Whether nothing further can be described.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= self.cap
    }

    /// Counts one; whether it is the first of its kind and place and will be described.
    pub(crate) fn count(&mut self, kind: AnomalyKind, at: At) -> bool {
        if let Some(known) = self.index.get(&(kind, at)).and_then(|&at| self.list.get_mut(at)) {
            known.count += 1;
            return false;
        }
        if self.is_full() {
            self.dropped += 1;
            return false;
        }
        true
    }

    /// Describes the first of a kind and place, which [`Self::count`] has asked for.
    pub(crate) fn describe(&mut self, anomaly: Anomaly) {
        self.index.insert((anomaly.kind, (anomaly.stack, anomaly.by)), self.list.len());
        self.list.push(anomaly);
    }

    /// By first appearance.
    pub(crate) fn finish(self) -> Vec<Anomaly> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entry_for_each_kind_and_place() {
        let mut anomalies = Anomalies::new(2);
        let mut saw = |kind, stack, clock| {
            let at = (StackId(stack), TracepointId(0));
            if anomalies.count(kind, at) {
                anomalies.describe(Anomaly::new(kind, at, clock, 8));
            }
        };
        saw(AnomalyKind::DoubleFree, 1, 5);
        saw(AnomalyKind::DoubleFree, 1, 6);
        saw(AnomalyKind::UnknownFree, 1, 7);
        saw(AnomalyKind::UnknownFree, 2, 8);
        assert_eq!(anomalies.dropped, 1);
        let list = anomalies.finish();
        assert_eq!((list[0].count, list[0].clock), (2, 5));
        assert_eq!((list.len(), list[1].kind), (2, AnomalyKind::UnknownFree));
    }
}
