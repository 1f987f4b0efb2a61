//! Where an allocator keeps its books among the static variables.
//!
//! dlmalloc's point to headers of free chunks, and such a header lies in the last bytes of the block
//! before, or right behind it; and they hold sizes, which are as large as addresses. None of that is
//! a reference to a block. Books are left out of the roots only where they are recognised for
//! certain: by their bins, each of which points to itself when it is empty (the first two always are,
//! since no chunk is so small), and otherwise to two chunks that point back; and by the top chunk,
//! whose size stands in the books and in the chunk.

use crate::image::{MemoryImage, Word};
use std::ops::Range;

/// Small bins.
const BINS: u64 = 32;
/// So many of them make sense, and it is no chance. A program that writes where it should not may
/// have broken some.
const SOUND_BINS: usize = 8;

/// Offsets from the first bin, as `struct malloc_state` in C and `Dlmalloc` in Rust have them.
struct Layout {
    start: i64,
    end: i64,
    top: i64,
    top_size: i64,
}

const LAYOUTS: [Layout; 3] = [
    // In C: ten words, 66 of small bins, 32 of tree bins, and the sums.
    Layout { start: -40, end: 432, top: -16, top_size: -28 },
    // In Rust: the maps, small bins, tree bins, and the rest.
    Layout { start: -8, end: 444, top: 404, top_size: 396 },
    // As rustc orders the same: tree bins, the segment, small bins, and the words.
    Layout { start: -144, end: 308, top: 284, top_size: 276 },
];

/// The stretches of `range` that are the books of a dlmalloc.
pub(super) fn of_dlmalloc(memory: &MemoryImage, range: Range<u64>, word: Word) -> Vec<Range<u64>> {
    if word != Word::Four {
        return Vec::new();
    }
    let mut starts: Vec<u64> = Vec::new();
    memory.words(range, word, word.size(), |at, value| {
        // A bin is taken for a chunk, whose links lie two words in.
        let is_first = value == at.wrapping_sub(8) && is_empty(memory, value);
        let is_inside = starts.last().is_some_and(|start| value < start + 8 * BINS);
        if is_first && !is_inside && is_empty(memory, value + 8) {
            let bins = (0..BINS).map(|bin| value + 8 * bin);
            if bins.filter(|&bin| is_sound(memory, bin)).count() >= SOUND_BINS {
                starts.push(value);
            }
        }
    });
    starts.into_iter().filter_map(|bins| books(memory, bins)).collect()
}

/// The links of a chunk: to the next in its bin, and to the one before.
fn links(memory: &MemoryImage, chunk: u64) -> (u64, u64) {
    let link = |offset| chunk.checked_add(offset).map_or(0, |at| memory.word(at, Word::Four));
    (link(8), link(12))
}

fn is_empty(memory: &MemoryImage, bin: u64) -> bool {
    links(memory, bin) == (bin, bin)
}

/// Whether a bin is empty, or its first and its last chunk know it.
fn is_sound(memory: &MemoryImage, bin: u64) -> bool {
    let (next, before) = links(memory, bin);
    links(memory, next).1 == bin && links(memory, before).0 == bin
}

fn books(memory: &MemoryImage, bins: u64) -> Option<Range<u64>> {
    let at = |offset: i64| bins.checked_add_signed(offset);
    let word = |offset| Some(memory.word(at(offset)?, Word::Four));
    LAYOUTS.iter().find_map(|layout| {
        let (top, size) = (word(layout.top)?, word(layout.top_size)?);
        let header = memory.word(top.checked_add(4)?, Word::Four);
        // The flag: the chunk before the top one is in use, always.
        let is_top = top != 0 && header == size | 1;
        is_top.then_some(at(layout.start)?..at(layout.end)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Books in a memory that is empty otherwise: bins at 1000, the top chunk at 9000. `full` bins
    /// hold a chunk each, and `broken` ones hold nothing that makes sense.
    fn image(layout: &Layout, size: u32, full: Range<u32>, broken: Range<u32>) -> MemoryImage {
        let mut image = MemoryImage::new(65_536);
        let mut write = |at: u64, value: u32| {
            image.write(at, &value.to_le_bytes(), &mut 9).expect("there is room");
        };
        for bin in (0..32u32).filter(|bin| !broken.contains(bin)) {
            let addr = 1000 + 8 * bin;
            let chunk = if full.contains(&bin) { 20_000 + 64 * bin } else { addr };
            write(u64::from(addr) + 8, chunk);
            write(u64::from(addr) + 12, chunk);
            write(u64::from(chunk) + 8, addr);
            write(u64::from(chunk) + 12, addr);
        }
        write((1000 + layout.top) as u64, 9000);
        write((1000 + layout.top_size) as u64, size);
        write(9004, 800 | 1);
        image
    }

    fn found(image: &MemoryImage) -> Vec<Range<u64>> {
        of_dlmalloc(image, 0..65_536, Word::Four)
    }

    #[test]
    fn every_layout_is_recognised() {
        for layout in &LAYOUTS {
            let books = (1000 + layout.start) as u64..(1000 + layout.end) as u64;
            for (full, broken) in [(0..0, 0..0), (2..32, 0..0), (2..8, 8..32)] {
                let image = image(layout, 800, full.clone(), broken.clone());
                assert_eq!(found(&image).first(), Some(&books), "full {full:?}, broken {broken:?}");
            }
        }
    }

    #[test]
    fn what_only_looks_alike_is_not() {
        for layout in &LAYOUTS {
            let recognised = |size, full, broken| found(&image(layout, size, full, broken));
            assert_eq!(recognised(808, 0..0, 0..0), [], "another size of the top chunk");
            assert_eq!(recognised(800, 0..2, 0..0), [], "the first two bins are never full");
            assert_eq!(recognised(800, 2..7, 7..32), [], "seven bins that make sense");
        }
    }

    /// A hash table of rings, as kernels have them: each points to itself, not to two words before.
    #[test]
    fn rings_are_no_bins() {
        let mut image = MemoryImage::new(65_536);
        for ring in 0..64u32 {
            let addr = 1000 + 8 * ring;
            for at in [addr, addr + 4] {
                image.write(at.into(), &addr.to_le_bytes(), &mut 9).expect("there is room");
            }
        }
        assert_eq!(found(&image), []);
    }
}
