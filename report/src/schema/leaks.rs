//! What became of the live blocks.

use super::{Count, Frame};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of the live blocks, in the words of Valgrind's Memcheck.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Leaks {
    /// Nothing points there: they can never be freed.
    pub definitely_lost: Count,
    /// Only lost blocks point there.
    pub indirectly_lost: Count,
    /// Something points into them but not to their start, or what may point there was not seen.
    pub possibly_lost: Count,
    /// A chain of addresses from outside the heap leads there.
    pub still_reachable: Count,
    /// Known noise, and what hangs on it.
    pub suppressed: Count,
    /// Of the possibly lost ones, those that only locals of calls under way could hold.
    pub maybe_in_locals: Count,
    /// What was looked at for addresses.
    pub roots: Roots,
}

/// What was looked at for addresses of blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Roots {
    /// Mutable globals.
    pub globals: u64,
    /// Bytes of memory outside the heap, without the dead part of the stack.
    pub static_bytes: u64,
    /// Bytes of the live part of the stack in memory; 0 if it is not told apart.
    pub stack_bytes: u64,
    /// Addresses that the host holds.
    pub host: u64,
}

/// A kind of live blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeakKind {
    /// Nothing points there.
    DefinitelyLost,
    /// Only lost blocks point there.
    IndirectlyLost,
    /// Something may point there.
    PossiblyLost,
    /// Something points there.
    StillReachable,
}

/// The live blocks of one kind from one context.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LossRecord {
    /// What became of them.
    pub kind: LeakKind,
    /// How many.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Lost blocks of any context that hang on these.
    pub indirect_blocks: u64,
    /// Bytes of those.
    pub indirect_bytes: u64,
    /// Bytes that would be free if these blocks were; null if there were too many blocks to tell.
    pub retained_bytes: Option<u64>,
    /// The module's place: 0 is `module`, the others follow in `modules`.
    pub module: u64,
    /// Where they were allocated.
    pub frames: Vec<Frame>,
}

/// A block that the host holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    /// The module's place: 0 is `module`, the others follow in `modules`.
    pub module: u64,
    /// The address that the host holds.
    pub root: u64,
    /// Where the block begins.
    pub address: u64,
    /// Its size.
    pub bytes: u64,
    /// Bytes that would be free without it.
    pub retained_bytes: u64,
}

/// Live blocks by kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KindCounts {
    /// Nothing points there.
    pub definitely_lost: Count,
    /// Only lost blocks point there.
    pub indirectly_lost: Count,
    /// Something may point there.
    pub possibly_lost: Count,
    /// Something points there.
    pub still_reachable: Count,
    /// Known noise, and what hangs on it.
    pub suppressed: Count,
}
