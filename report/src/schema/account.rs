//! What memory is for, and why it grew.

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
