/** What the rest asks of a page or a worker; `node.ts` beside it says what each is for. */

import { native } from "../hook/native.js";
import type { Made } from "../tracer/instrument.js";
import type { TextOptions } from "../tracer/session.js";

/** A page cannot read it there and then: see `browser.ts`. */
export function analysisBytes(): Uint8Array<ArrayBuffer> {
  throw new Error("seepage is not loaded yet");
}

/** The analysis, compiled. */
export async function analysisModule(): Promise<WebAssembly.Module> {
  const response = await fetch(new URL("../seepage.wasm", import.meta.url));
  // Not while it streams: servers for development do not all know the type.
  return native.compile(await response.arrayBuffer());
}

/** A page keeps nothing. */
export function kept(
  _source: Uint8Array,
  _options: object,
  _folder: string | undefined,
  make: () => Made,
): Uint8Array<ArrayBuffer> {
  return make().wasm;
}

export function now(): number {
  return Math.round(performance.now() * 1e6);
}

/** Chromium alone tells. */
export function memory(): { heap: number; buffers?: number; resident?: number } | undefined {
  const { memory } = performance as { memory?: { usedJSHeapSize: number } };
  return memory && { heap: memory.usedJSHeapSize };
}

export function directory(): string | undefined {
  return undefined;
}

export function say(text: string): void {
  console.warn(text.trimEnd());
}

export function print(text: string): void {
  console.log(text.trimEnd());
}

export function save(): void {
  throw new Error("a page has no files");
}

export const append: (path: string, content: string) => void = save;

export const open: (path: string) => (bytes: Uint8Array) => void = save as never;

/** It would have to be fetched. */
export function script(_url: string): string | undefined {
  return undefined;
}

export function name(url: string): string {
  return url.replace(/[?#].*$/, "").split("/").at(-1) || url;
}

/** The page may set them before. */
export function options(): string {
  return (globalThis as { __seepage_options?: string }).__seepage_options ?? "";
}

export function look(): TextOptions {
  return {};
}

/** A page has no end that it could speak at. */
export function atExit(): void {}

/** It goes on after any error. */
export function onUncaught(): void {}

export function onDemand(): void {}

/** Workers of a page do not know of one another. */
export function mayShare(): boolean {
  return false;
}

export function share(): void {}

export function isThread(): boolean {
  return false;
}

export function owe(): void {}

export function settle(): void {}

export function silentThreads(): number {
  return 0;
}

/** A worker of a page has to import `seepage/browser` itself. */
export function followThreads(): void {}
