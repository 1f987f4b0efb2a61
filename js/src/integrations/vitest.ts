/**
 * A setup file for vitest: `test: { setupFiles: ["seepage/vitest"] }`. A test that makes objects and
 * does not free them fails, and `await expect(fn).toNotLeak()` calls a function several times to see
 * what it leaves behind, blocks of the wasm heap included.
 */

import { beforeEach, expect } from "vitest";
import type { ExpectOptions } from "../expect.js";
import { start } from "../start.js";
import { toNotLeak } from "./matcher.js";
import { Verdicts } from "./verdict.js";

declare module "vitest" {
  // eslint-disable-next-line
  interface Matchers<T = any> {
    /** The function, called several times, gives back what it takes. */
    toNotLeak(options?: ExpectOptions): Promise<void>;
  }
}

start({ transport: "call" });
const verdicts = new Verdicts();

beforeEach(({ task, onTestFinished }) => {
  const watch = verdicts.begin(task.name);
  // Of these the first to be registered is the last to run: the test's own may free.
  onTestFinished(async () => {
    const error = await verdicts.end(watch, task.result?.state === "fail");
    if (error !== undefined) throw error;
  });
});

expect.extend({ toNotLeak });
