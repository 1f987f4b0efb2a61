//! The host's own memory, beside that of the modules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Memory of a host that has a heap of its own: JavaScript's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Its course, in a bounded number of points.
    pub timeline: Vec<HostPoint>,
    /// The least of heap and buffers in the first and in the last quarter of the time: what is
    /// garbage comes and goes in between.
    pub memory: Rose,
    /// The memories of the modules in the beginning and at the end.
    pub wasm: Rose,
    /// On which side the growth is; null where neither grew by much, or where it cannot be said,
    /// since nothing was seen to be collected in the second half of the run.
    pub grew: Option<Side>,
}

/// The host's memory at some moment, in bytes, and the modules' beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HostPoint {
    /// The host's clock.
    pub time_ns: u64,
    /// Events so far.
    pub clock: u64,
    /// What is in use of the host's heap, collectable or not.
    pub heap: u64,
    /// Buffers that belong to objects in that heap, and lie outside.
    pub buffers: Option<u64>,
    /// What the process has in RAM.
    pub resident: Option<u64>,
    /// What seepage has taken, which is part of `resident`.
    pub tracer: u64,
    /// The least of heap and buffers together since the point before.
    pub least: u64,
    /// What was live in the modules.
    pub live_bytes: u64,
    /// Size of all their memories, in pages of 64 KiB.
    pub pages: u64,
}

/// From how many bytes to how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rose {
    /// In the beginning.
    pub from: u64,
    /// At the end.
    pub to: u64,
}

/// Where growth was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// In the host.
    Host,
    /// In the modules.
    Wasm,
    /// In both.
    Both,
}
