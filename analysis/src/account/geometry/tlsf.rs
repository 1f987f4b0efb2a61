//! AssemblyScript's heaps, TLSF and the stub runtime's: a word with the size of the place stands in
//! front of it, with two flags in TLSF.
//!
//! ```text
//! now:              size │ place                    4 and the place are a multiple of 16
//! `__new` of now:   size │ four words │ object …    the place begins with the object's header
//! up to 0.17:       size │ three words │ place      the place is a multiple of 16
//! ```

use super::{Descriptor, Evidence, Keeping, Known};
use crate::image::Word;
use std::ops::Range;

const fn descriptor(
    keeping: for<'a> fn(Evidence<'a>) -> Option<Box<dyn Keeping + 'a>>,
) -> Descriptor {
    Descriptor { known: Known::Tlsf, family: "assemblyscript", by_address: false, keeping }
}

pub(super) const DESCRIPTOR: Descriptor = descriptor(|evidence| keeping(evidence, 4, 4));
/// With the header of an object in the place, behind which its address is.
pub(super) const OBJECTS: Descriptor = descriptor(|evidence| keeping(evidence, 4, 20));
/// With a header of 16 bytes.
pub(super) const OLDER: Descriptor = descriptor(|evidence| keeping(evidence, 16, 16));

/// The flag of a free block; the next one says so of the block before.
const FREE: u64 = 1;
const FLAGS: u64 = 3;
const ALIGN: u64 = 16;

struct Tlsf<'a> {
    evidence: Evidence<'a>,
    /// Bytes in front of the place.
    header: u64,
    /// How far in front of a block its header begins.
    distance: u64,
}

fn keeping(evidence: Evidence<'_>, header: u64, distance: u64) -> Option<Box<dyn Keeping + '_>> {
    (evidence.word == Word::Four).then(|| Box::new(Tlsf { evidence, header, distance }) as _)
}

impl Tlsf<'_> {
    /// What a header says that the place and the header take. It may be much more than was asked for:
    /// what the stub runtime makes smaller keeps its place.
    fn told(&self, header: u64) -> Option<u64> {
        let taken = (header & !FLAGS) + self.header;
        taken.is_multiple_of(ALIGN).then_some(taken)
    }

    /// With the header.
    fn taken(&self, size: u64) -> u64 {
        let needed = size.saturating_add(self.distance).max(self.header + 12);
        needed.checked_next_multiple_of(ALIGN).unwrap_or(needed)
    }
}

impl Keeping for Tlsf<'_> {
    fn look(&self, addr: u64, size: u64) -> Option<Range<u64>> {
        let start = addr.checked_sub(self.distance)?;
        let header = self.evidence.word(start)?;
        let taken = self.told(header).filter(|_| header & FREE == 0)?;
        let end = start.checked_add(taken)?;
        // There the next one begins, or nothing: TLSF's last has no place.
        let next = self.evidence.word(end)?;
        let is_header = next & !FLAGS == 0 || self.told(next).is_some();
        let is_size = addr.is_multiple_of(ALIGN) && taken >= size.checked_add(self.distance)?;
        (is_size && is_header).then_some(start..end)
    }

    fn rule(&self, addr: u64, size: u64) -> Range<u64> {
        let start = addr.saturating_sub(self.distance);
        start..start.saturating_add(self.taken(size))
    }
}
