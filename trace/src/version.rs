//! The version of everything this crate writes.

/// The version of the trace file format and of the section in an instrumented module.
///
/// They change together: a reader refuses what it does not know instead of guessing. A test holds
/// a trace and a section of each version, and fails when their bytes change without a new number.
pub const FORMAT_VERSION: u32 = 2;
