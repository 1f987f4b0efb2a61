//! Free memory in pieces that are too small, and what keeps them apart.

use super::{Count, GrownFor, StackId};

/// Free memory in pieces that are too small for what the memory last grew for though enough was
/// free.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fragmentation {
    /// That request; of several memories, the largest. 0 if no memory ever grew so.
    pub wanted: u64,
    /// Bytes of all pieces.
    pub bytes: u64,
    /// Pieces.
    pub pieces: u64,
    /// Bytes of the largest.
    pub largest: u64,
    /// The blocks that lie between them, by what they are and who holds them; who keeps most first.
    /// The bytes add up to all but those of pieces beside which there is no block.
    pub pins: Vec<Pin>,
}

/// Blocks of one context that lie next to pieces that are too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// What the blocks are: lost, held, or whatever else holds memory.
    pub what: GrownFor,
    /// The context that holds them; of blocks that hang on lost ones, that of those.
    pub stack: StackId,
    /// The blocks.
    pub blocks: Count,
    /// Bytes of the pieces: half of one that lies between two blocks.
    pub bytes: u64,
}
