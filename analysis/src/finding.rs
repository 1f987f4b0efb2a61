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
    /// The memory grew although enough of it was free: no verdict follows from it.
    Fragmentation,
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
            FindingKind::Fragmentation => "fragmentation",
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
            FindingKind::Fragmentation => "fragmentation",
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
    /// Of a container that only grows, how fast it does.
    pub rate: Option<Rate>,
}

/// How much more is held after each thing that a program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What is taken for one thing that it does.
    pub operation: Operation,
    /// How many of these there were in the time that was looked at, rounded down.
    pub operations: u64,
    /// By how much what is held grew in that time.
    pub bytes: u64,
    /// By how much it grew for each.
    pub bytes_per_operation: u64,
}

/// A measure of what a program has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// From one mark to the next.
    Mark,
    /// A thousand events of the heap: where there are no marks to go by.
    ThousandEvents,
}

impl Operation {
    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Mark => "mark",
            Operation::ThousandEvents => "1000-events",
        }
    }
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
