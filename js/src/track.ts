/** Tracing one module, without a change to `WebAssembly`. */

import * as env from "#env";
import { native } from "./hook/native.js";
import { heap } from "./heap.js";
import type { Heap } from "./heap.js";
import { runtime } from "./runtime.js";
import type { InstrumentOptions } from "./tracer/instrument.js";

export interface Tracked {
  module: WebAssembly.Module;
  instance: WebAssembly.Instance;
  /** The module's own exports. */
  exports: WebAssembly.Exports;
  heap: Heap;
}

/**
 * Instantiates a module, given by its bytes or as a response, so that its heap is traced. A module
 * that cannot be instrumented is instantiated as it is, with a warning.
 */
export async function track(
  source: BufferSource | Response | Promise<Response>,
  imports?: WebAssembly.Imports,
  options: InstrumentOptions = {},
): Promise<Tracked> {
  const given = await source;
  const isResponse = typeof Response !== "undefined" && given instanceof Response;
  const bytes = isResponse ? await given.arrayBuffer() : (given as BufferSource);
  const name = options.name ?? (isResponse && given.url ? env.name(given.url) : "wasm");
  const shared = runtime();
  const prepared = shared.prepare(bytes, name, options);
  const module = shared.compiled(await native.compile(prepared), prepared, bytes);
  return shared.link(module, imports, track, async (linked, done) => {
    const instance = await native.instantiate(module, linked);
    done(instance);
    return { module, instance, exports: shared.exports(instance), heap };
  });
}
