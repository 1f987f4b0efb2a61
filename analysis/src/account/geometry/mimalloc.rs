//! mimalloc 2 and 3: blocks of one size lie side by side in a page, and the record of the page has
//! that size and, in the next word, where the first of them begins.
//!
//! The records stand at the beginning of a segment of 4 MiB (version 2) or of the page itself
//! (version 3). Where in a record the two words are differs with the version, so every pair that could
//! be them is looked at, and a page is believed if its blocks lie in steps of its size.

use super::{Descriptor, Evidence, Keeping, Known};
use crate::image::Word;
use std::ops::Range;

pub(super) const DESCRIPTOR: Descriptor = Descriptor {
    known: Known::Mimalloc,
    family: "mimalloc",
    by_address: false,
    keeping: |evidence| {
        if evidence.word != Word::Four {
            return None;
        }
        Some(Box::new(Mimalloc { pages: pages(evidence), word: evidence.word.size() }))
    },
};

/// A segment of version 2, and how long the records at its beginning are at most.
const SEGMENT: u64 = 4 << 20;
const RECORDS: u64 = 8192;
/// A slice of memory: a page begins with one. Its own record in version 3 is shorter than this.
const SLICE: u64 = 32 << 10;
const RECORD: u64 = 128;
/// How far behind its record the first block of a page begins at most, but for alignments.
const FIRST_BLOCK: u64 = 4096;
/// No more pages are looked at: what lies beyond is as the rule says.
const MAX_PAGES: usize = 1 << 20;
/// Blocks above this have a page of their own, of whole slices.
const LARGE: u64 = 64 << 10;
/// Other words of a record look like a page as well: so many are tried.
const PAIRS: usize = 4;
/// Blocks are aligned to this, as aligned ones are.
const ALIGN: u64 = 16;
/// What a reallocation leaves in its place may be half empty.
const MOST: u64 = 2;

struct Page {
    first: u64,
    block: u64,
}

struct Mimalloc {
    /// By address.
    pages: Vec<Page>,
    word: u64,
}

/// Every pair of words that could be a page's, where records may stand and blocks are.
fn pages(evidence: Evidence<'_>) -> Vec<Page> {
    let mut pages = Vec::new();
    let mut next = 0;
    let Some(image) = evidence.image else { return pages };
    for &(addr, _) in evidence.blocks.iter().filter(|&&(addr, _)| addr < image.bytes) {
        // From the beginning of the segment that this block is in, or from where we are, to the block.
        let mut base = next.max(addr & !(SEGMENT - 1));
        while base <= addr && pages.len() < MAX_PAGES {
            let is_segment = base.is_multiple_of(SEGMENT);
            let records = base..base + if is_segment { RECORDS } else { RECORD };
            let firsts = base + 1..=base + if is_segment { SEGMENT } else { FIRST_BLOCK };
            let mut before = (0, 0);
            image.words(records, Word::Four, 4, |at, value| {
                let (place, block) = std::mem::replace(&mut before, (at, value));
                let is_pair = place + 4 == at && firsts.contains(&value);
                if is_pair && (4..u64::from(u32::MAX) / 2).contains(&block) && block % 4 == 0 {
                    pages.push(Page { first: value, block });
                }
            });
            base += SLICE;
            next = base;
        }
    }
    pages.sort_by_key(|page| (page.first, page.block));
    pages.dedup_by_key(|page| (page.first, page.block));
    pages
}

impl Mimalloc {
    /// The size of the blocks from which one of that size is taken.
    fn block(&self, size: u64) -> u64 {
        let words = size.max(1).div_ceil(self.word);
        let rounded = match words {
            0..=2 => words,
            3..=16 => words.next_multiple_of(4),
            _ if size > LARGE => size.checked_next_multiple_of(LARGE).unwrap_or(size) / self.word,
            _ => {
                // Four sizes between a power of two and the next.
                let step = (words - 1).ilog2().saturating_sub(2);
                words.next_multiple_of(1 << step)
            }
        };
        rounded.saturating_mul(self.word)
    }
}

impl Keeping for Mimalloc {
    fn look(&self, addr: u64, size: u64) -> Option<Range<u64>> {
        let behind = self.pages.partition_point(|page| page.first <= addr);
        let end = addr.checked_add(size)?;
        let most = self.block(size).saturating_mul(MOST);
        let pages = self.pages[..behind].iter().rev().take(PAIRS);
        pages.filter(|page| page.block <= most).find_map(|page| {
            let inside = (addr - page.first) % page.block;
            let place = addr - inside..(addr - inside).checked_add(page.block)?;
            // An aligned block may begin inside of the place it has.
            (inside.is_multiple_of(ALIGN) && end <= place.end).then_some(place)
        })
    }

    fn rule(&self, addr: u64, size: u64) -> Range<u64> {
        addr..addr.saturating_add(self.block(size))
    }
}
