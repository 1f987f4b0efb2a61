/* Made from docs/report.schema.json by scripts/types.mjs. */

/**
 * Where growth was.
 */
export type Side = "host" | "wasm" | "both";
/**
 * A kind of live blocks.
 */
export type LeakKind = "definitely_lost" | "indirectly_lost" | "possibly_lost" | "still_reachable";
/**
 * Who made a memory grow.
 */
export type GrownBy = "guest" | "host";
/**
 * What makes an object.
 */
export type ObjectKind = "wasm-bindgen" | "embind" | "closure";
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
   * What the guest did to its heap that is an error or an oddity.
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
  /**
   * What the guest did to its heap that is an error.
   */
  heap_errors: Anomaly[];
  /**
   * Maps of the linear memories, if they were asked for: at the end, at the high-water mark, and
   * at each mark of which there is an image.
   */
  heap_maps?: HeapMap[];
  /**
   * Blocks that the host holds from outside the memory.
   */
  held?: Held[];
  high_water: HighWater;
  /**
   * The host's own memory, where it told of it.
   */
  host?: Host | null;
  /**
   * What became of the blocks that are live at the end. Absent if there was no image of the
   * memory to tell by.
   */
  leaks?: Leaks | null;
  /**
   * Freed blocks by lifetime, in powers of two.
   */
  lifetimes: LifetimeBucket[];
  /**
   * The live blocks by context and kind: definitely lost ones first, the largest first.
   */
  loss_records: LossRecord[];
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
   * Objects of the host's language that own memory of a module, where they were followed.
   */
  objects?: Objects | null;
  /**
   * Descriptors that the guest opened and never closed, by the place that opened them.
   */
  open_files: OpenFiles[];
  /**
   * The form of this document: `seepage-report/` and the version of its schema.
   */
  schema: string;
  /**
   * Allocated blocks by size, in powers of two.
   */
  sizes: SizeBucket[];
  /**
   * The rules that took blocks out of the verdict, in the order in which they were tried, and
   * those of the user's files that took none.
   */
  suppressions: Suppression[];
  /**
   * The course of the run, in a bounded number of points.
   */
  timeline: Point[];
  tool: Tool;
  totals: Totals;
  /**
   * The objects by type, where the input knows types, by leaked bytes, the largest first.
   */
  types?: TypeCost[];
  verdict: Verdict;
  /**
   * How large the memory would be without some blocks, where that was asked.
   */
  what_if?: WhatIf | null;
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
   * The function that had allocated the block, if it was live.
   */
  allocated_by?: string | null;
  /**
   * Where that block was allocated.
   */
  allocation_frames?: Frame[] | null;
  /**
   * The place of the module that has that block, if it is another one: of an `unknown-free`, it
   * is a live block at that address.
   */
  allocation_module?: number | null;
  /**
   * Who had called that, `module` or `host`.
   */
  allocation_side?: string | null;
  /**
   * The size of the block that it is about, where there is one; of an `alignment-mismatch`, its
   * alignment.
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
   * Who had freed the address before, `module` or `host`.
   */
  first_free_side?: string | null;
  /**
   * Where. Empty if the host called.
   */
  frames: Frame[];
  /**
   * The allocator's function that was called.
   */
  function?: string | null;
  /**
   * `double-free`, `unknown-free`, `interior-free`, `unknown-realloc`, `overlap`,
   * `size-mismatch`, `alignment-mismatch`, `mismatched-free`, `crossing-free` or
   * `failed-allocation`.
   */
  kind: string;
  /**
   * Who called it, where that is known: `module`, or `host`, if nothing of the module was in
   * between.
   */
  side?: string | null;
  /**
   * The size that the caller passed, where it passed one; of an `alignment-mismatch`, the
   * alignment.
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
   * The stack. Empty for what the host itself calls the allocator for, and for the one context of
   * each module that stands for all unknown ones.
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
   * The rule that takes it out of the verdict.
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
   * Maps of the memory that were not drawn.
   */
  heap_maps?: number;
  /**
   * Images of a memory that were too large: what points to its blocks is not known.
   */
  images: number;
  /**
   * Growths at which the free runs were not counted, because that would have cost too much.
   */
  looks?: number;
  /**
   * Loss records that are not listed. They count in `leaks`.
   */
  loss_records: number;
  /**
   * Modules that were not followed.
   */
  modules: number;
  /**
   * Open descriptors that are not listed.
   */
  open_files: number;
  /**
   * Records that the host could not take from the guest.
   */
  records: number;
  /**
   * Stretches that the program said hold addresses and that were not looked at.
   */
  regions: number;
  /**
   * Stacks that were not remembered: their blocks are booked to the unknown context.
   */
  stacks: number;
  /**
   * Types that are not listed.
   */
  types?: number;
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
   * The blocks it is about; for a heap error, how often it happened; the descriptors.
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
   * `heap-error`, `leak`, `open-file`, `growth`, `budget`, `fragmentation` or
   * `suspect`.
   */
  kind: string;
  /**
   * Of a container that only grows, how fast it does.
   */
  rate?: Rate | null;
  /**
   * Further stacks that take part in it, the most important first.
   */
  related: Frame[][];
  /**
   * The claim with its figures, one sentence.
   */
  summary: string;
  /**
   * How sure it is: `error`, `leak`, `suspect`, `exceeded` or `fragmentation`, which is a fact
   * and no fault of a line.
   */
  verdict: string;
}
/**
 * How much more a container holds after each thing that the program does, in the later half of the
 * run.
 */
export interface Rate {
  /**
   * By how many bytes what is held grew meanwhile.
   */
  bytes: number;
  /**
   * By how many bytes it grew for each.
   */
  bytes_per_operation: number;
  /**
   * What is taken for one thing that the program does: `mark`, from one mark to the next, or
   * `1000-events` of the heap, where there are no marks to go by.
   */
  operation: string;
  /**
   * How many of these there were, rounded down.
   */
  operations: number;
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
 * A linear memory at one moment, as cells of the same size.
 */
export interface HeapMap {
  /**
   * Bytes of a cell; the last may be cut off by the memory's end.
   */
  cell_bytes: number;
  /**
   * The cells from address 0 on; neighbours that are the same are one entry.
   */
  cells: CellRun[];
  /**
   * Of a mark, its name.
   */
  mark?: string | null;
  /**
   * The module whose first memory it is: 0 is `module`, others count in `modules` from 1.
   */
  module: number;
  /**
   * `end`, `peak` or `mark`.
   */
  moment: string;
}
/**
 * Neighbouring cells of a heap map that are for the same.
 */
export interface CellRun {
  /**
   * Of live blocks, the context that holds the most of them: an index into `contexts`. Absent if
   * that is not listed.
   */
  context?: number | null;
  /**
   * How many cells.
   */
  count: number;
  /**
   * What most of the bytes of each are for: `static`, `stack`, `definitely-lost`,
   * `indirectly-lost`, `possibly-lost`, `still-reachable`, `suppressed`, `live` (where nobody
   * looked what points to it), `overhead`, `free-fitting`, `free-fragmented`, `tail` or
   * `untracked`.
   */
  state: string;
}
/**
 * A block that the host holds.
 */
export interface Held {
  /**
   * Where the block begins.
   */
  address: number;
  /**
   * Its size.
   */
  bytes: number;
  /**
   * The module's place: 0 is `module`, the others follow in `modules`.
   */
  module: number;
  /**
   * Bytes that would be free without it.
   */
  retained_bytes: number;
  /**
   * The address that the host holds.
   */
  root: number;
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
 * Memory of a host that has a heap of its own: JavaScript's.
 */
export interface Host {
  /**
   * On which side the growth is; null where neither grew by much, or where it cannot be said,
   * since nothing was seen to be collected in the second half of the run.
   */
  grew?: Side | null;
  memory: Rose;
  /**
   * Its course, in a bounded number of points.
   */
  timeline: HostPoint[];
  wasm: Rose;
}
/**
 * From how many bytes to how many.
 */
export interface Rose {
  /**
   * In the beginning.
   */
  from: number;
  /**
   * At the end.
   */
  to: number;
}
/**
 * The host's memory at some moment, in bytes, and the modules' beside it.
 */
export interface HostPoint {
  /**
   * Buffers that belong to objects in that heap, and lie outside.
   */
  buffers?: number | null;
  /**
   * Events so far.
   */
  clock: number;
  /**
   * What is in use of the host's heap, collectable or not.
   */
  heap: number;
  /**
   * The least of heap and buffers together since the point before.
   */
  least: number;
  /**
   * What was live in the modules.
   */
  live_bytes: number;
  /**
   * Size of all their memories, in pages of 64 KiB.
   */
  pages: number;
  /**
   * What the process has in RAM.
   */
  resident?: number | null;
  /**
   * The host's clock.
   */
  time_ns: number;
  /**
   * What seepage has taken, which is part of `resident`.
   */
  tracer: number;
}
/**
 * What became of the live blocks, in the words of Valgrind's Memcheck.
 */
export interface Leaks {
  definitely_lost: Count;
  indirectly_lost: Count;
  maybe_in_locals: Count;
  possibly_lost: Count;
  roots: Roots;
  still_reachable: Count;
  suppressed: Count;
}
/**
 * What was looked at for addresses of blocks.
 */
export interface Roots {
  /**
   * Mutable globals.
   */
  globals: number;
  /**
   * Addresses that the host holds.
   */
  host: number;
  /**
   * Bytes of the live part of the stack in memory; 0 if it is not told apart.
   */
  stack_bytes: number;
  /**
   * Bytes of memory outside the heap, without the dead part of the stack.
   */
  static_bytes: number;
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
 * The live blocks of one kind from one context.
 */
export interface LossRecord {
  /**
   * How many.
   */
  blocks: number;
  /**
   * Their bytes.
   */
  bytes: number;
  /**
   * Where they were allocated.
   */
  frames: Frame[];
  /**
   * Lost blocks of any context that hang on these.
   */
  indirect_blocks: number;
  /**
   * Bytes of those.
   */
  indirect_bytes: number;
  kind: LeakKind;
  /**
   * The module's place: 0 is `module`, the others follow in `modules`.
   */
  module: number;
  /**
   * Bytes that would be free if these blocks were; null if there were too many blocks to tell.
   */
  retained_bytes?: number | null;
}
/**
 * A moment that somebody marked.
 */
export interface Mark {
  /**
   * What every byte was for then; null without an image of the moment.
   */
  account?: Account | null;
  /**
   * Events so far.
   */
  clock: number;
  /**
   * What became of the blocks that were live then; null if nobody can say.
   */
  leaks?: KindCounts | null;
  live: Count;
  /**
   * What it was called.
   */
  name: string;
  /**
   * Why nobody can, a sentence.
   */
  not_judged?: string | null;
  /**
   * Size of all memories, in pages of 64 KiB.
   */
  pages: number;
}
/**
 * What the bytes of the memories are for at one moment. All parts are bytes, and add up to the
 * memories' size; `live` is split further.
 */
export interface Account {
  /**
   * Free runs in which what the program usually asks for has room.
   */
  free_fitting: number;
  /**
   * Free runs in which it has not: external fragmentation.
   */
  free_fragmented: number;
  live: LiveBytes;
  /**
   * What the allocator took for them beyond that.
   */
  overhead: number;
  /**
   * The stack in memory, where it is known.
   */
  stack: number;
  /**
   * Static variables, and what else lies below the heap.
   */
  static: number;
  /**
   * Never handed out, at the top.
   */
  tail: number;
  /**
   * Grown by somebody whose blocks are not seen.
   */
  untracked: number;
}
/**
 * Bytes of live blocks by what became of them.
 */
export interface LiveBytes {
  /**
   * Nothing points there.
   */
  definitely_lost: number;
  /**
   * Only lost blocks point there.
   */
  indirectly_lost: number;
  /**
   * Something may point there.
   */
  possibly_lost: number;
  /**
   * Something points there.
   */
  still_reachable: number;
  /**
   * Known noise.
   */
  suppressed: number;
  /**
   * Nobody looked.
   */
  unknown: number;
}
/**
 * Live blocks by kind.
 */
export interface KindCounts {
  definitely_lost: Count;
  indirectly_lost: Count;
  possibly_lost: Count;
  still_reachable: Count;
  suppressed: Count;
}
/**
 * The linear memories.
 */
export interface Memory {
  /**
   * What every byte is for at the end. The parts add up to `final_pages` times `page_size`.
   */
  account?: Account | null;
  /**
   * Size of all memories at the end.
   */
  final_pages: number;
  fragmentation?: Fragmentation;
  /**
   * Every growth, and every attempt, in the order of events.
   */
  grows: Grow[];
  growth: MemoryGrowth;
  /**
   * What they grew for, by finding and context, the largest share first. The bytes add up to
   * those of `growth`.
   */
  growth_shares?: GrowthShare[];
  /**
   * Size of all memories at the start, in pages of `page_size`.
   */
  initial_pages: number;
  /**
   * How the account's `overhead` was found: `measured` in the allocator's own headers or told by
   * its `malloc_usable_size`, `told` by that but for what may be in front of blocks,
   * `computed` by its rules, or `estimated` by how close together blocks lie. Null if no
   * allocator was seen to work.
   */
  overhead?: string | null;
  /**
   * Bytes of the pages counted here: 65,536.
   */
  page_size: number;
  /**
   * What every byte was for at the high-water mark of live bytes.
   */
  peak_account?: Account | null;
  /**
   * The largest size of all memories. It is the final one, since memories never shrink.
   */
  peak_pages: number;
}
/**
 * Free memory in pieces too small for what the memory last grew for though enough was free: as it
 * is at the end.
 */
export interface Fragmentation {
  /**
   * Bytes of all pieces. `account.free_fragmented` has another measure: what the program usually
   * asks for.
   */
  bytes: number;
  /**
   * Bytes of the largest.
   */
  largest: number;
  /**
   * Pieces.
   */
  pieces: number;
  /**
   * The live blocks that keep the pieces apart, by what they are and who allocated them; who keeps
   * most first.
   */
  pins: Pin[];
  /**
   * The request for which it last grew so; of several memories, the largest. 0 if none ever did.
   */
  wanted: number;
}
/**
 * Live blocks next to pieces of free memory that are too small.
 */
export interface Pin {
  /**
   * Their own bytes.
   */
  block_bytes: number;
  /**
   * The blocks.
   */
  blocks: number;
  /**
   * Bytes of the pieces: half of one that lies between two blocks, all of one beside which there is
   * one block alone.
   */
  bytes: number;
  /**
   * Where the blocks were allocated; of what hangs on a lost block, where that was.
   */
  frames: Frame[];
  /**
   * What the blocks are: `lost` (with what hangs on them), `possibly-lost`, `held`, `suppressed` or
   * `live` (nobody knows what points there). `other` are all that are not listed.
   */
  what: string;
}
/**
 * A growth of a memory.
 */
export interface Grow {
  by: GrownBy;
  /**
   * Why, for the most part: `demand`, `fragmentation`, `policy`, `direct` or `unexplained`;
   * null if it was refused.
   */
  cause?: string | null;
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
   * What was free then, for a growth by the guest of its first memory.
   */
  free?: FreeSpace | null;
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
   * Bytes that the allocator was asked for when it grew the memory; null if it was not the
   * allocator, or nobody knows.
   */
  request?: number | null;
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
 * What was free in a heap when its memory grew. What blocks take beyond their size is an estimate.
 */
export interface FreeSpace {
  /**
   * Bytes that were free between the blocks.
   */
  bytes: number;
  /**
   * Bytes of the longest of these.
   */
  largest?: number | null;
  /**
   * The free runs that make up `bytes`; null if counting them would have cost too much.
   */
  runs?: number | null;
  /**
   * Bytes above all blocks, never handed out before.
   */
  tail: number;
}
/**
 * Bytes by which all memories grew, by cause.
 */
export interface MemoryGrowth {
  /**
   * The whole growth.
   */
  bytes: number;
  /**
   * The program asked its allocator for more than all that was free.
   */
  demand: number;
  /**
   * Other code of the module grew the memory.
   */
  direct: number;
  /**
   * Enough was free, but in pieces too small for what was asked for.
   */
  fragmentation: number;
  /**
   * Allocators took more than they needed, and have not handed it out.
   */
  policy: number;
  /**
   * The host or another module did.
   */
  unexplained: number;
}
/**
 * A share of the growth of all memories: which blocks are in what was grown, or for whom it was.
 */
export interface GrowthShare {
  /**
   * The bytes. Of blocks, with what the allocator took for them.
   */
  bytes: number;
  /**
   * The finding that says more about it: an index into `findings`.
   */
  finding?: number | null;
  /**
   * Where the blocks were allocated; of all that is no block, who asked for it.
   */
  frames: Frame[];
  /**
   * What it went to. Of growth for more live bytes, what is there at the end: `lost` (with what
   * hangs on it), `possibly-lost`, `container` (one that only grows), `held`, `suppressed`, `live`
   * (nobody knows what points there), or `free` (it is free now). Of other growth its cause:
   * `fragmentation`, `policy`, `direct`, `unexplained`. `other` are all shares that are not listed.
   */
  what: string;
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
 * JavaScript objects that own memory of a module: who made them, and what became of them.
 */
export interface Objects {
  /**
   * The directory in which the program ran.
   */
  directory?: string | null;
  dropped: DroppedObjects;
  /**
   * By class and place, those that were forgotten most often first.
   */
  groups: ObjectGroup[];
  /**
   * Classes whose objects cannot be seen.
   */
  unseen: UnseenClasses[];
  /**
   * JavaScript values that modules hold.
   */
  values: HeldValues[];
}
/**
 * What the caps left out.
 */
export interface DroppedObjects {
  /**
   * Objects whose address was not kept.
   */
  pointers: number;
  /**
   * Objects whose stack was not kept.
   */
  stacks: number;
}
/**
 * The objects of one class that were made at one place.
 */
export interface ObjectGroup {
  /**
   * The line of the program that made them.
   */
  at?: ScriptFrame | null;
  /**
   * Whether an object that is held is one that the program should have freed.
   */
  certain: boolean;
  /**
   * Their class.
   */
  class: string;
  /**
   * All that were made: the sum of the following.
   */
  created: number;
  /**
   * What to do about it, where any was forgotten.
   */
  fix?: string | null;
  /**
   * Freed by the program.
   */
  freed: number;
  /**
   * What the glue calls the class, where that is another name.
   */
  glue_name?: string | null;
  /**
   * None of these yet.
   */
  held: number;
  kind: ObjectKind;
  /**
   * Forgotten, and freed by the collector, whenever it came around.
   */
  late: number;
  /**
   * Forgotten and collected, and nobody frees them any more.
   */
  lost: number;
  /**
   * Passed by value: the module owns the memory again.
   */
  moved: number;
  /**
   * What makes it worse than it looks.
   */
  note?: string | null;
  /**
   * Addresses of those that are held, as many as are listed.
   */
  pointers: ObjectPointer[];
  /**
   * Bytes of the wasm heap that would be free without those that are held, at least; absent where
   * that is not known.
   */
  retained?: number | null;
  /**
   * The stack on which they were made, innermost first.
   */
  stack: ScriptFrame[];
}
/**
 * A line of a script's stack.
 */
export interface ScriptFrame {
  /**
   * The column, from 1. In a module: the offset.
   */
  column: number;
  /**
   * URL or path.
   */
  file: string;
  /**
   * The line, from 1. In a module: 1.
   */
  line: number;
  /**
   * The function, `new Foo` for a constructor; absent for those without a name.
   */
  name?: string | null;
}
/**
 * The address that an object has.
 */
export interface ObjectPointer {
  /**
   * The instance, counted from 1; absent where that is not certain.
   */
  instance?: number | null;
  /**
   * The address in its memory.
   */
  ptr: number;
}
/**
 * Classes of a module whose objects cannot be seen.
 */
export interface UnseenClasses {
  /**
   * The version of wasm-bindgen, where the module says.
   */
  bindgen?: string | null;
  /**
   * Their names.
   */
  classes: string[];
  /**
   * The instance, counted from 1.
   */
  instance: number;
}
/**
 * JavaScript values that a module holds.
 */
export interface HeldValues {
  /**
   * How many there are of each type.
   */
  by_type: {
    [k: string]: number;
  };
  /**
   * The instance, counted from 1.
   */
  instance: number;
  /**
   * Where they stand: `externref table` or `heap array`.
   */
  where: string;
}
/**
 * Descriptors of one kind from one place that were never closed.
 */
export interface OpenFiles {
  /**
   * How many.
   */
  count: number;
  /**
   * The calls that opened them.
   */
  frames: Frame[];
  /**
   * `file`, `directory`, `device`, `socket` or `other`.
   */
  kind: string;
  /**
   * The module's place: 0 is `module`, the others follow in `modules`.
   */
  module: number;
  /**
   * Under which paths they were opened, each once; the first ones if there were many.
   */
  paths: string[];
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
 * A suppression rule, and how much it took out of the verdict.
 */
export interface Suppression {
  /**
   * What it matches and leaves in the verdict because its limit is reached.
   */
  beyond?: Count | null;
  /**
   * Live blocks; none if the rule is unused.
   */
  blocks: number;
  /**
   * Their bytes.
   */
  bytes: number;
  /**
   * Where the rule is written, as `file:line`, unless it is built in.
   */
  place?: string | null;
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
  collected?: Count;
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
 * What became of the objects of one type. `allocated` is `dropped` and `leaked` together.
 */
export interface TypeCost {
  allocated: Count;
  dropped: Count;
  leaked: Count;
  /**
   * The type's name; null for objects of types that were too many to be told apart.
   */
  name?: string | null;
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
/**
 * How large the memory would be without some blocks, by a model of the allocator. Pages are those
 * of `memory`.
 */
export interface WhatIf {
  /**
   * Whether the difference is larger.
   */
  beyond_error: boolean;
  /**
   * Blocks beyond the limit that the model did not follow.
   */
  dropped: number;
  /**
   * By how much the model is wrong about the run as it was. A difference between `pages_now` and
   * `pages_then` that is no larger says nothing.
   */
  error_pages: number;
  /**
   * The model: `dlmalloc`, `emmalloc`, `TLSF` or `size classes`; of several modules, several.
   */
  model: string;
  /**
   * What they have by the model, with nothing taken away.
   */
  pages_modelled: number;
  /**
   * What the memories had at the end.
   */
  pages_now: number;
  /**
   * What they have by the model without these blocks.
   */
  pages_then: number;
  removed: Count;
  /**
   * What was taken away, in words.
   */
  without: string;
}
