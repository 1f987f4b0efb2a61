//! What a guest's memory held at one moment, as the trace brought it.
//!
//! It stores bytes and gives them back. It knows neither blocks nor roots. Its invariant: what was
//! not written is zero, and it never holds more than it was allowed.

use rustc_hash::FxHashMap;
use std::ops::Range;

const PAGE: u64 = 65_536;

/// The memory of one module.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryImage {
    /// Size of the memory.
    pub(crate) bytes: u64,
    pages: FxHashMap<u64, Box<[u8]>>,
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
        MemoryImage { bytes, pages: FxHashMap::default() }
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
            if let Some(page) = self.pages.get(&number) {
                let start = (at % PAGE) as usize;
                let stretch = &page[start..start + (page_end - at) as usize];
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
            at = page_end;
        }
    }

    fn words_anywhere(&self, range: Range<u64>, word: Word, visit: &mut dyn FnMut(u64, u64)) {
        let end = range.end.min(self.bytes);
        let mut at = range.start;
        while at.saturating_add(word.size()) <= end {
            if !self.pages.contains_key(&(at / PAGE)) {
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
}
