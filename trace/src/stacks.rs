//! What every host does when it learns the stack behind a context value: make it canonical, and
//! stop when there are too many.
//!
//! A context value stands for one canonical stack, so what is not part of the value must not be in
//! the stack: frames outside the export by which the host entered, and the depth of a recursion.

use crate::{message::Frame, sites::SiteTable};
use alloc::vec::Vec;

/// Calls that are kept of a context beyond the cap.
const SHORT: usize = 4;

/// Stacks that are captured whole, unless a host is told otherwise.
pub const DEFAULT_STACKS: usize = 262_144;

/// How many stacks have been captured, and how many may be.
#[derive(Debug)]
pub struct Budget {
    limit: usize,
    captured: usize,
    refused: u64,
}

impl Budget {
    /// So many stacks are captured whole, four times as many with their innermost calls.
    pub fn new(limit: usize) -> Budget {
        Budget { limit, captured: 0, refused: 0 }
    }

    /// How many calls of the next stack to keep; `None` when there is to be no further stack.
    pub fn take(&mut self) -> Option<usize> {
        if self.is_exhausted() {
            self.refused += 1;
            return None;
        }
        self.captured += 1;
        Some(if self.captured > self.limit { SHORT } else { usize::MAX })
    }

    /// Whether [`Self::take`] would refuse.
    pub fn is_exhausted(&self) -> bool {
        self.captured >= self.limit.saturating_mul(4)
    }

    /// Contexts that were left without a stack. A context that returns counts again.
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

/// One entry of a host's backtrace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// A function of the instrumented module, by its index there, and where in the module it is.
    Own(u32, Option<u32>),
    /// Anything else: another module, or the host's own code.
    Other,
}

impl SiteTable {
    /// The canonical stack of a backtrace that begins with the innermost call, and whether calls
    /// are missing because only `keep` were wanted.
    pub fn canonical(
        &self,
        backtrace: impl IntoIterator<Item = Call>,
        keep: usize,
    ) -> (Vec<Frame>, bool) {
        let mut frames: Vec<Frame> = Vec::new();
        let mut calls = 0;
        for call in backtrace {
            let Call::Own(index, offset) = call else {
                // Further out than the module's own frames: another module came in here.
                if frames.is_empty() { continue } else { return (frames, false) }
            };
            if !self.is_original(index) {
                continue;
            }
            match offset.and_then(|offset| self.site(offset)) {
                Some(site) if site.recursive => {
                    if let Some(inner) = frames.last_mut() {
                        inner.recursion = true;
                    }
                    continue;
                }
                // A call that is no site is one of the host's functions, which has called in again.
                None if !frames.is_empty() => return (frames, false),
                _ => {}
            }
            if calls == keep {
                return (frames, true);
            }
            calls += 1;
            frames.extend(self.frames(index, offset));
        }
        (frames, false)
    }

    /// Whether the function was in the module before it was instrumented.
    pub fn is_original(&self, index: u32) -> bool {
        matches!(self.functions.get(index as usize), Some(Some(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_cap_stacks_are_short_and_then_none() {
        let mut budget = Budget::new(2);
        let lengths: Vec<_> = (0..10).map(|_| budget.take()).collect();
        assert_eq!(lengths[..3], [Some(usize::MAX), Some(usize::MAX), Some(SHORT)]);
        assert_eq!(lengths[7..], [Some(SHORT), None, None]);
        assert_eq!(budget.refused(), 2);
    }
}
