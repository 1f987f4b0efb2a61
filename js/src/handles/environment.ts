/**
 * What Node knows and a page does not: source maps. Nothing is imported, so that bundlers for the
 * browser find nothing to complain of.
 */
import type { Frame } from "./stacks.js";

interface SourceMap {
  findEntry(line: number, column: number): { originalSource?: string; originalLine?: number; originalColumn?: number };
}

interface NodeProcess {
  getBuiltinModule?(id: "node:module"): { findSourceMap?(path: string): SourceMap | undefined };
}

/**
 * The frame in the source that was compiled to it: in Node, where source maps are enabled
 * (`--enable-source-maps`, or `process.setSourceMapsEnabled`) and the file has one. A page's
 * developer tools follow the URL of the compiled file by themselves.
 */
export function originalFrame(frame: Frame): Frame {
  const { process } = globalThis as { process?: NodeProcess };
  try {
    const map = process?.getBuiltinModule?.("node:module").findSourceMap?.(frame.file);
    const entry = map?.findEntry(frame.line - 1, frame.column - 1);
    if (entry?.originalSource === undefined || entry.originalLine === undefined) return frame;
    return {
      ...frame,
      file: entry.originalSource,
      line: entry.originalLine + 1,
      column: (entry.originalColumn ?? 0) + 1,
    };
  } catch {
    // A broken source map is no reason to lose the report.
    return frame;
  }
}
