/** What every entry point for a whole program does first: patch `WebAssembly`, once a realm. */

import * as env from "#env";
import { announceInNode } from "./handles/index.js";
import { patch } from "./hook/webassembly.js";
import { KnownLeaks } from "./known.js";
import { fromEnvironment } from "./options.js";
import type { Options } from "./options.js";
import { runtime } from "./runtime.js";
import type { InstrumentOptions } from "./tracer/instrument.js";

/** The options, if this call was the one that began; a second copy of the package finds all done. */
export function start(defaults: InstrumentOptions = {}): Options | undefined {
  const options = startInRealm(defaults);
  if (options !== undefined) announceInNode();
  return options;
}

/** The same for a realm that is not the process's: Node's loader is not its own. */
export function startInRealm(defaults: InstrumentOptions = {}): Options | undefined {
  const shared = runtime();
  if (shared.isRegistered) return undefined;
  const options = fromEnvironment();
  const { baseline, updateBaseline, trace, traceImages } = options;
  shared.isRegistered = true;
  // First: glue that is loaded earlier is not seen.
  void shared.handles;
  patch(shared, { ...defaults, ...options.instrument });
  if (baseline !== undefined) shared.known = new KnownLeaks(baseline, updateBaseline);
  if (traceImages !== "marks") shared.session.images = traceImages;
  if (trace !== undefined) shared.session.traceTo(env.open(trace));
  return options;
}
