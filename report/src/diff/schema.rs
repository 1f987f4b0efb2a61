//! The difference as data: what its text is rendered from, and what its JSON is word for word.
//!
//! As in [`crate::schema`], the doc comments are the descriptions in `docs/diff.schema.json`, and
//! whoever changes what the JSON can look like raises [`DIFF_VERSION`]: a test compares.

use crate::schema::{Frame, Tool, VerdictKind};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

/// The version of everything in this module.
pub const DIFF_VERSION: u32 = 1;
/// What a difference says of its own form: `seepage-diff/` and [`DIFF_VERSION`].
pub const DIFF_SCHEMA: &str = "seepage-diff/1";

/// The JSON Schema of [`Diff`].
pub fn diff_json_schema() -> Schema {
    schemars::schema_for!(Diff)
}

/// What has changed from one report of seepage to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diff {
    /// The form of this document: `seepage-diff/` and the version of its schema.
    pub schema: String,
    /// The program that wrote it.
    pub tool: Tool,
    /// What it comes down to.
    pub verdict: DiffVerdict,
    /// The report that is compared with.
    pub old: Side,
    /// The report that is compared.
    pub new: Side,
    /// Sums over the whole runs.
    pub totals: TotalsChange,
    /// The linear memories.
    pub memory: MemoryChange,
    /// How many contexts are new, gone and so on.
    pub counts: ContextCounts,
    /// The contexts that are not as before, by the absolute change of lost bytes, then of live
    /// bytes, of those at the high-water mark, and of allocated ones, the largest first.
    pub contexts: Vec<ContextChange>,
    /// What fails the comparison, by the limits that were set for it.
    pub regressions: Vec<Regression>,
    /// What makes the comparison less certain, a sentence each.
    pub notes: Vec<String>,
    /// Contexts that have changed and are not listed. They are in `counts`.
    pub dropped_contexts: u64,
}

/// What a difference comes down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DiffVerdict {
    /// No figure of any context or memory has changed.
    Same,
    /// Something has changed, and no limit is exceeded.
    Changed,
    /// A limit is exceeded: see `regressions`.
    Regression,
}

/// One of the reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// The file that it was read from.
    pub source: String,
    /// The version of seepage that made it.
    pub version: String,
    /// The module that ran.
    pub module: String,
    /// How the guest ended.
    pub outcome: String,
    /// The run's verdict.
    pub verdict: VerdictKind,
    /// Contexts that the report lists.
    pub contexts: u64,
    /// Contexts that the report does not list.
    pub unlisted_contexts: u64,
}

/// A number before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Before.
    pub old: u64,
    /// After.
    pub new: u64,
    /// The difference, within what 64 bits with a sign can hold.
    pub change: i64,
}

/// Blocks and bytes before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CountChange {
    /// Blocks.
    pub blocks: Change,
    /// Bytes that the program asked for.
    pub bytes: Change,
}

/// Sums over the whole runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TotalsChange {
    /// What is definitely or indirectly lost; of a report that does not tell, all that is live and
    /// not suppressed.
    pub lost: CountChange,
    /// What is live at the end.
    pub live: CountChange,
    /// What was live at the high-water mark.
    pub peak: CountChange,
    /// What was allocated.
    pub allocated: CountChange,
}

/// The linear memories before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryChange {
    /// Pages of 64 KiB at the start.
    pub initial_pages: Change,
    /// Pages of 64 KiB at the end.
    pub final_pages: Change,
    /// The parts of the memory's account, where the reports have one, in bytes.
    pub account: Vec<AccountChange>,
}

/// A part of the memory's account before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountChange {
    /// Its name; of a part within a part, both with a dot between them.
    pub part: String,
    /// Its bytes.
    pub bytes: Change,
}

/// How many contexts are new, gone and so on. Contexts of one report that differ in nothing but
/// columns are one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContextCounts {
    /// In the new report only.
    pub new: u64,
    /// In the old report only.
    pub gone: u64,
    /// In both, with other figures.
    pub changed: u64,
    /// In both, with the same figures.
    pub same: u64,
    /// Contexts that hold lost blocks and held none before.
    pub newly_lost: u64,
    /// Of those that are in both: known by their functions alone, since files or lines differ.
    pub by_functions: u64,
}

/// A context that is not as before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContextChange {
    /// Whether it is in both reports.
    pub status: Status,
    /// What it was recognised by.
    pub matched_by: MatchedBy,
    /// The module's name.
    pub module: String,
    /// The stack as the new report has it; as the old one has it, if it is gone.
    pub frames: Vec<Frame>,
    /// Contexts of the old report that it stands for.
    pub old_contexts: u64,
    /// Contexts of the new report that it stands for.
    pub new_contexts: u64,
    /// What is definitely or indirectly lost; of a report that does not tell, all that is live and
    /// not suppressed.
    pub lost: CountChange,
    /// What is live at the end.
    pub live: CountChange,
    /// What was live at the program's high-water mark.
    pub peak: CountChange,
    /// What it allocated.
    pub allocated: CountChange,
}

/// Whether a context is in both reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Only in the new one.
    New,
    /// Only in the old one.
    Gone,
    /// In both.
    Changed,
}

/// What a context was recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MatchedBy {
    /// Functions, files and lines of all frames.
    Frames,
    /// Functions alone.
    Functions,
    /// It was not: it is in one report only.
    Nothing,
}

/// A limit that is exceeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Regression {
    /// The option that set it: `fail-on-new` or `fail-on-increase`.
    pub limit: String,
    /// What exceeds it: `lost-contexts`, `lost-bytes`, `peak-bytes` or `memory-bytes`.
    pub what: String,
    /// The claim with its figures, one sentence.
    pub summary: String,
    /// The figure.
    pub figure: Change,
}

impl Change {
    /// The change from one number to another.
    pub fn new(old: u64, new: u64) -> Change {
        let difference = i128::from(new) - i128::from(old);
        // As large to one side as to the other, so that the reverse is the negation.
        let most = i128::from(i64::MAX);
        Change { old, new, change: difference.clamp(-most, most) as i64 }
    }
}
