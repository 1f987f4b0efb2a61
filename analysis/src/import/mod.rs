//! Inputs that are no trace, turned into the messages of one.
//!
//! A converter takes bytes as they come and hands on messages; [`crate::Session`] does not know
//! where they are from, so that all analyses and formats serve every input. Converters are pure:
//! the host reads the file.

mod alloc_log;
mod line;
mod objects;

pub(crate) use alloc_log::FAMILY;
pub use alloc_log::{AllocLog, LogCounts};
