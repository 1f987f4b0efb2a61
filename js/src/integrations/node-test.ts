/**
 * `node --import seepage/node-test --test`: a test that makes objects and does not free them fails,
 * and its error names them and the line that made them.
 */

import { beforeEach } from "node:test";
import process from "node:process";
import { start } from "../start.js";
import { Verdicts } from "./verdict.js";

/** What node:test gives to hooks. */
interface TestContext {
  name: string;
  after(hook: () => unknown): void;
}

// The process that only starts the test files has no tests, unless it runs them itself.
const { execArgv } = process;
const runs = !execArgv.includes("--test") || execArgv.some((it) => /test-isolation=none$/.test(it));

if (runs) {
  // With a call for each event, `expectNoLeaks` can show the lines that lead to a leak.
  start({ transport: "call" });
  const verdicts = new Verdicts();
  beforeEach(((test: TestContext) => {
    const watch = verdicts.begin(test.name);
    // The app's own hooks may free. They all come first: those of suites run before a test's, and
    // what a test adds at the end of its list runs last.
    test.after(() =>
      test.after(async () => {
        const error = await verdicts.end(watch);
        if (error !== undefined) throw error;
      }),
    );
  }) as () => void);
}
