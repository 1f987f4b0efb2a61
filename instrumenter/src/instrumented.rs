//! The result of instrumenting.

use crate::{inspection::Inspection, symbols::Symbols};
use seepage_trace::{Frame, SiteTable};

/// A rewritten module.
#[derive(Debug)]
pub struct Instrumented {
    /// Its bytes.
    pub wasm: Vec<u8>,
    /// What its section holds.
    pub table: SiteTable,
    /// What was hooked and what was not.
    pub inspection: Inspection,
    pub(crate) code_map: CodeMap,
    pub(crate) symbols: Symbols,
}

impl Instrumented {
    /// The frames of any instruction of the instrumented module, innermost first; for a trap,
    /// which is at no call and so in no [`SiteTable`]. Empty where instrumentation added the code.
    pub fn frames_at(&self, offset: u32) -> Vec<Frame> {
        match self.code_map.original(offset) {
            Some(original) => self.symbols.frames(original),
            None => Vec::new(),
        }
    }
}

/// Where the instructions of the instrumented module were in the original.
///
/// Runs of instructions that moved by the same distance are one entry, so that the map of a
/// module of tens of megabytes stays small.
#[derive(Debug, Default)]
pub(crate) struct CodeMap {
    /// New offset of the run's first instruction; distance to subtract; by rising offset.
    runs: Vec<(u32, i64)>,
}

impl CodeMap {
    /// From pairs (original, new) in any order.
    pub(crate) fn new(pairs: impl Iterator<Item = (u32, u32)>) -> CodeMap {
        let mut pairs: Vec<_> = pairs.map(|(original, new)| (new, original)).collect();
        pairs.sort_unstable();
        let mut runs: Vec<(u32, i64)> = Vec::new();
        for (new, original) in pairs {
            let distance = i64::from(new) - i64::from(original);
            if runs.last().is_none_or(|&(_, last)| last != distance) {
                runs.push((new, distance));
            }
        }
        runs.shrink_to_fit();
        CodeMap { runs }
    }

    /// The original offset of the instruction at `new`.
    pub(crate) fn original(&self, new: u32) -> Option<u32> {
        let run = self.runs.partition_point(|&(start, _)| start <= new).checked_sub(1)?;
        u32::try_from(i64::from(new) - self.runs[run].1).ok()
    }
}
