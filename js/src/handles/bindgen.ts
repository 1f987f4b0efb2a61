/**
 * The classes of wasm-bindgen's glue, 0.2.84 and newer. They are recognised by the method
 * `__destroy_into_raw`, which every way of giving an object up goes through:
 *
 * - `free()` calls it and then the module; passing the object by value calls it alone;
 * - what was made is seen when it is registered for finalisation (constructors since 0.2.93), or,
 *   in glue that does not register, when its address is first assigned.
 */
import type { Instance, Instances } from "./instances.js";
import { ownKeys, read } from "./instances.js";
import type { Owner } from "./ledger.js";
import { guarded, patchMethod } from "./patch.js";
import type { Method } from "./patch.js";
import type { Site } from "./stacks.js";
import { entryOf } from "./tags.js";
import type { Tracker } from "./tracker.js";

/** Which versions of wasm-bindgen the glue of a class can be of. */
export type GlueAge =
  /** Nothing is registered unless it was built with `--weak-refs`. */
  | "≤ 0.2.87"
  /** What constructors make is never registered. */
  | "0.2.88–0.2.92"
  | "≥ 0.2.93"
  /** It has no constructor that would tell. */
  | "unknown";

export interface BindgenClass extends Owner {
  readonly kind: "wasm-bindgen";
  /** As written in the source, when that can be known. */
  name: string;
  /** What the glue calls it, when that is another name (a minified one). */
  readonly glueName: string | undefined;
  /** Its name in the module's exports: lower case. */
  readonly exportName: string | undefined;
  readonly age: GlueAge;
  /** Whether `using` works on it. */
  readonly disposable: boolean;
}

interface Adopted extends BindgenClass {
  readonly field: string;
  glueFile: string | undefined;
  /** The instance whose imports name this class. */
  linked: WeakRef<Instance & object> | undefined;
  found: { epoch: number; instance: Instance | undefined } | undefined;
}

const DESTROY = "__destroy_into_raw";

export class Bindgen {
  /** The classes that are known, by their names in the exports. */
  readonly seen = new Set<string>();
  readonly #tracker: Tracker;
  readonly #instances: Instances;
  /** By the prototype of an object: the class that owns its memory, or `undefined`. */
  readonly #classes = new WeakMap<object, { of: Adopted | undefined }>();

  constructor(tracker: Tracker, instances: Instances) {
    this.#tracker = tracker;
    this.#instances = instances;
  }

  /** `target` was registered for finalisation. Returns whether it is one of ours. */
  registered(target: object, held: unknown, below: Method): boolean {
    const owner = this.#ownerOf(Object.getPrototypeOf(target) as object | null);
    if (owner === undefined) return false;
    const ptr = addressIn(target, owner.field) ?? (typeof held === "number" ? held >>> 0 : undefined);
    const entry = this.#tracker.open(target, below, (site) => this.#birth(owner, ptr, site));
    entry.registered = true;
    return true;
  }

  /** A class, from the glue that defines it. */
  adopt(constructor: unknown): Adopted | undefined {
    if (typeof constructor !== "function") return undefined;
    const prototype: unknown = constructor.prototype;
    if (typeof prototype !== "object" || prototype === null || !Object.hasOwn(prototype, DESTROY)) return undefined;
    return this.#ownerOf(prototype);
  }

  /**
   * Finds the classes among the imports of a module: for the targets `nodejs` and `bundler` these
   * are the exports of the glue.
   */
  adoptAmong(imports: WebAssembly.Imports | undefined): Adopted[] {
    const adopted: Adopted[] = [];
    for (const namespace of ownKeys(imports).map((key) => read(imports, key))) {
      for (const key of ownKeys(namespace)) {
        const found = this.adopt(read(namespace, key));
        if (found === undefined) continue;
        if (key.toLowerCase() === found.exportName) found.name = key;
        adopted.push(found);
      }
    }
    return adopted;
  }

  /** The classes in `imports` use `instance` from now on. */
  link(imports: WebAssembly.Imports | undefined, instance: Instance): void {
    for (const found of this.adoptAmong(imports)) {
      found.linked = new WeakRef(instance);
      found.found = undefined;
    }
  }

  #ownerOf(prototype: object | null): Adopted | undefined {
    if (prototype === null) return undefined;
    let known = this.#classes.get(prototype);
    if (known === undefined) {
      known = {
        of: Object.hasOwn(prototype, DESTROY)
          ? this.#take(prototype)
          : this.#ownerOf(Object.getPrototypeOf(prototype) as object | null),
      };
      this.#classes.set(prototype, known);
    }
    return known.of;
  }

  #take(prototype: object): Adopted {
    const source = sourceOf(prototype);
    const owner = describe(prototype, source);
    if (owner.exportName !== undefined) this.seen.add(owner.exportName);
    const { ledger } = this.#tracker;
    patchMethod(prototype, DESTROY, (original) => {
      return function (...args) {
        const result = Reflect.apply(original, this, args);
        const entry = entryOf(this);
        if (entry !== undefined) ledger.close(entry, "moved");
        return result;
      };
    });
    const freeing = (original: Method): Method =>
      function (...args) {
        const entry = entryOf(this);
        const open = entry?.fate === "held";
        // When the module refuses (the object is borrowed), this throws and it stays a move.
        const result = Reflect.apply(original, this, args);
        if (open && entry !== undefined) ledger.movedIsFreed(entry);
        return result;
      };
    patchMethod(prototype, "free", freeing);
    if (dispose !== undefined) patchMethod(prototype, dispose, freeing);
    if (!registersAll(source, owner.field)) this.#watchAddress(prototype, owner);
    return owner;
  }

  // The address is assigned once, to an object that does not have the field yet: an accessor on the
  // prototype sees it, and gives the object the field it would have got.
  #watchAddress(prototype: object, owner: Adopted): void {
    if (Object.hasOwn(prototype, owner.field)) return;
    const { field } = owner;
    const open = (object: object, ptr: number, below: Method): void => {
      this.#tracker.open(object, below, (site) => this.#birth(owner, ptr, site));
    };
    Object.defineProperty(prototype, field, {
      configurable: true,
      enumerable: false,
      get: () => undefined,
      set: function assign(this: object, value: unknown): void {
        Object.defineProperty(this, field, { value, configurable: true, enumerable: true, writable: true });
        if (typeof value === "number" && value !== 0) guarded(() => open(this, value >>> 0, assign as Method));
      },
    });
  }

  #birth(owner: Adopted, ptr: number | undefined, site: Site | undefined) {
    owner.glueFile ??= site?.frame.file;
    const { epoch } = this.#instances;
    if (owner.found?.epoch !== epoch) {
      const instance = owner.linked?.deref() ?? this.#instances.of(owner.exportName, owner.glueFile);
      owner.found = { epoch, instance };
    }
    return { owner, ptr, instance: owner.found.instance };
  }
}

const dispose = (Symbol as { dispose?: symbol }).dispose;

function addressIn(object: object, field: string): number | undefined {
  const value: unknown = (object as Record<string, unknown>)[field];
  return typeof value === "number" ? value >>> 0 : undefined;
}

// The rest is read off the source text of the class: minifiers keep the names of properties.

interface Source {
  readonly glueName: string;
  readonly class: string;
  readonly wrap: string;
  readonly free: string;
  readonly destroy: string;
}

function sourceOf(prototype: object): Source {
  const text = (value: unknown) => (typeof value === "function" ? Function.prototype.toString.call(value) : "");
  const members = prototype as Record<string, unknown>;
  const { constructor } = prototype;
  return {
    glueName: constructor.name,
    class: text(constructor),
    wrap: text((constructor as { __wrap?: unknown }).__wrap),
    free: text(members["free"]),
    destroy: text(members[DESTROY]),
  };
}

const FREE_CALL = /\b__wbg_([\w$]+?)_free\b/;

function describe(prototype: object, source: Source): Adopted {
  const { glueName } = source;
  const exportName = (FREE_CALL.exec(source.free) ?? FREE_CALL.exec(source.class))?.[1];
  // Bundlers add to a name that is taken: `_RenderedImage`, `RenderedImage$1`.
  const bare = glueName.replace(/^_+|\$\d+$/g, "");
  const real = exportName === undefined || (bare !== "" && exportName.endsWith(bare.toLowerCase()));
  // `__wbg_ptr`, or `ptr` in 0.2.84.
  const field = /\bthis\.([\w$]+)\s*=\s*0\b/.exec(source.destroy)?.[1] ?? "__wbg_ptr";
  return {
    kind: "wasm-bindgen",
    name: real ? bare : exportName,
    glueName: real ? undefined : glueName,
    exportName,
    age: ageOf(source, field),
    disposable: dispose !== undefined && dispose in prototype,
    field,
    glueFile: undefined,
    linked: undefined,
    found: undefined,
  };
}

/** Whether the constructor itself assigns the address, and registers what it made. */
function constructorOf(source: Source, field: string): { assigns: boolean; registers: boolean } {
  return {
    assigns: new RegExp(`\\bthis\\.${field.replaceAll("$", "\\$")}\\s*=(?!=)\\s*(?!0\\b)`).test(source.class.replace(source.destroy, "")),
    registers: /\.register\(\s*this\b/.test(source.class),
  };
}

function ageOf(source: Source, field: string): GlueAge {
  const { assigns, registers } = constructorOf(source, field);
  if (assigns) return registers ? "≥ 0.2.93" : "0.2.88–0.2.92";
  // Debug builds give a constructor that throws to classes without one.
  return /\bconstructor\s*\([^)]*\)\s*\{(?!\s*throw\b)/.test(source.class) ? "≤ 0.2.87" : "unknown";
}

function registersAll(source: Source, field: string): boolean {
  const { assigns, registers } = constructorOf(source, field);
  return (!assigns || registers) && (source.wrap === "" || /\.register\(/.test(source.wrap));
}
