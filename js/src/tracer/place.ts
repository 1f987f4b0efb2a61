/** The line of the app that has called a module. */

import { originalFrame } from "../handles/environment.js";
import type { Frame, Handles } from "../handles/index.js";
import { userFrame } from "../handles/report.js";
import { framesOf } from "../handles/stacks.js";
import { isOurs } from "../hook/caller.js";

/** Where the app is, seen from `below`, which a module calls. */
export function place(handles: Handles, below: (...args: never[]) => unknown): Frame | undefined {
  const frames = framesOf(handles.captureSite(below)).filter(({ file }) => !isOurs(file));
  const outside = frames.findIndex(({ file }) => !file.startsWith("wasm:"));
  return outside < 0 ? undefined : userFrame(frames.slice(outside).map(originalFrame));
}
