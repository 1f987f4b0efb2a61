/**
 * What is there once in a realm, however many copies of this package it has loaded, as ES modules
 * and as CommonJS: the session, the JS objects, and whether `WebAssembly` is patched.
 */

import * as env from "#env";
import { install } from "./handles/index.js";
import type { Handles } from "./handles/index.js";
import { native } from "./hook/native.js";
import type { KnownLeaks } from "./known.js";
import { instrument, view } from "./tracer/instrument.js";
import type { InstrumentOptions, Instrumented, Made } from "./tracer/instrument.js";
import { ADDED_EXPORT, SECTION, Session, sectionOf } from "./tracer/session.js";

/** Changes when copies of the package cannot share a runtime any more. */
const KEY = Symbol.for("seepage/1");

type Imports = WebAssembly.Imports | undefined;
/** A function that the app calls: what is further in is none of its stack. */
type Entry = (...args: never[]) => unknown;

export function runtime(): Runtime {
  const realm = globalThis as { [KEY]?: Runtime };
  if (realm[KEY] === undefined) {
    Object.defineProperty(realm, KEY, { value: new Runtime(), configurable: true });
  }
  return realm[KEY]!;
}

export class Runtime {
  /** Whether `WebAssembly` is patched. */
  isRegistered = false;
  /** Until then the analysis is not there: a page has to fetch it. */
  ready: Promise<void> | undefined;
  /** Leaks that fail nothing, where the options name a file of them. */
  known: KnownLeaks | undefined;
  /** It never will be. */
  isDisabled = false;
  #session: Session | undefined;
  #handles: Handles | undefined;
  /** What an app sees of the exports of a traced instance. */
  readonly #views = new WeakMap<WebAssembly.Instance, WebAssembly.Exports>();
  /** What traced modules were compiled from. */
  readonly #code = new WeakMap<WebAssembly.Module, Uint8Array>();
  readonly #said = new Set<string>();

  /** The session, made when somebody first asks. */
  get session(): Session {
    return (this.#session ??= new Session((message) => this.warn(message), () => this.handles.roots()));
  }

  /** Whether any heap is traced. */
  get isTracing(): boolean {
    return this.#session?.hasGuests ?? false;
  }

  /** Who made and freed the JS objects that own memory of a module. */
  get handles(): Handles {
    if (this.#handles === undefined) {
      this.#handles = install();
      this.#handles.lookInto((instance, ptr) => this.#session?.blockAt(instance, ptr));
    }
    return this.#handles;
  }

  warn(message: string): void {
    if (this.#said.has(message)) return;
    this.#said.add(message);
    env.say(`seepage: warning: ${message}\n`);
  }

  /** The bytes to compile in the place of these: those of the instrumented module, if there can be one. */
  prepare(bytes: BufferSource, name: string, options: InstrumentOptions): BufferSource {
    if (this.isDisabled) return bytes;
    try {
      const { cache, ...asked } = { ...options, name, shared: env.mayShare() };
      const make = (): Made => {
        const { wasm, inspection } = instrumentAny(bytes, asked);
        if (!inspection.hasHeap) return { wasm: view(bytes).slice(), isFinal: true };
        const { reason } = inspection.probe;
        if (reason !== null) {
          this.warn(`what may be the allocator of the module ${name} was not tried: ${reason}`);
        }
        if (!native.validate(wasm)) throw new Error("this engine does not take the instrumented module");
        return { wasm, isFinal: reason === null };
      };
      return cache === false ? make().wasm : env.kept(view(bytes), asked, cache, make);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      // What is instrumented needs nothing, and what is no module the engine will say itself.
      if (/^the module is instrumented already/.test(reason)) return bytes;
      if (!native.validate(view(bytes) as BufferSource)) return bytes;
      // Another thread follows such modules, or has said that nobody can.
      if (/^unsupported feature: shared memory/.test(reason) && env.isThread()) return bytes;
      this.warn(`the wasm heap of the module ${name} is not traced: ${reason.split("\n")[0]}`);
      return bytes;
    }
  }

  /** Takes note of what a module was compiled from, if those are not the app's own bytes, which it may change. */
  compiled<T extends WebAssembly.Module>(module: T, bytes: BufferSource, own: unknown): T {
    if (bytes !== own) this.#code.set(module, view(bytes));
    return module;
  }

  /** Instantiates with the imports that tracing needs; `make` is the engine's. */
  link<T>(
    module: WebAssembly.Module,
    own: Imports,
    entry: Entry,
    make: (imports: Imports, done: (instance: WebAssembly.Instance) => void) => T,
  ): T {
    const site = this.handles.captureSite(entry);
    const observed = isImports(own) ? this.handles.observeImports(own) : own;
    const isShared = isImports(own) && importsShared(module, own);
    if (isShared) env.share();
    const guest = isImports(own) ? this.#guarded(() => this.#guest(module, own, isShared)) : undefined;
    return make(guest?.imports === undefined ? observed : withOurs(observed, guest.imports, this.session), (instance) => {
      this.#guarded(() => {
        const all = native.exports(instance);
        if (guest !== undefined) {
          guest.attach?.(all, instance);
          this.#views.set(instance, withoutAdded(all));
        }
        this.handles.observeExports(all, instance, { module, imports: own, site });
      });
    });
  }

  /** The exports of an instance, without what instrumentation added. */
  exports(instance: WebAssembly.Instance): WebAssembly.Exports {
    return this.#views.get(instance) ?? native.exports(instance);
  }

  #guest(module: WebAssembly.Module, own: Imports, isShared: boolean): Partial<ReturnType<Session["add"]>> | undefined {
    const section = sectionOf(module);
    if (section === undefined) return undefined;
    // It was instrumented in another thread, which stops to follow it now.
    if (isShared && !env.mayShare()) return { imports: UNHEARD };
    const { memory, base } = native.customSections(module, "dylink.0").length > 0 ? linkedTo(own) : {};
    if (memory !== undefined && this.session.join(memory, base)) return { imports: UNHEARD };
    return this.session.add(section, this.#code.get(module));
  }

  #guarded<T>(body: () => T): T | undefined {
    try {
      return body();
    } catch (error) {
      this.warn(`an instance is not traced: ${String(error)}`);
      return undefined;
    }
  }
}

const NO_SUCH_EXPORT = /^--mark-export (.*): the module exports no function/;

/** Instruments one of a program's modules, of which some have the exports that mark a moment. */
function instrumentAny(bytes: BufferSource, options: InstrumentOptions): Instrumented {
  try {
    return instrument(bytes, options);
  } catch (error) {
    const missing = NO_SUCH_EXPORT.exec((error as Error).message)?.[1];
    const markExport = options.markExport?.filter((name) => name !== missing) ?? [];
    if (markExport.length === (options.markExport?.length ?? 0)) throw error;
    return instrumentAny(bytes, { ...options, markExport });
  }
}

const nothing = (): void => {};
/** For a guest that nobody follows. */
const UNHEARD = { event: nothing, context: nothing, flush: nothing, mark: nothing };

/** What the loader of a side module gives it: the main module's memory, and a place in it. */
function linkedTo(own: Imports): { memory?: WebAssembly.Memory; base?: number } {
  const { memory, __memory_base: base } = own?.env ?? {};
  if (!(memory instanceof WebAssembly.Memory)) return {};
  const at: unknown = base instanceof WebAssembly.Global ? base.value : base;
  return { memory, ...(typeof at === "number" && { base: at >>> 0 }) };
}

/** Whether an instance would work on a memory that other threads can have as well. */
function importsShared(module: WebAssembly.Module, own: Imports): boolean {
  return native.importsOf(module).some(({ kind, module: from, name }) => {
    if (kind !== "memory") return false;
    const memory = (own as Record<string, Record<string, unknown>> | undefined)?.[from]?.[name];
    return memory instanceof WebAssembly.Memory && !(memory.buffer instanceof ArrayBuffer);
  });
}

/** WASI's modules, of whatever version. */
const WASI = /^wasi_/;
/** WASI's function that ends the program. */
const EXIT = "proc_exit";

/**
 * On top of the app's own imports, which are asked for what is wanted and never enumerated. The
 * proxies stand for objects of their own: those of the app may be frozen.
 */
function withOurs(own: Imports, ours: WebAssembly.ModuleImports, session: Session): WebAssembly.Imports {
  return new Proxy({} as WebAssembly.Imports, {
    get(_, name) {
      if (name === SECTION) return ours;
      const from: unknown = Reflect.get(own ?? {}, name);
      const isWasi = typeof name === "string" && WASI.test(name) && typeof from === "object" && from !== null;
      return isWasi ? withExit(from, session) : from;
    },
  });
}

/** The functions of WASI: the session hears of it when the guest ends the program. */
function withExit(wasi: object, session: Session): object {
  return new Proxy({}, {
    get(_, name) {
      const it: unknown = Reflect.get(wasi, name);
      if (name !== EXIT || typeof it !== "function") return it;
      return (...args: unknown[]) => session.leave(() => Reflect.apply(it, undefined, args) as unknown);
    },
  });
}

function withoutAdded(exports: WebAssembly.Exports): WebAssembly.Exports {
  const own = Object.entries(exports).filter(([name]) => !ADDED_EXPORT.test(name));
  return Object.freeze(Object.assign(Object.create(null), Object.fromEntries(own))) as WebAssembly.Exports;
}

/** What the engine will not refuse as an import object. */
function isImports(own: unknown): boolean {
  return own === undefined || (typeof own === "object" && own !== null) || typeof own === "function";
}
