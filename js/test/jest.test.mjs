// jest with the environment `seepage/jest`: each file of tests in a realm of its own.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { fixtures, folder, node, root } from "./support.mjs";

/** Runs files of tests, CommonJS and ES modules; gives what is said of each test. */
function run(files, { options = "", flags = [] } = {}) {
  const jest = join(root, "node_modules/jest/bin/jest.js");
  const args = ["--experimental-vm-modules", "--no-warnings", ...flags, jest, "--json", "--runInBand", ...files];
  const { stdout, stderr } = node(args, { hook: "none", cwd: join(fixtures, "jest"), options });
  assert(stdout.startsWith("{"), stderr);
  return { results: JSON.parse(stdout).testResults.flatMap((file) => file.assertionResults), stderr };
}

describe("jest", () => {
  let results;
  before(() => ({ results } = run(["module", "objects", "sides"])));
  const message = (title) => results.find((it) => it.title === title).failureMessages.join("\n");

  test("the tests that leak fail, and no others", () => {
    assert.equal(results.length, 18);
    for (const { title, status, failureMessages } of results) {
      if (title.startsWith("clean")) assert.notEqual(status, "failed", `${title}: ${failureMessages}`);
      else assert.equal(status, "failed", title);
    }
    assert.deepEqual(results.filter(({ status }) => status === "failed").map(({ title }) => title).sort(), [
      "fails by itself", "leaks: blocks", "leaks: in a module", "leaks: in a suite", "leaks: two",
    ]);
  });

  test("the leak is named", () => {
    assert.match(message("leaks: two"), /Buffer: 1, made at objects\.spec\.cjs:21:41 and never freed\n.*\n {2}> 21 \|/);
    assert.match(message("leaks: two"), /fix: call \.free\(\) on the Buffer made at objects\.spec\.cjs:21/);
    assert.match(message("leaks: two"), /\n {4}at .*objects\.spec\.cjs:21:41/);
    assert.match(message("leaks: in a module"), /Buffer: 1, made at module\.spec\.mjs:9:\d+ and never freed/);
    assert.match(message("leaks: blocks"), /8 bytes in 1 block for each call, allocated in objects\.spec\.cjs \(wasm\)\n {4}leak\n {2}called at objects\.spec\.cjs:47:/);
    assert.doesNotMatch(message("fails by itself"), /never freed/);
  });
});

test("what is in the baseline fails nothing, and what is new does", (t) => {
  const file = join(folder(t), "leaks.txt");
  const failed = (options) => run(["module", "objects"], { options }).results.filter(({ status }) => status === "failed").map(({ title }) => title);
  assert.deepEqual(failed(`--baseline ${file} --update-baseline`), ["fails by itself"]);
  const known = readFileSync(file, "utf8").trim().split("\n").sort();
  assert.deepEqual(known, [
    "blocks of objects.spec.cjs (wasm) (leak)",
    "leaks: in a module > Buffer (module.spec.mjs)",
    "leaks: two > Buffer (objects.spec.cjs)",
    "suite > leaks: in a suite > Buffer (objects.spec.cjs)",
  ]);
  assert.deepEqual(failed(`--baseline ${file}`), ["fails by itself"]);
  assert.deepEqual(failed("").length, 5);
});

test("with the collector at hand, what is held is not what was dropped", () => {
  const { results } = run(["collected"], { flags: ["--expose-gc"] });
  assert.deepEqual(results.map(({ title, status }) => [title, status]), [["clean: still held", "passed"], ["leaks: dropped", "failed"]]);
});

test("a clean suite is silent", () => {
  const { results, stderr } = run(["sides"]);
  assert.equal(results.length, 3);
  assert.doesNotMatch(stderr, /seepage|never freed/);
});
