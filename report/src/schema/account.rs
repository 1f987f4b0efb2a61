//! What memory is for, and why it grew.

use super::Frame;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the bytes of the memories are for at one moment. All parts are bytes, and add up to the
/// memories' size; `live` is split further.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Static variables, and what else lies below the heap.
    #[serde(rename = "static")]
    pub static_bytes: u64,
    /// The stack in memory, where it is known.
    pub stack: u64,
    /// Live blocks, as the program asked for them.
    pub live: LiveBytes,
    /// What the allocator took for them beyond that.
    pub overhead: u64,
    /// Free runs in which what the program usually asks for has room.
    pub free_fitting: u64,
    /// Free runs in which it has not: external fragmentation.
    pub free_fragmented: u64,
    /// Never handed out, at the top.
    pub tail: u64,
    /// Grown by somebody whose blocks are not seen.
    pub untracked: u64,
}

/// Bytes of live blocks by what became of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LiveBytes {
    /// Nothing points there.
    pub definitely_lost: u64,
    /// Only lost blocks point there.
    pub indirectly_lost: u64,
    /// Something may point there.
    pub possibly_lost: u64,
    /// Something points there.
    pub still_reachable: u64,
    /// Known noise.
    pub suppressed: u64,
    /// Nobody looked.
    pub unknown: u64,
}

/// Bytes by which all memories grew, by cause.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryGrowth {
    /// The whole growth.
    pub bytes: u64,
    /// The program asked its allocator for more than all that was free.
    pub demand: u64,
    /// Enough was free, but in pieces too small for what was asked for.
    pub fragmentation: u64,
    /// Allocators took more than they needed, and have not handed it out.
    pub policy: u64,
    /// Other code of the module grew the memory.
    pub direct: u64,
    /// The host or another module did.
    pub unexplained: u64,
}

/// A share of the growth of all memories: which blocks are in what was grown, or for whom it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GrowthShare {
    /// What it went to. Of growth for more live bytes, what is there at the end: `lost` (with what
    /// hangs on it), `possibly-lost`, `container` (one that only grows), `held`, `suppressed`, `live`
    /// (nobody knows what points there), or `free` (it is free now). Of other growth its cause:
    /// `fragmentation`, `policy`, `direct`, `unexplained`. `other` are all shares that are not listed.
    pub what: String,
    /// The bytes. Of blocks, with what the allocator took for them.
    pub bytes: u64,
    /// The finding that says more about it: an index into `findings`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<u64>,
    /// Where the blocks were allocated; of all that is no block, who asked for it.
    pub frames: Vec<Frame>,
}

/// Free memory in pieces too small for what the memory last grew for though enough was free: as it
/// is at the end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fragmentation {
    /// The request for which it last grew so; of several memories, the largest. 0 if none ever did.
    pub wanted: u64,
    /// Bytes of all pieces. `account.free_fragmented` has another measure: what the program usually
    /// asks for.
    pub bytes: u64,
    /// Pieces.
    pub pieces: u64,
    /// Bytes of the largest.
    pub largest: u64,
    /// The live blocks that keep the pieces apart, by what they are and who allocated them; who keeps
    /// most first.
    pub pins: Vec<Pin>,
}

/// Live blocks next to pieces of free memory that are too small.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pin {
    /// What the blocks are: `lost` (with what hangs on them), `possibly-lost`, `held`, `suppressed` or
    /// `live` (nobody knows what points there). `other` are all that are not listed.
    pub what: String,
    /// The blocks.
    pub blocks: u64,
    /// Their own bytes.
    pub block_bytes: u64,
    /// Bytes of the pieces: half of one that lies between two blocks, all of one beside which there is
    /// one block alone.
    pub bytes: u64,
    /// Where the blocks were allocated; of what hangs on a lost block, where that was.
    pub frames: Vec<Frame>,
}

/// What was free in a heap when its memory grew. What blocks take beyond their size is an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FreeSpace {
    /// Bytes that were free between the blocks.
    pub bytes: u64,
    /// Bytes above all blocks, never handed out before.
    pub tail: u64,
    /// The free runs that make up `bytes`; null if counting them would have cost too much.
    pub runs: Option<u64>,
    /// Bytes of the longest of these.
    pub largest: Option<u64>,
}
