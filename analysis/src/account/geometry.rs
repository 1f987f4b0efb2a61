//! What an allocator takes for a block beyond what was asked for: headers and rounding.
//!
//! dlmalloc and emmalloc write the size of each chunk in front of it: with an image that is read,
//! and believed if it fits. Of any other allocator blocks of one size that lie close together show
//! how much each takes, as far as there are any. It looks at live blocks only.

use crate::image::{MemoryImage, Word};
use rustc_hash::FxHashMap;

/// How the bytes that blocks take were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Overhead {
    /// Read from the allocator's own headers.
    Measured,
    /// By the rule that the allocator follows, without an image of its headers.
    Computed,
    /// By how close together blocks of the same size lie.
    Estimated,
}

impl Overhead {
    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            Overhead::Measured => "measured",
            Overhead::Computed => "computed",
            Overhead::Estimated => "estimated",
        }
    }
}

/// An allocator whose headers are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// A word with the chunk's size and three flags stands before the block, and the chunk reaches
    /// up to the next such word.
    Dlmalloc,
    /// A word with the region's size stands before the block, and one behind it.
    Emmalloc,
}

/// What blocks take, in one heap at one moment.
pub(crate) struct Geometry<'a> {
    known: Option<Known>,
    image: Option<&'a MemoryImage>,
    word: Word,
    /// The alignment that all blocks have.
    align: u64,
    /// By size asked for: the least distance from one such block to the next.
    strides: FxHashMap<u64, u64>,
}

/// Sizes of which strides are kept.
const MAX_STRIDES: usize = 65_536;
/// More than this between two blocks is no rounding.
const MAX_ROUNDING: u64 = 64;
/// Of so many blocks, spread over all, headers are looked at to tell whether they are headers.
const SAMPLES: usize = 512;

impl<'a> Geometry<'a> {
    /// `blocks` are addresses and sizes, by address.
    pub(crate) fn new(
        families: &[&str],
        image: Option<&'a MemoryImage>,
        word: Word,
        blocks: &[(u64, u64)],
    ) -> Geometry<'a> {
        let align = blocks.iter().map(|&(addr, _)| addr & addr.wrapping_neg()).min().unwrap_or(8);
        let align = align.clamp(word.size(), 16);
        let mut geometry =
            Geometry { known: None, image, word, align, strides: FxHashMap::default() };
        let named = |family: &str| families.iter().any(|it| it.contains(family));
        if image.is_some() {
            let fits = |known: &Known| geometry.fits(*known, blocks);
            geometry.known = [Known::Dlmalloc, Known::Emmalloc].into_iter().find(fits);
        } else if named("dlmalloc") {
            geometry.known = Some(Known::Dlmalloc);
        } else if named("emmalloc") {
            geometry.known = Some(Known::Emmalloc);
        }
        if geometry.known.is_none() {
            for pair in blocks.windows(2) {
                let distance = pair[1].0 - pair[0].0;
                let len = geometry.strides.len();
                match geometry.strides.get_mut(&pair[0].1) {
                    Some(stride) => *stride = distance.min(*stride),
                    None if len < MAX_STRIDES => {
                        geometry.strides.insert(pair[0].1, distance);
                    }
                    None => {}
                }
            }
        }
        geometry
    }

    /// The allocator, if its headers are there, or its name is and nothing speaks against it.
    pub(crate) fn known(&self) -> Option<Known> {
        self.known
    }

    /// How the answers of [`Geometry::chunk`] come about.
    pub(crate) fn how(&self) -> Overhead {
        match (self.known, self.image) {
            (Some(_), Some(_)) => Overhead::Measured,
            (Some(_), None) => Overhead::Computed,
            (None, _) => Overhead::Estimated,
        }
    }

    /// Where what the allocator took for a block begins and ends.
    pub(crate) fn chunk(&self, addr: u64, size: u64) -> (u64, u64) {
        let header = self.word.size();
        match self.known {
            Some(known) => {
                let start = addr.saturating_sub(header);
                let taken = self.read(known, addr, size).unwrap_or_else(|| self.rule(known, size));
                (start, start.saturating_add(taken))
            }
            None => {
                let stride = self.strides.get(&size).copied().unwrap_or(u64::MAX);
                let rounded = size.checked_next_multiple_of(self.align).unwrap_or(size);
                let rounding = stride.saturating_sub(size).min(MAX_ROUNDING);
                let taken = if stride >= size.saturating_add(MAX_ROUNDING) {
                    rounded
                } else {
                    size.saturating_add(rounding)
                };
                (addr, addr.saturating_add(taken))
            }
        }
    }

    /// What the allocator takes for a block of that size when it has the choice.
    fn rule(&self, known: Known, size: u64) -> u64 {
        let word = self.word.size();
        match known {
            Known::Dlmalloc => {
                let taken = size.saturating_add(word).checked_next_multiple_of(self.align);
                taken.unwrap_or(size).max(4 * word)
            }
            Known::Emmalloc => {
                let payload = size.max(2 * word).checked_next_multiple_of(8).unwrap_or(size);
                payload.saturating_add(2 * word)
            }
        }
    }

    /// What the header before a block says, if it is one.
    fn read(&self, known: Known, addr: u64, size: u64) -> Option<u64> {
        let word = self.word.size();
        let header = self.image?.word(addr.checked_sub(word)?, self.word);
        let (taken, least) = match known {
            // The lowest flag: the chunk before is in use; the second: this one is.
            Known::Dlmalloc if header & 2 == 0 => return None,
            Known::Dlmalloc => (header & !7, size.checked_add(word)?),
            Known::Emmalloc => (header, size.checked_add(2 * word)?),
        };
        // An aligned block may have been cut out of a larger chunk, but not of one much larger.
        let most = self.rule(known, size).saturating_add(MAX_ROUNDING);
        let is_size = taken >= least && taken <= most && taken.is_multiple_of(4);
        if is_size && known == Known::Emmalloc {
            let footer = addr.checked_sub(word)?.checked_add(taken)?.checked_sub(word)?;
            return (self.image?.word(footer, self.word) == taken).then_some(taken);
        }
        is_size.then_some(taken)
    }

    /// Whether nearly all of some blocks have a header of that kind.
    fn fits(&self, known: Known, blocks: &[(u64, u64)]) -> bool {
        let step = blocks.len().div_ceil(SAMPLES).max(1);
        let sample = || blocks.iter().step_by(step);
        let good = sample().filter(|&&(addr, size)| self.read(known, addr, size).is_some()).count();
        good > 0 && good * 20 >= sample().count() * 19
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_where_there_are_some() {
        let mut image = MemoryImage::new(65_536);
        let blocks = [(1008, 20), (1040, 4), (1056, 100)];
        for (addr, taken) in [(1008u64, 32u32), (1040, 16), (1056, 120)] {
            image.write(addr - 4, &(taken | 3).to_le_bytes(), &mut 9).unwrap();
        }
        let geometry = Geometry::new(&[], Some(&image), Word::Four, &blocks);
        assert_eq!(geometry.how(), Overhead::Measured);
        assert_eq!(geometry.chunk(1008, 20), (1004, 1036));
        assert_eq!(geometry.chunk(1056, 100), (1052, 1172));
        // One whose header makes no sense takes what the rule says.
        assert_eq!(geometry.chunk(2000, 33), (1996, 1996 + 48));
    }

    #[test]
    fn without_an_image_the_rule_counts() {
        let geometry = Geometry::new(&["dlmalloc"], None, Word::Four, &[(1008, 20), (1048, 4)]);
        assert_eq!(geometry.how(), Overhead::Computed);
        assert_eq!(geometry.chunk(1008, 20), (1004, 1028));
        assert_eq!(geometry.chunk(1048, 4), (1044, 1060));
    }

    #[test]
    fn neighbours_show_what_an_unknown_allocator_takes() {
        let blocks = [(1024, 20), (1056, 20), (1088, 20), (9000, 20), (9500, 7)];
        let image = MemoryImage::new(65_536);
        let geometry = Geometry::new(&["talc"], Some(&image), Word::Four, &blocks);
        assert_eq!(geometry.how(), Overhead::Estimated);
        assert_eq!(geometry.chunk(9000, 20), (9000, 9032));
        assert_eq!(geometry.chunk(9500, 7), (9500, 9508), "no neighbour: rounded");
    }
}
