/**
 * Leaks that are known: a file with a line for each, which a person may read, sort and shorten. Who
 * judges a run fails for the others alone.
 */

import * as env from "#env";
import { shortFile } from "./handles/report.js";
import type { Leak } from "./leaks.js";
import { runtime } from "./runtime.js";

/** The functions of a module's stack that tell one context from another. */
const FRAMES = 4;

export class KnownLeaks {
  readonly #file: string;
  readonly #isWritten: boolean;
  readonly #known: Set<string>;

  /** With `isWritten`, whatever leaks is added to the file, and is known from then on. */
  constructor(file: string, isWritten: boolean) {
    this.#file = file;
    this.#isWritten = isWritten;
    const text = env.script(file);
    if (text === undefined && !isWritten) runtime().warn(`the baseline ${file} cannot be read: no leak is known`);
    this.#known = new Set(text?.split("\n"));
  }

  /** Those that are not known; `where` is the test, if there is one. */
  without<L extends Leak>(leaks: readonly L[], where?: string): L[] {
    return leaks.filter((leak) => {
      const line = where === undefined ? describe(leak) : `${where} > ${describe(leak)}`;
      if (this.#known.has(line)) return false;
      if (!this.#isWritten) return true;
      // Test files run in processes of their own, at the same time.
      env.append(this.#file, `${line}\n`);
      this.#known.add(line);
      return false;
    });
  }
}

/** The leaks that count. */
export function newLeaks<L extends Leak>(leaks: readonly L[], where?: string): L[] {
  return runtime().known?.without(leaks, where) ?? [...leaks];
}

/** The same as long as the leak is the same: lines and counts change with every edit. */
function describe(leak: Leak): string {
  if (leak.kind === "object") {
    const { class: name, at } = leak;
    return at === undefined ? name : `${name} (${shortFile(at.file)})`;
  }
  const stack = leak.stack.slice(0, FRAMES).map((frame) => frame.function);
  return `blocks of ${leak.module} (${stack.join(" < ")})`;
}
