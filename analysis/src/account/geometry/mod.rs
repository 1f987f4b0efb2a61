//! What an allocator takes for a block beyond what was asked for: headers and rounding.
//!
//! Each allocator whose way of keeping blocks is known has a file here: it reads from an image what
//! was taken for a block, or says why a block at such an address cannot be its. It is believed only
//! if that makes sense for nearly all blocks. Of any other allocator blocks of one size that lie close
//! together show how much each takes, as far as there are any. Only live blocks are looked at.

mod dlmalloc;
mod emmalloc;
mod mimalloc;
mod talc;
mod tlsf;
mod told;
mod wee_alloc;
mod zig;

use crate::image::{MemoryImage, Word};
use rustc_hash::FxHashMap;
use std::ops::Range;
pub(crate) use told::Told;
use told::Usable;

/// How the bytes that blocks take were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Overhead {
    /// Read from the allocator's own headers, or told by it, and what is in front of blocks shown by
    /// neighbours.
    Measured,
    /// Told by the allocator, but for what it may have in front of blocks.
    Told,
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
            Overhead::Told => "told",
            Overhead::Computed => "computed",
            Overhead::Estimated => "estimated",
        }
    }
}

/// An allocator whose way of keeping blocks is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Dlmalloc,
    Emmalloc,
    Tlsf,
    Mimalloc,
    Talc,
    WeeAlloc,
    Zig,
}

/// What there is to go by, in one heap at one moment.
#[derive(Clone, Copy)]
struct Evidence<'a> {
    image: Option<&'a MemoryImage>,
    word: Word,
    /// The alignment that all blocks have.
    align: u64,
    /// Addresses and sizes, by address.
    blocks: &'a [(u64, u64)],
}

impl Evidence<'_> {
    /// The word at an address, if there is an image.
    fn word(&self, addr: u64) -> Option<u64> {
        Some(self.image?.word(addr, self.word))
    }

    /// The word that stands so far in front of an address.
    fn word_before(&self, addr: u64, distance: u64) -> Option<u64> {
        self.word(addr.checked_sub(distance)?)
    }
}

/// The way in which an allocator keeps its blocks.
trait Keeping {
    /// Where what was taken for a block begins and ends, by the allocator's own records or by the
    /// address; nothing if it cannot be a block of this allocator.
    fn look(&self, addr: u64, size: u64) -> Option<Range<u64>>;

    /// What the allocator takes for a block of that size when it has the choice.
    fn rule(&self, addr: u64, size: u64) -> Range<u64>;
}

/// An allocator whose way of keeping blocks is known.
struct Descriptor {
    known: Known,
    /// The family of its functions has this in its name, if it is told from others.
    family: &'static str,
    /// Blocks tell by their addresses alone: nothing is read.
    by_address: bool,
    /// Finds its way about in a heap, if the heap can be this allocator's at all.
    keeping: for<'a> fn(Evidence<'a>) -> Option<Box<dyn Keeping + 'a>>,
}

const LIST: &[Descriptor] = &[
    dlmalloc::DESCRIPTOR,
    emmalloc::DESCRIPTOR,
    tlsf::DESCRIPTOR,
    tlsf::OLDER,
    tlsf::OBJECTS,
    talc::DESCRIPTOR,
    wee_alloc::DESCRIPTOR,
    mimalloc::DESCRIPTOR,
    zig::DESCRIPTOR,
];

/// What blocks take, in one heap at one moment.
pub(crate) struct Geometry<'a> {
    known: Option<Known>,
    keeping: Option<Box<dyn Keeping + 'a>>,
    how: Overhead,
    /// The alignment that all blocks have.
    align: u64,
    /// By size asked for: the least distance from one such block to the next.
    strides: FxHashMap<u64, u64>,
}

/// Sizes of which strides are kept.
const MAX_STRIDES: usize = 65_536;
/// More than this between two blocks is no rounding.
const MAX_ROUNDING: u64 = 64;
/// Of so many blocks, spread over all, it is looked whether they fit an allocator.
const SAMPLES: usize = 512;

impl<'a> Geometry<'a> {
    /// `blocks` are addresses and sizes, by address. Without an image the allocator is taken to be
    /// the one that was `known` by another, or whose family is among the `families`. What an allocator
    /// has `told` counts if it is no known one.
    pub(crate) fn new(
        families: &[&str],
        known: Option<Known>,
        image: Option<&'a MemoryImage>,
        word: Word,
        blocks: &'a [(u64, u64)],
        told: Option<Told<'a>>,
    ) -> Geometry<'a> {
        let align = blocks.iter().map(|&(addr, _)| addr & addr.wrapping_neg()).min().unwrap_or(8);
        let align = align.clamp(word.size(), 16);
        let evidence = Evidence { image, word, align, blocks };
        let found = match image {
            Some(_) => by_blocks(evidence, families),
            None => by_name(evidence, families, known),
        };
        let usable = || Usable::new(told?, word, blocks);
        let (known, keeping, how): (_, Option<Box<dyn Keeping + 'a>>, _) = match found {
            Some((descriptor, keeping)) => {
                let is_read = image.is_some() && !descriptor.by_address;
                let how = if is_read { Overhead::Measured } else { Overhead::Computed };
                (Some(descriptor.known), Some(keeping), how)
            }
            None => match usable() {
                Some(usable) => {
                    let how = usable.how();
                    (None, Some(Box::new(usable)), how)
                }
                None => (None, None, Overhead::Estimated),
            },
        };
        let strides = if keeping.is_none() { strides(blocks) } else { FxHashMap::default() };
        Geometry { known, keeping, how, align, strides }
    }

    /// The allocator, if blocks lie as it would put them, or its name is there and nothing speaks
    /// against it.
    pub(crate) fn known(&self) -> Option<Known> {
        self.known
    }

    /// How the answers of [`Geometry::chunk`] come about.
    pub(crate) fn how(&self) -> Overhead {
        self.how
    }

    /// Where what the allocator took for a block begins and ends.
    pub(crate) fn chunk(&self, addr: u64, size: u64) -> (u64, u64) {
        if let Some(keeping) = &self.keeping {
            let chunk = keeping.look(addr, size).unwrap_or_else(|| keeping.rule(addr, size));
            return (chunk.start, chunk.end);
        }
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

/// The allocator that nearly all of some blocks fit, and more of them than any other: of equals one
/// whose family is there.
fn by_blocks<'a>(
    evidence: Evidence<'a>,
    families: &[&str],
) -> Option<(&'static Descriptor, Box<dyn Keeping + 'a>)> {
    let step = evidence.blocks.len().div_ceil(SAMPLES).max(1);
    let sample = || evidence.blocks.iter().step_by(step);
    let fitting = LIST.iter().filter_map(|descriptor| {
        let is_named = is_named(descriptor, families);
        if descriptor.by_address && !is_named {
            return None;
        }
        let keeping = (descriptor.keeping)(evidence)?;
        let good = sample().filter(|&&(addr, size)| keeping.look(addr, size).is_some()).count();
        let fits = good > 0 && good * 20 >= sample().count() * 19;
        fits.then_some(((good, is_named), (descriptor, keeping)))
    });
    let best = fitting.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map(|(_, found)| found)
}

/// The allocator that names tell.
fn by_name<'a>(
    evidence: Evidence<'a>,
    families: &[&str],
    known: Option<Known>,
) -> Option<(&'static Descriptor, Box<dyn Keeping + 'a>)> {
    let descriptor = match known {
        Some(known) => LIST.iter().find(|it| it.known == known),
        None => LIST.iter().find(|it| is_named(it, families)),
    }?;
    Some((descriptor, (descriptor.keeping)(evidence)?))
}

fn is_named(descriptor: &Descriptor, families: &[&str]) -> bool {
    families.iter().any(|family| family.contains(descriptor.family))
}

fn strides(blocks: &[(u64, u64)]) -> FxHashMap<u64, u64> {
    let mut strides: FxHashMap<u64, u64> = FxHashMap::default();
    for pair in blocks.windows(2) {
        let distance = pair[1].0 - pair[0].0;
        let len = strides.len();
        match strides.get_mut(&pair[0].1) {
            Some(stride) => *stride = distance.min(*stride),
            None if len < MAX_STRIDES => {
                strides.insert(pair[0].1, distance);
            }
            None => {}
        }
    }
    strides
}

#[cfg(test)]
mod tests;
