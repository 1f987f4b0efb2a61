//! What the other functions of an allocator must do, whose `malloc` and `free` have passed.
//!
//! Each must do its own service, on a fresh heap and on a used one; what it hands out must go back
//! by `free`; and where it asks `malloc` itself it must ask for no more than it was asked for: a
//! function of the program's that only happens to behave, such as one that doubles an array, is
//! none of the allocator's.

use crate::{
    Bench, Check, Meaning, Probed, Result, Service, Suspect,
    blocks::{Block, Blocks},
    guest::{Function, Guest, Values},
};
use std::ops::Range;

/// Sizes of blocks before and after: both ways, near and far, within and across the size classes
/// that an allocator may have.
const RESIZES: [(u64, u64); 18] = [
    (24, 40),
    (40, 50),
    (40, 4000),
    (4000, 100),
    (100, 20_000),
    (8, 16),
    (24, 20),
    (500, 505),
    (500, 499),
    (1500, 24),
    (5000, 5000),
    (64, 70_000),
    (64_000, 60_000),
    (70_000, 64),
    (1, 2),
    (3000, 3100),
    (200, 1000),
    (1000, 8),
];

/// Sizes to allocate: counts and sizes where a function takes both.
const SIZES: [(u64, u64); 9] =
    [(1, 1), (8, 1), (3, 8), (1, 40), (25, 4), (10, 50), (1500, 1), (5, 1000), (1, 20_000)];

const ALIGNS: [u64; 6] = [16, 64, 256, 4096, 32, 1024];

/// Rounds after which the memory shows whether blocks come back.
const ROUNDS: u32 = 2_000;

/// Blocks to keep, to compare the room they take, and their size.
const KEPT: u32 = 4_000;
const KEPT_SIZE: u64 = 200;

/// Tries the suspects one by one.
pub(crate) fn run(
    bench: &mut Bench<'_>,
    malloc: &Function<'_>,
    free: &Function<'_>,
    suspects: &[Suspect],
    probed: &mut Probed,
) {
    for (index, suspect) in suspects.iter().enumerate() {
        if [malloc.export, free.export].contains(&suspect.export.as_str()) {
            continue;
        }
        if bench.fuel == 0 {
            let left = suspects.len() - index;
            let detail = format!("{left} functions were not tried: the time was up");
            probed.checks.push(Check { name: "others", export: None, passed: false, detail });
            return;
        }
        let mut furthest = Vec::new();
        let passed = bench.try_readings(
            suspect,
            |bench, tried, checks| Trial { malloc, free, tried }.passes(bench, checks),
            &mut furthest,
        );
        match passed {
            Some((reading, checks)) => {
                probed.checks.extend(checks);
                probed.others.push((index, reading));
            }
            // What fails the first check of each reading is nothing to speak of.
            None if furthest.len() > 1 => probed.checks.extend(furthest),
            None => {}
        }
    }
}

/// A function on trial, with the `malloc` and `free` it belongs to.
struct Trial<'a> {
    malloc: &'a Function<'a>,
    free: &'a Function<'a>,
    tried: &'a Function<'a>,
}

impl Trial<'_> {
    fn passes(&self, bench: &mut Bench<'_>, checks: &mut Vec<Check>) -> bool {
        let service = self.tried.reading.service;
        let name = match service {
            Service::AllocateZeroed => "zeroed",
            Service::AllocateAligned => "aligned",
            _ => "resize",
        };
        bench.check(name, self.tried, checks, |guest| match service {
            Service::AllocateZeroed => self.zeroed(guest),
            Service::AllocateAligned => self.aligned(guest),
            _ => self.resizes(guest),
        }) && bench.check("returned", self.tried, checks, |guest| self.returned(guest))
            && match service {
                Service::ResizeOrRefuse | Service::ResizeInPlace => true,
                Service::AllocateAligned => {
                    bench.check("spare", self.tried, checks, |guest| self.spare(guest))
                }
                _ => self.exact(bench, checks),
            }
    }

    /// Blocks become larger and smaller, keep what they hold, and touch no other.
    fn resizes(&self, guest: &mut Guest) -> Result<String> {
        let (mut stayed, mut moved, mut refused) = (0, 0, 0);
        for _ in 0..2 {
            let mut heap = Blocks::default();
            for (old, new) in RESIZES {
                // Neighbours on both sides: a block that grows where it is must not grow into one.
                heap.add(guest, self.malloc, 24)?;
                let mut block = heap.make(guest, self.malloc, old)?;
                heap.add(guest, self.malloc, 24)?;
                let before = block.range.start;
                let after = self.resize(guest, before, old, new)?;
                match after {
                    None if old == new => return Err(format!("{old} bytes stay {old}: refused")),
                    None => refused += 1,
                    Some(after) if after != before => moved += 1,
                    Some(_) if old == new => {}
                    Some(_) => stayed += 1,
                }
                if let Some(after) = after {
                    block.range = guest.range(after, new)?;
                }
                let kept = block.range.start..block.range.start + old.min(new);
                block.look(guest, &kept)?;
                block.fill(guest)?;
                heap.insert(block)?;
            }
            heap.look(guest)?;
            heap.free(guest, self.free)?;
        }
        let seen = format!("{stayed} blocks resized in place, {moved} moved, {refused} refused");
        let is_it = match self.tried.reading.service {
            Service::ResizeInPlace => stayed > 4 && moved == 0 && refused > 4,
            Service::ResizeOrRefuse => stayed + moved > 4 && refused > 0,
            _ => moved > 4 && refused == 0,
        };
        if is_it { Ok(seen) } else { Err(seen) }
    }

    /// Where a block is after it was resized, or nothing if it was not.
    fn resize(&self, guest: &mut Guest, block: u64, old: u64, new: u64) -> Result<Option<u64>> {
        let values = Values { pointer: block, old, size: new, ..Values::default() };
        let answer = guest.call(self.tried, values)?;
        match (self.tried.reading.service, answer) {
            (Service::ResizeInPlace, 0) | (Service::ResizeOrRefuse, 0) => Ok(None),
            (Service::ResizeInPlace, 1) => Ok(Some(block)),
            (Service::ResizeInPlace, _) => Err(format!("it answers {answer:#x}, neither 0 nor 1")),
            (_, 0) => Err(format!("it answers 0 to a request for {new} bytes")),
            (_, start) if start % 4 != 0 => Err(format!("{start:#x} is not aligned")),
            (_, start) => Ok(Some(start)),
        }
    }

    /// Blocks hold zeros, also where others have left something.
    fn zeroed(&self, guest: &mut Guest) -> Result<String> {
        let (mut bytes, mut dirty) = (0, 0);
        for _ in 0..3 {
            let mut used: Vec<Range<u64>> = Vec::new();
            for (count, size) in SIZES {
                let block = guest.allocate(self.malloc, count * size)?;
                guest.fill(&block, 0xff)?;
                used.push(block);
            }
            for block in &used {
                guest.free(self.free, block)?;
            }
            let mut heap = Blocks::default();
            for (count, size) in SIZES {
                let mut block = Block { range: self.allocate(guest, count, size, 8)?, mark: 0 };
                if guest.read(&block.range)?.iter().any(|&byte| byte != 0) {
                    return Err(format!("{:x?} holds something else than zeros", block.range));
                }
                bytes += count * size;
                let shared = |it: &Range<u64>| {
                    it.end.min(block.range.end).saturating_sub(it.start.max(block.range.start))
                };
                dirty += used.iter().map(shared).sum::<u64>();
                block.mark = heap.next_mark();
                block.fill(guest)?;
                heap.insert(block)?;
            }
            heap.look(guest)?;
            heap.free(guest, self.free)?;
        }
        if dirty < bytes / 4 {
            return Err(format!("of {bytes} bytes only {dirty} were in use before"));
        }
        Ok(format!("{bytes} bytes are zeros, {dirty} of them where something else was"))
    }

    /// Blocks begin where they should, which malloc's do not by themselves.
    fn aligned(&self, guest: &mut Guest) -> Result<String> {
        let mut by_chance = true;
        for _ in 0..2 {
            let mut heap = Blocks::default();
            for (align, (count, size)) in
                ALIGNS.into_iter().flat_map(|align| SIZES.map(|size| (align, size)))
            {
                let plain = heap.make(guest, self.malloc, count * size)?;
                by_chance &= plain.range.start % align == 0;
                heap.insert(plain)?;
                let range = self.allocate(guest, count, size, align)?;
                if range.start % align != 0 {
                    return Err(format!("{:#x} is no multiple of {align}", range.start));
                }
                let block = Block { range, mark: heap.next_mark() };
                block.fill(guest)?;
                heap.insert(block)?;
            }
            heap.look(guest)?;
            heap.free(guest, self.free)?;
        }
        match by_chance {
            true => Err("all blocks of this allocator are aligned so".into()),
            false => Ok("blocks are aligned to 16 to 4096 bytes as asked, and apart".into()),
        }
    }

    /// A block from the function on trial; without a parameter for the count the size is the whole.
    fn allocate(&self, guest: &mut Guest, count: u64, size: u64, align: u64) -> Result<Range<u64>> {
        let whole = count * size;
        let (count, size) =
            if self.tried.takes(Meaning::Count) { (count, size) } else { (1, whole) };
        guest.block(self.tried, Values { size, count, align, ..Values::default() }, whole)
    }

    /// What goes through the function comes back by `free`: round after round goes over the same
    /// few addresses.
    fn returned(&self, guest: &mut Guest) -> Result<String> {
        let service = self.tried.reading.service;
        let fence = guest.allocate(self.malloc, 64)?;
        let before = guest.pages();
        let mut seen: Vec<u64> = Vec::new();
        for _ in 0..ROUNDS {
            let (block, size) = match service {
                Service::AllocateZeroed => (self.allocate(guest, 25, 200, 8)?.start, 5000),
                Service::AllocateAligned => (self.allocate(guest, 1, 5000, 256)?.start, 5000),
                Service::Resize => {
                    let block = guest.allocate(self.malloc, 64)?.start;
                    let block = self.resize(guest, block, 64, 5000)?.ok_or("it refuses")?;
                    (self.resize(guest, block, 5000, 64)?.ok_or("it refuses")?, 64)
                }
                _ => {
                    let block = guest.allocate(self.malloc, 500)?.start;
                    match self.resize(guest, block, 500, 495)? {
                        Some(block) => (block, 495),
                        None => (block, 500),
                    }
                }
            };
            if seen.len() < 64 && !seen.contains(&block) {
                seen.push(block);
            }
            guest.free(self.free, &(block..block.saturating_add(size)))?;
        }
        guest.free(self.free, &fence)?;
        let pages = guest.pages().saturating_sub(before);
        let told = format!("{ROUNDS} rounds use {} addresses and {pages} more pages", seen.len());
        if pages > 8 || seen.len() > 16 { Err(told) } else { Ok(told) }
    }

    /// Blocks of a small alignment take little more room than those of `malloc`. (Their addresses
    /// are others: room is made for any alignment first, and what is left of it given back.)
    fn spare(&self, guest: &mut Guest) -> Result<String> {
        let before = guest.pages();
        for _ in 0..KEPT {
            guest.allocate(self.malloc, KEPT_SIZE)?;
        }
        let plain = guest.pages().saturating_sub(before);
        for _ in 0..KEPT {
            self.allocate(guest, 1, KEPT_SIZE, 16)?;
        }
        let aligned = guest.pages().saturating_sub(before + plain);
        let told = format!("{KEPT} blocks grow the memory by {aligned} pages, malloc's by {plain}");
        if aligned > plain * 5 / 4 + 2 { Err(told) } else { Ok(told) }
    }

    /// What it hands out is what `malloc` would have handed out in its place, and afterwards the heap
    /// is as it would have been: it asks for neither more nor less.
    fn exact(&self, bench: &mut Bench<'_>, checks: &mut Vec<Check>) -> bool {
        let mut plain = Vec::new();
        let name = "exact";
        let mut scratch = Vec::new();
        let is_plain = bench.check(name, self.malloc, &mut scratch, |guest| {
            plain = self.sequence(guest, false)?;
            Ok(String::new())
        });
        if !is_plain {
            checks.extend(scratch);
            return false;
        }
        bench.check(name, self.tried, checks, |guest| {
            let addresses = self.sequence(guest, true)?;
            match addresses.iter().zip(&plain).position(|(one, other)| one != other) {
                None => Ok(format!("{} addresses are those that malloc gives", plain.len())),
                Some(at) => Err(format!(
                    "it answers {:#x} where malloc gives {:#x}",
                    addresses[at], plain[at]
                )),
            }
        })
    }

    /// The addresses of a sequence of requests, made of the function on trial or of `malloc` alone.
    fn sequence(&self, guest: &mut Guest, of_tried: bool) -> Result<Vec<u64>> {
        let mut addresses = Vec::new();
        if self.tried.reading.service == Service::Resize {
            for size in [3000, 700, 12_000, 1000, 40_000] {
                let small = guest.allocate(self.malloc, 16)?;
                guest.allocate(self.malloc, 16)?;
                addresses.push(match of_tried {
                    true => self.resize(guest, small.start, 16, size)?.ok_or("it refuses")?,
                    false => {
                        let block = guest.allocate(self.malloc, size)?.start;
                        guest.free(self.free, &small)?;
                        block
                    }
                });
                addresses.push(guest.allocate(self.malloc, 40)?.start);
            }
            return Ok(addresses);
        }
        for (count, size) in SIZES.into_iter().chain(SIZES) {
            let whole = count * size;
            let block = match of_tried {
                true => self.allocate(guest, count, size, 8)?,
                false => guest.allocate(self.malloc, whole)?,
            };
            addresses.push(block.start);
            if count % 2 == 1 {
                guest.free(self.free, &block)?;
            }
            addresses.push(guest.allocate(self.malloc, 40)?.start);
        }
        Ok(addresses)
    }
}
