/**
 * Rust closures that were handed to JavaScript. The glue registers the function, with a state
 * `{ a, b, cnt, … }` that is both what is held and the token, and takes it back when the closure is
 * dropped. `Closure::forget` never does. A closure that is alive is no mistake by itself; one more
 * at every turn is.
 */
import type { Instances } from "./instances.js";
import type { Owner } from "./ledger.js";
import type { Method } from "./patch.js";
import type { Site } from "./stacks.js";
import { entryOf } from "./tags.js";
import type { Tracker } from "./tracker.js";

const CLOSURE: Owner = { kind: "closure", name: "Closure" };

export class Closures {
  readonly #tracker: Tracker;
  readonly #instances: Instances;

  constructor(tracker: Tracker, instances: Instances) {
    this.#tracker = tracker;
    this.#instances = instances;
  }

  registered(target: object, held: unknown, token: unknown, below: Method): boolean {
    if (typeof target !== "function" || held !== token || !isState(held)) return false;
    const state = new WeakRef(held);
    const birth = (site: Site | undefined) => ({
      owner: CLOSURE,
      ptr: held.a >>> 0,
      instance: this.#instances.of(undefined, site?.frame.file),
      // Before 0.2.101 a closure that Rust drops is left in the registry; `a` is 0 while it runs.
      isFreed: () => state.deref()?.cnt === 0,
    });
    const entry = this.#tracker.open(held, below, birth, target);
    entry.registered = true;
    return true;
  }

  unregistered(token: unknown): void {
    const entry = entryOf(token);
    if (entry?.group.owner === CLOSURE) this.#tracker.ledger.close(entry, "freed");
  }
}

function isState(held: unknown): held is { a: number; b: number; cnt: number } {
  if (typeof held !== "object" || held === null) return false;
  const { a, b, cnt } = held as Record<string, unknown>;
  return typeof a === "number" && typeof b === "number" && typeof cnt === "number";
}
