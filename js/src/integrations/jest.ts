/**
 * An environment for jest: `testEnvironment: "seepage/jest"`. A test that makes objects and does not
 * free them fails, and `await expect(fn).toNotLeak()` calls a function several times to see what it
 * leaves behind, blocks of the wasm heap included.
 *
 * Environments other than Node's: `module.exports = traced(require("jest-environment-jsdom").default)`.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { compileFunction } from "node:vm";
import type { Context } from "node:vm";
import * as env from "#env";
import type {} from "expect";
import { TestEnvironment } from "jest-environment-node";
import type { ExpectOptions } from "../expect.js";
import type { Watch } from "./verdict.js";

declare global {
  namespace jest {
    // Of @types/jest.
    interface Matchers<R, T> {
      /** The function, called several times, gives back what it takes. */
      toNotLeak(options?: ExpectOptions): Promise<R>;
    }
  }
}

declare module "expect" {
  // Of @jest/globals.
  interface Matchers<R extends void | Promise<void>, T = unknown> {
    /** The function, called several times, gives back what it takes. */
    toNotLeak(options?: ExpectOptions): Promise<void>;
  }
}

type Realm = typeof import("./realm.js");

// What is used of jest-circus.
interface Block {
  name: string;
  parent?: Block;
  children: (Block | Test)[];
}
interface Test {
  type: "test";
  name: string;
  parent: Block;
  concurrent: boolean;
  errors: unknown[];
}
interface Event {
  name: string;
  test?: Test;
  runtimeGlobals?: { expect: { extend(matchers: object): void } };
}
interface State {
  rootDescribeBlock: Block;
}

/** What is used of an environment. */
interface Environment {
  setup(): Promise<void>;
  getVmContext(): Context | null;
  handleTestEvent?(event: Event, state: State): unknown;
}
type EnvironmentClass = new (...args: never[]) => object;

/** The environment, with tests that fail when they leak. */
export function traced<E extends EnvironmentClass>(Environment: E): E {
  const Base = Environment as unknown as new (...args: unknown[]) => Environment;
  class Traced extends Base {
    readonly #file = new TestFile();

    override async setup(): Promise<void> {
      await super.setup();
      this.#file.setUp(this.getVmContext());
    }

    override async handleTestEvent(event: Event, state: State): Promise<void> {
      await super.handleTestEvent?.(event, state);
      await this.#file.handle(event, state);
    }
  }
  return Traced as unknown as E;
}

/** A file of tests: each has a realm of its own. */
class TestFile {
  #realm: Realm | undefined;
  #verdicts: InstanceType<Realm["Verdicts"]> | undefined;
  #watch: Watch | undefined;
  #isConcurrent = false;

  setUp(context: Context | null): void {
    if (context === null) return;
    const file = fileURLToPath(new URL("realm.cjs", env.home));
    const parameters = ["exports", "require", "module", "__filename", "__dirname"];
    const evaluate = compileFunction(readFileSync(file, "utf8"), parameters, { filename: file, parsingContext: context });
    const module = { exports: {} as Realm };
    evaluate(module.exports, createRequire(file), module, file, dirname(file));
    this.#realm = module.exports;
    // With a call for each event, `toNotLeak` can show the lines that lead to a leak.
    this.#realm.startInRealm({ transport: "call" });
    this.#verdicts = new this.#realm.Verdicts();
  }

  async handle({ name, test, runtimeGlobals }: Event, { rootDescribeBlock }: State): Promise<void> {
    const verdicts = this.#verdicts;
    if (verdicts === undefined) return;
    switch (name) {
      case "setup":
        runtimeGlobals?.expect.extend({ toNotLeak: this.#realm?.toNotLeak });
        break;
      case "run_start":
        // They begin before their turn has come: whose an object is nobody knows.
        this.#isConcurrent = testsIn(rootDescribeBlock).some((it) => it.concurrent);
        break;
      case "test_start":
        if (test !== undefined && !this.#isConcurrent) this.#watch = verdicts.begin(nameOf(test));
        break;
      case "test_skip":
      case "test_todo":
        if (this.#watch !== undefined) verdicts.drop(this.#watch);
        this.#watch = undefined;
        break;
      // All hooks have run by then: what they free is freed.
      case "test_done": {
        const watch = this.#watch;
        this.#watch = undefined;
        if (watch === undefined || test === undefined) break;
        const hasFailed = test.errors.length > 0;
        const error = await verdicts.end(watch, hasFailed);
        if (error !== undefined) test.errors.push(error);
      }
    }
  }
}

function testsIn(block: Block): Test[] {
  return block.children.flatMap((child) => ("children" in child ? testsIn(child) : [child]));
}

function nameOf(test: Test): string {
  const names = [test.name];
  // The outermost block is jest's own.
  for (let at: Block | undefined = test.parent; at?.parent !== undefined; at = at.parent) names.unshift(at.name);
  return names.join(" > ");
}

export default traced(TestEnvironment);
