/**
 * What a test leaves behind: the objects that were made while it ran and not freed. Blocks of the
 * wasm heap are not judged here, for one run of a test cannot tell a leak from a cache that fills;
 * `expectNoLeaks` can.
 */

import * as env from "#env";
import type { Mark, Origin } from "../handles/index.js";
import { shortFile } from "../handles/report.js";
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

export interface VerdictOptions {
  /** A file with leaks that are known; only others fail a test. */
  baseline?: string | undefined;
  /** Adds what leaks to the baseline, and fails nothing. */
  updateBaseline?: boolean | undefined;
}

export class Verdicts {
  readonly #running: Watch[] = [];
  readonly #options: VerdictOptions;
  readonly #known: Set<string>;

  constructor(options: VerdictOptions = {}) {
    this.#options = options;
    const { baseline } = options;
    this.#known = new Set(baseline === undefined ? [] : env.script(baseline)?.split("\n"));
  }

  begin(name: string): Watch {
    const watch = { name, mark: runtime().handles.mark(), mixed: false, told: new Map() };
    this.#running.push(watch);
    return watch;
  }

  /** The error with which the test fails, if it does. */
  async end(watch: Watch): Promise<LeakError | undefined> {
    const { collected } = await collect();
    const at = this.#running.indexOf(watch);
    // Tests in a test end before it; any other order is that of tests side by side.
    if (at !== this.#running.length - 1) this.#running.forEach((other) => (other.mixed = true));
    this.#running.splice(at, 1);
    if (watch.mixed) return undefined;
    const { handles } = runtime();
    const fixes = new Map(handles.growth([watch.mark, handles.mark()]).map((it) => [keyOf(it), it.fix]));
    const leaks: ObjectLeak[] = [];
    for (const change of handles.since(watch.mark)) {
      const { class: name, at, stack, certain, unfreed, late, lost } = change;
      const key = keyOf(change);
      const total = (collected ? late + lost : unfreed) - (watch.told.get(key) ?? 0);
      if (!certain || total <= 0) continue;
      for (const outer of this.#running) outer.told.set(key, (outer.told.get(key) ?? 0) + total);
      const fix = fixes.get(key);
      leaks.push({ kind: "object", class: name, total, stack, ...(at && { at }), ...(fix && { fix }) });
    }
    const fresh = leaks.filter((leak) => this.#isNew(watch, leak));
    if (fresh.length === 0) return undefined;
    const error = new LeakError(fresh, `${watch.name} leaves something behind`);
    // Reporters and editors jump to the first line of a stack.
    const frames = (fresh[0]?.stack ?? []).map(({ name, file, line, column }) => {
      const place = `${file}:${line}:${column}`;
      return `    at ${name === undefined ? place : `${name} (${place})`}`;
    });
    error.stack = [`${error.name}: ${error.message}`, ...frames].join("\n");
    return error;
  }

  #isNew(watch: Watch, { class: name, at }: ObjectLeak): boolean {
    const key = `${watch.name} > ${name}${at === undefined ? "" : ` (${shortFile(at.file)})`}`;
    const { baseline, updateBaseline } = this.#options;
    if (this.#known.has(key)) return false;
    if (baseline === undefined || updateBaseline !== true) return true;
    // Test files run in processes of their own, at the same time.
    env.append(baseline, `${key}\n`);
    this.#known.add(key);
    return false;
  }
}

function keyOf({ class: name, at }: Origin): string {
  return `${name} ${at?.file}:${at?.line}:${at?.column}`;
}

/** Where the collector can be called, what is still held is told from what was dropped. */
async function collect(): Promise<{ collected: boolean }> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) return { collected: false };
  // What is finalised when is up to the engine: an object of our own says when it has come to that.
  let finalised = 0;
  const registry = new FinalizationRegistry(() => finalised++);
  for (let round = 0; round < 20 && finalised < 3; round++) {
    registry.register({}, undefined);
    gc();
    await new Promise((done) => setTimeout(done, 1));
  }
  return { collected: finalised >= 3 };
}
