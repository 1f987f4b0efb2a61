/**
 * The instances that objects may belong to. An object holds a bare address: which memory it means
 * follows from the glue that made it.
 */
import type { Site } from "./stacks.js";
import { framesOf } from "./stacks.js";

/** A WebAssembly instance; refers to it weakly. */
export interface Instance {
  /** Counted from 1, in the order of creation. */
  readonly number: number;
  readonly ref: WeakRef<WebAssembly.Instance>;
  readonly exports: WeakRef<WebAssembly.Exports>;
  /** Names of the classes it can free, as in its exports: lower case. */
  readonly freeable: ReadonlySet<string>;
  /** The version of wasm-bindgen that made it, when the module says. */
  readonly bindgen: string | undefined;
  /** The files in the stack that made the instance. */
  readonly files: ReadonlySet<string>;
  /** The functions of the old glue that tell the type of a value in its heap, by name. */
  readonly predicates: ReadonlyMap<string, WeakRef<(slot: number) => unknown>>;
}

export class Instances {
  readonly #all: Instance[] = [];
  /** Changes whenever an instance is added: what was looked up before may be wrong then. */
  get epoch(): number {
    return this.#all.length;
  }

  add(
    instance: WebAssembly.Instance,
    exports: WebAssembly.Exports,
    details: { module?: WebAssembly.Module | undefined; imports?: WebAssembly.Imports | undefined; site?: Site | undefined },
  ): Instance {
    const freeable = new Set<string>();
    for (const name of Object.keys(exports)) {
      const match = FREE_EXPORT.exec(name);
      if (match?.[1] !== undefined) freeable.add(match[1]);
    }
    const added: Instance = {
      number: this.#all.length + 1,
      ref: new WeakRef(instance),
      exports: new WeakRef(exports),
      freeable,
      bindgen: details.module && producerVersion(details.module),
      files: new Set(framesOf(details.site).map((frame) => frame.file)),
      predicates: predicatesIn(details.imports),
    };
    this.#all.push(added);
    return added;
  }

  all(): readonly Instance[] {
    return this.#all;
  }

  /** The instances that an object of this class can belong to. */
  able(exportName: string | undefined): readonly Instance[] {
    return exportName === undefined ? this.#all : this.#all.filter((one) => one.freeable.has(exportName));
  }

  /**
   * The instance that a class uses: the only one that can free it and was made by its glue, or the
   * only one that can free it at all. `undefined` when that is not certain: glue that was evaluated
   * twice has two sets of classes in one file.
   */
  of(exportName: string | undefined, glueFile: string | undefined): Instance | undefined {
    const able = this.able(exportName);
    const made = able.filter((one) => glueFile !== undefined && one.files.has(glueFile));
    const [instance, ...others] = made.length > 0 ? made : able;
    return others.length === 0 ? instance : undefined;
  }
}

/** `__wbg_parquetfile_free` */
export const FREE_EXPORT = /^__wbg_(.+)_free$/;

// The names have had a prefix and a hash since 0.2.101: `__wbg___wbindgen_is_object_c818261d21f283a4`.
const PREDICATE = /^(?:__wbg_)?__wbindgen_(is_[a-z]+)(?:_[0-9a-f]{16})?$/;

function predicatesIn(imports: WebAssembly.Imports | undefined): Instance["predicates"] {
  const found = new Map<string, WeakRef<(slot: number) => unknown>>();
  for (const namespace of ownKeys(imports).map((key) => read(imports, key))) {
    for (const name of ownKeys(namespace)) {
      const match = PREDICATE.exec(name)?.[1];
      const value = match === undefined ? undefined : read(namespace, name);
      if (match !== undefined && typeof value === "function") {
        found.set(match, new WeakRef(value as (slot: number) => unknown));
      }
    }
  }
  return found;
}

/** Keys of a namespace object, which may be anything that `WebAssembly.Instance` accepts. */
export function ownKeys(object: unknown): string[] {
  if ((typeof object !== "object" && typeof object !== "function") || object === null) return [];
  return Object.keys(object);
}

/**
 * A property of imports as plain data: no getter of the app's runs, and a binding of an ES module
 * that is not initialised yet is `undefined`.
 */
export function read(object: unknown, name: string): unknown {
  try {
    return Object.getOwnPropertyDescriptor(object, name)?.value;
  } catch {
    return undefined;
  }
}

/** What the custom section `producers` says of wasm-bindgen. */
function producerVersion(module: WebAssembly.Module): string | undefined {
  for (const section of WebAssembly.Module.customSections(module, "producers")) {
    const text = new TextDecoder("latin1").decode(section);
    const version = /wasm-bindgen[^0-9a-z]{1,2}(\d+\.\d+\.\d+)/.exec(text)?.[1];
    if (version !== undefined) return version;
  }
  return undefined;
}
