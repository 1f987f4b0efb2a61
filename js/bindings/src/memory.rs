//! The allocator. Engines make a new `ArrayBuffer` whenever a memory grows and count its bytes for
//! the collector, so memory is asked for in steps that become larger with it: instrumenting takes
//! some 50 bytes for each byte of a module, and would spend a third of its time on growing.

use core::arch::wasm32::{memory_grow, memory_size};
use std::{alloc::Layout, ptr::NonNull};
use talc::{
    base::{Talc, binning::Binning},
    cell::TalcSyncCell,
    source::Source,
    wasm::WasmBinning,
};

const PAGE: usize = 65_536;
/// Pages of the smallest step and of the largest.
const STEPS: (usize, usize) = (16, 1024);
/// Bytes beside a block that a stretch of memory must have room for.
const MARGIN: usize = 64;

#[global_allocator]
static ALLOCATOR: TalcSyncCell<Steps, WasmBinning> = TalcSyncCell::new_wasm(Steps { end: None });

/// Takes memory from the engine.
#[derive(Debug)]
struct Steps {
    /// Where the memory ends that was taken last.
    end: Option<NonNull<u8>>,
}

// SAFETY: it allocates nothing.
unsafe impl Source for Steps {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        let needed = (layout.size() + layout.align() + MARGIN).div_ceil(PAGE);
        let step = (memory_size::<0>() / 8).clamp(STEPS.0, STEPS.1).max(needed);
        let (at, pages) = [step, needed]
            .into_iter()
            .map(|pages| (memory_grow::<0>(pages), pages))
            .find(|(at, _)| *at != usize::MAX)
            .ok_or(())?;
        let start = (at * PAGE) as *mut u8;
        // The last byte of an address space has no end behind it.
        let size = (pages * PAGE).min(usize::MAX - at * PAGE);
        let end = talc.source.end.take().filter(|end| end.as_ptr() == start);
        // SAFETY: the engine has just made this memory, and nobody else has it.
        talc.source.end = match end {
            Some(end) => Some(unsafe { talc.extend(end, start.wrapping_add(size)) }),
            None => unsafe { talc.claim(start, size) },
        };
        talc.source.end.map(|_| ()).ok_or(())
    }
}
