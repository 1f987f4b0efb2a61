//! What `malloc` and `free` must do.

use crate::{
    Bench, CALL, Check, Result,
    guest::{Function, Guest},
};
use std::ops::Range;

/// Calls of the check that gives back at once.
const PAIRS: u32 = 20_000;

/// Sizes to ask for.
const SIZES: [u64; 8] = [1, 8, 24, 40, 100, 500, 1500, 5000];

/// An allocator that serves nothing of that size is none.
const SMALLEST: u64 = 100;

/// Bytes to keep, if that takes no more than so many blocks.
const KEPT: u64 = 10_000_000;
const MOST_KEPT: u64 = 20_000;

/// The sizes that an allocator takes: one for small blocks only is one too.
pub(crate) struct Sizes {
    largest: u64,
}

impl Default for Sizes {
    fn default() -> Sizes {
        Sizes { largest: 5000 }
    }
}

impl Sizes {
    /// What a `malloc` says: 0 to a larger size is no failure.
    pub(crate) fn of(bench: &mut Bench<'_>, malloc: &Function<'_>) -> Sizes {
        let served = |bench: &mut Bench<'_>, size: u64| {
            bench.run(CALL, |guest| guest.allocate(malloc, size)).is_ok()
        };
        let mut sizes = SIZES.into_iter().rev().take_while(|&size| size >= SMALLEST);
        let largest = sizes.find(|&size| served(bench, size));
        largest.map_or_else(Sizes::default, |largest| Sizes { largest })
    }

    fn up_to_largest(&self) -> impl Iterator<Item = u64> + Clone {
        SIZES.into_iter().filter(|&size| size <= self.largest)
    }

    /// How many of the largest are kept.
    fn kept(&self) -> u64 {
        (KEPT / self.largest).min(MOST_KEPT)
    }
}

/// Blocks lie in memory, apart from each other, and keep what is written into them.
pub(crate) fn blocks(
    bench: &mut Bench<'_>,
    malloc: &Function<'_>,
    sizes: &Sizes,
    checks: &mut Vec<Check>,
) -> bool {
    let run = |guest: &mut Guest| -> Result<String> {
        let mut blocks: Vec<(Range<u64>, u8)> = Vec::new();
        let before = guest.pages();
        for (round, size) in (0u8..200).zip(sizes.up_to_largest().cycle()) {
            let block = guest.allocate(malloc, size)?;
            if block.start % 4 != 0 {
                return Err(format!("{:#x} is not aligned", block.start));
            }
            if let Some((other, _)) =
                blocks.iter().find(|(b, _)| b.start < block.end && block.start < b.end)
            {
                return Err(format!("{block:x?} overlaps {other:x?}"));
            }
            let mark = round ^ 0x5a;
            guest.fill(&block, mark)?;
            blocks.push((block, mark));
        }
        for (block, mark) in &blocks {
            if guest.read(block)?.iter().any(|byte| byte != mark) {
                return Err(format!("what was written to {block:x?} has changed"));
            }
        }
        let grown = guest.pages().saturating_sub(before) * 64;
        let asked: u64 = blocks.iter().map(|(block, _)| block.end - block.start).sum();
        if grown * 1024 > asked * 4 + (4 << 20) {
            return Err(format!("the memory grew by {grown} KiB for {} KiB", asked / 1024));
        }
        Ok(format!(
            "200 blocks of 1 to {} bytes are aligned, apart, and keep what is written",
            sizes.largest
        ))
    };
    bench.check("blocks", malloc, checks, run)
}

/// What is kept makes the memory grow, and by no more than it needs.
pub(crate) fn growth(
    bench: &mut Bench<'_>,
    malloc: &Function<'_>,
    sizes: &Sizes,
    checks: &mut Vec<Check>,
) -> bool {
    bench.check("growth", malloc, checks, |guest| keeps(guest, malloc, sizes))
}

fn keeps(guest: &mut Guest, malloc: &Function<'_>, sizes: &Sizes) -> Result<String> {
    let (kept, size) = (sizes.kept(), sizes.largest);
    let before = guest.pages();
    for _ in 0..kept {
        guest.allocate(malloc, size)?;
    }
    let pages = guest.pages().saturating_sub(before);
    let needed = kept * size / 65536;
    // What was there before may have room for a part of it.
    let room = before.min(needed);
    if pages + room < needed || pages > needed * 3 + 64 {
        return Err(format!("the memory grew by {pages} pages for {needed}"));
    }
    Ok(format!("{kept} kept blocks of {size} bytes grow the memory by {pages} pages"))
}

/// A freed block serves again, over and over.
pub(crate) fn reuse(
    bench: &mut Bench<'_>,
    malloc: &Function<'_>,
    free: &Function<'_>,
    checks: &mut Vec<Check>,
) -> bool {
    let churn = |guest: &mut Guest| -> Result<String> {
        // Neighbours keep a freed block from melting into the free space around it.
        let _fence = guest.allocate(malloc, 64)?;
        let block = guest.allocate(malloc, 64)?;
        let _fence = guest.allocate(malloc, 64)?;
        let before = guest.pages();
        guest.free(free, &block)?;
        let mut seen = Vec::new();
        for _ in 0..PAIRS {
            let again = guest.allocate(malloc, 64)?;
            if seen.len() < 64 && !seen.contains(&again.start) {
                seen.push(again.start);
            }
            guest.fill(&again, 0xa5)?;
            guest.free(free, &again)?;
        }
        let pages = guest.pages().saturating_sub(before);
        if pages > 8 || seen.len() > 16 {
            return Err(format!(
                "{PAIRS} pairs of malloc and free touch {} addresses or more and grow the \
                 memory by {pages} pages",
                seen.len()
            ));
        }
        if !seen.contains(&block.start) {
            return Err("a freed block does not serve again".into());
        }
        Ok(format!("{PAIRS} pairs of malloc and free use {} addresses", seen.len()))
    };
    bench.check("reuse", free, checks, churn)
}

/// All that was freed serves again.
pub(crate) fn refill(
    bench: &mut Bench<'_>,
    malloc: &Function<'_>,
    free: &Function<'_>,
    sizes: &Sizes,
    checks: &mut Vec<Check>,
) -> bool {
    let (count, size) = (sizes.kept() / 2, sizes.largest);
    let refill = |guest: &mut Guest| -> Result<String> {
        let mut blocks = Vec::new();
        for _ in 0..count {
            blocks.push(guest.allocate(malloc, size)?);
        }
        let full = guest.pages();
        for block in blocks {
            guest.free(free, &block)?;
        }
        let mut again: Vec<Range<u64>> = Vec::new();
        for _ in 0..count {
            again.push(guest.allocate(malloc, size)?);
        }
        again.sort_by_key(|block| block.start);
        if let Some(pair) = again.windows(2).find(|pair| pair[0].end > pair[1].start) {
            return Err(format!("{:x?} and {:x?} overlap", pair[0], pair[1]));
        }
        let pages = guest.pages().saturating_sub(full);
        if pages > full / 10 + 2 {
            return Err(format!("after all was freed the memory grew by {pages} pages more"));
        }
        Ok(format!("{count} freed blocks serve again; {pages} pages more"))
    };
    bench.check("refill", free, checks, refill)
}
