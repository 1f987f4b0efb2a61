//! The heap model and the analyses: messages of a trace go in, an [`Outcome`] comes out.
//!
//! [`Session`] is the one driver for a live run, a stored trace and a page in a browser. The crate
//! does no I/O, reads no clock, environment or randomness, starts no threads, and knows neither
//! wasm nor any output format. The same messages give the same outcome, whatever the host. What a
//! guest does wrong is data: nothing that a trace can say is an error here, or a panic.
//!
//! ```
//! use seepage_analysis::{Config, Session, Verdict};
//! use seepage_trace::{
//!     Context, End, Event, Message, ModuleId, ModuleInfo, Outcome, RecordLayout, Records, Role,
//!     State, ThreadId, Tracepoint, TracepointId,
//! };
//!
//! let malloc = Tracepoint {
//!     index: 3, function: "malloc".into(), role: Role::Malloc, family: "c".into(),
//!     how: "by name".into(),
//! };
//! let mut raw = Vec::new();
//! Event::Alloc {
//!     tracepoint: TracepointId(0), context: Context(7), addr: 1024, size: 40, align: None,
//! }
//! .write(RecordLayout::Narrow, &mut raw);
//!
//! let mut session = Session::new(Config::default());
//! session.feed(&Message::Module(ModuleInfo { tracepoints: vec![malloc], ..Default::default() }));
//! session.feed(&Message::Records(Records {
//!     module: ModuleId(0), thread: ThreadId(0), time_ns: 9, memories: vec![1],
//!     layout: RecordLayout::Narrow, raw: raw.into(),
//! }));
//! // What the memory holds at the end: nothing that points to the block.
//! session.feed(&Message::State(State { memory_bytes: 65_536, ..State::default() }));
//! session.feed(&Message::End(End { outcome: Outcome::Returned, ..End::default() }));
//!
//! let outcome = session.finish();
//! assert_eq!(outcome.profile.totals.live.bytes, 40);
//! assert_eq!(outcome.verdict(), Verdict::Leak);
//! ```
#![deny(missing_docs)]

mod account;
mod analyses;
mod config;
mod finding;
mod heap;
mod host;
mod image;
pub mod import;
mod kinds;
mod open_files;
mod outcome;
mod profile;
mod reachability;
mod session;
pub mod snapshot;
pub mod suppressions;
mod types;
mod whatif;
pub mod words;

pub use account::{Account, BlockKind, CellRun, HeapMap, LiveBytes, MapMoment, Overhead, Use};
pub use config::{Budget, Caps, Config, LeakKinds};
pub use finding::{Abstention, Finding, FindingKind, Operation, Rate};
pub use heap::anomalies::{Anomaly, AnomalyKind};
pub use host::{HostPoint, HostUse, Rose, Side};
pub use image::LentMemory;
pub use open_files::OpenFiles;
pub use outcome::{Drops, Outcome, Verdict};
pub use profile::{
    AtMark, CallSide, ContextCost, Cost, Count, Fragmentation, FreeRuns, FreeSpace, Grow, GrownBy,
    GrownFor, Growth, GrowthCause, GrowthShare, Held, Kinds, LeakKind, LifetimeBucket, LossRecord,
    Mark, MemoryUse, NotJudged, Peak, Pin, Point, Profile, Reachability, Rise, RootGroup, Roots,
    SizeBucket, StackId, Totals,
};
pub use session::Session;
pub use snapshot::Snapshot;
pub use suppressions::Suppressed;
pub use types::TypeCost;
pub use whatif::{NothingToRemove, Plan, Remaining, Replay, Selection, WhatIf};
