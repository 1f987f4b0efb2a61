//! Runs instrumented WebAssembly under wasmtime and collects its trace.
//!
//! [`Runner`] runs a module as a program of its own, with WASI preview 1; [`Tracer`] adds tracing
//! to a host that somebody else wrote. Both hand the trace to a [`Sink`] on a thread of its own.
//! The crate does not rewrite modules and does not print. Its invariant: however a guest ends,
//! every record that it wrote reaches the sink, after the stack that it refers to and before the
//! [`End`](seepage_trace::End).
//!
//! ```
//! use seepage_runtime::{Error, RunOptions, Runner};
//!
//! // A module that has not been through `seepage instrument` is refused.
//! let Err(error) = Runner::new(b"\0asm\x01\0\0\0", RunOptions::default()) else { unreachable!() };
//! assert!(matches!(error, Error::NotInstrumented));
//! ```
#![deny(missing_docs)]

mod collector;
mod descriptors;
mod embed;
mod end;
mod error;
mod image;
mod instance;
mod interrupt;
mod invoke;
mod locals;
mod marks;
mod memory;
mod options;
mod probe;
mod runner;
mod section;
mod sinks;
mod stacks;
mod suppressions;
mod wasi;

pub use collector::{Sink, SinkError};
pub use embed::{DEFAULT_STACKS, Finished, Link, TracedModule, Tracer, configure};
pub use end::Symbolize;
pub use error::Error;
pub use image::{Images, MARKS_BUDGET};
pub use interrupt::Interrupt;
pub use locals::KeptInLocals;
pub use marks::MarkRequest;
pub use options::{Capture, Dir, Invoke, Output, RunOptions, Stdin};
pub use probe::Wasmtime;
pub use runner::{Ran, Runner};
pub use section::{is_instrumented, site_table};
pub use sinks::{Discard, Kept, Tee, TraceWriter};
/// The wasmtime that the interface of [`Tracer`] speaks of.
pub use wasmtime;
