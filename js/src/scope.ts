/**
 * A stretch of a program that is to give back what it takes. Unlike `expectNoLeaks` it sees one run,
 * which cannot tell a leak from a cache that fills: `allow` and `filter` say what may stay.
 */

import { collect } from "./collector.js";
import { bytes, leaksIn } from "./growth.js";
import type { Allowance } from "./growth.js";
import { newLeaks } from "./known.js";
import { LeakError } from "./leaks.js";
import type { Leak } from "./leaks.js";
import { Snapshot } from "./snapshot.js";

export interface ScopeOptions extends Allowance {
  /** What the error calls it. */
  name?: string;
}

export class Scope {
  readonly name: string;
  readonly #allowed: Required<Allowance>;
  /** When it began; absent when it has ended. */
  #before: Snapshot | undefined;

  constructor({ name = "the scope", allow = 0, filter = () => true }: ScopeOptions = {}) {
    this.name = name;
    this.#allowed = { allow: bytes(allow), filter };
    this.#before = new Snapshot(name);
  }

  /** Ends it, and gives what was made in it and is not freed. After that nothing is thrown. */
  end(): Leak[] {
    return this.#end(false);
  }

  /** @throws a {@link LeakError} if something made in it is not freed, unless it has ended already. */
  [Symbol.dispose](): void {
    this.#judge(this.#end(false));
  }

  /** The same for `await using`: where the collector can be called, dropped is told from still held. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#before !== undefined) this.#judge(this.#end(await collect()));
  }

  #end(isCollected: boolean): Leak[] {
    const before = this.#before;
    if (before === undefined) return [];
    this.#before = undefined;
    return leaksIn([before, new Snapshot(this.name)], isCollected, this.#allowed);
  }

  #judge(leaks: readonly Leak[]): void {
    const fresh = newLeaks(leaks);
    if (fresh.length > 0) throw new LeakError(fresh, `${this.name} leaves something behind`);
  }
}
