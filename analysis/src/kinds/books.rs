//! Where an allocator keeps its books among the static variables.
//!
//! dlmalloc's point to headers of free chunks, and such a header lies in the last bytes of the block
//! before, or right behind it; and they hold sizes, which are as large as addresses. None of that is
//! a reference to a block. Books are left out of the roots only where they are recognised for
//! certain: by their bins, which point to themselves when they are empty (the first two always are,
//! since no chunk is so small), and by the top chunk, whose size stands in the books and in the
//! chunk.

use crate::image::{MemoryImage, Word};
use std::ops::Range;

/// Empty bins that are no chance.
const EMPTY_BINS: usize = 8;
/// Bytes of all small bins.
const ALL_BINS: u64 = 264;

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
    let (mut start, mut count) = (0, 0);
    memory.words(range, word, word.size(), |at, value| {
        // A bin is taken for a chunk, whose links lie two words in.
        if value != at.wrapping_sub(8) || memory.word(at + 4, word) != value {
            return;
        }
        if count == 0 || value - start >= ALL_BINS {
            (start, count) = (value, 0);
        }
        count += 1;
        if count == EMPTY_BINS {
            starts.push(start);
        }
    });
    starts.into_iter().filter_map(|bins| books(memory, bins)).collect()
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

    /// Books in a memory that is empty otherwise: bins at 1000, the top chunk at 9000.
    fn image(layout: &Layout, size: u32) -> MemoryImage {
        let mut image = MemoryImage::new(65_536);
        let mut write = |at: u64, value: u32| {
            image.write(at, &value.to_le_bytes(), &mut 9).expect("there is room");
        };
        // Some bins hold chunks.
        for bin in (0..33u32).filter(|bin| ![2, 5, 6].contains(bin)) {
            let addr = 1000 + 8 * bin;
            write(u64::from(addr) + 8, addr);
            write(u64::from(addr) + 12, addr);
        }
        write((1000 + layout.top) as u64, 9000);
        write((1000 + layout.top_size) as u64, size);
        write(9004, 800 | 1);
        image
    }

    #[test]
    fn both_layouts_are_recognised() {
        for layout in &LAYOUTS {
            let books = (1000 + layout.start) as u64..(1000 + layout.end) as u64;
            assert_eq!(of_dlmalloc(&image(layout, 800), 0..65_536, Word::Four), [books]);
            assert_eq!(of_dlmalloc(&image(layout, 808), 0..65_536, Word::Four), []);
        }
    }
}
