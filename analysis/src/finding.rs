//! What an analysis has to say: a claim with its evidence, or why it makes none.

use crate::profile::{Count, StackId};

/// The kind of a finding, in the order of their weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// The heap was misused.
    HeapError,
    /// Blocks are live at exit.
    Leak,
    /// Descriptors are open at exit.
    OpenFile,
    /// The heap or the memory rises from mark to mark.
    Growth,
    /// A limit that the user set is exceeded.
    Budget,
    /// Something that may be a fault and may be the program's purpose: no verdict follows from it.
    Suspect,
}

impl FindingKind {
    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            FindingKind::HeapError => "heap-error",
            FindingKind::Leak => "leak",
            FindingKind::OpenFile => "open-file",
            FindingKind::Growth => "growth",
            FindingKind::Budget => "budget",
            FindingKind::Suspect => "suspect",
        }
    }

    /// How sure such a finding is, in a word.
    pub fn verdict(self) -> &'static str {
        match self {
            FindingKind::HeapError => "error",
            FindingKind::Leak | FindingKind::OpenFile => "leak",
            FindingKind::Growth | FindingKind::Suspect => "suspect",
            FindingKind::Budget => "exceeded",
        }
    }
}

/// A claim and its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The analysis that makes it.
    pub analysis: &'static str,
    /// What kind of claim it is.
    pub kind: FindingKind,
    /// The claim with its figures: one sentence without a full stop.
    pub summary: String,
    /// Where it happens.
    pub stack: Option<StackId>,
    /// Further contexts that take part in it, the most important first.
    pub contexts: Vec<StackId>,
    /// The blocks and bytes it is about.
    pub count: Count,
}

/// Why an analysis makes no claim about something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abstention {
    /// The analysis.
    pub analysis: &'static str,
    /// The reason: one sentence without a full stop.
    pub reason: String,
    /// The blocks and bytes that it does not judge.
    pub count: Count,
}
