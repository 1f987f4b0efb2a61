/**
 * Patches `WebAssembly` so that every module is instrumented before the engine sees it, and the app
 * sees none of it: same errors, same prototypes, no import, export or section that is not its own.
 */

import * as env from "#env";
import type { Runtime } from "../runtime.js";
import { view } from "../tracer/instrument.js";
import type { InstrumentOptions } from "../tracer/instrument.js";
import { ADDED_EXPORT, SECTION } from "../tracer/session.js";
import { caller } from "./caller.js";
import type { Caller } from "./caller.js";
import { native } from "./native.js";

type Imports = WebAssembly.Imports | undefined;

/** Longer scripts are not searched for the names of exports. */
const LONGEST_GLUE = 8 << 20;

export function patch(runtime: Runtime, options: InstrumentOptions): void {
  function prepare(source: unknown, { isNode, script }: Caller = caller(), url?: string): BufferSource {
    const bytes = source as BufferSource;
    if (!isBytes(source) || isNode) return bytes;
    const name = url ?? (script === undefined ? "wasm" : `${env.name(script)} (wasm)`);
    const glue = script === undefined ? undefined : env.script(script);
    const told = glue === undefined || glue.length > LONGEST_GLUE ? options : { glue, ...options };
    return runtime.prepare(bytes, name, told);
  }

  /** The same for who can wait. */
  async function prepared(source: unknown, from: Caller, url?: string): Promise<BufferSource> {
    if (runtime.ready === undefined || !isBytes(source)) return prepare(source, from, url);
    // The app may change them meanwhile.
    const copy = view(source).slice();
    await runtime.ready;
    return prepare(copy, from, url);
  }

  async function compile(bytes: BufferSource, own: unknown): Promise<WebAssembly.Module> {
    return runtime.compiled(await native.compile(bytes), bytes, own);
  }

  function instance(
    module: WebAssembly.Module,
    own: Imports,
    entry: (...args: never[]) => unknown,
    { isNode }: Caller = caller(),
  ): Promise<WebAssembly.Instance> {
    if (isNode) return native.instantiate(module, own);
    return runtime.link(module, own, entry, async (imports, done) => {
      const made = await native.instantiate(module, imports);
      done(made);
      return made;
    });
  }

  async function streamed(source: unknown, from: Caller): Promise<WebAssembly.Module> {
    const response = (await source) as Response;
    const type = response?.headers?.get("content-type")?.split(";")[0]?.trim().toLowerCase();
    if (!(response instanceof Response) || !response.ok || type !== "application/wasm") {
      // The engine knows what is wrong with it.
      await native.compileStreaming(response);
    }
    const url = response.url ? env.name(response.url) : undefined;
    const own = await response.arrayBuffer();
    return compile(await prepared(own, from, url), own);
  }

  const Module: typeof WebAssembly.Module = new Proxy(native.Module, {
    construct(target, [source, ...rest], self) {
      const bytes = prepare(source);
      const made: unknown = Reflect.construct(target, [bytes, ...rest], self === Module ? target : self);
      return runtime.compiled(made as WebAssembly.Module, bytes, source);
    },
  });
  const Instance: typeof WebAssembly.Instance = new Proxy(native.Instance, {
    construct: function construct(target, args: unknown[], self: NewableFunction) {
      const [module, own] = args as [WebAssembly.Module, Imports];
      if (!(module instanceof native.Module) || caller().isNode) return Reflect.construct(target, args, target) as object;
      return runtime.link(module, own, construct, (imports, done) => {
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
    const from = caller();
    const module = await compile(await prepared(source, from), source);
    return { module, instance: await instance(module, own, instantiate, from) };
  }
  async function instantiateStreaming(source: unknown, own?: Imports): Promise<unknown> {
    const from = caller();
    const module = await streamed(source, from);
    return { module, instance: await instance(module, own, instantiateStreaming, from) };
  }

  replace(WebAssembly, {
    Module,
    Instance,
    compile: async (source: unknown) => compile(await prepared(source, caller()), source),
    instantiate,
    compileStreaming: async (source: unknown) => streamed(source, caller()),
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
    Object.defineProperty(native.Instance.prototype, "exports", {
      ...exports,
      get(this: WebAssembly.Instance) {
        return runtime.exports(this);
      },
    });
  }
}

/** Puts functions in the place of others of the same names, with their attributes. */
function replace(object: object, functions: Record<string, object>): void {
  for (const [key, value] of Object.entries(functions)) {
    const descriptor = Object.getOwnPropertyDescriptor(object, key);
    if (descriptor === undefined) continue;
    for (const property of ["name", "length"] as const) {
      const { [property]: original } = descriptor.value as () => void;
      Object.defineProperty(value, property, { value: original, configurable: true });
    }
    Object.defineProperty(object, key, { ...descriptor, value });
  }
}

function isBytes(source: unknown): source is BufferSource {
  return (
    ArrayBuffer.isView(source) ||
    source instanceof ArrayBuffer ||
    /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(source))
  );
}
