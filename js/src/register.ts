/**
 * `node --import seepage/register app.mjs`: traces every module of the program without a change to
 * it, and reports at its end, on `SIGUSR2`, or when `heap.report()` is called.
 */

import * as env from "#env";
import { patch } from "./hook/webassembly.js";
import { fromEnvironment } from "./options.js";
import { end, report, sawAnything } from "./report.js";
import { runtime } from "./runtime.js";

const shared = runtime();

// A second copy of the package, or its twin for `require`, finds everything done.
if (!shared.isRegistered) {
  shared.isRegistered = true;
  const options = fromEnvironment();
  // First: glue that is loaded earlier is not seen.
  void shared.handles;
  patch(shared, options.instrument);
  if (options.trace !== undefined) shared.session.traceTo(env.open(options.trace));
  const write = (text: string): void => {
    if (options.output === "-" || (options.output === undefined && options.format !== "text")) env.print(text);
    else if (options.output !== undefined) env.save(options.output, text);
    else env.say(text);
  };
  const tell = (): void => {
    if (sawAnything(shared)) write(report(shared, options));
  };
  env.onDemand(tell);
  env.atExit(() => {
    end(shared);
    tell();
  });
}
