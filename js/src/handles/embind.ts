/**
 * Handles of Emscripten's embind: objects with `delete()`, `isDeleted()`, `deleteLater()`. They are
 * made by `Object.create(prototype, { $$: … })`, and only those with a smart pointer are registered
 * for finalisation: the others are never freed by anything but `delete()`.
 *
 * `Object.create` is observed once a module has been instantiated that can be Emscripten's, and
 * costs what is not a handle one comparison.
 */
import type { Instances } from "./instances.js";
import type { Owner } from "./ledger.js";
import { guarded, patchMethod } from "./patch.js";
import type { Method } from "./patch.js";
import type { Site } from "./stacks.js";
import { framesOf } from "./stacks.js";
import { entryOf } from "./tags.js";
import type { Tracker } from "./tracker.js";

export interface EmbindClass extends Owner {
  readonly kind: "embind";
  readonly name: string;
  /** Whether its handles surely own what they point to: not so for raw pointers from a function. */
  readonly owns: boolean;
  readonly disposable: boolean;
}

/**
 * What embind keeps of a handle. After Closure Compiler these are other names; but the numbers in it
 * are always the object's address and, after it, the smart pointer's.
 */
interface Kept {
  readonly ptrType?: { readonly isReference?: unknown; readonly registeredClass?: { readonly name?: unknown } };
}

const dispose = (Symbol as { dispose?: symbol }).dispose;

export class Embind {
  readonly #tracker: Tracker;
  readonly #instances: Instances;
  readonly #realm: typeof globalThis;
  readonly #owners = new WeakMap<object, { owning: EmbindClass; borrowing: EmbindClass }>();
  readonly #patched = new WeakSet<object>();
  #watching = false;

  constructor(tracker: Tracker, instances: Instances, realm: typeof globalThis) {
    this.#tracker = tracker;
    this.#instances = instances;
    this.#realm = realm;
  }

  watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    patchMethod(this.#realm.Object, "create", (original) => {
      const created = (object: unknown, prototype: unknown, below: Method) => this.#created(object, prototype, below);
      return function create(...args) {
        const object = Reflect.apply(original, this, args);
        // With a constructor it is the prototype of a class.
        const [prototype, properties] = args;
        if (properties !== undefined && !Object.hasOwn(properties as object, "constructor")) {
          guarded(() => created(object, prototype, create as Method));
        }
        return object;
      } as Method;
    });
  }

  /** A handle with a smart pointer: the collector will free it. */
  registered(target: object): boolean {
    const entry = entryOf(target);
    if (entry?.group.owner.kind !== "embind") return false;
    entry.registered = true;
    return true;
  }

  #created(object: unknown, prototype: unknown, below: Method): void {
    if (typeof object !== "object" || object === null || typeof prototype !== "object" || prototype === null) return;
    const { isDeleted, deleteLater } = prototype as Record<string, unknown>;
    if (typeof isDeleted !== "function" || typeof deleteLater !== "function") return;
    this.#watchDelete(prototype);
    // `$$`, its only property.
    const [kept] = Object.values(Object.getOwnPropertyDescriptors(object)).map(({ value }) => value as Kept | undefined);
    const [ptr, smartPtr] = Object.values(kept ?? {}).filter((value) => typeof value === "number");
    this.#tracker.open(object, below, (site) => ({
      owner: this.#ownerOf(prototype, kept?.ptrType, smartPtr !== undefined, site),
      ptr: ptr === undefined ? undefined : ptr >>> 0,
      instance: this.#instances.of(undefined, site?.frame.file),
    }));
  }

  #ownerOf(prototype: object, type: Kept["ptrType"], isSmart: boolean, site: Site | undefined): EmbindClass {
    const known = type?.registeredClass?.name;
    const name = typeof known === "string" ? known : prototype.constructor.name;
    let owners = this.#owners.get(prototype);
    if (owners === undefined) {
      const base = { kind: "embind", name, disposable: dispose !== undefined && dispose in prototype } as const;
      owners = { owning: { ...base, owns: true }, borrowing: { ...base, owns: false } };
      this.#owners.set(prototype, owners);
    }
    const owns =
      isSmart || type?.isReference === true || framesOf(site).some((frame) => frame.name === `new ${name}`);
    return owns ? owners.owning : owners.borrowing;
  }

  // The methods belong to a prototype that all classes of a module share.
  #watchDelete(prototype: object): void {
    for (let at: object | null = prototype; at !== null; at = Object.getPrototypeOf(at) as object | null) {
      if (this.#patched.has(at)) return;
      this.#patched.add(at);
      if (!Object.hasOwn(at, "isDeleted")) continue;
      const { ledger } = this.#tracker;
      const deleting = (original: Method): Method =>
        function (...args) {
          const result = Reflect.apply(original, this, args);
          const entry = entryOf(this);
          if (entry !== undefined) ledger.close(entry, "freed");
          return result;
        };
      patchMethod(at, "delete", deleting);
      if (dispose !== undefined) patchMethod(at, dispose, deleting);
      return;
    }
  }
}
