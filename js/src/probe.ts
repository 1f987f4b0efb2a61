/**
 * The engine at hand, for a probe: see `bindings/src/probe.rs`, which asks. What is probed imports
 * nothing, takes and answers 64-bit numbers, and bounds its memory and its work by itself.
 */

import { native } from "./hook/native.js";

interface Probed {
  exports: WebAssembly.Exports;
  /** Those that were asked for by name; the first has the number 1. */
  called: ((...args: bigint[]) => bigint)[];
}

const MEMORY = "seepage:probe:memory";
const FUEL = "seepage:probe:fuel";

/** The imports `probe` of `seepage.wasm`; `own` is its memory as it is now. */
export function engine(own: () => ArrayBuffer): Record<string, (...args: never[]) => unknown> {
  let module: WebAssembly.Module | undefined;
  const instances = new Map<number, Probed>();
  let count = 0;

  const bytes = (address: number, length: number): Uint8Array => new Uint8Array(own(), address >>> 0, length >>> 0);
  const memory = (instance: number): WebAssembly.Memory | undefined =>
    instances.get(instance)?.exports[MEMORY] as WebAssembly.Memory | undefined;
  const spent = (instance: number): WebAssembly.Global | undefined =>
    instances.get(instance)?.exports[FUEL] as WebAssembly.Global | undefined;

  /** What an import that may fail answers: 0 then, with the reason where it is to be told. */
  function tell(words: number, length: number, attempt: () => number): number {
    try {
      return attempt();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const room = new DataView(own());
      const { written } = new TextEncoder().encodeInto(reason, bytes(words, room.getUint32(length >>> 0, true)));
      room.setUint32(length >>> 0, written, true);
      return 0;
    }
  }

  /** The part of an instance's memory, if it is one. */
  function part(instance: number, address: bigint, length: number): Uint8Array | undefined {
    const buffer = memory(instance)?.buffer;
    const at = BigInt.asUintN(64, address);
    const within = buffer !== undefined && at + BigInt(length >>> 0) <= BigInt(buffer.byteLength);
    return within ? new Uint8Array(buffer, Number(at), length >>> 0) : undefined;
  }

  return {
    compile: (wasm: number, size: number, words: number, length: number) =>
      tell(words, length, () => {
        module = new native.Module(bytes(wasm, size).slice());
        return 1;
      }),
    instantiate: (words: number, length: number) =>
      tell(words, length, () => {
        if (module === undefined) throw new Error("there is no module");
        const exports = native.exports(new native.Instance(module));
        instances.set(++count, { exports, called: [] });
        return count;
      }),
    forget: (instance: number) => {
      instances.delete(instance);
    },
    find: (instance: number, name: number, length: number) => {
      const probed = instances.get(instance);
      const found = probed?.exports[new TextDecoder().decode(bytes(name, length))];
      return typeof found === "function" ? probed!.called.push(found as Probed["called"][number]) : 0;
    },
    call: (instance: number, number: number, passed: number, length: number, answer: number, words: number, room: number) =>
      tell(words, room, () => {
        const values = new BigInt64Array(own(), passed >>> 0, length);
        const result = instances.get(instance)!.called[number - 1]!(...values);
        new DataView(own()).setBigInt64(answer >>> 0, result, true);
        return 1;
      }),
    size: (instance: number) => BigInt(memory(instance)?.buffer.byteLength ?? 0),
    read: (instance: number, address: bigint, to: number, length: number) => {
      const read = part(instance, address, length);
      if (read !== undefined) bytes(to, length).set(read);
      return Number(read !== undefined);
    },
    write: (instance: number, address: bigint, from: number, length: number) => {
      const written = part(instance, address, length);
      written?.set(bytes(from, length));
      return Number(written !== undefined);
    },
    fuel: (instance: number) => (spent(instance)?.value as bigint | undefined) ?? 0n,
    set_fuel: (instance: number, fuel: bigint) => {
      const left = spent(instance);
      if (left !== undefined) left.value = fuel;
    },
  };
}
