/** An instance of `seepage.wasm`, and how bytes and JSON get in and out of it. */

import * as env from "#env";
import { native } from "../hook/native.js";
import { engine } from "../probe.js";

type Numeric = number | bigint;
type Exports = Record<string, (...args: Numeric[]) => number>;

/** What the module calls: see `bindings/src/guests.rs`. */
export interface Host {
  context(guest: number, context: bigint): void;
  full(guest: number): void;
  watched(context: number): void;
  /** The memory of a guest, whose image is made. */
  memory(guest: number): ArrayBufferLike | undefined;
}

let compiled: WebAssembly.Module | undefined;

/** The compiled module: once for a realm, and only when there is something to do. */
function module(): WebAssembly.Module {
  return (compiled ??= new native.Module(env.analysisBytes()));
}

/** Gives the module to realms that cannot load it synchronously. */
export function provide(module: WebAssembly.Module): void {
  compiled = module;
}

const PAGE = 65_536;

export class Analysis {
  readonly exports: Exports;
  readonly #memory: WebAssembly.Memory;
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
    const probe = engine(() => this.buffer) as unknown as WebAssembly.ModuleImports;
    const read = (guest: number, addr: number, into: number, length: number): void => {
      this.bytes.set(new Uint8Array(host.memory(guest)!, addr, length), into >>> 0);
    };
    const calls = { ...host, read } as unknown as WebAssembly.ModuleImports;
    const instance = new native.Instance(module(), { host: calls, probe });
    const exports = native.exports(instance);
    this.exports = exports as unknown as Exports;
    this.#memory = exports.memory as WebAssembly.Memory;
  }

  /** The module's memory as it is now: a view does not outlive the next call. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer as ArrayBuffer);
  }

  get buffer(): ArrayBuffer {
    return this.#memory.buffer as ArrayBuffer;
  }

  /**
   * A copy of this instance as it is, while none of its functions runs. What is done with it changes
   * nothing here, and all the memory that it takes goes with it.
   */
  fork(): Analysis {
    const copy = new Analysis(this.#host);
    const missing = (this.buffer.byteLength - copy.buffer.byteLength) / PAGE;
    if (missing > 0) copy.#memory.grow(missing);
    copy.bytes.set(this.bytes);
    return copy;
  }

  alloc(length: number): number {
    const address = this.exports.seepage_alloc!(length) >>> 0;
    if (address === 0) throw new Error("out of memory");
    return address;
  }

  free(address: number, length: number): void {
    this.exports.seepage_free!(address, length);
  }

  /** Has a copy of some bytes in the module's memory for as long as `then` runs. */
  lend<T>(bytes: Uint8Array, then: (address: number) => T): T {
    const address = this.alloc(bytes.length);
    this.bytes.set(bytes, address);
    const result = then(address);
    this.free(address, bytes.length);
    return result;
  }

  /** Calls a function with bytes, then others, each as its address and length. */
  call(name: string, ...args: (Uint8Array | string | object | number)[]): number {
    const pieces: [number, number][] = [];
    const numbers: number[] = [];
    for (const arg of args) {
      if (typeof arg === "number") {
        numbers.push(arg);
        continue;
      }
      const bytes =
        arg instanceof Uint8Array
          ? arg
          : new TextEncoder().encode(typeof arg === "string" ? arg : JSON.stringify(arg));
      const address = this.alloc(bytes.length);
      this.bytes.set(bytes, address);
      pieces.push([address, bytes.length]);
      numbers.push(address, bytes.length);
    }
    const status = this.exports[name]!(...numbers);
    for (const [address, length] of pieces) this.free(address, length);
    return status;
  }

  /** The same for functions that answer: throws what the answer says if it is none. */
  ask(name: string, ...args: (Uint8Array | string | object | number)[]): Uint8Array<ArrayBuffer> {
    const status = this.call(name, ...args);
    if (status === 1) throw new Error(this.text());
    return this.result();
  }

  /** A copy of the last result. */
  result(): Uint8Array<ArrayBuffer> {
    const address = this.exports.seepage_result!() >>> 0;
    return this.bytes.slice(address, address + (this.exports.seepage_result_length!() >>> 0));
  }

  text(): string {
    return new TextDecoder().decode(this.result());
  }

  json<T>(): T {
    return JSON.parse(this.text()) as T;
  }
}
