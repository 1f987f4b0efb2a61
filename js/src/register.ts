/**
 * `node --import seepage/register app.mjs`: traces every module of the program without a change to
 * it, and reports at its end, on `SIGUSR2`, or when `heap.report()` is called.
 */

import * as env from "#env";
import { end, report, sawAnything } from "./report.js";
import { runtime } from "./runtime.js";
import { start } from "./start.js";

const options = start();

if (options !== undefined) {
  env.followThreads(new URL("register.js", env.home).href);
  const { format, output } = options;
  const write =
    output !== undefined && output !== "-"
      ? (text: string) => env.save(output, text)
      : output === "-" || format !== "text"
        ? env.print
        : env.say;
  const tell = (): void => {
    if (sawAnything(runtime())) write(report(runtime(), { ...options, output: output ?? 2 }));
  };
  env.onDemand(tell);
  env.atExit(() => {
    end(runtime());
    tell();
  });
}
