/**
 * Rust closures that were handed to JavaScript. A closure that is alive is no mistake by itself; one
 * more at every turn is.
 *
 * The glue registers the function, with a state `{ a, b, cnt, … }` that is both what is held and the
 * token, and takes it back when the closure is dropped; `Closure::forget` never does. Glue before
 * 0.2.91 registers nothing: there, the functions that the module imports to make and to drop closures
 * are observed.
 */
import type { Instances } from "./instances.js";
import { ownKeys, read } from "./instances.js";
import type { Entry, Owner } from "./ledger.js";
import { guarded } from "./patch.js";
import type { Method } from "./patch.js";
import type { Site } from "./stacks.js";
import { entryOf } from "./tags.js";
import type { Tracker } from "./tracker.js";

const CLOSURE: Owner = { kind: "closure", name: "Closure" };

/** `__wbindgen_closure_wrapper1234`; newer glue has another name and registers. */
const MAKES = /^__wbindgen_closure_wrapper\d+$/;

export class Closures {
  readonly #tracker: Tracker;
  readonly #instances: Instances;
  #registrations = 0;

  constructor(tracker: Tracker, instances: Instances) {
    this.#tracker = tracker;
    this.#instances = instances;
  }

  registered(target: object, held: unknown, token: unknown, below: Method): boolean {
    if (typeof target !== "function" || held !== token || !isState(held)) return false;
    this.#registrations++;
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

  /** The imports of a module, with those for closures observed; the same object where it has none. */
  observe(imports: WebAssembly.Imports | undefined): WebAssembly.Imports | undefined {
    if (imports === undefined) return imports;
    const observed: Record<string, WebAssembly.ModuleImports> = {};
    for (const key of ownKeys(imports)) {
      const namespace = read(imports, key) as WebAssembly.ModuleImports;
      if (ownKeys(namespace).some((name) => MAKES.test(name))) observed[key] = this.#observed(namespace);
    }
    if (Object.keys(observed).length === 0) return imports;
    // Over an object of its own: a proxy of a frozen one must give what that has.
    return new Proxy({}, { get: (_, key) => observed[key as string] ?? Reflect.get(imports, key) });
  }

  #observed(namespace: WebAssembly.ModuleImports): WebAssembly.ModuleImports {
    /** By their slot in the glue's heap, which stays the closure's own. */
    const closures = new Map<unknown, Entry>();
    const wrap = (name: string, original: Method): Method | undefined => {
      if (MAKES.test(name)) {
        const made = (slot: unknown, a: unknown, below: Method) => closures.set(slot, this.#unregistered(a, below));
        const count = () => this.#registrations;
        // Named so that stacks leave it out.
        return function seepageObserves(...args) {
          const before = count();
          const slot = original(...args);
          if (count() === before) guarded(() => void made(slot, args[0], seepageObserves));
          return slot;
        };
      }
      if (name !== "__wbindgen_cb_drop") return undefined;
      return (slot) => {
        const entry = closures.get(slot);
        if (entry !== undefined) this.#tracker.ledger.close(entry, "freed");
        closures.delete(slot);
        return original(slot);
      };
    };
    const wrapped = new Map<unknown, Method>();
    for (const name of ownKeys(namespace)) {
      const original = read(namespace, name);
      const replacement = typeof original === "function" ? wrap(name, original as Method) : undefined;
      if (replacement !== undefined) wrapped.set(name, replacement);
    }
    return new Proxy({}, { get: (_, key) => wrapped.get(key as string) ?? (Reflect.get(namespace, key) as Method) });
  }

  #unregistered(a: unknown, below: Method): Entry {
    const { ledger, stacks } = this.#tracker;
    const site = stacks.capture(below);
    const instance = this.#instances.of(undefined, site?.frame.file);
    return ledger.open(site, { owner: CLOSURE, ptr: typeof a === "number" ? a >>> 0 : undefined, instance });
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
