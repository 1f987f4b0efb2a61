//! The subcommands, one file each.

pub(crate) mod analyze;
pub(crate) mod check;
pub(crate) mod diff;
pub(crate) mod inspect;
pub(crate) mod instrument;
pub(crate) mod run;
pub(crate) mod suppressions;
