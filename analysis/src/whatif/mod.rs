//! What if: how large the memory would be without some blocks.
//!
//! ```text
//! trace ─► Session ─► Outcome, Remaining ─► Plan ─┐
//!   └─────────────────────────────────────────────┴─► Replay ─► WhatIf
//! ```
//!
//! The trace is read twice: only at its end is it known which blocks are lost. [`Replay`] leads its
//! events through two models of the allocator, one with all blocks and one in which those of the
//! plan are freed in time. The first tells how far the models can be trusted.

mod model;
mod plan;
mod replay;
mod shape;
#[cfg(test)]
mod tests;

use crate::profile::Count;
pub use plan::{NothingToRemove, Plan, Remaining, Selection};
pub use replay::Replay;
pub(crate) use shape::HeapShape;

/// How large the memory would be without some blocks. Pages are of 64 KiB, of all memories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WhatIf {
    /// The blocks that were taken away, in words.
    pub without: String,
    /// The allocators' models.
    pub model: String,
    /// The blocks that were taken away.
    pub removed: Count,
    /// What the memories had at the end.
    pub pages_now: u64,
    /// What they have by the model, with nothing taken away.
    pub pages_modelled: u64,
    /// What they have by the model without these blocks.
    pub pages_then: u64,
    /// Blocks beyond the cap that the model did not follow.
    pub dropped: u64,
}

impl WhatIf {
    /// By how much the model is wrong about the run as it was.
    pub fn error_pages(&self) -> u64 {
        self.pages_now.abs_diff(self.pages_modelled)
    }

    /// Whether the difference that the blocks make is larger than the model's error.
    pub fn is_beyond_error(&self) -> bool {
        let least = self.pages_now.min(self.pages_modelled);
        least.saturating_sub(self.pages_then) > self.error_pages()
    }
}
