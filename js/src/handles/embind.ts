/**
 * Handles of Emscripten's embind: objects with `delete()`, `isDeleted()`, `deleteLater()`. They are
 * made by `Object.create(prototype, { $$: … })`, and only those with a smart pointer are registered
 * for finalisation: the others are never freed by anything but `delete()`.
 *
 * The other side frees them as well: a C++ function may `delete` what it is given, and a tree its
 * nodes. Where the heap is followed, the block in which an object was made says so; elsewhere at
 * least another object's address that is the same.
 *
 * `Object.create` is observed once a module has been instantiated that can be Emscripten's, and
 * costs what is not a handle one comparison.
 */
import type { Instance, Instances } from "./instances.js";
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

/**
 * The serial number of the live block at an address, or around it, in the heap of an instance: less
 * than zero where there is none, and `undefined` where nobody knows.
 */
export type BlockAt = (instance: WebAssembly.Instance, ptr: number) => number | undefined;

const dispose = (Symbol as { dispose?: symbol }).dispose;

export class Embind {
  readonly #tracker: Tracker;
  readonly #instances: Instances;
  readonly #realm: typeof globalThis;
  readonly #owners = new WeakMap<object, { owning: EmbindClass; borrowing: EmbindClass }>();
  readonly #patched = new WeakSet<object>();
  /** What handles and their clones share: embind counts them in it. */
  readonly #counts = new WeakSet<object>();
  readonly #blockAt: BlockAt;
  #watching = false;

  constructor(tracker: Tracker, instances: Instances, realm: typeof globalThis, blockAt: BlockAt) {
    this.#tracker = tracker;
    this.#instances = instances;
    this.#realm = realm;
    this.#blockAt = blockAt;
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
    const fields: unknown[] = Object.values(kept ?? {});
    const [ptr, smartPtr] = fields.filter((value) => typeof value === "number");
    const isSmart = smartPtr !== undefined;
    const isClone = this.#isClone(fields);
    this.#tracker.open(object, below, (site) => {
      const { owner, isMade } = this.#ownerOf(prototype, kept?.ptrType, isSmart, site);
      const instance = this.#instances.of(undefined, site?.frame.file);
      if (ptr === undefined || instance === undefined) return { owner, ptr: ptr && ptr >>> 0, instance };
      const at = ptr >>> 0;
      const other = this.#tracker.ledger.ownerAt(instance, at);
      // Where another object is made now, the one that was made there before is gone.
      if (isMade && other !== undefined) this.#tracker.ledger.close(other, "freed");
      const borrows = isMade || isSmart || isClone ? undefined : other;
      // As long as it has a smart pointer, nobody else frees the object.
      const isFreed = borrows === undefined && !isSmart ? this.#ending(instance, at) : undefined;
      return { owner, ptr: at, instance, isFreed, isOwner: owner.owns && !isSmart && !isClone, borrows };
    });
  }

  /** Asks whether the block at an address is gone, where it is known. */
  #ending({ ref }: Instance, ptr: number): (() => boolean) | undefined {
    const blockNow = () => {
      const instance = ref.deref();
      return instance && this.#blockAt(instance, ptr);
    };
    const block = blockNow();
    if (block === undefined || block < 0) return undefined;
    return () => (blockNow() ?? block) !== block;
  }

  /** Whether a handle is a further one of another, to be deleted by itself. */
  #isClone(fields: readonly unknown[]): boolean {
    const count = fields.find(isCount);
    if (count === undefined) return false;
    const isKnown = this.#counts.has(count);
    this.#counts.add(count);
    return isKnown;
  }

  #ownerOf(
    prototype: object,
    type: Kept["ptrType"],
    isSmart: boolean,
    site: Site | undefined,
  ): { owner: EmbindClass; isMade: boolean } {
    const known = type?.registeredClass?.name;
    const called = typeof known === "string" ? known : prototype.constructor.name;
    const name = called === "" ? "object" : called;
    let owners = this.#owners.get(prototype);
    if (owners === undefined) {
      const base = { kind: "embind", name, disposable: dispose !== undefined && dispose in prototype } as const;
      owners = { owning: { ...base, owns: true }, borrowing: { ...base, owns: false } };
      this.#owners.set(prototype, owners);
    }
    const isMade = framesOf(site).some((frame) => frame.name === `new ${called}`);
    const owns = isSmart || type?.isReference === true || isMade;
    return { owner: owns ? owners.owning : owners.borrowing, isMade };
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

/** `{ value: 1 }`, by whatever name. */
function isCount(field: unknown): field is object {
  if (typeof field !== "object" || field === null) return false;
  const [value, ...others] = Object.values(field) as unknown[];
  return typeof value === "number" && others.length === 0;
}
