/**
 * The module between a guest and the session. A guest's imports carry no name of who calls, so each
 * guest gets an instance of this, which adds the guest's number:
 *
 * ```wat
 * (module
 *   (import "to" "event" (func $event (param i32 i32 i32 i64 i32 i32)))
 *   (import "to" "wide" (func $wide (param i32 i32 i64 i64 i64 i64)))
 *   (import "to" "context" (func $context (param i32 i64)))
 *   (import "to" "guest" (global $guest i32))
 *   (func (export "event") (param i32 i32 i64 i32 i32)
 *     (call $event (global.get $guest) (local.get 0) (local.get 1) …))
 *   (func (export "wide") (param i32 i64 i64 i64 i64) …)
 *   (func (export "context") (param i64) …))
 * ```
 */

import { native } from "../hook/native.js";

const [I32, I64] = [0x7f, 0x7e];
const NARROW = [I32, I32, I64, I32, I32];
const WIDE = [I32, I64, I64, I64, I64];
const CONTEXT = [I64];
const SIGNATURES: [string, number[]][] = [
  ["event", NARROW],
  ["wide", WIDE],
  ["context", CONTEXT],
];

const text = (text: string): number[] => [text.length, ...new TextEncoder().encode(text)];
const list = (items: number[][]): number[] => [items.length, ...items.flat()];
const section = (id: number, body: number[]): number[] => [id, body.length, ...body];
const type = (parameters: number[]): number[] => [0x60, parameters.length, ...parameters, 0];

function bytes(): Uint8Array<ArrayBuffer> {
  const count = SIGNATURES.length;
  const body = (index: number, parameters: number[]): number[] => {
    const locals = parameters.flatMap((_, local) => [0x20, local]);
    const code = [0, 0x23, 0, ...locals, 0x10, index, 0x0b];
    return [code.length, ...code];
  };
  return new Uint8Array([
    ...[0, 97, 115, 109, 1, 0, 0, 0],
    // Types 0 to 2 are the imports', 3 to 5 those of our own functions.
    ...section(1, list([
      ...SIGNATURES.map(([, parameters]) => type([I32, ...parameters])),
      ...SIGNATURES.map(([, parameters]) => type(parameters)),
    ])),
    ...section(2, list([
      ...SIGNATURES.map(([name], index) => [...text("to"), ...text(name), 0, index]),
      [...text("to"), ...text("guest"), 3, I32, 0],
    ])),
    ...section(3, [count, ...SIGNATURES.map((_, index) => count + index)]),
    ...section(7, list(SIGNATURES.map(([name], index) => [...text(name), 0, count + index]))),
    ...section(10, list(SIGNATURES.map(([, parameters], index) => body(index, parameters)))),
  ]);
}

let module: WebAssembly.Module | undefined;

/** The functions for one guest's imports. */
export function link(guest: number, session: Record<string, unknown>): WebAssembly.Exports {
  module ??= new native.Module(bytes());
  const to = {
    event: session.seepage_event,
    wide: session.seepage_event_wide,
    context: session.seepage_context,
    guest,
  };
  return native.exports(new native.Instance(module, { to } as WebAssembly.Imports));
}
