//! The stack behind a context value, taken from wasmtime the first time the value is seen.

use seepage_trace::{Frame, SiteTable, stacks};
use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, Hasher},
};
use wasmtime::{FrameInfo, Module, WasmBacktrace};

/// Frames that wasmtime is asked for; a deeper stack is marked as truncated.
pub(crate) const MAX_FRAMES: usize = 4096;

/// Of a stack that stands for no context, the innermost calls that are kept.
pub(crate) const INNERMOST: usize = 64;

/// The canonical stack of a context of `module`, and whether something is missing.
pub(crate) fn canonical(
    backtrace: &WasmBacktrace,
    module: &Module,
    table: &SiteTable,
    keep: usize,
) -> (Vec<Frame>, bool) {
    let infos = backtrace.frames();
    let calls = infos.iter().map(|info| {
        if Module::same(info.module(), module) {
            stacks::Call::Own(info.func_index(), offset(info))
        } else {
            stacks::Call::Other
        }
    });
    let (frames, truncated) = table.canonical(calls, keep);
    (frames, truncated || infos.len() >= MAX_FRAMES)
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
