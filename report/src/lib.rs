//! The report: a versioned, documented description of a run, and its renderings.
//!
//! [`assemble`] turns an [`seepage_analysis::Outcome`] into a [`Report`], which a
//! [`formats::Format`] renders. The report says everything that a format may show; a format
//! computes nothing that an analysis should. The crate does no I/O and knows no terminal: whoever
//! prints decides on colour and width.
//!
//! ```
//! use seepage_analysis::{Config, Session};
//! use seepage_report::{Context, Options, assemble, formats};
//!
//! let outcome = Session::new(Config::default()).finish();
//! let report = assemble(&outcome, &Context::new("0.1.0"));
//! let mut text = String::new();
//! for format in formats::LIST {
//!     (format.render)(&report, &Options::default(), &mut text);
//! }
//! assert!(text.contains("SUMMARY seepage: blind"));
//! ```
#![deny(missing_docs)]

mod assemble;
mod diff;
pub mod formats;
mod read;
pub mod schema;

pub use assemble::{Context, assemble, frames};
pub use diff::{
    AccountChange, Change, ContextChange, ContextCounts, CountChange, DIFF_SCHEMA, DIFF_VERSION,
    Diff, DiffOptions, DiffVerdict, Increase, MatchedBy, MemoryChange, Regression, Side, Status,
    TotalsChange, diff, diff_json_schema,
};
pub use formats::{Invocation, Options, TextOptions, Verb};
pub use read::ReadError;
pub use schema::{Report, SCHEMA, SCHEMA_VERSION, json_schema};
