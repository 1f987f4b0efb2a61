/**
 * Patches `WebAssembly` so that every module is instrumented before the engine sees it, and the app
 * sees none of it: same errors, same prototypes, no import, export or section that is not its own.
 */

import * as env from "#env";
import { ADDED_EXPORT, SECTION } from "../tracer/session.js";
import type { InstrumentOptions } from "../tracer/instrument.js";
import { view } from "../tracer/instrument.js";
import type { Handles } from "../handles/index.js";
import type { Runtime } from "../runtime.js";
import { caller } from "./caller.js";
import { native } from "./native.js";

type Imports = WebAssembly.Imports | undefined;

/** Longer scripts are not searched for the names of exports. */
const LONGEST_GLUE = 8 << 20;

export function patch(runtime: Runtime, options: InstrumentOptions, handles: Handles): void {
  /** What an app sees of the exports of a traced instance. */
  const views = new WeakMap<WebAssembly.Instance, WebAssembly.Exports>();

  /** The bytes to compile in the place of these. */
  function prepare(source: unknown, url?: string): BufferSource {
    const bytes = source as BufferSource;
    if (!isBytes(source)) return bytes;
    const from = caller();
    if (from.isNode) return bytes;
    const { script } = from;
    const name = url ?? (script === undefined ? "wasm" : `${env.name(script)} (wasm)`);
    const text = script === undefined ? undefined : env.script(script);
    const glue = text !== undefined && text.length < LONGEST_GLUE ? text : undefined;
    try {
      const { wasm } = runtime.instrument(bytes, { name, ...(glue !== undefined && { glue }), ...options });
      if (native.validate(wasm)) return wasm;
      throw new Error("this engine does not take the instrumented module");
    } catch (error) {
      // What is no module at all the engine will say itself; what is instrumented needs nothing.
      const reason = error instanceof Error ? error.message : String(error);
      if (!/^the module is instrumented already/.test(reason) && native.validate(view(bytes) as BufferSource)) {
        runtime.warn(`the wasm heap of the module ${name} is not traced: ${reason.split("\n")[0]}`);
      }
      return bytes;
    }
  }

  /**
   * Instantiates with the imports that tracing needs; `make` is the engine's, and `entry` what the
   * app called.
   */
  function link<T>(
    module: WebAssembly.Module,
    own: Imports,
    entry: (...args: never[]) => unknown,
    make: (imports: Imports, done: (instance: WebAssembly.Instance) => void) => T,
  ): T {
    const site = handles.captureSite(entry);
    handles.observeImports(own);
    const linked = isImports(own) ? guarded(() => runtime.imports(module, own)) : undefined;
    return make(linked?.imports ?? own, (instance) => {
      guarded(() => {
        const all = native.exports(instance);
        if (linked !== undefined) {
          linked.attach(instance);
          views.set(instance, withoutAdded(all));
        }
        handles.observeExports(all, instance, { module, imports: own, site });
      });
    });
  }

  function guarded<T>(body: () => T): T | undefined {
    try {
      return body();
    } catch (error) {
      runtime.warn(`an instance is not traced: ${String(error)}`);
      return undefined;
    }
  }

  function instance(
    module: WebAssembly.Module,
    own: Imports,
    entry: (...args: never[]) => unknown,
  ): Promise<WebAssembly.Instance> {
    return link(module, own, entry, async (imports, done) => {
      const made = await native.instantiate(module, imports);
      done(made);
      return made;
    });
  }

  async function bytesOf(source: unknown): Promise<BufferSource> {
    const response = (await source) as Response;
    // The engine knows what is wrong with what is no response of a module.
    const type = response?.headers?.get("content-type")?.split(";")[0]?.trim().toLowerCase();
    if (!(response instanceof Response) || !response.ok || type !== "application/wasm") {
      await native.compileStreaming(response);
    }
    return prepare(await response.arrayBuffer(), response.url ? env.name(response.url) : undefined);
  }

  const Module: typeof WebAssembly.Module = new Proxy(native.Module, {
    construct(target, [source, ...rest], self) {
      return Reflect.construct(target, [prepare(source), ...rest], self === Module ? target : self) as object;
    },
  });
  const Instance: typeof WebAssembly.Instance = new Proxy(native.Instance, {
    construct: function construct(target, args: unknown[], self: NewableFunction) {
      const [module, own] = args as [WebAssembly.Module, Imports];
      if (!(module instanceof native.Module)) return Reflect.construct(target, args, target) as object;
      return link(module, own, construct, (imports, done) => {
        const made = Reflect.construct(
          target,
          imports === undefined ? [module] : [module, imports],
          self === Instance ? target : self,
        ) as WebAssembly.Instance;
        done(made);
        return made;
      });
    },
  });

  async function instantiate(source: unknown, own?: Imports): Promise<unknown> {
    if (source instanceof native.Module) return instance(source, own, instantiate);
    const module = await native.compile(prepare(source));
    return { module, instance: await instance(module, own, instantiate) };
  }
  async function instantiateStreaming(source: unknown, own?: Imports): Promise<unknown> {
    const module = await native.compile(await bytesOf(source));
    return { module, instance: await instance(module, own, instantiateStreaming) };
  }
  replace(WebAssembly, {
    Module,
    Instance,
    compile: async (source: unknown) => native.compile(prepare(source)),
    instantiate,
    compileStreaming: async (source: unknown) => native.compile(await bytesOf(source)),
    instantiateStreaming,
  });
  replace(native.Module, {
    imports: (module: WebAssembly.Module) =>
      native.importsOf(module).filter((it) => it.module !== SECTION),
    exports: (module: WebAssembly.Module) =>
      native.exportsOf(module).filter((it) => !ADDED_EXPORT.test(it.name)),
    customSections: (module: WebAssembly.Module, name: string) =>
      name === SECTION ? [] : native.customSections(module, name),
  });
  native.Module.prototype.constructor = Module;
  native.Instance.prototype.constructor = Instance;
  const exports = Object.getOwnPropertyDescriptor(native.Instance.prototype, "exports");
  if (exports?.get !== undefined) {
    const { get } = exports;
    Object.defineProperty(native.Instance.prototype, "exports", {
      ...exports,
      get(this: WebAssembly.Instance) {
        return views.get(this) ?? (get.call(this) as WebAssembly.Exports);
      },
    });
  }
}

/** Puts functions in the place of others of the same names, with their attributes. */
function replace(object: object, functions: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(functions)) {
    const descriptor = Object.getOwnPropertyDescriptor(object, name);
    if (descriptor === undefined) continue;
    if (typeof value === "function" && !Object.hasOwn(value, "prototype")) {
      Object.defineProperty(value, "name", { value: name, configurable: true });
      const { length } = descriptor.value as { length: number };
      Object.defineProperty(value, "length", { value: length, configurable: true });
    }
    Object.defineProperty(object, name, { ...descriptor, value });
  }
}

function withoutAdded(exports: WebAssembly.Exports): WebAssembly.Exports {
  const own = Object.entries(exports).filter(([name]) => !ADDED_EXPORT.test(name));
  return Object.freeze(Object.assign(Object.create(null), Object.fromEntries(own))) as WebAssembly.Exports;
}

function isBytes(source: unknown): source is BufferSource {
  return (
    ArrayBuffer.isView(source) ||
    source instanceof ArrayBuffer ||
    Object.prototype.toString.call(source) === "[object ArrayBuffer]" ||
    (typeof SharedArrayBuffer !== "undefined" && source instanceof SharedArrayBuffer)
  );
}

/** What the engine will not refuse as an import object. */
function isImports(own: unknown): boolean {
  return own === undefined || (typeof own === "object" && own !== null) || typeof own === "function";
}
