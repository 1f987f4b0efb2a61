/** Leaks as data, and the error that tells them to a person. */

import * as env from "#env";
import type { Count, Frame } from "./generated/report.js";
import type { Frame as JsFrame } from "./handles/index.js";
import { shortFile } from "./handles/report.js";

export type Leak = ObjectLeak | BlockLeak;

/** Objects that own memory of a module, made at one place and not freed. */
export interface ObjectLeak {
  kind: "object";
  class: string;
  /** In all calls that were looked at. */
  total: number;
  /** For each call, where that was always the same. */
  perCall?: number;
  /**
   * How many of them nothing in JavaScript refers to any more; the app still holds the others. Only
   * known where the collector can be called (`--expose-gc`).
   */
  dropped?: number;
  /** The line of the app that made them. */
  at?: JsFrame;
  /** Innermost first. */
  stack: readonly JsFrame[];
  fix?: string;
}

/** Blocks of a wasm heap, allocated in one calling context and not freed. */
export interface BlockLeak {
  kind: "blocks";
  /** The context's number in this process. */
  context: number;
  module: string;
  /** In all calls that were looked at. */
  total: Count;
  /** For each call, where that was always the same. */
  perCall?: Count;
  /** The module's own calls, innermost first. */
  stack: readonly Frame[];
  /** The lines of the app from which it came to that; empty where they are not known. */
  at: readonly JsFrame[];
}

/** The version of {@link Leak}. */
export const LEAKS_VERSION = 1;

/** Something leaks at each call. */
export class LeakError extends Error {
  override readonly name = "LeakError";
  readonly version = LEAKS_VERSION;
  constructor(
    readonly leaks: readonly Leak[],
    head = "each call leaves something behind",
  ) {
    super(message(leaks, head));
  }
}

/** Leaks of each kind that are described; the others are counted. */
const SHOWN = 5;
/** Frames of the module's own stack. */
const FRAMES = 6;

function message(leaks: readonly Leak[], head: string): string {
  const objects = leaks.filter((leak) => leak.kind === "object");
  const blocks = leaks.filter((leak) => leak.kind === "blocks");
  const lines = [head];
  const told = new Set<string>();
  for (const leak of objects.slice(0, SHOWN)) lines.push("", ...describeObject(leak, told));
  lines.push(...more(objects.length, "kind of object", "kinds of objects"));
  // What an object owns leaks with it: that is no news, but it says how much.
  const shown = objects.length > 0 ? 1 : SHOWN;
  if (objects.length > 0 && blocks.length > 0) {
    const sum = blocks.reduce((sum, { total }) => sum + total.bytes, 0);
    lines.push("", `the wasm heap grows by ${sum} bytes with them; most of it here:`);
  }
  for (const leak of blocks.slice(0, shown)) lines.push("", ...describeBlocks(leak));
  lines.push(...more(blocks.length - shown + SHOWN, "context", "contexts"));
  return lines.join("\n");
}

/** `told` is what was said already of what to do. */
function describeObject({ class: name, total, perCall, dropped, at, fix }: ObjectLeak, told: Set<string>): string[] {
  const each = perCall === undefined ? `${total}` : `${perCall} for each call`;
  const where = at === undefined ? "" : ` at ${place(at)}`;
  const fate = dropped === undefined ? "" : `: ${fateOf(dropped, total - dropped)}`;
  const isTold = fix !== undefined && told.has(fix);
  if (fix !== undefined) told.add(fix);
  return [
    `${name}: ${each}, made${where} and never freed${fate}`,
    ...(at === undefined ? [] : codeFrame(at)),
    ...(fix === undefined ? [] : [`  fix: ${isTold ? "as above" : fix}`]),
  ];
}

function fateOf(dropped: number, held: number): string {
  if (held === 0) return "dropped";
  return dropped === 0 ? "still held" : `${dropped} dropped, ${held} still held`;
}

function describeBlocks({ module, total, perCall, stack, at }: BlockLeak): string[] {
  const each =
    perCall === undefined
      ? `${count(total)} in all`
      : `${count(perCall)} for each call`;
  const lines = [`${each}, allocated in ${module}`];
  for (const frame of stack.slice(0, FRAMES)) lines.push(`    ${wasmFrame(frame)}`);
  if (stack.length > FRAMES) lines.push(`    … ${stack.length - FRAMES} more`);
  for (const frame of at.slice(0, 2)) lines.push(`  called at ${place(frame)}`, ...codeFrame(frame));
  if (at.length > 2) lines.push(`  and from ${at.length - 2} more lines`);
  return lines;
}

function more(found: number, one: string, many: string): string[] {
  const hidden = found - SHOWN;
  return hidden > 0 ? ["", `… and ${hidden} more ${hidden === 1 ? one : many}`] : [];
}

function count({ blocks, bytes }: Count): string {
  return `${bytes} byte${bytes === 1 ? "" : "s"} in ${blocks} block${blocks === 1 ? "" : "s"}`;
}

function wasmFrame({ function: name, file, line }: Frame): string {
  return file == null ? name : `${name} (${file}${line == null ? "" : `:${line}`})`;
}

function place({ file, line, column }: JsFrame): string {
  return `${shortFile(file)}:${line}:${column}`;
}

/** The line and its neighbours, where the source can be read. */
function codeFrame({ file, line, column }: JsFrame): string[] {
  const source = env.script(file)?.split("\n");
  const wanted = source?.[line - 1];
  // A line of a bundle is no help to anybody.
  if (source === undefined || wanted === undefined || wanted.length > 200) return [];
  const first = Math.max(1, line - 1);
  const last = Math.min(source.length, line + 1);
  const width = String(last).length;
  const lines: string[] = [];
  for (let number = first; number <= last; number++) {
    const mark = number === line ? ">" : " ";
    lines.push(`  ${mark} ${String(number).padStart(width)} | ${source[number - 1]}`.trimEnd());
    if (number === line) lines.push(`    ${" ".repeat(width)} | ${" ".repeat(column - 1)}^`);
  }
  return lines;
}
