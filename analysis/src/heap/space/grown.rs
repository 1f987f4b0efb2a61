//! What was grown, by address: why, and for whom. So that at the end it can be told what became of it.

use crate::profile::{GrowthCause, StackId};
use std::ops::Range;

/// Stretches that are told apart: as many as a memory of 32 bits has pages.
const MAX_STRETCHES: usize = 65_536;

/// A part of a memory that was grown for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The memory's place among all.
    pub(crate) memory: usize,
    pub(crate) range: Range<u64>,
    pub(crate) cause: GrowthCause,
    /// The context whose request it was, or that grew it.
    pub(crate) stack: StackId,
}

/// All that was grown by the guest, but for what is beyond the cap.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grown {
    list: Vec<Stretch>,
}

impl Grown {
    pub(super) fn add(&mut self, stretch: Stretch) {
        if stretch.range.is_empty() {
            return;
        }
        if let Some(last) = self.list.last_mut()
            && (last.memory, last.cause, last.stack, last.range.end)
                == (stretch.memory, stretch.cause, stretch.stack, stretch.range.start)
        {
            last.range.end = stretch.range.end;
        } else if self.list.len() < MAX_STRETCHES {
            self.list.push(stretch);
        }
    }

    /// What was grown in advance in a memory was in demand after all up to `top`. Gives the bytes
    /// of that.
    pub(super) fn advance_was_demand(&mut self, memory: usize, top: u64) -> u64 {
        let mut used = 0;
        let mut rest = Vec::new();
        for stretch in &mut self.list {
            let Range { start, end } = stretch.range;
            if stretch.memory != memory || stretch.cause != GrowthCause::Policy || start >= top {
                continue;
            }
            let end_used = end.min(top);
            used += end_used - start;
            if end_used < end {
                rest.push(Stretch { range: end_used..end, ..stretch.clone() });
            }
            *stretch =
                Stretch { range: start..end_used, cause: GrowthCause::Demand, ..stretch.clone() };
        }
        self.list.append(&mut rest);
        used
    }

    /// All stretches, by memory and address.
    pub(super) fn finish(mut self) -> Vec<Stretch> {
        self.list.sort_unstable_by_key(|stretch| (stretch.memory, stretch.range.start));
        self.list
    }
}
