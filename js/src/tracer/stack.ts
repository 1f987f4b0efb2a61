/** The stack of the guest's own calls, at the moment in which it calls the session. */

/** Calls that are looked at: what is deeper is marked as missing. */
const DEPTH = 1024;

/** Stands for a call that is not the guest's. */
const OTHER = 0xffffffff;

/** How engines write a wasm frame: `URL:wasm-function[INDEX]:0xOFFSET`. */
const FRAME = /^(?:\s*at )?(?:.*[(@])?(.*):wasm-function\[(\d+)\]:0x([0-9a-f]+)\)?$/;

/**
 * Pairs of a function's index and an offset, the innermost call first, by which name the engine knows
 * the guest's module, and whether some calls miss.
 */
export function guestStack(): { calls: number[]; module: string; cut: boolean } {
  const lines = stack();
  const calls: number[] = [];
  // First come our own: JavaScript, the session, and the link. Their modules tell them apart.
  let stage: "before" | "session" | "link" | "guest" = "before";
  let module = "";
  for (const line of lines) {
    const [, url, index, offset] = FRAME.exec(line) ?? [];
    if (stage === "guest") {
      if (url !== module) break;
    } else if (url === undefined) {
      continue;
    } else if (stage === "before") {
      stage = "session";
      module = url;
      continue;
    } else if (url === module) {
      continue;
    } else if (stage === "session") {
      stage = "link";
      module = url;
      continue;
    } else {
      stage = "guest";
      module = url;
    }
    calls.push(Number(index), Number.parseInt(offset!, 16));
  }
  return { calls, module, cut: lines.length >= DEPTH && calls.length >= lines.length };
}

/** A call of a function in some module. */
export interface WasmCall {
  /** By which name the engine knows the module. */
  module: string;
  /** The function's index. */
  index: number;
  offset: number;
}

/** The calls of modules that are under way, the innermost first, and whether some may miss. */
export function wasmCalls(): { calls: WasmCall[]; cut: boolean } {
  const lines = stack();
  return { calls: callsIn(lines), cut: lines.length >= DEPTH };
}

/**
 * The same for those that an error has ended, and whether it came from the innermost: undefined if
 * the error does not say where it is from.
 */
export function callsEndedBy(error: unknown): { calls: WasmCall[]; cut: boolean; isTrap: boolean } | undefined {
  const text = (error as { stack?: unknown } | undefined | null)?.stack;
  const { stackTraceLimit } = Error;
  if (typeof text !== "string" || typeof stackTraceLimit !== "number") return undefined;
  const lines = text.split("\n").filter((line) => /^ {4}at /.test(line));
  // Below what is awaited there is nothing.
  const isWhole = lines.length < stackTraceLimit || lines.some((line) => line.startsWith("    at async "));
  return { calls: callsIn(lines), cut: !isWhole, isTrap: FRAME.test(lines[0] ?? "") };
}

function callsIn(lines: readonly string[]): WasmCall[] {
  return lines.flatMap((line): WasmCall[] => {
    const [, module, index, offset] = FRAME.exec(line) ?? [];
    return module === undefined ? [] : [{ module, index: Number(index), offset: Number.parseInt(offset!, 16) }];
  });
}

/** The lines of a stack, without what the app or a tool makes of stacks. */
function stack(): string[] {
  const { stackTraceLimit, prepareStackTrace } = Error;
  try {
    Error.stackTraceLimit = DEPTH;
    // An engine that has it calls it; for the others `stack` is the text already.
    Error.prepareStackTrace = (_, sites) => sites.map(String);
    const { stack } = new Error() as { stack?: string | string[] };
    return typeof stack === "string" ? stack.split("\n") : (stack ?? []);
  } catch {
    // Somebody has frozen Error: then there are no stacks.
    return [];
  } finally {
    try {
      Error.stackTraceLimit = stackTraceLimit;
      Error.prepareStackTrace = prepareStackTrace;
    } catch {}
  }
}

export { OTHER };
