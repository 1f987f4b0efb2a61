/** Rewriting a module, by the instrumenter of the native tool. */

import { native } from "../hook/native.js";
import { Analysis } from "./wasm.js";
import type { Host } from "./wasm.js";

export interface InstrumentOptions {
  /** What the module is called in reports. */
  name?: string;
  /** How records leave the guest; `auto` takes what the engine and the module allow. */
  transport?: "auto" | "ring" | "call";
  /** Whether records carry their calling context; they do unless this is false. */
  contexts?: boolean;
  /** Functions that are an allocator's, such as `pool_alloc=malloc(_,size)`. */
  allocFn?: readonly string[];
  /** Exports that mark a moment whenever they return, in the modules that have them. */
  markExport?: readonly string[];
  /** The JavaScript that loads the module: it may tell which export is malloc. */
  glue?: string;
  /** Whether candidates are tried in a sandbox when names and code leave the allocator open; they are unless this is false. */
  probe?: boolean;
  /**
   * The folder in which instrumented modules are kept for the next run; `false` for none. If it is
   * not given, those that took long are kept in `node_modules/.cache/seepage`, or in the folder for
   * temporary files. Only for `register` and `track`, and in Node.
   */
  cache?: string | false;
  /** @internal Whether modules with shared memories are taken: as long as one thread alone uses them. */
  shared?: boolean;
}

/** What was found in a module. */
export interface Inspection {
  /** Whether it has a memory or an allocator: Emscripten makes modules of a single import, which have none. */
  hasHeap: boolean;
  /** How sure it is that the hooked functions are the allocator. */
  verdict: "abstain" | "likely" | "confirmed";
  allocators: { function: string; role: string; family: string; how: string }[];
  /** What will not be seen, a sentence each. */
  blindSpots: string[];
  /** What the candidates have shown in a sandbox, if they were tried. */
  probe: {
    outcome: "not run" | "not needed" | "passed" | "failed" | "could not run";
    /** Why it could not run. */
    reason: string | null;
    checks: { function: number | null; name: string; passed: boolean; detail: string }[];
  };
}

export interface Instrumented {
  wasm: Uint8Array<ArrayBuffer>;
  inspection: Inspection;
}

/** What runs in a module's place. */
export interface Made {
  wasm: Uint8Array<ArrayBuffer>;
  /** Whether the next run would make the same. */
  isFinal: boolean;
}

/** A module with two memories and nothing else. */
const TWO_MEMORIES = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 5, 2, 0, 0, 0, 0]);

/** Whether this engine runs modules with the transport `ring`. */
export const hasMultiMemory: boolean = native.validate(TWO_MEMORIES);

/** For an instance without guests. */
export const NOBODY: Host = { context() {}, full() {}, watched() {}, memory: () => undefined };

/**
 * Rewrites a module so that its heap can be followed. It imports `seepage.*` then, which `track` and
 * `register` provide.
 *
 * @throws when the bytes are no module that can be instrumented
 */
export function instrument(bytes: BufferSource, options: InstrumentOptions = {}): Instrumented {
  const { name = "module", transport = "auto", contexts = true, allocFn = [], markExport = [], glue } = options;
  const { probe = true, shared = false } = options;
  // An instance of its own: a panic in it spoils nothing, and its memory goes with it.
  const analysis = new Analysis(NOBODY);
  const asked = {
    name,
    transport: transport === "auto" && !hasMultiMemory ? "call" : transport,
    no_context: !contexts,
    alloc_fn: allocFn,
    mark_export: markExport,
    shared_memory: shared,
    ...(glue !== undefined && { glue }),
    no_probe: !probe,
  };
  try {
    const wasm = analysis.ask("seepage_instrument", view(bytes), asked);
    analysis.call("seepage_inspection");
    const { blind_spots: blindSpots, has_heap: hasHeap, ...told } = analysis.json<
      Omit<Inspection, "blindSpots" | "hasHeap"> & { blind_spots: string[]; has_heap: boolean }
    >();
    return { wasm, inspection: { ...told, blindSpots, hasHeap } };
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    throw new Error(`the instrumenter failed: ${analysis.text() || error.message}`);
  }
}

/** The bytes of anything that WebAssembly takes for bytes, without a copy. */
export function view(source: BufferSource): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}
