/**
 * How many addresses the calls under way may hold in locals, which nobody can read: the analysis knows
 * from the code what each call will read again.
 */

import { callsEndedBy, wasmCalls } from "./stack.js";
import type { WasmCall } from "./stack.js";
import type { Analysis } from "./wasm.js";

/** Nobody knows how many. */
const UNBOUNDED = 0xffffffff;
/** Stands for a call of a module that is not traced. */
const NOBODY = 0xffffffff;
/** Names by which V8 knows a module that was compiled from bytes; the names of others may be shared. */
const OWN_NAME = /^wasm:\/\/wasm\//;

/** What comes of the innermost call: see `seepage_hidden` in `bindings/src/locals.rs`. */
const [GOES_ON, EXITS, TRAPS] = [0, 1, 2];

/** A guest, as far as it matters here. */
interface Coded {
  id: number;
  /** The code of its module, where that is known. */
  code?: Uint8Array | undefined;
}

export class Locals {
  readonly #analysis: Analysis;
  /** By the engine's name for a module: the first guest of it. */
  readonly #guests = new Map<string, number>();
  /** What the calls hold that an exit or an uncaught error has ended: the program would go on with it. */
  #left = 0;
  /** A guest is ending the process. */
  #isLeaving = false;

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  /** Takes note of the engine's name for a guest's module. */
  learn(module: string, { id, code }: Coded): void {
    if (this.#guests.has(module) || code === undefined || !OWN_NAME.test(module)) return;
    this.#guests.set(module, id);
    this.#analysis.call("seepage_code", id, code);
  }

  /** The same, for a guest that is in a call of ours. */
  learnCaller(guest: Coded): void {
    const [innermost] = wasmCalls().calls;
    if (innermost !== undefined) this.learn(innermost.module, guest);
  }

  /** Of the calls that are under way now. */
  hidden(): number {
    if (this.#isLeaving) return this.#left;
    const { calls, cut } = wasmCalls();
    return Math.min(UNBOUNDED, this.#left + this.#bound(calls, cut, GOES_ON!));
  }

  /** A guest ends the program. What it calls for that may come back by an error, or never. */
  leave(): void {
    const { calls, cut } = wasmCalls();
    this.#end(this.#bound(calls, cut, EXITS!));
    this.#isLeaving = true;
  }

  /** It has come back. */
  comeBack(): void {
    this.#isLeaving = false;
  }

  /** An error that nobody has caught ends the program. */
  fail(error: unknown): void {
    const ended = callsEndedBy(error);
    this.#end(ended ? this.#bound(ended.calls, ended.cut, ended.isTrap ? TRAPS! : GOES_ON!) : UNBOUNDED);
  }

  #end(held: number): void {
    this.#left = Math.min(UNBOUNDED, this.#left + held);
  }

  #bound(calls: readonly WasmCall[], cut: boolean, way: number): number {
    const numbers = calls.flatMap(({ module, index, offset }) => [this.#guests.get(module) ?? NOBODY, index, offset]);
    const bytes = new Uint8Array(new Uint32Array(numbers).buffer);
    return this.#analysis.lend(bytes, (address) => {
      return this.#analysis.exports.seepage_hidden!(address, calls.length, Number(cut), way) >>> 0;
    });
  }
}
