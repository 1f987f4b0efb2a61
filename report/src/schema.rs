//! The report as data: what every format renders, and what the JSON format is word for word.
//!
//! The doc comments of these fields are the descriptions in `docs/report.schema.json`, so they
//! are written for readers of the JSON. Whoever changes what the JSON can look like raises
//! [`SCHEMA_VERSION`]: a test compares. All sizes are bytes, all counts are integers, every stack
//! is given in full, innermost frame first.

mod account;
mod heap_map;
mod host;
mod leaks;
mod objects;
mod types;

pub use account::{Account, Fragmentation, FreeSpace, GrowthShare, LiveBytes, MemoryGrowth, Pin};
pub use heap_map::{CellRun, HeapMap};
pub use host::{Host, HostPoint, Rose, Side};
pub use leaks::{Held, KindCounts, LeakKind, Leaks, LossRecord, Roots};
pub use objects::{
    DroppedObjects, HeldValues, ObjectGroup, ObjectKind, ObjectPointer, Objects, ScriptFrame,
    UnseenClasses,
};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
pub use types::TypeCost;

/// The version of everything in this module.
pub const SCHEMA_VERSION: u32 = 2;
/// What a report says of its own form: `seepage-report/` and [`SCHEMA_VERSION`].
pub const SCHEMA: &str = "seepage-report/2";

/// The JSON Schema of [`Report`].
pub fn json_schema() -> Schema {
    schemars::schema_for!(Report)
}

/// What seepage saw of one run of a WebAssembly program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The form of this document: `seepage-report/` and the version of its schema.
    pub schema: String,
    /// The program that wrote it.
    pub tool: Tool,
    /// The module that ran; of several, the first.
    pub module: Module,
    /// The other modules that ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modules: Vec<Module>,
    /// How the guest ended.
    pub guest: Guest,
    /// What the run comes down to.
    pub verdict: Verdict,
    /// Sums over the whole run.
    pub totals: Totals,
    /// The high-water mark: the first moment at which the most bytes were live.
    pub high_water: HighWater,
    /// What became of the blocks that are live at the end. Absent if there was no image of the
    /// memory to tell by.
    pub leaks: Option<Leaks>,
    /// The live blocks by context and kind: definitely lost ones first, the largest first.
    pub loss_records: Vec<LossRecord>,
    /// Blocks that the host holds from outside the memory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Held>,
    /// The linear memories.
    pub memory: Memory,
    /// The calling contexts that allocated, by live bytes, then by bytes at the high-water mark,
    /// then by allocated bytes, the largest first.
    pub contexts: Vec<Context>,
    /// The objects by type, where the input knows types, by leaked bytes, the largest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<TypeCost>,
    /// The course of the run, in a bounded number of points.
    pub timeline: Vec<Point>,
    /// The host's own memory, where it told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
    /// Objects of the host's language that own memory of a module, where they were followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<Objects>,
    /// The moments that somebody marked, evenly thinned out if there were many.
    pub marks: Vec<Mark>,
    /// Allocated blocks by size, in powers of two.
    pub sizes: Vec<SizeBucket>,
    /// Freed blocks by lifetime, in powers of two.
    pub lifetimes: Vec<LifetimeBucket>,
    /// Maps of the linear memories, if they were asked for: at the end, at the high-water mark, and
    /// at each mark of which there is an image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heap_maps: Vec<HeapMap>,
    /// The rules that took blocks out of the verdict, in the order in which they were tried, and
    /// those of the user's files that took none.
    pub suppressions: Vec<Suppression>,
    /// Descriptors that the guest opened and never closed, by the place that opened them.
    pub open_files: Vec<OpenFiles>,
    /// What the guest did to its heap that is an error.
    pub heap_errors: Vec<Anomaly>,
    /// What the guest did to its heap that is an error or an oddity.
    pub anomalies: Vec<Anomaly>,
    /// What the analyses claim, the weightiest first.
    pub findings: Vec<Finding>,
    /// What the analyses do not claim, and why.
    pub abstentions: Vec<Abstention>,
    /// How large the memory would be without some blocks, where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what_if: Option<WhatIf>,
    /// What is missing in this report.
    pub dropped: Dropped,
}

/// The program that wrote the report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `seepage`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A module that ran.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Module {
    /// File or module name.
    pub name: String,
    /// Size of the original module.
    pub bytes: u64,
    /// The functions of allocators that were found, and the instructions that grow memories.
    pub allocators: Vec<Allocator>,
    /// Its linear memories.
    pub memories: Vec<MemoryDeclaration>,
    /// Whether events carry calling contexts.
    pub contexts: bool,
    /// What seepage cannot see in this module, a sentence each.
    pub blind_spots: Vec<String>,
}

/// A function of an allocator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Allocator {
    /// Its name.
    pub function: String,
    /// Its index in the original module; for `memory.grow`, the index of the memory.
    pub index: u32,
    /// What it does, in C's words: `malloc`, `free`, `realloc`, …, or `memory.grow`.
    pub role: String,
    /// The family of allocators it belongs to.
    pub family: String,
    /// How it was recognised.
    pub how: String,
}

/// A linear memory as its module declares it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MemoryDeclaration {
    /// Pages at the start.
    pub initial_pages: u64,
    /// Pages it may have at most.
    pub maximum_pages: Option<u64>,
    /// Bytes of a page.
    pub page_size: u64,
    /// Whether its addresses have 64 bits.
    pub is_64: bool,
    /// Whether the host brings it.
    pub imported: bool,
}

/// How the guest ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Guest {
    /// `returned`, `exited`, `trapped`, `timed-out`, `interrupted`, `memory-limit`, `failed`, or
    /// `unknown` if the trace has no end.
    pub outcome: String,
    /// Its exit code, where it has one.
    pub exit_code: Option<i32>,
    /// What the host says of it, such as a trap's message.
    pub message: Option<String>,
    /// The stack on which it trapped.
    pub trap_stack: Vec<Frame>,
    /// How long it ran, in nanoseconds; 0 if the trace does not say.
    pub duration_ns: u64,
    /// Growths of memory that the host refused because of a limit.
    pub refused_growths: u64,
}

/// What the run comes down to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The weightiest of the findings, or why there is none.
    pub kind: VerdictKind,
    /// The word by which the exit code of `seepage check` is documented.
    pub exit: VerdictKind,
    /// Why, a sentence each, the weightiest first.
    pub reasons: Vec<String>,
}

/// A verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// The heap was misused.
    HeapError,
    /// Blocks are live at exit that no suppression explains.
    Leak,
    /// The heap or the memory rises from mark to mark.
    Growth,
    /// A budget is exceeded.
    Budget,
    /// No allocator was found, so only the growth of memory was seen.
    Blind,
    /// Blocks are live, and nothing can be said about them: see `abstentions`.
    Inconclusive,
    /// None of these.
    Clean,
}

/// A number of blocks and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// Blocks.
    pub blocks: u64,
    /// Bytes that the program asked for.
    pub bytes: u64,
}

/// Sums over the whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// What was allocated. A reallocation is a free and an allocation.
    pub allocated: Count,
    /// What was freed.
    pub freed: Count,
    /// What of `freed` a collector took back without a call (TinyGo), as its own books have shown at the
    /// marks and at the end, or another block in the same place.
    #[serde(default)]
    pub collected: Count,
    /// What is live at the end.
    pub live: Count,
    /// What was live at the high-water mark.
    pub peak: Count,
    /// What was freed before anything else was allocated.
    pub temporary: Count,
    /// What of `live` is suppressed; see `suppressions`.
    pub suppressed: Count,
    /// Calling contexts that hold what is live and not suppressed.
    pub live_contexts: u64,
    /// Reallocations.
    pub reallocated: u64,
    /// Allocations and reallocations that the allocator refused.
    pub failed: u64,
    /// Errors the guest made with its heap.
    pub heap_errors: u64,
    /// Events: what every `clock` counts.
    pub events: u64,
}

/// The high-water mark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HighWater {
    /// The event that reached it; 0 if nothing was ever allocated.
    pub clock: u64,
    /// The host's clock when it took the records with that event.
    pub time_ns: u64,
    /// Size of all memories then, in pages of 64 KiB.
    pub pages: u64,
}

/// The linear memories.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Memory {
    /// Size of all memories at the start, in pages of `page_size`.
    pub initial_pages: u64,
    /// Size of all memories at the end.
    pub final_pages: u64,
    /// The largest size of all memories. It is the final one, since memories never shrink.
    pub peak_pages: u64,
    /// Bytes of the pages counted here: 65,536.
    pub page_size: u64,
    /// What every byte is for at the end. The parts add up to `final_pages` times `page_size`.
    pub account: Option<Account>,
    /// How the account's `overhead` was found: `measured` in the allocator's own headers or told by
    /// its `malloc_usable_size`, `told` by that but for what may be in front of blocks,
    /// `computed` by its rules, or `estimated` by how close together blocks lie. Null if no
    /// allocator was seen to work.
    pub overhead: Option<String>,
    /// What every byte was for at the high-water mark of live bytes.
    pub peak_account: Option<Account>,
    /// Why the memories grew. The parts add up to `bytes`.
    pub growth: MemoryGrowth,
    /// What they grew for, by finding and context, the largest share first. The bytes add up to
    /// those of `growth`.
    #[serde(default)]
    pub growth_shares: Vec<GrowthShare>,
    /// What keeps the free memory in pieces that are too small.
    #[serde(default)]
    pub fragmentation: Fragmentation,
    /// Every growth, and every attempt, in the order of events.
    pub grows: Vec<Grow>,
}

/// A growth of a memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Grow {
    /// The event; for a growth by the host, the one after which it was noticed.
    pub clock: u64,
    /// The host's clock when it took the records with that event.
    pub time_ns: u64,
    /// The module's place: 0 is `module`, the others follow in `modules`.
    pub module: u64,
    /// Index of the memory in its module.
    pub memory: u32,
    /// Pages before.
    pub from_pages: u64,
    /// Pages after; the same if it was refused.
    pub to_pages: u64,
    /// Pages asked for.
    pub delta: u64,
    /// It did not happen.
    pub refused: bool,
    /// Who did it.
    pub by: GrownBy,
    /// Why, for the most part: `demand`, `fragmentation`, `policy`, `direct` or `unexplained`;
    /// null if it was refused.
    pub cause: Option<String>,
    /// Bytes that were live then.
    pub live_bytes: u64,
    /// Bytes that the allocator was asked for when it grew the memory; null if it was not the
    /// allocator, or nobody knows.
    #[serde(default)]
    pub request: Option<u64>,
    /// What was free then, for a growth by the guest of its first memory.
    #[serde(default)]
    pub free: Option<FreeSpace>,
    /// The calling context, for a growth by the guest.
    pub frames: Vec<Frame>,
}

/// Who made a memory grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GrownBy {
    /// A `memory.grow` in the module.
    Guest,
    /// The host, or another module.
    Host,
}

/// One line of a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Frame {
    /// The function, demangled, or `wasm-function[N]` with its index in the original module.
    pub function: String,
    /// The source file, where debug information tells.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<u32>,
    /// The column, from 1.
    pub column: Option<u32>,
    /// The function's code was inlined into the next frame's.
    pub inlined: bool,
    /// Calls of mutually recursive functions between this frame and the next are left out.
    pub recursion: bool,
}

/// A calling context and what it costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Context {
    /// The module's place: 0 is `module`, the others follow in `modules`.
    pub module: u64,
    /// The stack. Empty for what the host itself calls the allocator for, and for the one context of
    /// each module that stands for all unknown ones.
    pub frames: Vec<Frame>,
    /// Whether the stack is known.
    pub known: bool,
    /// Some outer frames are missing.
    pub truncated: bool,
    /// The functions by which it allocated.
    pub allocator: Vec<String>,
    /// What it allocated.
    pub allocated: Count,
    /// What of it is live at the end.
    pub live: Count,
    /// What of it was live at the high-water mark.
    pub peak: Count,
    /// What of it was freed before anything else was allocated.
    pub temporary: Count,
    /// Allocations that the allocator refused.
    pub failed: u64,
    /// Mean lifetime of the blocks that were freed, in events.
    pub mean_lifetime: Option<u64>,
    /// What was live while live bytes rose from mark to mark, where they did.
    pub growth: Option<Growth>,
    /// The rule that takes it out of the verdict.
    pub suppressed_by: Option<String>,
}

/// What a context held when a rise began and at its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Growth {
    /// Live at the mark from which live bytes rose.
    pub from: Count,
    /// Live at the last mark.
    pub to: Count,
}

/// A moment of the run, and the stretch that ends with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// The event.
    pub clock: u64,
    /// The host's clock when it took the records with that event.
    pub time_ns: u64,
    /// What was live at that moment.
    pub live: Count,
    /// The most bytes that were live since the point before.
    pub max_bytes: u64,
    /// Size of all memories, in pages of 64 KiB.
    pub pages: u64,
}

/// A moment that somebody marked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    /// What it was called.
    pub name: String,
    /// Events so far.
    pub clock: u64,
    /// What was live.
    pub live: Count,
    /// Size of all memories, in pages of 64 KiB.
    pub pages: u64,
    /// What became of the blocks that were live then; null if nobody can say.
    pub leaks: Option<KindCounts>,
    /// Why nobody can, a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_judged: Option<String>,
    /// What every byte was for then; null without an image of the moment.
    pub account: Option<Account>,
}

/// Blocks of about one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SizeBucket {
    /// The smallest size in it.
    pub from: u64,
    /// The largest size in it.
    pub to: u64,
    /// Blocks allocated.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Freed blocks of about one lifetime.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LifetimeBucket {
    /// The shortest lifetime in it, in events.
    pub from: u64,
    /// The longest lifetime in it, in events.
    pub to: u64,
    /// Blocks freed.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A suppression rule, and how much it took out of the verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Suppression {
    /// The rule's name.
    pub rule: String,
    /// Why such blocks are no leak of the program.
    pub reason: String,
    /// Live blocks; none if the rule is unused.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Where the rule is written, as `file:line`, unless it is built in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What it matches and leaves in the verdict because its limit is reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond: Option<Count>,
}

/// Descriptors of one kind from one place that were never closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenFiles {
    /// `file`, `directory`, `device`, `socket` or `other`.
    pub kind: String,
    /// How many.
    pub count: u64,
    /// Under which paths they were opened, each once; the first ones if there were many.
    pub paths: Vec<String>,
    /// The module's place: 0 is `module`, the others follow in `modules`.
    pub module: u64,
    /// The calls that opened them.
    pub frames: Vec<Frame>,
}

/// One kind of anomaly at one place. All but `count` tell of its first occurrence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Anomaly {
    /// `double-free`, `unknown-free`, `interior-free`, `unknown-realloc`, `overlap`,
    /// `size-mismatch`, `alignment-mismatch`, `mismatched-free`, `crossing-free` or
    /// `failed-allocation`.
    pub kind: String,
    /// Whether it is an error of the program or of its allocator.
    pub error: bool,
    /// How often.
    pub count: u64,
    /// The event.
    pub clock: u64,
    /// The address.
    pub address: u64,
    /// The size that the caller passed, where it passed one; of an `alignment-mismatch`, the
    /// alignment.
    pub size: Option<u64>,
    /// The size of the block that it is about, where there is one; of an `alignment-mismatch`, its
    /// alignment.
    pub block_size: Option<u64>,
    /// The allocator's function that was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// Who called it, where that is known: `module`, or `host`, if nothing of the module was in
    /// between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<String>,
    /// Where. Empty if the host called.
    pub frames: Vec<Frame>,
    /// The function that had allocated the block, if it was live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocated_by: Option<String>,
    /// Who had called that, `module` or `host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation_side: Option<String>,
    /// The place of the module that has that block, if it is another one: of an `unknown-free`, it
    /// is a live block at that address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation_module: Option<u64>,
    /// Where that block was allocated.
    pub allocation_frames: Option<Vec<Frame>>,
    /// Who had freed the address before, `module` or `host`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_free_side: Option<String>,
    /// Where the address was freed before.
    pub first_free_frames: Option<Vec<Frame>>,
}

/// A claim and its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The analysis that makes it.
    pub analysis: String,
    /// `heap-error`, `leak`, `open-file`, `growth`, `budget`, `fragmentation` or
    /// `suspect`.
    pub kind: String,
    /// How sure it is: `error`, `leak`, `suspect`, `exceeded` or `fragmentation`, which is a fact
    /// and no fault of a line.
    pub verdict: String,
    /// The claim with its figures, one sentence.
    pub summary: String,
    /// The blocks it is about; for a heap error, how often it happened; the descriptors.
    pub blocks: u64,
    /// The bytes it is about.
    pub bytes: u64,
    /// Where it happens, if it is at one place.
    pub frames: Option<Vec<Frame>>,
    /// Further stacks that take part in it, the most important first.
    pub related: Vec<Vec<Frame>>,
    /// Of a container that only grows, how fast it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

/// How much more a container holds after each thing that the program does, in the later half of the
/// run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rate {
    /// What is taken for one thing that the program does: `mark`, from one mark to the next, or
    /// `1000-events` of the heap, where there are no marks to go by.
    pub operation: String,
    /// How many of these there were, rounded down.
    pub operations: u64,
    /// By how many bytes what is held grew meanwhile.
    pub bytes: u64,
    /// By how many bytes it grew for each.
    pub bytes_per_operation: u64,
}

/// Why an analysis makes no claim about something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Abstention {
    /// The analysis.
    pub analysis: String,
    /// The reason, one sentence.
    pub reason: String,
    /// The blocks it does not judge.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// How large the memory would be without some blocks, by a model of the allocator. Pages are those
/// of `memory`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WhatIf {
    /// What was taken away, in words.
    pub without: String,
    /// The model: `dlmalloc`, `emmalloc`, `TLSF` or `size classes`; of several modules, several.
    pub model: String,
    /// The blocks that were taken away.
    pub removed: Count,
    /// What the memories had at the end.
    pub pages_now: u64,
    /// What they have by the model, with nothing taken away.
    pub pages_modelled: u64,
    /// What they have by the model without these blocks.
    pub pages_then: u64,
    /// By how much the model is wrong about the run as it was. A difference between `pages_now` and
    /// `pages_then` that is no larger says nothing.
    pub error_pages: u64,
    /// Whether the difference is larger.
    pub beyond_error: bool,
    /// Blocks beyond the limit that the model did not follow.
    pub dropped: u64,
}

/// What is missing in this report, because a limit was reached or the trace lacks it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dropped {
    /// Calling contexts that are not listed. They count in `totals`.
    pub contexts: u64,
    /// Types that are not listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub types: u64,
    /// Modules that were not followed.
    pub modules: u64,
    /// Stacks that were not remembered: their blocks are booked to the unknown context.
    pub stacks: u64,
    /// Blocks that were not followed: they count as allocated, not as live.
    pub blocks: u64,
    /// Frees that may have meant one of those.
    pub frees: u64,
    /// Images of a memory that were too large: what points to its blocks is not known.
    pub images: u64,
    /// Loss records that are not listed. They count in `leaks`.
    pub loss_records: u64,
    /// Growths of memory that are not listed.
    pub grows: u64,
    /// Growths at which the free runs were not counted, because that would have cost too much.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub looks: u64,
    /// Occurrences of anomalies that are not listed.
    pub anomalies: u64,
    /// Stretches that the program said hold addresses and that were not looked at.
    pub regions: u64,
    /// Open descriptors that are not listed.
    pub open_files: u64,
    /// Findings that are not listed.
    pub findings: u64,
    /// Records that the host could not take from the guest.
    pub records: u64,
    /// Records that this version does not understand.
    pub unknown_records: u64,
    /// Events whose calling context the trace does not explain.
    pub unknown_contexts: u64,
    /// Maps of the memory that were not drawn.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub heap_maps: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
