/**
 * `mocha --require seepage/mocha`: a test that makes objects and does not free them fails, and its
 * error names them and the line that made them.
 */

import { start } from "../start.js";
import { Verdicts } from "./verdict.js";
import type { Watch } from "./verdict.js";

// What is used of mocha.
interface Suite {
  getHooks(name: "afterEach"): Hook[];
}
interface Hook {
  fn: unknown;
  parent: Suite;
  /** Fails the test, and not the hook: that would be the end of the run. */
  error(error: Error): void;
}
interface Context {
  /** The hook that runs. */
  test: Hook;
  currentTest: { state?: string; titlePath(): string[] };
}

// With a call for each event, `expectNoLeaks` can show the lines that lead to a leak.
start({ transport: "call" });
const verdicts = new Verdicts();
let watch: Watch | undefined;

function beforeEach(this: Context): void {
  const hooks = this.test.parent.getHooks("afterEach");
  const own = hooks.findIndex(({ fn }) => fn === afterEach);
  // The app's own hooks may free, and files of tests add theirs after us.
  hooks.push(...hooks.splice(own, 1));
  if (watch !== undefined) verdicts.drop(watch);
  watch = verdicts.begin(this.currentTest.titlePath().join(" > "));
}

async function afterEach(this: Context): Promise<void> {
  if (watch === undefined) return;
  const ended = watch;
  watch = undefined;
  const error = await verdicts.end(ended, this.currentTest.state === "failed");
  if (error !== undefined) this.test.error(error);
}

export const mochaHooks = { beforeEach, afterEach };
