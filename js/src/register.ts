/**
 * `node --import seepage/register app.mjs`: traces every module of the program without a change to
 * it, and reports at its end, on `SIGUSR2`, or when `heap.report()` is called.
 */

import * as env from "#env";
import { objectsLeftIn } from "./growth.js";
import { newLeaks } from "./known.js";
import { LeakError } from "./leaks.js";
import { end, report, sawAnything } from "./report.js";
import { runtime } from "./runtime.js";
import { start } from "./start.js";

/** The exit code of a run with leaks that are not in the baseline, as of the native tool: see cli/exit.rs. */
const LEAK = 23;

const options = start();

if (options !== undefined) {
  env.followThreads(new URL("register.js", env.home).href, () => {
    if (runtime().isTracing) runtime().session.flush();
  });
  const { format, output, baseline } = options;
  const beginning = runtime().handles.mark();
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
  env.onUncaught((error) => {
    if (runtime().isTracing) runtime().session.fail(error);
  });
  env.atExit(() => {
    end(runtime());
    tell();
    if (runtime().isTracing) env.settle();
    const silent = env.silentThreads();
    if (silent > 0) {
      const threads = silent === 1 ? "1 thread has" : `${silent} threads have`;
      runtime().warn(`${threads} traced a module and ended without a report: worker.terminate() and process.exit() give it no time`);
    }
    if (baseline === undefined) return;
    const leaks = newLeaks(objectsLeftIn([beginning, runtime().handles.mark()], false));
    if (leaks.length === 0) return;
    env.say(`${new LeakError(leaks, `seepage: there are leaks that are not in ${baseline}`).message}\n`);
    env.fail(LEAK);
  });
}
