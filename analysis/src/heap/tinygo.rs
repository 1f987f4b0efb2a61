//! What TinyGo's block collector has taken back, as its own books in an image say.
//!
//! ```text
//! heap start                                             metadata            the memory's end
//! │ block │ block │ block │ …    of 16 bytes each          │ two bits for each block │
//!   head    tail    tail    an object; the first 0 or 16 bytes of it are its header
//! ```
//!
//! The collector frees without a call, so the books have it that all blocks are live until they are
//! told. Up to TinyGo 0.39 a block's two bits stand together, in 0.40 they are in the two halves of
//! a byte; 0.42 keeps them in yet another way, which is not read here. Neither the version nor
//! where the heap begins is written anywhere. So each reading is tried, and believed only if each
//! object in it is a block that was handed out there, and of that size, and no other reading is as
//! good. Else nothing is said.

use super::{Heap, blocks::LiveBlock};
use crate::{
    image::{MemoryImage, Word},
    profile::StackId,
};
use rustc_hash::FxHashSet;
use seepage_trace::ModuleId;

const BLOCK: u64 = 16;
/// Blocks of which one byte of the metadata tells.
const BLOCKS_OF_BYTE: u64 = 4;
/// So far before the lowest block that was handed out may the heap begin, in blocks: what was left of
/// the page before the memory first grew.
const MAX_SKIPPED: u64 = 4096;
/// TinyGo has memories of 32 bits only.
const MAX_BYTES: u64 = 1 << 32;
/// Over all readings each block is looked at so often, or nothing is said.
const MAX_LOOKS: u64 = 16;
/// Whether the two bits are apart, and the bytes of a header, as there are versions.
const KNOWN: [(bool, u64); 3] = [(false, 0), (false, BLOCK), (true, BLOCK)];
/// Fewer objects prove nothing.
const LEAST_OBJECTS: usize = 8;

/// How to read the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// The lowest block that was ever handed out.
    lowest: u64,
    header: u64,
    is_split: bool,
}

/// An object as the metadata has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Object {
    /// Where the program's part begins.
    addr: u64,
    /// And how much it can hold.
    usable: u64,
}

impl Heap {
    /// Takes from the books what the collector of a module has taken back, as an image of now shows it.
    pub(crate) fn collect(&mut self, module: ModuleId, image: &MemoryImage) {
        let Some(&index) = self.by_id.get(&module) else { return };
        let (Some(module), books) = (self.modules.get_mut(index), &mut self.books) else { return };
        if !module.is_collected_unseen {
            return;
        }
        let table = module.table;
        let live: Vec<LiveBlock> =
            books.blocks.live(table).into_iter().filter(|block| block.size > 0).collect();
        let Some((reading, objects)) = read(image, &live, module.collector) else { return };
        module.collector = Some(reading);
        let clock = books.totals.events;
        let mut objects = objects.into_iter().peekable();
        for block in live {
            if let Some(object) = objects.next_if(|object| object.addr == block.addr) {
                books.learn_usable(module, object.addr, object.usable);
            } else if let Ok(&gone) = books.blocks.remove(table, block.addr, StackId::default()) {
                books.gone(module, block.addr, gone);
                books.contexts.removed(gone.stack, gone.size, clock);
                books.totals.collected.add(gone.size);
            }
        }
    }
}

/// The objects, by address, if there is exactly one way to make sense of the metadata.
fn read(
    image: &MemoryImage,
    live: &[LiveBlock],
    known: Option<Reading>,
) -> Option<(Reading, Vec<Object>)> {
    let lowest = known.map(|known| known.lowest).or(Some(live.first()?.addr))?;
    let reading = |(is_split, header)| Reading { lowest, header, is_split };
    let all = KNOWN.map(reading);
    let readings = known.as_ref().map_or(&all[..], std::slice::from_ref);
    let mut bits = Metadata::new(image, lowest.saturating_sub((MAX_SKIPPED + 1) * BLOCK))?;
    let mut found: Option<(Reading, Vec<Object>)> = None;
    for &reading in readings {
        let Reading { header, is_split, .. } = reading;
        // Before 0.40 the first object is the first block, whatever the heap's size then.
        let most = if is_split { MAX_SKIPPED } else { 0 };
        let mut tried = FxHashSet::default();
        for skipped in 0..=most {
            let Some(start) = lowest.checked_sub(header + skipped * BLOCK) else { break };
            let Some(from) = metadata(start, image.bytes) else { break };
            // Heaps that begin elsewhere may have the same bits for the same blocks.
            if !tried.insert(start.wrapping_sub(from.wrapping_mul(BLOCKS_OF_BYTE * BLOCK))) {
                continue;
            }
            let Some(objects) = bits.objects(start, reading, live) else { continue };
            if objects.len() < LEAST_OBJECTS
                || found.as_ref().is_some_and(|(_, other)| *other != objects)
            {
                return None;
            }
            found.get_or_insert((reading, objects));
        }
    }
    found.filter(|_| bits.looks_left > 0)
}

/// The end of a memory, where the metadata is.
struct Metadata {
    /// Address of the first byte.
    from: u64,
    bytes: Vec<u8>,
    /// The first byte that is not 0.
    first: usize,
    /// So many blocks may still be looked at.
    looks_left: u64,
}

impl Metadata {
    /// For a heap that begins at `start` or above.
    fn new(image: &MemoryImage, start: u64) -> Option<Metadata> {
        if image.bytes > MAX_BYTES {
            return None;
        }
        let from = metadata(start, image.bytes)? & !3;
        let words = (from..image.bytes).step_by(4).map(|addr| image.word(addr, Word::Four) as u32);
        let bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        let first = bytes.iter().position(|&byte| byte != 0)?;
        let looks_left = MAX_LOOKS * (bytes.len() as u64 * BLOCKS_OF_BYTE + MAX_SKIPPED);
        Some(Metadata { from, bytes, first, looks_left })
    }

    fn end(&self) -> u64 {
        self.from + self.bytes.len() as u64
    }

    /// All objects, if each of them is a live block's: nothing else is believed.
    fn objects(&mut self, start: u64, reading: Reading, live: &[LiveBlock]) -> Option<Vec<Object>> {
        let Reading { header, is_split, .. } = reading;
        let from = metadata(start, self.end())?;
        let count = (from - start) / BLOCK;
        let skipped = usize::try_from(from.checked_sub(self.from)?).ok()?;
        let metadata = self.bytes.get(skipped..)?;
        let state = |block: u64| -> u8 {
            let byte = metadata.get((block / BLOCKS_OF_BYTE) as usize).copied().unwrap_or(0);
            let place = block % BLOCKS_OF_BYTE;
            match is_split {
                true => (byte >> place & 1) | (byte >> (place + BLOCKS_OF_BYTE) & 1) << 1,
                false => byte >> (2 * place) & 3,
            }
        };
        let mut objects = Vec::new();
        let mut blocks = live.iter();
        let mut block = self.first.saturating_sub(skipped) as u64 * BLOCKS_OF_BYTE;
        while block < count {
            self.looks_left = self.looks_left.checked_sub(1)?;
            match state(block) {
                // A whole byte of free blocks, as most are.
                0 if block.is_multiple_of(BLOCKS_OF_BYTE)
                    && metadata.get((block / BLOCKS_OF_BYTE) as usize) == Some(&0) =>
                {
                    block += BLOCKS_OF_BYTE;
                    continue;
                }
                0 => {
                    block += 1;
                    continue;
                }
                2 => return None,
                _ => {}
            }
            let head = block;
            block += 1;
            while block < count && state(block) == 2 {
                self.looks_left = self.looks_left.checked_sub(1)?;
                block += 1;
            }
            let addr = start + head * BLOCK + header;
            let owner = blocks.find(|it| it.addr >= addr).filter(|it| it.addr == addr)?;
            if owner.size.checked_add(header)?.div_ceil(BLOCK) != block - head {
                return None;
            }
            objects.push(Object { addr, usable: (block - head) * BLOCK - header });
        }
        Some(objects).filter(|objects| !objects.is_empty())
    }
}

/// Where the metadata of a heap begins that reaches up to the memory's end.
fn metadata(start: u64, end: u64) -> Option<u64> {
    let each = BLOCKS_OF_BYTE * BLOCK;
    Some(end - (end.checked_sub(start)? + each) / (each + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 70_000 / 16 * 16;
    const END: u64 = 2 << 16;

    fn block(addr: u64, size: u64) -> LiveBlock {
        LiveBlock { addr, size, stack: StackId::default(), ignored: false }
    }

    /// Blocks side by side from `first` on, and an image in which every third is no more.
    fn heap(header: u64, is_split: bool, first: u64) -> (MemoryImage, Vec<LiveBlock>, Vec<u64>) {
        let from = metadata(START, END).unwrap();
        let mut states = vec![0u8; (END - from) as usize];
        let mut set = |block: u64, state: u8| {
            let (byte, place) = ((block / 4) as usize, block % 4);
            states[byte] |= match is_split {
                true => (state & 1) << place | (state >> 1) << (place + 4),
                false => state << (2 * place),
            };
        };
        let (mut blocks, mut kept, mut at) = (Vec::new(), Vec::new(), first);
        for index in 0..60 {
            let size = 1 + index * 37 % 200;
            let taken = (size + header).div_ceil(BLOCK);
            let addr = START + at * BLOCK + header;
            blocks.push(block(addr, size));
            if index % 3 != 2 {
                kept.push(addr);
                set(at, 1);
                (at + 1..at + taken).for_each(|tail| set(tail, 2));
            }
            at += taken;
        }
        let mut image = MemoryImage::new(END);
        image.write(from, &states, &mut 9).unwrap();
        (image, blocks, kept)
    }

    #[test]
    fn every_version_is_read() {
        for (header, is_split, first) in
            [(0, false, 0), (16, false, 0), (16, true, 0), (16, true, 300)]
        {
            let (image, live, kept) = heap(header, is_split, first);
            let (reading, objects) = read(&image, &live, None).expect("one reading fits");
            assert_eq!((reading.header, reading.is_split), (header, is_split));
            let addrs: Vec<u64> = objects.iter().map(|object| object.addr).collect();
            assert_eq!(addrs, kept);
            let all = objects.iter().all(|it| {
                live.iter()
                    .any(|b| b.addr == it.addr && it.usable >= b.size && it.usable < b.size + 16)
            });
            assert!(all);
            assert_eq!(read(&image, &live, Some(reading)), Some((reading, objects)));
        }
    }

    #[test]
    fn what_does_not_fit_is_not_read() {
        let (image, live, kept) = heap(16, true, 40);
        // A block that nobody has seen, one of another size, and one outside of the heap.
        let live_without: Vec<LiveBlock> =
            live.iter().filter(|it| it.addr != kept[7]).copied().collect();
        assert_eq!(read(&image, &live_without, None), None);
        let mut other = live.clone();
        other[3].size += 16;
        assert_eq!(read(&image, &other, None), None);
        // No metadata at all, or of another collector.
        assert_eq!(read(&MemoryImage::new(END), &live, None), None);
        let mut noise = MemoryImage::new(END);
        noise.write(END - 2000, &[0x5b; 2000], &mut 9).unwrap();
        assert_eq!(read(&noise, &live, None), None);
        assert_eq!(read(&MemoryImage::new(0), &live, None), None);
        assert_eq!(read(&image, &[], None), None);
    }

    #[test]
    fn nothing_is_told_where_two_readings_fit() {
        // Blocks of one size, of which only the last half is there: any other half would do.
        let blocks: Vec<LiveBlock> = (0..64).map(|it| block(START + it * 32 + 16, 16)).collect();
        let from = metadata(START, END).unwrap();
        let mut image = MemoryImage::new(END);
        // Head and tail, twice in each byte: 0b1010_0101.
        image.write(from + 16, &[0xa5; 16], &mut 9).unwrap();
        assert_eq!(read(&image, &blocks, None), None);
    }
}
