/** Where a WebAssembly heap goes: figures, snapshots, reports and assertions for a running program. */

export { expectNoLeaks, findLeaks } from "./expect.js";
export type { ExpectOptions } from "./expect.js";
export type { Count, Frame, Report } from "./generated/report.js";
export { heap } from "./heap.js";
export type { Diff, Heap } from "./heap.js";
export type { Allowance } from "./growth.js";
export { LeakError, LEAKS_VERSION } from "./leaks.js";
export type { BlockLeak, Leak, ObjectLeak } from "./leaks.js";
export type { ReportOptions } from "./report.js";
export { Scope } from "./scope.js";
export type { ScopeOptions } from "./scope.js";
export { Snapshot } from "./snapshot.js";
export { track } from "./track.js";
export type { Tracked } from "./track.js";
export { instrument } from "./tracer/instrument.js";
export type { Inspection, Instrumented, InstrumentOptions } from "./tracer/instrument.js";
export type { Rising, Stats } from "./tracer/session.js";
