/** What the rest asks of Node. `browser.ts` beside it answers the same for a page. */

import { appendFileSync, readFileSync, writeFileSync, writeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { basename } from "node:path";
import process from "node:process";
import { kept as keptInFiles } from "./cache.js";
import { fileOfThread, followThreads, isThread, mayShare, owe, settle, share, silentThreads } from "./workers.js";
import type { Made } from "../tracer/instrument.js";
import type { TextOptions } from "../tracer/session.js";

/** Where this package is built. */
export const home = new URL("..", import.meta.url);

/** The analysis, compiled to wasm. */
export function analysisBytes(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL("seepage.wasm", home)));
}

/** What was made of `source` with these options before, or what `make` makes of it now. */
export function kept(
  source: Uint8Array,
  options: object,
  folder: string | undefined,
  make: () => Made,
): Uint8Array<ArrayBuffer> {
  return keptInFiles(source, options, new URL("seepage.wasm", home), folder, make);
}

// A test may put another in its place while it runs.
const clock = performance.now.bind(performance);

/** Nanoseconds since the process began. */
export function now(): number {
  return Math.round(clock() * 1e6);
}

const { memoryUsage } = process;

/** What the engine has of its own, in bytes. The memories of modules are no part of its buffers. */
export function memory(): { heap: number; buffers?: number; resident?: number } | undefined {
  const { heapUsed, arrayBuffers, rss } = memoryUsage();
  return { heap: heapUsed, buffers: arrayBuffers, resident: rss };
}

/** The directory that the names of files can be told from. */
export function directory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    // It is gone.
    return undefined;
  }
}

/** Writes to standard error, at once: there may be no later. Nobody to hear it is no error. */
export function say(text: string): void {
  write(2, text);
}

/** Writes to standard output, likewise. */
export function print(text: string): void {
  write(1, text);
}

function write(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      // A pipe whose reader is slow; it has room soon.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
    }
  }
}

export function save(path: string, content: string | Uint8Array): void {
  writeFileSync(fileOfThread(path), content);
}

/** Adds to a file that others may be adding to. */
export function append(path: string, content: string): void {
  appendFileSync(path, content);
}

/** A file that is written piece by piece. */
export function open(path: string): (bytes: Uint8Array) => void {
  const descriptor = openSync(fileOfThread(path), "w");
  return (bytes) => {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
  };
}

/** The text of a script that is running, if it is a file. */
export function script(url: string): string | undefined {
  try {
    return readFileSync(url.startsWith("file:") ? fileURLToPath(url) : url, "utf8");
  } catch {
    return undefined;
  }
}

/** What a script or module is called. */
export function name(url: string): string {
  return basename(url.replace(/[?#].*$/, ""));
}

/** The user's options, as on a command line. */
export function options(): string {
  return process.env.SEEPAGE_OPTIONS ?? "";
}

export { followThreads, isThread, mayShare, owe, settle, share, silentThreads };

/** How text looks on a standard stream, or in a file. */
export function look(to: 1 | 2 | string): TextOptions {
  const stream = to === "-" || to === 1 ? process.stdout : to === 2 ? process.stderr : undefined;
  if (stream?.isTTY !== true) return { color: false };
  const locale = process.env.LC_ALL || process.env.LC_CTYPE || process.env.LANG || "utf";
  return {
    color: !process.env.NO_COLOR && process.env.TERM !== "dumb",
    width: stream.columns,
    unicode: /utf/i.test(locale),
  };
}

/** Calls back at the end of the process. */
export function atExit(then: () => void): void {
  process.on("exit", then);
}

/** Calls back with an error that nobody has caught, before the process ends by it. */
export function onUncaught(then: (error: unknown) => void): void {
  process.on("uncaughtExceptionMonitor", then);
}

/** The process ends with this code, unless it has failed already. */
export function fail(code: number): void {
  process.exitCode ||= code;
}

/** Calls back when the user asks for a report. */
export function onDemand(then: () => void): void {
  // Windows has no such signal, and a thread gets none.
  try {
    process.on("SIGUSR2", then);
  } catch {}
}
