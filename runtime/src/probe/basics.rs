//! What `malloc` and `free` must do.

use super::{
    Bench, Check, Result,
    guest::{Function, Guest},
};
use std::ops::Range;

/// Calls of the churn check, and blocks of the check that keeps them.
const PAIRS: u32 = 20_000;
const KEPT: u32 = 2_000;
const KEPT_SIZE: u32 = 5_000;

/// Blocks lie in memory, apart from each other, and keep what is written into them.
pub(super) fn blocks(bench: &Bench<'_>, malloc: &Function<'_>, checks: &mut Vec<Check>) -> bool {
    let run = |guest: &mut Guest| -> Result<String> {
        let mut blocks: Vec<(Range<u64>, u8)> = Vec::new();
        let before = guest.pages();
        for round in 0u32..200 {
            let size = [1, 8, 24, 40, 100, 500, 1500, 5000][round as usize % 8];
            let block = guest.allocate(malloc, size)?;
            if block.start % 4 != 0 {
                return Err(format!("{:#x} is not aligned", block.start));
            }
            if let Some((other, _)) =
                blocks.iter().find(|(b, _)| b.start < block.end && block.start < b.end)
            {
                return Err(format!("{block:x?} overlaps {other:x?}"));
            }
            let mark = round as u8 ^ 0x5a;
            guest.bytes(&block)?.fill(mark);
            blocks.push((block, mark));
        }
        for (block, mark) in &blocks {
            if guest.bytes(block)?.iter().any(|byte| byte != mark) {
                return Err(format!("what was written to {block:x?} has changed"));
            }
        }
        let grown = (guest.pages() - before) * 64;
        let asked: u64 = blocks.iter().map(|(block, _)| block.end - block.start).sum();
        if grown * 1024 > asked * 4 + (4 << 20) {
            return Err(format!("the memory grew by {grown} KiB for {} KiB", asked / 1024));
        }
        Ok("200 blocks of 1 to 5000 bytes are aligned, apart, and keep what is written".into())
    };
    bench.check("blocks", malloc, checks, run)
}

/// What is kept makes the memory grow, and by no more than it needs.
pub(super) fn growth(bench: &Bench<'_>, malloc: &Function<'_>, checks: &mut Vec<Check>) -> bool {
    bench.check("growth", malloc, checks, |guest| keeps(guest, malloc))
}

fn keeps(guest: &mut Guest, malloc: &Function<'_>) -> Result<String> {
    let before = guest.pages();
    for _ in 0..KEPT {
        guest.allocate(malloc, KEPT_SIZE)?;
    }
    let pages = guest.pages() - before;
    let needed = u64::from(KEPT) * u64::from(KEPT_SIZE) / 65536;
    // What was there before may have room for a part of it.
    let room = before.min(needed);
    if pages + room < needed || pages > needed * 3 + 64 {
        return Err(format!("the memory grew by {pages} pages for {needed}"));
    }
    Ok(format!("{KEPT} kept blocks of {KEPT_SIZE} bytes grow the memory by {pages} pages"))
}

/// A freed block serves again, over and over.
pub(super) fn reuse(
    bench: &Bench<'_>,
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
        guest.free(free, block.start, 64)?;
        let mut seen = Vec::new();
        for _ in 0..PAIRS {
            let again = guest.allocate(malloc, 64)?;
            if seen.len() < 64 && !seen.contains(&again.start) {
                seen.push(again.start);
            }
            guest.bytes(&again)?.fill(0xa5);
            guest.free(free, again.start, 64)?;
        }
        let pages = guest.pages() - before;
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
pub(super) fn refill(
    bench: &Bench<'_>,
    malloc: &Function<'_>,
    free: &Function<'_>,
    checks: &mut Vec<Check>,
) -> bool {
    let refill = |guest: &mut Guest| -> Result<String> {
        let mut blocks = Vec::new();
        for _ in 0..KEPT / 2 {
            blocks.push(guest.allocate(malloc, KEPT_SIZE)?);
        }
        let full = guest.pages();
        for block in blocks {
            guest.free(free, block.start, u64::from(KEPT_SIZE))?;
        }
        let mut again: Vec<Range<u64>> = Vec::new();
        for _ in 0..KEPT / 2 {
            again.push(guest.allocate(malloc, KEPT_SIZE)?);
        }
        again.sort_by_key(|block| block.start);
        if let Some(pair) = again.windows(2).find(|pair| pair[0].end > pair[1].start) {
            return Err(format!("{:x?} and {:x?} overlap", pair[0], pair[1]));
        }
        let pages = guest.pages() - full;
        if pages > full / 10 + 2 {
            return Err(format!("after all was freed the memory grew by {pages} pages more"));
        }
        Ok(format!("{} freed blocks serve again; {pages} pages more", KEPT / 2))
    };
    bench.check("refill", free, checks, refill)
}
