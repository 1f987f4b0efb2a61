/**
 * JavaScript values that Rust holds (`JsValue` and its kin), counted by type. With reference types
 * they stand in an exported table. In older glue they stand in an array that nobody can reach; the
 * module's own imports tell the type of each slot, where it has them.
 */
import type { Instance } from "./instances.js";

/** The values that one instance holds. */
export interface HeldValues {
  readonly instance: number;
  readonly where: "externref table" | "heap array";
  /** By `typeof`, or by the class of an object where it can be seen. */
  readonly by_type: Readonly<Record<string, number>>;
}

// The four values that every instance has, in the order in which the glue puts them.
const CONSTANTS = [undefined, null, true, false] as const;

export function heldValues(instances: readonly Instance[]): HeldValues[] {
  const held: HeldValues[] = [];
  for (const instance of instances) {
    const exports = instance.exports.deref();
    if (exports === undefined) continue;
    const table = Object.values(exports).find(isExternrefTable);
    const byType = table === undefined ? inHeap(instance) : inTable(table);
    if (Object.keys(byType).length === 0) continue;
    held.push({ instance: instance.number, where: table === undefined ? "heap array" : "externref table", by_type: byType });
  }
  return held;
}

function isExternrefTable(value: unknown): value is WebAssembly.Table {
  return value instanceof WebAssembly.Table && firstFree(value) !== undefined;
}

/** The slot after the constants; no table of functions has them. */
function firstFree(table: WebAssembly.Table): number | undefined {
  // They are put at the end of the table's first size, which is 128 or 1024.
  const last = Math.min(table.length, 4096) - CONSTANTS.length;
  for (let i = 0; i <= last; i++) {
    if (CONSTANTS.every((value, offset) => table.get(i + offset) === value)) return i + CONSTANTS.length;
  }
  return undefined;
}

function inTable(table: WebAssembly.Table): Record<string, number> {
  const byType: Record<string, number> = {};
  for (let i = firstFree(table) ?? table.length; i < table.length; i++) {
    const value: unknown = table.get(i);
    if (value !== null && value !== undefined) count(byType, typeOf(value));
  }
  return byType;
}

function typeOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value;
  // Read as a descriptor: a getter of the app's must not run.
  const prototype = Object.getPrototypeOf(value) as object | null;
  const constructor: unknown = prototype && Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  return typeof constructor === "function" && constructor.name !== "" ? constructor.name : "object";
}

const PREDICATES = ["object", "function", "string", "symbol", "bigint"];

/** Below are the slots for borrowed values and the constants: 32 and 4, or 128 and 4. */
const FIRST_SLOT = 36;
/** A heap has no end that can be seen: after so many slots that hold nothing we stop. */
const GAP = 65_536;

function inHeap(instance: Instance): Record<string, number> {
  const tests = PREDICATES.flatMap((type) => {
    const test = instance.predicates.get(`is_${type}`)?.deref();
    return test === undefined ? [] : [{ type, test }];
  });
  const byType: Record<string, number> = {};
  if (tests.length === 0) return byType;
  for (let slot = FIRST_SLOT, empty = 0; empty < GAP; slot++, empty++) {
    // The glue gives 1 and 0, or true and false. A free slot holds the number of the next one.
    const found = tests.find(({ test }) => Number(test(slot)) === 1);
    if (found === undefined) continue;
    count(byType, found.type);
    empty = 0;
  }
  return byType;
}

function count(byType: Record<string, number>, type: string): void {
  byType[type] = (byType[type] ?? 0) + 1;
}
