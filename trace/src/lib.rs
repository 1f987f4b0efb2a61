//! What an instrumented module writes and every host reads: the binary interface of the injected
//! code ([`abi`]), the table that ships inside an instrumented module ([`sites`]), and the trace
//! format ([`encode`], [`decode`]; described in `FORMAT.md`).
//!
//! The crate does no I/O, knows neither walrus nor wasmtime nor serde, and builds without `std`, so
//! that the same code runs in the command line tool and, compiled to wasm, in a page. Everything it
//! decodes is hostile input: lengths are checked against what is there, and nothing panics.
//!
//! ```
//! use seepage_trace::{
//!     Context, Decoder, Encoder, Message, ModuleId, Records, ThreadId,
//!     abi::{Event, RecordLayout},
//!     ids::TracepointId,
//! };
//!
//! let event = Event::Alloc {
//!     tracepoint: TracepointId(0), context: Context(7), addr: 1024, size: 40, align: None,
//! };
//! let mut raw = Vec::new();
//! event.write(RecordLayout::Narrow, &mut raw);
//!
//! let mut file = Vec::new();
//! let mut encoder = Encoder::new(&mut file);
//! encoder.message(
//!     &Message::Records(Records {
//!         module: ModuleId(0), thread: ThreadId(0), time_ns: 0, memories: vec![2],
//!         layout: RecordLayout::Narrow, raw: raw.into(),
//!     }),
//!     &mut file,
//! );
//!
//! let mut decoder = Decoder::new();
//! decoder.push(&file);
//! let Ok(Some(Message::Records(records))) = decoder.next() else { panic!("one message went in") };
//! assert_eq!(records.events().next(), Some(event));
//! ```
#![no_std]
#![deny(missing_docs)]

extern crate alloc;

pub mod abi;
mod bound;
mod bytes;
pub mod decode;
pub mod encode;
pub mod ids;
pub mod locals;
pub mod message;
mod pack;
pub mod role;
pub mod sites;
mod sparse;
pub mod stacks;
pub mod version;

pub use abi::{Event, RecordLayout};
pub use decode::{DecodeError, Decoder};
pub use encode::Encoder;
pub use ids::{Context, ModuleId, SiteId, ThreadId, TracepointId};
pub use message::{
    End, Frame, Frees, HostMemory, Layout, Memory, MemoryPart, Message, ModuleInfo, OpenFile,
    Outcome, Records, Stack, State, Tracepoint, WORKS_UNSEEN,
};
pub use role::Role;
pub use sites::SiteTable;
