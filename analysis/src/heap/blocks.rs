//! The table of live blocks, and of addresses where a block has been.
//!
//! Addresses of a linear memory are dense and aligned, so this is a table indexed by address and
//! not a hash map: a directory by `addr >> 16`, pages that hold one `u32` per 8 bytes, and a slab
//! of blocks that these point into. Whoever wants another structure replaces this file: the rest
//! knows [`Blocks::insert`] and [`Blocks::remove`] only. It knows nothing of costs or contexts.
//!
//! ```text
//!               insert                 remove
//!   0: never ──────────► live: index ──────────► freed: the stack that freed it
//!                             ▲                            │
//!                             └──────────── insert ────────┘
//! ```

mod in_order;
mod rooms;

use crate::profile::StackId;
use rooms::Rooms;
use rustc_hash::FxHashMap;
use seepage_trace::{TracepointId, abi::Record};

/// The linear memory in which an address is valid; one table for each module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TableId(pub(crate) u32);

impl TableId {
    #[inline(always)]
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// A live block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Bytes that were asked for.
    pub(crate) size: u64,
    /// The event that first allocated it.
    pub(crate) birth: u64,
    /// The event that put it where it is: another one after a reallocation.
    pub(crate) since: u64,
    /// The context that holds it.
    pub(crate) stack: StackId,
    /// What allocated it.
    pub(crate) tracepoint: TracepointId,
    /// The program says that it is no leak.
    pub(crate) ignored: bool,
    /// The alignment that was asked for, if one was.
    pub(crate) align: Alignment,
}

/// A live block among all others, as far as that matters: there may be tens of millions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LiveBlock {
    pub(crate) addr: u64,
    /// Bytes that were asked for.
    pub(crate) size: u64,
    /// The context that holds it.
    pub(crate) stack: StackId,
    /// The program says that it is no leak.
    pub(crate) ignored: bool,
}

impl LiveBlock {
    /// Where it ends.
    pub(crate) fn end(&self) -> u64 {
        self.addr.saturating_add(self.size)
    }
}

/// An alignment in a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alignment(u8);

impl Alignment {
    pub(crate) const NONE: Alignment = Alignment(u8::MAX);

    #[inline(always)]
    pub(crate) fn of(record: &Record) -> Alignment {
        record.align_log2().map_or(Alignment::NONE, Alignment)
    }

    pub(crate) fn bytes(self) -> Option<u64> {
        1u64.checked_shl(self.0.into())
    }

    /// Whether both are known and not the same.
    #[inline]
    pub(crate) fn contradicts(self, other: Alignment) -> bool {
        self != other && self != Alignment::NONE && other != Alignment::NONE
    }
}

/// There is no block at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoBlock {
    /// There never was.
    Never,
    /// There was one, which this context freed.
    Freed(StackId),
}

/// The caps do not allow a further block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// How much a table may hold; see [`crate::Caps`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) blocks: usize,
    pub(crate) pages: usize,
    pub(crate) odd: usize,
}

const PAGE_BITS: u32 = 16;
const GRANULE_BITS: u32 = 3;
const SLOTS: usize = 1 << (PAGE_BITS - GRANULE_BITS);
/// Pages of a 32-bit memory: their directory is an array.
const NEAR_PAGES: u64 = 1 << 16;
/// Set in a slot: it holds not a block's index plus one but the stack that freed it.
const FREED: u32 = 1 << 31;

type Page = Box<[u32; SLOTS]>;

#[derive(Clone, Default)]
struct Table {
    near: Vec<Option<Page>>,
    far: FxHashMap<u64, Page>,
    odd: FxHashMap<u64, u32>,
}

/// The blocks of all modules.
#[derive(Clone)]
pub(crate) struct Blocks {
    tables: Vec<Table>,
    slab: Vec<Block>,
    rooms: Rooms,
    vacant: Vec<u32>,
    pages_left: usize,
    odd_left: usize,
    blocks: usize,
}

impl Blocks {
    pub(crate) fn new(limits: Limits) -> Blocks {
        Blocks {
            tables: Vec::new(),
            slab: Vec::new(),
            rooms: Rooms::default(),
            vacant: Vec::new(),
            pages_left: limits.pages,
            odd_left: limits.odd,
            // An index plus one must stay clear of the flag.
            blocks: limits.blocks.min(FREED as usize - 1),
        }
    }

    /// A table for one more module.
    pub(crate) fn table(&mut self) -> TableId {
        self.tables.push(Table::default());
        TableId(self.tables.len() as u32 - 1)
    }

    /// Enters a block, and gives back the one that was live at its address.
    #[inline(always)]
    pub(crate) fn insert(
        &mut self,
        table: TableId,
        addr: u64,
        block: Block,
    ) -> Result<Option<Block>, Full> {
        let (pages_left, odd_left) = (&mut self.pages_left, &mut self.odd_left);
        let Some(table) = self.tables.get_mut(table.index()) else { return Err(Full) };
        let slot = table.slot_or_insert(addr, pages_left, odd_left).ok_or(Full)?;
        if *slot != 0 && *slot & FREED == 0 {
            let Some(entry) = self.slab.get_mut(*slot as usize - 1) else { return Err(Full) };
            self.rooms.forget(*slot - 1);
            return Ok(Some(std::mem::replace(entry, block)));
        }
        match self.vacant.pop() {
            Some(index) => {
                self.slab[index as usize] = block;
                self.rooms.forget(index);
                *slot = index + 1;
            }
            None if self.slab.len() < self.blocks => {
                self.slab.push(block);
                *slot = self.slab.len() as u32;
            }
            None => return Err(Full),
        }
        Ok(None)
    }

    /// Takes out the block at `addr`, if there is one, and remembers who freed it.
    #[inline(always)]
    pub(crate) fn remove(
        &mut self,
        table: TableId,
        addr: u64,
        by: StackId,
    ) -> Result<&Block, NoBlock> {
        let slot = self.tables.get_mut(table.index()).and_then(|table| table.slot(addr));
        let Some(slot) = slot.filter(|slot| **slot != 0) else { return Err(NoBlock::Never) };
        if *slot & FREED != 0 {
            return Err(NoBlock::Freed(StackId(*slot & !FREED)));
        }
        let index = *slot - 1;
        *slot = FREED | by.0;
        self.vacant.push(index);
        Ok(&self.slab[index as usize])
    }

    /// Takes note that the block at an address, or around it, is no leak.
    pub(crate) fn ignore(&mut self, table: TableId, addr: u64) {
        let start = match self.around(table, addr) {
            Some((start, _)) => start,
            None => addr,
        };
        let slot = self.tables.get_mut(table.index()).and_then(|table| table.slot(start)).copied();
        let live = slot.filter(|slot| slot & FREED == 0).and_then(|slot| slot.checked_sub(1));
        if let Some(block) = live.and_then(|index| self.slab.get_mut(index as usize)) {
            block.ignored = true;
        }
    }

    /// All live blocks by address. Slow: for the end and for marks.
    pub(crate) fn live(&self, table: TableId) -> Vec<LiveBlock> {
        // Of tens of millions of blocks a list with room for as many again would be dear.
        let mut count = 0;
        self.each_live(table, |_, _| count += 1);
        let mut live = Vec::with_capacity(count);
        self.each_live(table, |addr, &Block { size, stack, ignored, .. }| {
            live.push(LiveBlock { addr, size, stack, ignored });
        });
        live
    }

    /// The live block at that address.
    pub(crate) fn get(&self, table: TableId, addr: u64) -> Option<Block> {
        let slot = self.tables.get(table.index())?.peek(addr);
        let index = (slot as usize).checked_sub(1).filter(|_| slot & FREED == 0)?;
        self.slab.get(index).copied()
    }

    /// Whether a block was once at that address, or is.
    pub(crate) fn was_block(&self, table: TableId, addr: u64) -> bool {
        self.tables.get(table.index()).is_some_and(|table| table.peek(addr) != 0)
    }

    /// The block in which `addr` lies, if it begins at most 64 KiB before. Slow: for messages.
    pub(crate) fn around(&mut self, table: TableId, addr: u64) -> Option<(u64, Block)> {
        let table = self.tables.get_mut(table.index())?;
        let slab = &self.slab;
        let first = addr >> GRANULE_BITS;
        (0..SLOTS as u64).filter_map(|back| first.checked_sub(back)).find_map(|granule| {
            let start = granule << GRANULE_BITS;
            let slot = *table.slot(start)?;
            let live = slot != 0 && slot & FREED == 0;
            let block = *slab.get((slot as usize).checked_sub(1)?).filter(|_| live)?;
            (start != addr && addr - start < block.size).then_some((start, block))
        })
    }

    /// The live block that begins at `addr`.
    pub(crate) fn at(&mut self, table: TableId, addr: u64) -> Option<Block> {
        let slot = *self.tables.get_mut(table.index())?.slot(addr)?;
        let index = (slot & FREED == 0).then_some(slot as usize)?.checked_sub(1)?;
        self.slab.get(index).copied()
    }

    /// The next live block that begins before `addr`, at most 64 KiB. Slow: for a sample.
    pub(crate) fn before(&mut self, table: TableId, addr: u64) -> Option<(u64, Block)> {
        let first = addr.div_ceil(1 << GRANULE_BITS);
        (1..=SLOTS as u64)
            .map_while(|back| first.checked_sub(back))
            .map(|granule| granule << GRANULE_BITS)
            .find_map(|start| Some((start, self.at(table, start)?)))
    }

    /// Whether a live block begins within the `size` bytes at `addr`, but not at their first; of
    /// those only the first 64 KiB are looked at. Slow: for a sample.
    pub(crate) fn begins_within(&mut self, table: TableId, addr: u64, size: u64) -> bool {
        let granules = size.min(SLOTS as u64 * 8).div_ceil(1 << GRANULE_BITS);
        let first = (addr >> GRANULE_BITS) + 1;
        (first..first + granules)
            .map(|granule| granule << GRANULE_BITS)
            .take_while(|start| start.wrapping_sub(addr) < size)
            .any(|start| self.at(table, start).is_some_and(|it| it.size > 0))
    }
}

impl Table {
    #[inline(always)]
    fn slot(&mut self, addr: u64) -> Option<&mut u32> {
        if !addr.is_multiple_of(1 << GRANULE_BITS) {
            return self.odd.get_mut(&addr);
        }
        let number = addr >> PAGE_BITS;
        let page = if number < NEAR_PAGES {
            self.near.get_mut(number as usize)?.as_mut()?
        } else {
            self.far.get_mut(&number)?
        };
        Some(&mut page[granule(addr)])
    }

    fn peek(&self, addr: u64) -> u32 {
        if !addr.is_multiple_of(1 << GRANULE_BITS) {
            return self.odd.get(&addr).copied().unwrap_or(0);
        }
        let number = addr >> PAGE_BITS;
        let page = match self.near.get(number as usize) {
            Some(page) if number < NEAR_PAGES => page.as_ref(),
            _ => self.far.get(&number),
        };
        page.map_or(0, |page| page[granule(addr)])
    }

    #[inline(always)]
    fn slot_or_insert(
        &mut self,
        addr: u64,
        pages_left: &mut usize,
        odd_left: &mut usize,
    ) -> Option<&mut u32> {
        if !addr.is_multiple_of(1 << GRANULE_BITS) {
            return self.odd_slot(addr, odd_left);
        }
        let number = addr >> PAGE_BITS;
        if number >= NEAR_PAGES {
            if !self.far.contains_key(&number) {
                self.add_page(number, pages_left)?;
            }
        } else if !matches!(self.near.get(number as usize), Some(Some(_))) {
            self.add_page(number, pages_left)?;
        }
        self.slot(addr)
    }

    #[inline(never)]
    fn odd_slot(&mut self, addr: u64, odd_left: &mut usize) -> Option<&mut u32> {
        if *odd_left == 0 {
            return self.odd.get_mut(&addr);
        }
        Some(self.odd.entry(addr).or_insert_with(|| {
            *odd_left -= 1;
            0
        }))
    }

    #[cold]
    fn add_page(&mut self, number: u64, pages_left: &mut usize) -> Option<()> {
        *pages_left = pages_left.checked_sub(1)?;
        let page: Page = vec![0; SLOTS].into_boxed_slice().try_into().ok()?;
        if number < NEAR_PAGES {
            let index = number as usize;
            if self.near.len() <= index {
                self.near.resize_with(index + 1, || None);
            }
            self.near[index] = Some(page);
        } else {
            self.far.insert(number, page);
        }
        Some(())
    }
}

fn granule(addr: u64) -> usize {
    (addr >> GRANULE_BITS) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { blocks: 3, pages: 2, odd: 1 };

    fn block(size: u64) -> Block {
        Block {
            size,
            birth: 0,
            since: 0,
            stack: StackId(1),
            tracepoint: TracepointId(0),
            ignored: false,
            align: Alignment::NONE,
        }
    }

    #[test]
    fn a_block_lives_once() {
        let mut blocks = Blocks::new(LIMITS);
        let table = blocks.table();
        for addr in [8, 0x1_0000_0000_0010, 13] {
            assert_eq!(blocks.remove(table, addr, StackId(5)), Err(NoBlock::Never));
            assert_eq!(blocks.insert(table, addr, block(addr)), Ok(None));
            assert_eq!(blocks.remove(table, addr, StackId(5)), Ok(&block(addr)));
            assert_eq!(blocks.remove(table, addr, StackId(6)), Err(NoBlock::Freed(StackId(5))));
            assert_eq!(blocks.insert(table, addr, block(1)), Ok(None));
            assert_eq!(blocks.insert(table, addr, block(2)), Ok(Some(block(1))));
        }
    }

    #[test]
    fn modules_do_not_share_addresses() {
        let mut blocks = Blocks::new(LIMITS);
        let (one, other) = (blocks.table(), blocks.table());
        assert_eq!(blocks.insert(one, 8, block(1)), Ok(None));
        assert_eq!(blocks.remove(other, 8, StackId(0)), Err(NoBlock::Never));
        assert_eq!(blocks.remove(TableId(7), 8, StackId(0)), Err(NoBlock::Never));
    }

    #[test]
    fn every_limit_holds() {
        let mut blocks = Blocks::new(LIMITS);
        let table = blocks.table();
        assert_eq!(blocks.insert(table, 9, block(1)), Ok(None));
        assert_eq!(blocks.insert(table, 11, block(1)), Err(Full), "odd addresses");
        assert_eq!(blocks.insert(table, 0x10000, block(1)), Ok(None));
        assert_eq!(blocks.insert(table, 1 << 60, block(1)), Ok(None));
        assert_eq!(blocks.insert(table, 0x20000, block(1)), Err(Full), "pages");
        assert_eq!(blocks.insert(table, 0x10008, block(1)), Err(Full), "blocks");
        assert_eq!(blocks.remove(table, 9, StackId(0)), Ok(&block(1)));
        assert_eq!(blocks.insert(table, 0x10008, block(1)), Ok(None));
    }

    #[test]
    fn what_a_block_can_hold_goes_with_it() {
        let mut blocks = Blocks::new(LIMITS);
        let table = blocks.table();
        assert_eq!(blocks.insert(table, 8, block(40)), Ok(None));
        assert_eq!(blocks.insert(table, 64, block(40)), Ok(None));
        assert_eq!(blocks.learn_usable(table, 64, 48), Some(40));
        assert_eq!((blocks.usable(table, 8), blocks.usable(table, 64)), (None, Some(48)));
        assert_eq!(blocks.learn_usable(table, 8, 39), None, "less than was asked for");
        assert_eq!(blocks.learn_usable(table, 16, 48), None, "no block");
        assert_eq!(blocks.learn_usable(table, 8, u64::MAX), Some(40));
        assert_eq!(blocks.usable(table, 8), Some(40 + u64::from(u32::MAX) - 1));
        // Neither the next block in its place nor one at its address can hold as much.
        assert_eq!(blocks.remove(table, 64, StackId(0)), Ok(&block(40)));
        assert_eq!((blocks.usable(table, 64), blocks.learn_usable(table, 64, 48)), (None, None));
        assert_eq!(blocks.insert(table, 64, block(30)), Ok(None));
        assert_eq!(blocks.insert(table, 8, block(30)), Ok(Some(block(40))));
        assert_eq!((blocks.usable(table, 8), blocks.usable(table, 64)), (None, None));
    }

    #[test]
    fn an_inner_address_finds_its_block() {
        let mut blocks = Blocks::new(LIMITS);
        let table = blocks.table();
        assert_eq!(blocks.insert(table, 64, block(40)), Ok(None));
        assert_eq!(blocks.around(table, 80), Some((64, block(40))));
        assert_eq!(blocks.around(table, 103), Some((64, block(40))));
        assert_eq!(blocks.around(table, 104), None);
        assert_eq!(blocks.around(table, 64), None);
        assert_eq!(blocks.around(table, 3), None);
        assert_eq!(blocks.at(table, 64), Some(block(40)));
        assert_eq!((blocks.at(table, 72), blocks.at(table, 1 << 40)), (None, None));
        assert_eq!(blocks.before(table, 4000), Some((64, block(40))));
        assert_eq!((blocks.before(table, 64), blocks.before(table, 0)), (None, None));
        assert!(blocks.begins_within(table, 56, 9) && !blocks.begins_within(table, 56, 8));
        assert!(!blocks.begins_within(table, 64, 40) && !blocks.begins_within(table, 64, 1 << 60));
        blocks.ignore(table, 200);
        assert!(!blocks.live(table)[0].ignored);
        blocks.ignore(table, 80);
        assert!(blocks.live(table)[0].ignored);
    }
}
