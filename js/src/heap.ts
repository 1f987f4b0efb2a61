/** The heap as a program asks for it: figures, moments, differences, the report. */

import type { ObjectChange, ObjectsReport } from "./handles/index.js";
import { report } from "./report.js";
import type { ReportOptions } from "./report.js";
import { runtime } from "./runtime.js";
import { Scope } from "./scope.js";
import type { ScopeOptions } from "./scope.js";
import { Snapshot } from "./snapshot.js";
import type { Rising, Stats } from "./tracer/session.js";

/** What has come since a moment. */
export interface Diff {
  /** Calling contexts that hold more now, the most first. */
  blocks: Rising[];
  /** JS objects that own memory of a module: what was made and what became of it. */
  objects: ObjectChange[];
}

export const heap = {
  /** The sums of all traced heaps. */
  stats(): Stats {
    return runtime().session.stats();
  },

  /** The JS objects that own memory of a module, by class and place. */
  objects(): ObjectsReport {
    return runtime().handles.objects();
  },

  /** Remembers this moment. */
  snapshot(name = ""): Snapshot {
    return new Snapshot(name);
  },

  /** What has come between two moments, or from one until now. */
  diff(before: Snapshot, after?: Snapshot): Diff {
    const { session, handles } = runtime();
    const now = after?.wasm ?? session.snapshot();
    try {
      return {
        blocks: session.rising([before.wasm, now]),
        objects: handles.since(before.objects, after?.objects),
      };
    } finally {
      if (after === undefined) session.forget(now);
    }
  },

  /**
   * Begins a stretch that is to free what it makes: `using scope = heap.scope("render")` throws at its
   * end if something stays, and `scope.end()` gives what stays.
   */
  scope(options: string | ScopeOptions = {}): Scope {
    return new Scope(typeof options === "string" ? { name: options } : options);
  },

  /** Marks a quiescent moment, such as the end of a request: reports tell what grows from one to the next. */
  mark(name = "mark"): void {
    runtime().session.mark(name);
  },

  /** The report of everything so far, as `register` prints it at the end. */
  report(options: ReportOptions = {}): string {
    return report(runtime(), options);
  },
};

export type Heap = typeof heap;
