//! The maps of the linear memories, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A linear memory at one moment, as cells of the same size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HeapMap {
    /// `end`, `peak` or `mark`.
    pub moment: String,
    /// Of a mark, its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// The module whose first memory it is: 0 is `module`, others count in `modules` from 1.
    pub module: u64,
    /// Bytes of a cell; the last may be cut off by the memory's end.
    pub cell_bytes: u64,
    /// The cells from address 0 on; neighbours that are the same are one entry.
    pub cells: Vec<CellRun>,
}

/// Neighbouring cells of a heap map that are for the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CellRun {
    /// What most of the bytes of each are for: `static`, `stack`, `definitely-lost`,
    /// `indirectly-lost`, `possibly-lost`, `still-reachable`, `suppressed`, `live` (where nobody
    /// looked what points to it), `overhead`, `free-fitting`, `free-fragmented`, `tail` or
    /// `untracked`.
    pub state: String,
    /// Of live blocks, the context that holds the most of them: an index into `contexts`. Absent if
    /// that is not listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u64>,
    /// How many cells.
    pub count: u64,
}
