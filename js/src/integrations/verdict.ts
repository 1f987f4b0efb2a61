/**
 * What a test leaves behind: the objects that were made while it ran and not freed. Blocks of the
 * wasm heap are not judged here, for one run of a test cannot tell a leak from a cache that fills;
 * `expectNoLeaks` can.
 */

import { collect } from "../collector.js";
import { objectsLeftIn, placeOfClass } from "../growth.js";
import type { Mark } from "../handles/index.js";
import { newLeaks } from "../known.js";
import { LeakError } from "../leaks.js";
import type { ObjectLeak } from "../leaks.js";
import { runtime } from "../runtime.js";

/** One test that runs. */
export interface Watch {
  name: string;
  mark: Mark;
  /** Another test ran at the same time, so nobody knows whose an object is. */
  mixed: boolean;
  /** Leaks of the tests in this one, by place: they are told already. */
  told: Map<string, number>;
}

export class Verdicts {
  readonly #running: Watch[] = [];

  begin(name: string): Watch {
    const watch = { name, mark: runtime().handles.mark(), mixed: false, told: new Map() };
    this.#running.push(watch);
    return watch;
  }

  /**
   * The error with which the test fails, if it does. One that has failed may not have come to where it
   * frees.
   */
  async end(watch: Watch, hasFailed = false): Promise<LeakError | undefined> {
    const isCollected = await collect();
    this.drop(watch);
    if (watch.mixed || hasFailed) return undefined;
    const leaks: ObjectLeak[] = [];
    for (const leak of objectsLeftIn([watch.mark, runtime().handles.mark()], isCollected)) {
      const key = placeOfClass(leak);
      const total = (leak.dropped ?? leak.total) - (watch.told.get(key) ?? 0);
      if (total <= 0) continue;
      for (const outer of this.#running) outer.told.set(key, (outer.told.get(key) ?? 0) + total);
      leaks.push({ ...leak, total, ...(isCollected && { dropped: total }) });
    }
    const fresh = newLeaks(leaks, watch.name);
    if (fresh.length === 0) return undefined;
    const error = new LeakError(fresh, `${watch.name} leaves something behind`);
    // Reporters and editors jump to the first line of a stack: that of the app, and not of its glue.
    const { stack = [], at } = fresh[0] ?? {};
    const frames = stack.slice(Math.max(0, stack.findIndex((frame) => frame === at))).map(({ name, file, line, column }) => {
      const place = `${file}:${line}:${column}`;
      return `    at ${name === undefined ? place : `${name} (${place})`}`;
    });
    error.stack = [`${error.name}: ${error.message}`, ...frames].join("\n");
    return error;
  }

  /** Forgets a test without a verdict. */
  drop(watch: Watch): void {
    const at = this.#running.indexOf(watch);
    // Tests in a test end before it; any other order is that of tests side by side.
    if (at !== this.#running.length - 1) this.#running.forEach((other) => (other.mixed = true));
    this.#running.splice(at, 1);
  }
}
