/** The stack of the guest's own calls, at the moment in which it calls the session. */

/** Calls that are looked at: what is deeper is marked as missing. */
const DEPTH = 1024;

/** Stands for a call that is not the guest's. */
const OTHER = 0xffffffff;

/** How engines write a wasm frame: `URL:wasm-function[INDEX]:0xOFFSET`. */
const FRAME = /^(?:\s*at )?(?:.*[(@])?(.*):wasm-function\[(\d+)\]:0x([0-9a-f]+)\)?$/;

/** Pairs of a function's index and an offset, the innermost call first; and whether some miss. */
export function guestStack(): { calls: number[]; cut: boolean } {
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
  return { calls, cut: lines.length >= DEPTH && calls.length >= lines.length };
}

/** Whether a call of a module is under way, as far as the stack tells. */
export function isInWasm(): boolean {
  const lines = stack();
  return lines.length >= DEPTH || lines.some((line) => FRAME.test(line));
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
