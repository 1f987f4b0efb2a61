//! The stack behind a context value, taken the first time the value is seen.
//!
//! A context value stands for one canonical stack, so what is not part of the value must not be in
//! the stack: frames outside the export by which the host entered, and the depth of a recursion.
//! The number of stacks is capped; what the cap leaves out is counted.

use seepage_trace::{Frame, SiteTable};
use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
};
use wasmtime::{FrameInfo, Module, WasmBacktrace};

/// Frames that wasmtime is asked for; a deeper stack is marked as truncated.
pub(crate) const MAX_FRAMES: usize = 4096;

/// Of a stack that stands for no context, the innermost calls that are kept.
pub(crate) const INNERMOST: usize = 64;

/// Calls that are kept of a context beyond the cap.
const SHORT: usize = 4;

/// How many stacks have been captured, and how many may be.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    captured: usize,
    refused: u64,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Budget {
        Budget { limit, captured: 0, refused: 0 }
    }

    /// How many calls of the next stack to keep; `None` when there is to be no further stack.
    pub(crate) fn next(&mut self) -> Option<usize> {
        if self.captured >= self.limit.saturating_mul(4) {
            self.refused += 1;
            return None;
        }
        self.captured += 1;
        Some(if self.captured > self.limit { SHORT } else { usize::MAX })
    }

    /// Contexts that were left without a stack. A context that returns counts again.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }
}

/// The canonical stack of a context of `module`, and whether something is missing.
pub(crate) fn canonical(
    backtrace: &WasmBacktrace,
    module: &Module,
    table: &SiteTable,
    keep: usize,
) -> (Vec<Frame>, bool) {
    let mut frames: Vec<Frame> = Vec::new();
    let mut calls = 0;
    for info in backtrace.frames() {
        if !Module::same(info.module(), module) {
            // Further out than the module's own frames: another module came in here.
            if frames.is_empty() { continue } else { return (frames, false) }
        }
        if !is_original(table, info.func_index()) {
            continue;
        }
        let offset = offset(info);
        match offset.and_then(|offset| table.site(offset)) {
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
        frames.extend(table.frames(info.func_index(), offset));
    }
    (frames, backtrace.frames().len() >= MAX_FRAMES)
}

/// Whether the function was in the module before it was instrumented.
pub(crate) fn is_original(table: &SiteTable, index: u32) -> bool {
    matches!(table.functions.get(index as usize), Some(Some(_)))
}

/// Offset of a frame's instruction in its module.
fn offset(info: &FrameInfo) -> Option<u32> {
    info.module_offset().and_then(|offset| u32::try_from(offset).ok())
}

/// One call of a stack, without a name: a function of the instrumented module, and where in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) function: u32,
    pub(crate) offset: Option<u32>,
}

impl Call {
    pub(crate) fn of(info: &FrameInfo) -> Call {
        Call { function: info.func_index(), offset: offset(info) }
    }
}

/// The innermost calls of a stack on which there is one module.
pub(crate) fn calls(backtrace: &WasmBacktrace) -> Box<[Call]> {
    backtrace.frames().iter().take(INNERMOST).map(Call::of).collect()
}

/// Context values that were seen.
pub(crate) type ContextSet = HashSet<u64, BuildHasherDefault<ContextHasher>>;

/// Contexts are sums of small products, so that one multiplication spreads them well enough.
#[derive(Debug, Default)]
pub(crate) struct ContextHasher(u64);

impl Hasher for ContextHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(byte.into()));
    }

    fn write_u64(&mut self, value: u64) {
        let spread = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = spread ^ spread >> 32;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_cap_stacks_are_short_and_then_none() {
        let mut budget = Budget::new(2);
        let lengths: Vec<_> = (0..10).map(|_| budget.next()).collect();
        assert_eq!(lengths[..3], [Some(usize::MAX), Some(usize::MAX), Some(SHORT)]);
        assert_eq!(lengths[7..], [Some(SHORT), None, None]);
        assert_eq!(budget.refused(), 2);
    }
}
