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
    /// What the live blocks take, about, with headers and rounding.
    pub(crate) taken: u64,
}

impl Default for Extent {
    fn default() -> Extent {
        Extent { low: u64::MAX, top: 0, taken: 0 }
    }
}

impl Extent {
    #[inline]
    pub(crate) fn take(&mut self, addr: u64, size: u64) {
        self.low = self.low.min(addr);
        self.top = self.top.max(addr.saturating_add(size));
        self.taken = self.taken.wrapping_add(about(size));
    }

    #[inline]
    pub(crate) fn give_back(&mut self, size: u64) {
        self.taken = self.taken.wrapping_sub(about(size));
    }

    /// Bytes between blocks that nobody holds, about.
    pub(crate) fn free(&self) -> u64 {
        self.top.saturating_sub(self.low).saturating_sub(self.taken)
    }
}

/// What an allocator takes for a block, about: a word for its header, and no chunk smaller than
/// two words.
#[inline]
pub(crate) fn about(size: u64) -> u64 {
    (size.wrapping_add(11) & !7).max(16)
}

/// Requests that are remembered.
const RECENT: usize = 1024;

/// The sizes of the last requests.
#[derive(Debug)]
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
