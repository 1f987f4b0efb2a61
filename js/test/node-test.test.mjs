// `node --import seepage/node-test --test`: the tests that forget to free fail, and no others.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { entry, fixtures, folder, node } from "./support.mjs";

/** Runs a file of tests; gives what failed, and everything that was printed. */
function run(file, { flags = [], runner = ["--test"], options } = {}) {
  const args = ["--import", entry("integrations/node-test.js"), ...flags, ...runner, "--test-reporter=tap"];
  const { stdout, stderr, status } = node([...args, join(fixtures, "node-test", file)], { hook: "none", options });
  const names = (pattern) => [...stdout.matchAll(pattern)].map(([, name]) => name);
  return { stdout, stderr, status, failed: names(/^ *not ok \d+ - (.*)$/gm), passed: names(/^ *ok \d+ - (.*)$/gm) };
}

for (const runner of [["--test"], []]) {
  test(`who leaks fails, and who does not passes; ${runner[0] ?? "without a runner"}`, () => {
    const { failed, passed, stdout } = run("objects.mjs", { runner });
    assert.deepEqual(failed.filter((name) => !name.startsWith("leaks: ")).filter((name) => !/objects\.mjs$/.test(name)), ["suite", "outer"]);
    assert.equal(failed.filter((name) => name.startsWith("leaks: ")).length, 4);
    assert.equal(passed.filter((name) => name.startsWith("clean: ")).length, 6);
    assert.equal(passed.filter((name) => name.startsWith("leaks: ")).length, 0);
    assert.match(stdout, /Buffer: 3, made at test\/fixtures\/node-test\/objects\.mjs:26:15 and never freed/);
    assert.match(stdout, /> 26 \|     kept\.push\(new Buffer\(1\)\);/);
    assert.match(stdout, /fix: call \.free\(\) on the Buffer made at .*objects\.mjs:26/);
  });
}

test("a clean suite is silent", () => {
  const { failed, passed, stderr, stdout, status } = run("clean.mjs");
  assert.deepEqual([failed, stderr, status], [[], "", 0]);
  assert(passed.length >= 5);
  assert.doesNotMatch(stdout, /seepage: |SUMMARY/);
});

test("tests side by side are not judged", () => {
  assert.deepEqual(run("sides.mjs").failed, []);
});

test("with the collector at hand, what is held is not what was dropped", () => {
  const { failed } = run("collected.mjs", { flags: ["--expose-gc"], runner: [] });
  assert.deepEqual(failed, ["leaks: dropped"]);
});

test("what is in the baseline fails nothing, and what is new does", (t) => {
  const file = join(folder(t), "leaks.txt");
  const first = run("objects.mjs", { options: `--baseline ${file} --update-baseline` });
  assert.deepEqual(first.failed, []);
  const lines = readFileSync(file, "utf8").trim().split("\n").sort();
  assert.equal(lines.length, 4);
  assert.equal(lines[3], "leaks: three, after a while > Buffer (test/fixtures/node-test/objects.mjs)");
  assert.deepEqual(run("objects.mjs", { options: `--baseline ${file}` }).failed, []);
  assert.deepEqual(run("collected.mjs", { options: `--baseline ${file}`, runner: [] }).failed, ["clean: still held", "leaks: dropped"]);
});
