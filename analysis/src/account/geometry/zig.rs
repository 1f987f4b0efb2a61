//! Zig's allocators for wasm, which write nothing beside a block in use: the size tells what it takes,
//! and the address whether that can be.
//!
//! `WasmAllocator` takes a power of two that has a word more than was asked for, at a multiple of
//! itself up to 64 KiB; above that as many pages, their number a power of two. `WasmPageAllocator`
//! takes whole pages.

use super::{Descriptor, Keeping, Known};
use std::ops::Range;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    known: Known::Zig,
    family: "zig",
    by_address: true,
    keeping: |evidence| {
        let is_page = |&(addr, _): &(u64, u64)| addr.is_multiple_of(PAGE);
        let small = evidence.blocks.iter().filter(|&&(_, size)| size < PAGE / 2);
        let only_pages = evidence.blocks.iter().all(is_page) && small.take(2).count() == 2;
        Some(Box::new(Zig { word: evidence.word.size(), only_pages }))
    },
};

const PAGE: u64 = 65_536;

struct Zig {
    word: u64,
    only_pages: bool,
}

impl Zig {
    fn taken(&self, size: u64) -> u64 {
        let pages = |size: u64| size.div_ceil(PAGE);
        if self.only_pages {
            return pages(size).saturating_mul(PAGE);
        }
        let needed = size.saturating_add(self.word).max(2 * self.word);
        let taken = match needed <= PAGE / 2 {
            true => needed.checked_next_power_of_two(),
            false => pages(needed).checked_next_power_of_two().and_then(|it| it.checked_mul(PAGE)),
        };
        taken.unwrap_or(size)
    }
}

impl Keeping for Zig {
    fn look(&self, addr: u64, size: u64) -> Option<Range<u64>> {
        let taken = self.taken(size);
        addr.is_multiple_of(taken.min(PAGE)).then_some(addr..addr.saturating_add(taken))
    }

    fn rule(&self, addr: u64, size: u64) -> Range<u64> {
        addr..addr.saturating_add(self.taken(size))
    }
}
