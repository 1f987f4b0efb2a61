/**
 * What Node has and a page has not: source maps, and hooks into the loading of modules. Nothing is
 * imported, so that bundlers for the browser find nothing to complain of.
 */
import { announceClasses } from "./announce.js";
import type { Frame } from "./stacks.js";

interface SourceMap {
  findEntry(line: number, column: number): { originalSource?: string; originalLine?: number; originalColumn?: number };
}

interface Loaded {
  format?: string | null;
  source?: string | ArrayBuffer | ArrayBufferView | null;
}

type Load = (url: string, context: unknown, next: (url: string, context: unknown) => Loaded) => Loaded;

interface NodeModule {
  findSourceMap?(path: string): SourceMap | undefined;
  /** Node 22.15, 23.5 and newer. */
  registerHooks?(hooks: { load: Load }): void;
  register?(url: string): void;
  prototype: { _compile?(content: string, ...rest: unknown[]): unknown };
}

function nodeModule(): NodeModule | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(id: "node:module"): NodeModule } };
  return process?.getBuiltinModule?.("node:module");
}

/**
 * The frame in the source that was compiled to it: in Node, where source maps are enabled
 * (`--enable-source-maps`, or `process.setSourceMapsEnabled`) and the file has one. A page's
 * developer tools follow the URL of the compiled file by themselves.
 */
export function originalFrame(frame: Frame): Frame {
  try {
    const entry = nodeModule()?.findSourceMap?.(frame.file)?.findEntry(frame.line - 1, frame.column - 1);
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

/**
 * From now on, glue that Node loads announces its classes. Returns whether there is a Node that can
 * be told so.
 */
export function announceInNode(): boolean {
  const node = nodeModule();
  if (node === undefined) return false;
  if (node.registerHooks !== undefined) {
    node.registerHooks({ load: (url, context, next) => withAnnouncements(next(url, context), announceClasses) });
    return true;
  }
  // Older: ES modules are loaded in a thread of their own, which gets the hook as a text.
  const loader = `const announce = ${announceClasses}; ${withAnnouncements}
    export const load = async (url, context, next) => withAnnouncements(await next(url, context), announce);`;
  node.register?.(`data:text/javascript,${encodeURIComponent(loader)}`);
  const { prototype } = node;
  const compile = prototype._compile;
  if (compile !== undefined) {
    prototype._compile = function _compile(content, ...rest) {
      return Reflect.apply(compile, this, [announceClasses(content) ?? content, ...rest]);
    };
  }
  return true;
}

/** Refers to nothing outside of itself, like `announceClasses`. */
function withAnnouncements(loaded: Loaded, announce: (source: string) => string | undefined): Loaded {
  const { format, source } = loaded;
  if (source == null || (format !== "module" && format !== "commonjs")) return loaded;
  const text = typeof source === "string" ? source : new TextDecoder().decode(source);
  const announced = announce(text);
  return announced === undefined ? loaded : { ...loaded, source: announced };
}
