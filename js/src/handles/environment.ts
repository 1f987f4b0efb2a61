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
 * The frame in the source that was compiled to it, where somebody knows: Node, with
 * `--enable-source-maps`, or a loader such as vite's that maps stacks itself. A page's developer
 * tools follow the URL of the compiled file.
 */
export function originalFrame(frame: Frame): Frame {
  try {
    return { ...frame, ...(nodesOriginal(frame) ?? loadersOriginal(frame)) };
  } catch {
    // A broken source map is no reason to lose the report.
    return frame;
  }
}

function nodesOriginal({ file, line, column }: Frame): Frame | undefined {
  const entry = nodeModule()?.findSourceMap?.(file)?.findEntry(line - 1, column - 1);
  if (entry?.originalSource === undefined || entry.originalLine === undefined) return undefined;
  return { file: entry.originalSource, line: entry.originalLine + 1, column: (entry.originalColumn ?? 0) + 1 };
}

/** Loaders that compile replace `Error.prepareStackTrace`: it is asked for one frame. */
function loadersOriginal(frame: Frame): Frame | undefined {
  const { prepareStackTrace } = Error as { prepareStackTrace?: (error: Error, sites: object[]) => unknown };
  if (typeof prepareStackTrace !== "function") return undefined;
  const text = prepareStackTrace.call(Error, new Error("a place"), [new Place(frame)]);
  const [, file, line, column] = /\bat (?:.*\()?(.+?):(\d+):(\d+)\)?$/.exec(typeof text === "string" ? text : "") ?? [];
  return file === undefined ? undefined : { file, line: Number(line), column: Number(column) };
}

/** A frame as `Error.prepareStackTrace` gets it. */
class Place {
  readonly #frame: Frame;
  constructor(frame: Frame) {
    this.#frame = frame;
  }
  getFileName(): string {
    return this.#frame.file;
  }
  getScriptNameOrSourceURL(): string {
    return this.#frame.file;
  }
  getLineNumber(): number {
    return this.#frame.line;
  }
  getColumnNumber(): number {
    return this.#frame.column;
  }
  getFunctionName(): null {
    return null;
  }
  getTypeName(): null {
    return null;
  }
  getMethodName(): null {
    return null;
  }
  getEvalOrigin(): undefined {
    return undefined;
  }
  isNative(): boolean {
    return false;
  }
  isEval(): boolean {
    return false;
  }
  isToplevel(): boolean {
    return true;
  }
  isConstructor(): boolean {
    return false;
  }
  isAsync(): boolean {
    return false;
  }
  isPromiseAll(): boolean {
    return false;
  }
  toString(): string {
    return `${this.#frame.file}:${this.#frame.line}:${this.#frame.column}`;
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
