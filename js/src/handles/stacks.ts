/**
 * Where an object was made: call stacks, interned frame by frame.
 *
 * An `Error` that waits to be formatted would be cheaper to take, but V8 keeps the receivers of its
 * frames in it, and in a constructor that is the very object which is tracked: it would never be
 * collected. So a stack is read at once, as file and offset of each frame, and only a frame that
 * nobody has seen before is asked for its line, column and name.
 */

/** One place in a stack. */
export interface Frame {
  /** Name of the function, `new Foo` for a constructor; absent for anonymous functions. */
  readonly name?: string;
  /** URL or path, as the engine gives it. */
  readonly file: string;
  /** Counted from 1. For a wasm frame: 1. */
  readonly line: number;
  /** Counted from 1. For a wasm frame: the offset in the module. */
  readonly column: number;
}

/** A stack: its innermost frame and the stack of the caller. Equal stacks are the same object. */
export interface Site {
  readonly frame: Frame;
  readonly caller: Site | undefined;
  /** It does not run: it waits (`await`) for what runs further in. */
  readonly waits: boolean;
}

type Realm = Pick<typeof globalThis, "Error" | "Object">;

interface Branch {
  readonly site: Site | undefined;
  /** By file, then by offset (V8), or by the frame's text. */
  readonly callers: Map<string, Map<number | string, Branch>>;
}

/** What V8 hands to `Error.prepareStackTrace`. */
interface CallSite {
  getScriptNameOrSourceURL(): string | null | undefined;
  getFileName(): string | null | undefined;
  getPosition(): number;
  getLineNumber(): number | null;
  getColumnNumber(): number | null;
  getFunctionName(): string | null;
  getTypeName(): string | null;
  getMethodName(): string | null;
  isConstructor(): boolean;
  isNative(): boolean;
  isToplevel(): boolean;
  isAsync?(): boolean;
}

interface V8Error {
  prepareStackTrace?: ((error: unknown, sites: CallSite[]) => unknown) | undefined;
  stackTraceLimit: number;
  captureStackTrace(target: object, below?: unknown): void;
}

/**
 * The stacks of one realm. Memory grows with the number of distinct places, up to `maxFrames`;
 * what does not fit is `unknown`, and counted.
 */
export class Stacks {
  /** Stacks that were not kept because `maxFrames` was reached. */
  dropped = 0;
  readonly #realm: Realm;
  readonly #depth: number;
  #root: Branch = branch(undefined);
  #room: number;

  constructor(realm: Realm, depth = 16, maxFrames = 100_000) {
    this.#realm = realm;
    this.#depth = depth;
    this.#room = maxFrames;
  }

  /** The stack of whoever called `below`. */
  capture(below: (...args: never[]) => unknown): Site | undefined {
    const error = this.#realm.Error as unknown as V8Error;
    if (typeof error.captureStackTrace !== "function") {
      return this.#fromText(new this.#realm.Error().stack ?? "", below.name);
    }
    const { prepareStackTrace, stackTraceLimit } = error;
    // V8 asks the `prepareStackTrace` of the realm that the object is from.
    const holder: { stack?: unknown } = new this.#realm.Object();
    try {
      error.stackTraceLimit = this.#depth;
      error.prepareStackTrace = this.#fromCallSites;
      error.captureStackTrace(holder, below);
      // Reading it is what calls prepareStackTrace.
      const site = holder.stack;
      return typeof site === "object" ? (site as Site) : undefined;
    } catch {
      // A realm whose intrinsics are frozen: objects are still counted, by class.
      return undefined;
    } finally {
      try {
        error.stackTraceLimit = stackTraceLimit;
        // Not deleted where there was none: that would make `Error` slow for everybody.
        error.prepareStackTrace = prepareStackTrace;
      } catch {
        // As above.
      }
    }
  }

  // Frames come innermost first; the tree has the outermost at its root, so that a stack is linked
  // to its callers and all stacks share what they have in common.
  readonly #fromCallSites = (_: unknown, callSites: CallSite[]): Site | undefined => {
    let at = this.#root;
    for (let i = callSites.length - 1; i >= 0; i--) {
      const call = callSites[i] as CallSite;
      if (call.isNative()) continue;
      const file = call.getScriptNameOrSourceURL() ?? call.getFileName();
      // Built-in functions (`Array.map`) have neither file nor line to show.
      if (file == null || file === "" || file.startsWith("node:")) continue;
      const waits = call.isAsync?.() === true;
      const position = call.getPosition();
      const next = this.#step(at, file, waits ? `async ${position}` : position, () => frameOf(call, file), waits);
      if (next === undefined) return this.#overflow();
      at = next;
    }
    return at.site;
  };

  #fromText(text: string, below: string): Site | undefined {
    let at = this.#root;
    for (const line of text.split("\n").reverse()) {
      const frame = parseLine(line);
      if (frame === undefined) continue;
      // What follows is our own: this engine cannot leave it out itself.
      if (below !== "" && frame.name?.split(/[./]/).at(-1) === below && isOwn(frame)) break;
      const next = this.#step(at, frame.file, line, () => frame, WAITS.test(frame.name ?? ""));
      if (next === undefined) return this.#overflow();
      at = next;
    }
    return at.site;
  }

  #step(at: Branch, file: string, key: number | string, frame: () => Frame, waits: boolean): Branch | undefined {
    let inFile = at.callers.get(file);
    if (inFile === undefined) at.callers.set(file, (inFile = new Map()));
    let next = inFile.get(key);
    if (next === undefined) {
      if (this.#room === 0) return undefined;
      this.#room--;
      inFile.set(key, (next = branch({ frame: frame(), caller: at.site, waits })));
    }
    return next;
  }

  #overflow(): undefined {
    this.dropped++;
    return undefined;
  }
}

/** Name of the functions of ours that stand between a module and what it imports. */
const OURS = "seepageObserves";

/** The frames of a stack, innermost first, without our own. */
export function framesOf(site: Site | undefined): Frame[] {
  const frames: Frame[] = [];
  for (let at = site; at !== undefined; at = at.caller) if (at.frame.name !== OURS) frames.push(at.frame);
  return frames;
}

/** How many of `framesOf` were running: those further out wait, or are the callers of one that waits. */
export function runningIn(site: Site | undefined): number {
  let running = 0;
  for (let at = site; at !== undefined && !at.waits; at = at.caller) if (at.frame.name !== OURS) running++;
  return running;
}

function branch(site: Site | undefined): Branch {
  return { site, callers: new Map() };
}

function frameOf(call: CallSite, file: string): Frame {
  const place = { file, line: call.getLineNumber() ?? 1, column: call.getColumnNumber() ?? 1 };
  const name = nameOf(call);
  return name === undefined ? place : { name, ...place };
}

function nameOf(call: CallSite): string | undefined {
  const name = call.getFunctionName();
  if (call.isConstructor()) return `new ${name ?? "<anonymous>"}`;
  if (name === null || name === "") return undefined;
  const type = call.isToplevel() ? null : call.getTypeName();
  if (type === null || type === "Object" || name.startsWith(`${type}.`)) return name;
  return `${type}.${name}`;
}

// `name@url:line:column` in Firefox and Safari; `at name (url:line:column)` elsewhere.
const WITH_AT_SIGN = /^(?<name>[^@]*)@(?<file>.+?):(?<line>\d+)(?::(?<column>\d+))?$/;
const WITH_AT = /^\s*at (?:(?<name>.+?) \()?(?<file>.+?):(?<line>\d+):(?<column>\d+)\)?$/;

// `async*f@…` and `promise callback*f@…` in Firefox.
const WAITS = /^[a-z .]+\*/i;

// `f@https://a.test/a.wasm:wasm-function[12]:0x34` in Firefox, `f@[wasm code]` in Safari.
const WASM = /^(?<name>[^@]*)@(?:.*:wasm-function\[\d+\]:0x(?<offset>[0-9a-f]+)|\[wasm code\])$/;

function parseLine(line: string): Frame | undefined {
  const wasm = WASM.exec(line)?.groups;
  if (wasm !== undefined) {
    const column = Number.parseInt(wasm["offset"] ?? "0", 16);
    return { name: wasm["name"] || "wasm-function", file: "wasm:", line: 1, column };
  }
  const groups = (WITH_AT.exec(line) ?? WITH_AT_SIGN.exec(line))?.groups;
  if (groups?.["file"] === undefined) return undefined;
  const place = { file: groups["file"], line: Number(groups["line"]), column: Number(groups["column"] ?? 1) };
  const name = groups["name"];
  return name === undefined || name === "" ? place : { name, ...place };
}

const ownFile = new Error().stack?.split("\n").map(parseLine).find((frame) => frame !== undefined)?.file;

function isOwn(frame: Frame): boolean {
  const folder = (file: string | undefined) => file?.slice(0, file.lastIndexOf("/"));
  return folder(frame.file) === folder(ownFile);
}
