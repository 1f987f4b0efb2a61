//! What a guest's memory held at one moment, as the trace brought it.
//!
//! It stores bytes and gives them back. It knows neither blocks nor roots. Its invariant: what was
//! not written is zero, and it never holds more than it was allowed.

mod lent;

pub use lent::LentMemory;

use lent::Lent;
use rustc_hash::FxHashMap;
use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

const PAGE: u64 = 65_536;

/// The memory of one module.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryImage {
    /// Size of the memory.
    pub(crate) bytes: u64,
    pages: FxHashMap<u64, Box<[u8]>>,
    /// Where its bytes are instead.
    lent: Option<Arc<Lent>>,
}

/// Bytes of an address in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Four,
    Eight,
}

impl Word {
    pub(crate) fn size(self) -> u64 {
        match self {
            Word::Four => 4,
            Word::Eight => 8,
        }
    }
}

/// The image would be larger than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl MemoryImage {
    pub(crate) fn new(bytes: u64) -> MemoryImage {
        MemoryImage { bytes, pages: FxHashMap::default(), lent: None }
    }

    /// One that is lent. `room` is how many pages may be kept of all that are: one that fits is copied
    /// at once, for that is what is read the fastest.
    pub(crate) fn lent(
        memory: Arc<dyn LentMemory>,
        bytes: u64,
        room: Arc<AtomicUsize>,
    ) -> MemoryImage {
        let mut image = MemoryImage::new(bytes);
        let pages = usize::try_from(bytes.div_ceil(PAGE)).unwrap_or(usize::MAX);
        let take = |left: usize| left.checked_sub(pages);
        if room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_err() {
            image.lent = Some(Arc::new(Lent::new(memory, bytes, room)));
            return image;
        }
        for number in 0..bytes.div_ceil(PAGE) {
            if let Some(page) = lent::page(&*memory, number, bytes) {
                image.pages.insert(number, page);
            }
        }
        room.fetch_add(pages - image.pages.len(), Ordering::Relaxed);
        image
    }

    /// Enters a stretch. `pages_left` is what may still be stored.
    pub(crate) fn write(
        &mut self,
        addr: u64,
        mut bytes: &[u8],
        pages_left: &mut usize,
    ) -> Result<(), TooLarge> {
        let room = self.bytes.saturating_sub(addr);
        bytes = &bytes[..bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
        let mut addr = addr;
        while !bytes.is_empty() {
            let (number, offset) = (addr / PAGE, (addr % PAGE) as usize);
            let (now, rest) = bytes.split_at(bytes.len().min(PAGE as usize - offset));
            if now.iter().any(|&byte| byte != 0) {
                let page = match self.pages.entry(number) {
                    std::collections::hash_map::Entry::Occupied(page) => page.into_mut(),
                    std::collections::hash_map::Entry::Vacant(vacant) => {
                        *pages_left = pages_left.checked_sub(1).ok_or(TooLarge)?;
                        vacant.insert(vec![0; PAGE as usize].into_boxed_slice())
                    }
                };
                page[offset..offset + now.len()].copy_from_slice(now);
            }
            addr += now.len() as u64;
            bytes = rest;
        }
        Ok(())
    }

    /// The word at an address, wherever it is aligned; 0 behind the end.
    pub(crate) fn word(&self, addr: u64, word: Word) -> u64 {
        if let Some(lent) = &self.lent {
            return lent.word(addr, word.size());
        }
        let mut value = 0;
        for index in 0..word.size() {
            let Some(at) = addr.checked_add(index) else { return value };
            let byte = self.pages.get(&(at / PAGE)).map_or(0, |page| page[(at % PAGE) as usize]);
            value |= u64::from(byte) << (8 * index);
        }
        value
    }

    /// Calls `visit` with every word in the range that is not zero, and its address. `step` is the
    /// size of a word, for aligned ones, or 1 for all.
    #[inline]
    pub(crate) fn words(
        &self,
        range: Range<u64>,
        word: Word,
        step: u64,
        mut visit: impl FnMut(u64, u64),
    ) {
        let size = word.size();
        if step < size {
            return self.words_anywhere(range, word, &mut visit);
        }
        let mut at = range.start.checked_next_multiple_of(size).unwrap_or(u64::MAX);
        let end = range.end.min(self.bytes);
        while at < end {
            let number = at / PAGE;
            let page_end = (number + 1).saturating_mul(PAGE).min(end);
            if let Some(lent) = &self.lent {
                if let Some(piece) = lent.piece(at..page_end) {
                    words_in(piece.bytes(), at, word, &mut visit);
                }
            } else if let Some(page) = self.pages.get(&number) {
                let start = (at % PAGE) as usize;
                let stretch = &page[start..start + (page_end - at) as usize];
                words_in(stretch, at, word, &mut visit);
            }
            at = page_end;
        }
    }

    fn words_anywhere(&self, range: Range<u64>, word: Word, visit: &mut dyn FnMut(u64, u64)) {
        let end = range.end.min(self.bytes);
        let mut at = range.start;
        while at.saturating_add(word.size()) <= end {
            if self.lent.is_none() && !self.pages.contains_key(&(at / PAGE)) {
                // The last words of a page reach into the next.
                let next = (at / PAGE + 1).saturating_mul(PAGE);
                at = at.max(next.saturating_sub(word.size() - 1));
            }
            if at.saturating_add(word.size()) > end {
                return;
            }
            let value = self.word(at, word);
            if value != 0 {
                visit(at, value);
            }
            at += 1;
        }
    }
}

/// Calls `visit` with every aligned word of a stretch at `at` that is not zero.
#[inline]
fn words_in(stretch: &[u8], at: u64, word: Word, visit: &mut impl FnMut(u64, u64)) {
    match word {
        Word::Four => {
            for (index, bytes) in stretch.as_chunks::<4>().0.iter().enumerate() {
                let value = u32::from_le_bytes(*bytes);
                if value != 0 {
                    visit(at + 4 * index as u64, value.into());
                }
            }
        }
        Word::Eight => {
            for (index, bytes) in stretch.as_chunks::<8>().0.iter().enumerate() {
                let value = u64::from_le_bytes(*bytes);
                if value != 0 {
                    visit(at + 8 * index as u64, value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(image: &MemoryImage, range: Range<u64>, word: Word) -> Vec<(u64, u64)> {
        let mut seen = Vec::new();
        image.words(range, word, word.size(), |addr, value| seen.push((addr, value)));
        seen
    }

    #[test]
    fn words_across_pages() {
        let mut image = MemoryImage::new(3 * PAGE);
        let mut left = 9;
        let bytes: Vec<u8> = (1..=12).collect();
        assert_eq!(image.write(PAGE - 4, &bytes, &mut left), Ok(()));
        assert_eq!(left, 7);
        assert_eq!(image.word(PAGE - 2, Word::Four), 0x0605_0403);
        let all = [(PAGE - 4, 0x0403_0201), (PAGE, 0x0807_0605), (PAGE + 4, 0x0c0b_0a09)];
        assert_eq!(written(&image, 0..u64::MAX, Word::Four), all);
        assert_eq!(written(&image, PAGE - 3..PAGE + 7, Word::Four), all[1..2]);
        assert_eq!(written(&image, 0..PAGE + 8, Word::Eight)[1], (PAGE, 0x0c0b_0a09_0807_0605));
        let mut anywhere = Vec::new();
        image.words(0..u64::MAX, Word::Four, 1, |addr, value| anywhere.push((addr, value)));
        assert_eq!(anywhere.len(), 15, "{anywhere:x?}");
        assert_eq!(anywhere[0], (PAGE - 7, 0x0100_0000));
        assert_eq!(anywhere[5], (PAGE - 2, 0x0605_0403));
    }

    #[test]
    fn limits() {
        let mut image = MemoryImage::new(PAGE);
        let mut left = 0;
        assert_eq!(image.write(0, &[0; 100], &mut left), Ok(()));
        assert_eq!(image.write(0, &[1], &mut left), Err(TooLarge));
        left = 1;
        assert_eq!(image.write(PAGE - 1, &[7, 8], &mut left), Ok(()), "the end is cut");
        assert_eq!(image.write(u64::MAX, &[7, 8], &mut left), Ok(()));
        assert_eq!(image.word(PAGE - 1, Word::Four), 7);
        assert_eq!(image.word(u64::MAX, Word::Eight), 0);
    }

    #[derive(Debug)]
    struct Bytes(Vec<u8>);

    impl LentMemory for Bytes {
        fn read(&self, addr: u64, into: &mut [u8]) {
            into.copy_from_slice(&self.0[addr as usize..][..into.len()]);
        }
    }

    /// The same bytes written and lent: with room for all pages, for those that are in use, for one and
    /// for none.
    #[test]
    fn what_is_lent_reads_as_what_was_written() {
        let mut bytes = vec![0; 5 * PAGE as usize - 5];
        let mut seed = 1_u32;
        for page in [0, 2, 3, 4] {
            for at in (page * PAGE as usize..(page + 1) * PAGE as usize).step_by(7) {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = (seed >> 24) as u8;
                }
            }
        }
        let size = bytes.len() as u64;
        let mut own = MemoryImage::new(size);
        assert_eq!(own.write(0, &bytes, &mut 9), Ok(()));
        let memory: Arc<dyn LentMemory> = Arc::new(Bytes(bytes));
        for room in [9, 4, 1, 0] {
            let left = Arc::new(AtomicUsize::new(room));
            let lent = MemoryImage::lent(memory.clone(), size, left.clone());
            let ends = [3, PAGE - 4, PAGE - 3, PAGE, 2 * PAGE + 1, 5 * PAGE - 13, 5 * PAGE - 8];
            for word in [Word::Four, Word::Eight] {
                for at in ends.into_iter().chain([size - 1, size, u64::MAX - 3]) {
                    assert_eq!(lent.word(at, word), own.word(at, word), "{at:#x}, {room}");
                    for range in [
                        at..at.saturating_add(9),
                        at..at.saturating_add(5000),
                        at..at.saturating_add(9 * PAGE),
                    ] {
                        let both = [&lent, &own].map(|image| written(image, range.clone(), word));
                        assert_eq!(both[0], both[1], "{range:?}, {room}");
                    }
                }
            }
            let left = left.load(Ordering::Relaxed);
            assert_eq!(left, room.saturating_sub(4), "a page of zeros takes no room");
            let mut anywhere = [Vec::new(), Vec::new()];
            for (image, seen) in [&lent, &own].into_iter().zip(&mut anywhere) {
                let range = PAGE - 40..2 * PAGE + 40;
                image.words(range, Word::Four, 1, |addr, value| seen.push((addr, value)));
            }
            assert!(!anywhere[0].is_empty());
            assert_eq!(anywhere[0], anywhere[1]);
        }
    }
}
