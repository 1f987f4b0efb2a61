/* Made from docs/report.schema.json by scripts/types.mjs. */

/**
 * Who made a memory grow.
 */
export type GrownBy = "guest" | "host";
/**
 * A verdict.
 */
export type VerdictKind = "heap-error" | "leak" | "growth" | "budget" | "blind" | "inconclusive" | "clean";

/**
 * What seepage saw of one run of a WebAssembly program.
 */
export interface Report {
  /**
   * What the analyses do not claim, and why.
   */
  abstentions: Abstention[];
  /**
   * What the guest did to its heap that makes no sense.
   */
  anomalies: Anomaly[];
  /**
   * The calling contexts that allocated, by live bytes, then by bytes at the high-water mark,
   * then by allocated bytes, the largest first.
   */
  contexts: Context[];
  dropped: Dropped;
  /**
   * What the analyses claim, the weightiest first.
   */
  findings: Finding[];
  guest: Guest;
  high_water: HighWater;
  /**
   * Freed blocks by lifetime, in powers of two.
   */
  lifetimes: LifetimeBucket[];
  /**
   * The moments that somebody marked, evenly thinned out if there were many.
   */
  marks: Mark[];
  memory: Memory;
  module: Module;
  /**
   * The other modules that ran.
   */
  modules?: Module[];
  /**
   * The form of this document: `seepage-report/` and the version of its schema.
   */
  schema: string;
  /**
   * Allocated blocks by size, in powers of two.
   */
  sizes: SizeBucket[];
  /**
   * The rules for known noise that took blocks out of the verdict.
   */
  suppressions: Suppression[];
  /**
   * The course of the run, in a bounded number of points.
   */
  timeline: Point[];
  tool: Tool;
  totals: Totals;
  verdict: Verdict;
}
/**
 * Why an analysis makes no claim about something.
 */
export interface Abstention {
  /**
   * The analysis.
   */
  analysis: string;
  /**
   * The blocks it does not judge.
   */
  blocks: number;
  /**
   * Their bytes.
   */
  bytes: number;
  /**
   * The reason, one sentence.
   */
  reason: string;
}
/**
 * One kind of anomaly at one place. All but `count` tell of its first occurrence.
 */
export interface Anomaly {
  /**
   * The address.
   */
  address: number;
  /**
   * Where that block was allocated.
   */
  allocation_frames?: Frame[] | null;
  /**
   * The size of the block that it is about, where there is one.
   */
  block_size?: number | null;
  /**
   * The event.
   */
  clock: number;
  /**
   * How often.
   */
  count: number;
  /**
   * Whether it is an error of the program or of its allocator.
   */
  error: boolean;
  /**
   * Where the address was freed before.
   */
  first_free_frames?: Frame[] | null;
  /**
   * Where.
   */
  frames: Frame[];
  /**
   * `double-free`, `unknown-free`, `interior-free`, `unknown-realloc`, `overlap`,
   * `size-mismatch` or `failed-allocation`.
   */
  kind: string;
  /**
   * The size that the caller passed, where it passed one.
   */
  size?: number | null;
}
/**
 * One line of a stack.
 */
export interface Frame {
  /**
   * The column, from 1.
   */
  column?: number | null;
  /**
   * The source file, where debug information tells.
   */
  file?: string | null;
  /**
   * The function, demangled, or `wasm-function[N]` with its index in the original module.
   */
  function: string;
  /**
   * The function's code was inlined into the next frame's.
   */
  inlined: boolean;
  /**
   * The line, from 1.
   */
  line?: number | null;
  /**
   * Calls of mutually recursive functions between this frame and the next are left out.
   */
  recursion: boolean;
}
/**
 * A calling context and what it costs.
 */
export interface Context {
  allocated: Count;
  /**
   * The functions by which it allocated.
   */
  allocator: string[];
  /**
   * Allocations that the allocator refused.
   */
  failed: number;
  /**
   * The stack. Empty for the one context of each module that stands for all unknown ones.
   */
  frames: Frame[];
  /**
   * What was live while live bytes rose from mark to mark, where they did.
   */
  growth?: Growth | null;
  /**
   * Whether the stack is known.
   */
  known: boolean;
  live: Count;
  /**
   * Mean lifetime of the blocks that were freed, in events.
   */
  mean_lifetime?: number | null;
  /**
   * The module's place: 0 is `module`, the others follow in `modules`.
   */
  module: number;
  peak: Count;
  /**
   * The rule for known noise that takes it out of the verdict.
   */
  suppressed_by?: string | null;
  temporary: Count;
  /**
   * Some outer frames are missing.
   */
  truncated: boolean;
}
/**
 * A number of blocks and their bytes.
 */
export interface Count {
  /**
   * Blocks.
   */
  blocks: number;
  /**
   * Bytes that the program asked for.
   */
  bytes: number;
}
/**
 * What a context held when a rise began and at its end.
 */
export interface Growth {
  from: Count;
  to: Count;
}
/**
 * What is missing in this report, because a limit was reached or the trace lacks it.
 */
export interface Dropped {
  /**
   * Occurrences of anomalies that are not listed.
   */
  anomalies: number;
  /**
   * Blocks that were not followed: they count as allocated, not as live.
   */
  blocks: number;
  /**
   * Calling contexts that are not listed. They count in `totals`.
   */
  contexts: number;
  /**
   * Findings that are not listed.
   */
  findings: number;
  /**
   * Frees that may have meant one of those.
   */
  frees: number;
  /**
   * Growths of memory that are not listed.
   */
  grows: number;
  /**
   * Modules that were not followed.
   */
  modules: number;
  /**
   * Records that the host could not take from the guest.
   */
  records: number;
  /**
   * Stacks that were not remembered: their blocks are booked to the unknown context.
   */
  stacks: number;
  /**
   * Events whose calling context the trace does not explain.
   */
  unknown_contexts: number;
  /**
   * Records that this version does not understand.
   */
  unknown_records: number;
}
/**
 * A claim and its evidence.
 */
export interface Finding {
  /**
   * The analysis that makes it.
   */
  analysis: string;
  /**
   * The blocks it is about; for a heap error, how often it happened.
   */
  blocks: number;
  /**
   * The bytes it is about.
   */
  bytes: number;
  /**
   * Where it happens, if it is at one place.
   */
  frames?: Frame[] | null;
  /**
   * `heap-error`, `leak`, `growth` or `budget`.
   */
  kind: string;
  /**
   * Further stacks that take part in it, the most important first.
   */
  related: Frame[][];
  /**
   * The claim with its figures, one sentence.
   */
  summary: string;
}
/**
 * How the guest ended.
 */
export interface Guest {
  /**
   * How long it ran, in nanoseconds; 0 if the trace does not say.
   */
  duration_ns: number;
  /**
   * Its exit code, where it has one.
   */
  exit_code?: number | null;
  /**
   * What the host says of it, such as a trap's message.
   */
  message?: string | null;
  /**
   * `returned`, `exited`, `trapped`, `timed-out`, `interrupted`, `memory-limit`, `failed`, or
   * `unknown` if the trace has no end.
   */
  outcome: string;
  /**
   * Growths of memory that the host refused because of a limit.
   */
  refused_growths: number;
  /**
   * The stack on which it trapped.
   */
  trap_stack: Frame[];
}
/**
 * The high-water mark.
 */
export interface HighWater {
  /**
   * The event that reached it; 0 if nothing was ever allocated.
   */
  clock: number;
  /**
   * Size of all memories then, in pages of 64 KiB.
   */
  pages: number;
  /**
   * The host's clock when it took the records with that event.
   */
  time_ns: number;
}
/**
 * Freed blocks of about one lifetime.
 */
export interface LifetimeBucket {
  /**
   * Blocks freed.
   */
  blocks: number;
  /**
   * Their bytes.
   */
  bytes: number;
  /**
   * The shortest lifetime in it, in events.
   */
  from: number;
  /**
   * The longest lifetime in it, in events.
   */
  to: number;
}
/**
 * A moment that somebody marked.
 */
export interface Mark {
  /**
   * Events so far.
   */
  clock: number;
  live: Count;
  /**
   * What it was called.
   */
  name: string;
  /**
   * Size of all memories, in pages of 64 KiB.
   */
  pages: number;
}
/**
 * The linear memories.
 */
export interface Memory {
  /**
   * Size of all memories at the end.
   */
  final_pages: number;
  /**
   * Every growth, and every attempt, in the order of events.
   */
  grows: Grow[];
  /**
   * Size of all memories at the start, in pages of `page_size`.
   */
  initial_pages: number;
  /**
   * Bytes of the pages counted here: 65,536.
   */
  page_size: number;
  /**
   * The largest size of all memories. It is the final one, since memories never shrink.
   */
  peak_pages: number;
}
/**
 * A growth of a memory.
 */
export interface Grow {
  by: GrownBy;
  /**
   * The event; for a growth by the host, the one after which it was noticed.
   */
  clock: number;
  /**
   * Pages asked for.
   */
  delta: number;
  /**
   * The calling context, for a growth by the guest.
   */
  frames: Frame[];
  /**
   * Pages before.
   */
  from_pages: number;
  /**
   * Bytes that were live then.
   */
  live_bytes: number;
  /**
   * Index of the memory in its module.
   */
  memory: number;
  /**
   * The module's place: 0 is `module`, the others follow in `modules`.
   */
  module: number;
  /**
   * It did not happen.
   */
  refused: boolean;
  /**
   * The host's clock when it took the records with that event.
   */
  time_ns: number;
  /**
   * Pages after; the same if it was refused.
   */
  to_pages: number;
}
/**
 * A module that ran.
 */
export interface Module {
  /**
   * The functions of allocators that were found, and the instructions that grow memories.
   */
  allocators: Allocator[];
  /**
   * What seepage cannot see in this module, a sentence each.
   */
  blind_spots: string[];
  /**
   * Size of the original module.
   */
  bytes: number;
  /**
   * Whether events carry calling contexts.
   */
  contexts: boolean;
  /**
   * Its linear memories.
   */
  memories: MemoryDeclaration[];
  /**
   * File or module name.
   */
  name: string;
}
/**
 * A function of an allocator.
 */
export interface Allocator {
  /**
   * The family of allocators it belongs to.
   */
  family: string;
  /**
   * Its name.
   */
  function: string;
  /**
   * How it was recognised.
   */
  how: string;
  /**
   * Its index in the original module; for `memory.grow`, the index of the memory.
   */
  index: number;
  /**
   * What it does, in C's words: `malloc`, `free`, `realloc`, …, or `memory.grow`.
   */
  role: string;
}
/**
 * A linear memory as its module declares it.
 */
export interface MemoryDeclaration {
  /**
   * Whether the host brings it.
   */
  imported: boolean;
  /**
   * Pages at the start.
   */
  initial_pages: number;
  /**
   * Whether its addresses have 64 bits.
   */
  is_64: boolean;
  /**
   * Pages it may have at most.
   */
  maximum_pages?: number | null;
  /**
   * Bytes of a page.
   */
  page_size: number;
}
/**
 * Blocks of about one size.
 */
export interface SizeBucket {
  /**
   * Blocks allocated.
   */
  blocks: number;
  /**
   * Their bytes.
   */
  bytes: number;
  /**
   * The smallest size in it.
   */
  from: number;
  /**
   * The largest size in it.
   */
  to: number;
}
/**
 * A rule for known noise, and how much it took out of the verdict.
 */
export interface Suppression {
  /**
   * Live blocks.
   */
  blocks: number;
  /**
   * Their bytes.
   */
  bytes: number;
  /**
   * Why such blocks are no leak of the program.
   */
  reason: string;
  /**
   * The rule's name.
   */
  rule: string;
}
/**
 * A moment of the run, and the stretch that ends with it.
 */
export interface Point {
  /**
   * The event.
   */
  clock: number;
  live: Count;
  /**
   * The most bytes that were live since the point before.
   */
  max_bytes: number;
  /**
   * Size of all memories, in pages of 64 KiB.
   */
  pages: number;
  /**
   * The host's clock when it took the records with that event.
   */
  time_ns: number;
}
/**
 * The program that wrote the report.
 */
export interface Tool {
  /**
   * `seepage`.
   */
  name: string;
  /**
   * Its version.
   */
  version: string;
}
/**
 * Sums over the whole run.
 */
export interface Totals {
  allocated: Count;
  /**
   * Events: what every `clock` counts.
   */
  events: number;
  /**
   * Allocations and reallocations that the allocator refused.
   */
  failed: number;
  freed: Count;
  /**
   * Errors the guest made with its heap.
   */
  heap_errors: number;
  live: Count;
  /**
   * Calling contexts that hold what is live and not suppressed.
   */
  live_contexts: number;
  peak: Count;
  /**
   * Reallocations.
   */
  reallocated: number;
  suppressed: Count;
  temporary: Count;
}
/**
 * What the run comes down to.
 */
export interface Verdict {
  exit: VerdictKind;
  kind: VerdictKind;
  /**
   * Why, a sentence each, the weightiest first.
   */
  reasons: string[];
}
