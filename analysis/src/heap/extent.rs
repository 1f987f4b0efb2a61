//! How far a heap reaches, how full it is, and what it was asked for of late.
//!
//! These are the figures by which a growth is judged in the moment it happens, when there is no
//! time to look at every block.

/// The reach of one module's blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The lowest address that was ever handed out.
    pub(crate) low: u64,
    /// The end of the highest block that ever was.
    pub(crate) top: u64,
    /// What the live blocks take, about, in an allocator that rounds to 8 bytes, and in one that
    /// rounds to 16.
    taken: [u64; 2],
    /// All addresses, one over the other: what bits none of them has.
    bits: u64,
    /// `top` at a high-water mark that it has outgrown, and that mark's clock.
    outgrown: (u64, u64),
}

impl Default for Extent {
    fn default() -> Extent {
        Extent { low: u64::MAX, top: 0, taken: [0; 2], bits: 0, outgrown: (0, u64::MAX) }
    }
}

impl Extent {
    /// A block ends higher than any before; `peak_clock` is that of the high-water mark until then.
    #[inline]
    pub(crate) fn reach(&mut self, end: u64, peak_clock: u64) {
        if self.outgrown.1 != peak_clock {
            self.outgrown = (self.top, peak_clock);
        }
        self.top = end;
    }

    /// Takes note of a block that ends no higher than the heap [reaches](Extent::reach).
    #[inline]
    pub(crate) fn take(&mut self, addr: u64, size: u64) {
        self.low = self.low.min(addr);
        self.bits |= addr;
        for (taken, about) in self.taken.iter_mut().zip(about(size)) {
            *taken = taken.wrapping_add(about);
        }
    }

    #[inline]
    pub(crate) fn give_back(&mut self, size: u64) {
        for (taken, about) in self.taken.iter_mut().zip(about(size)) {
            *taken = taken.wrapping_sub(about);
        }
    }

    /// How far it reached at the high-water mark, which is known by now.
    pub(crate) fn top_at(&self, peak_clock: u64) -> u64 {
        if self.outgrown.1 == peak_clock { self.outgrown.0 } else { self.top }
    }

    /// The largest power of two of which all addresses are multiples.
    pub(crate) fn alignment(&self) -> u64 {
        self.bits & self.bits.wrapping_neg()
    }

    /// Whether so much is free between blocks, beyond doubt: what blocks take is an estimate.
    /// `foreign` bytes among them are somebody else's.
    pub(crate) fn has_free(&self, need: u64, foreign: u64) -> bool {
        let taken = self.taken[self.rounds_to_16()];
        self.free(foreign) >= need.saturating_add(taken / 32)
    }

    /// What is free between blocks, about.
    pub(crate) fn free(&self, foreign: u64) -> u64 {
        let span = self.top.saturating_sub(self.low);
        span.saturating_sub(self.taken[self.rounds_to_16()]).saturating_sub(foreign)
    }

    /// What the allocator takes for a block, about.
    pub(crate) fn taken_by(&self, size: u64) -> u64 {
        about(size)[self.rounds_to_16()]
    }

    /// Which of the two roundings it is: the second if all addresses allow it.
    fn rounds_to_16(&self) -> usize {
        usize::from(self.bits & 15 == 0)
    }
}

/// What an allocator takes for a block, about, if it rounds to 8 bytes, and if to 16: a word for its
/// header, and no chunk smaller than 16 bytes.
#[inline(always)]
fn about(size: u64) -> [u64; 2] {
    let to_8 = (size.wrapping_add(11) & !7).max(16);
    [to_8, to_8.wrapping_add(8) & !15]
}

/// What a request needs, about, wherever it goes.
pub(crate) fn need(size: u64) -> u64 {
    size.saturating_add(32)
}

/// Requests that are remembered.
const RECENT: usize = 1024;

/// The sizes of the last requests.
#[derive(Clone, Debug)]
pub(crate) struct Recent {
    sizes: Box<[u64; RECENT]>,
    next: usize,
}

impl Default for Recent {
    fn default() -> Recent {
        Recent { sizes: Box::new([0; RECENT]), next: 0 }
    }
}

impl Recent {
    #[inline]
    pub(crate) fn add(&mut self, size: u64) {
        self.sizes[self.next % RECENT] = size;
        self.next = self.next.wrapping_add(1);
    }

    /// The size of which half of all bytes requested of late were asked for in pieces no larger.
    pub(crate) fn usual(&self) -> u64 {
        let mut sizes: Vec<u64> = self.sizes.iter().copied().filter(|&size| size > 0).collect();
        sizes.sort_unstable();
        let half = sizes.iter().fold(0u64, |sum, &size| sum.saturating_add(size)) / 2;
        let mut sum = 0u64;
        let usual = sizes.iter().find(|&&size| {
            sum = sum.saturating_add(size);
            sum > half
        });
        usual.copied().unwrap_or(0)
    }
}
