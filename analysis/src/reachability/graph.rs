//! Live blocks as a graph: which block an address belongs to, and which blocks a block points to.
//!
//! Every aligned word that could be an address in a block is taken for one, as conservative
//! collectors do. It judges nothing; see [`super::marking`].

use crate::{
    heap::blocks::LiveBlock,
    image::{MemoryImage, Word},
};
use std::ops::Range;

/// The number of a block: blocks are numbered by address.
pub(crate) type NodeId = u32;

/// How an address points to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    /// To its first byte.
    Start,
    /// To a byte inside, or to the one behind its last.
    Interior,
}

/// In which form a program keeps the addresses of blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// They may lie at any address, not only at multiples of their size.
    pub(crate) unaligned: bool,
    /// AssemblyScript's: an object is known by its first field, behind a header of 16 bytes, and
    /// its collector links objects by the word in front of the block, with the colour in the two
    /// lowest bits.
    pub(crate) managed: bool,
}

/// What lies in front of a managed object's fields.
const MANAGED_HEADER: u64 = 16;
/// What lies in front of a managed object's block.
const MANAGED_LINK: u64 = 4;
const COLOUR: u64 = 3;

/// Blocks that the directory leaves to a search, about.
const BLOCKS_IN_BUCKET: u64 = 2;

/// Blocks, and the memory that they are in.
pub(crate) struct Graph<'a> {
    pub(crate) nodes: &'a [LiveBlock],
    pub(crate) image: &'a MemoryImage,
    pub(crate) word: Word,
    addresses: Addresses,
    low: u64,
    high: u64,
    /// How many blocks begin below each multiple of the bucket size, from `low` on. Buckets are as
    /// large as it takes for a few blocks each, so that it costs a fraction of the blocks.
    directory: Vec<u32>,
    bucket_bits: u32,
    /// Whether there was once a block at an address where none is now.
    was_block: &'a dyn Fn(u64) -> bool,
}

impl<'a> Graph<'a> {
    /// `nodes` are sorted by address.
    pub(crate) fn new(
        nodes: &'a [LiveBlock],
        image: &'a MemoryImage,
        word: Word,
        addresses: Addresses,
        was_block: &'a dyn Fn(u64) -> bool,
    ) -> Graph<'a> {
        let low = nodes.first().map_or(0, |node| node.addr);
        let high = nodes.iter().map(LiveBlock::end).max().unwrap_or(0);
        let span = high - low;
        let per_bucket = (span / (nodes.len() as u64).max(1)).saturating_mul(BLOCKS_IN_BUCKET);
        let bucket_bits = per_bucket.max(8).ilog2();
        let buckets = (span >> bucket_bits) as usize + 2;
        let mut directory = Vec::with_capacity(buckets);
        let mut below = 0;
        for bucket in 0..buckets as u64 {
            let start = low.saturating_add(bucket << bucket_bits);
            below += nodes[below..].iter().take_while(|node| node.addr < start).count();
            directory.push(below as u32);
        }
        Graph { nodes, image, word, addresses, low, high, directory, bucket_bits, was_block }
    }

    /// The block that an address points to.
    #[inline]
    pub(crate) fn target(&self, addr: u64) -> Option<(NodeId, Reference)> {
        let least = self.least();
        if addr < least || addr > self.high || self.nodes.is_empty() {
            return None;
        }
        self.find(addr)
    }

    /// The lowest address that may point to a block.
    fn least(&self) -> u64 {
        if self.addresses.managed { self.low.saturating_sub(MANAGED_LINK) } else { self.low }
    }

    fn find(&self, addr: u64) -> Option<(NodeId, Reference)> {
        if self.addresses.managed
            && let Some((node, 0)) = self.at((addr & !COLOUR) + MANAGED_LINK)
        {
            return Some((node, Reference::Start));
        }
        let (index, offset) = self.at(addr)?;
        let node = self.nodes[index as usize];
        let reference = if offset == 0 || self.addresses.managed && offset == MANAGED_HEADER {
            Reference::Start
        } else if offset < node.size {
            Reference::Interior
        } else if offset == node.size && !(self.was_block)(addr) {
            // One past the end is a place that iterators point to, and so does a free list whose
            // next element lies right behind this block.
            Reference::Interior
        } else {
            return None;
        };
        Some((index, reference))
    }

    /// The last block that begins at or before an address, and how far into it that is.
    fn at(&self, addr: u64) -> Option<(NodeId, u64)> {
        let bucket = (addr.checked_sub(self.low)? >> self.bucket_bits) as usize;
        let (from, to) = match self.directory.get(bucket..bucket + 2) {
            Some(bounds) => (bounds[0] as usize, bounds[1] as usize),
            None => (0, self.nodes.len()),
        };
        let behind = from + self.nodes[from..to].partition_point(|node| node.addr <= addr);
        let index = behind.checked_sub(1)?;
        Some((index as NodeId, addr - self.nodes[index].addr))
    }

    /// Calls `visit` with every reference in a stretch of memory, and where it is.
    #[inline]
    pub(crate) fn references(
        &self,
        range: Range<u64>,
        mut visit: impl FnMut(u64, NodeId, Reference),
    ) {
        let (low, high) = (self.least(), self.high);
        let step = if self.addresses.unaligned { 1 } else { self.word.size() };
        self.image.words(range, self.word, step, |at, value| {
            if value >= low
                && value <= high
                && let Some((node, reference)) = self.find(value)
            {
                visit(at, node, reference);
            }
        });
    }

    /// Calls `visit` with every reference from a block.
    #[inline]
    pub(crate) fn edges(&self, node: NodeId, mut visit: impl FnMut(NodeId, Reference)) {
        let block = &self.nodes[node as usize];
        self.references(block.addr..block.end(), |_, to, reference| visit(to, reference));
    }
}
