// `mocha --require seepage/mocha`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fixtures, folder, node, root } from "./support.mjs";

/** Runs files of tests; gives the titles of those that passed and failed, and the messages of these. */
function run(files, { entry = "dist/mocha.cjs", flags = [], options = "" } = {}) {
  const mocha = join(root, "node_modules/mocha/bin/mocha.js");
  const args = [mocha, "--require", join(root, entry), "--reporter=json", "--timeout=60000", ...flags, ...files];
  const { stdout, stderr, status } = node(args, { hook: "none", cwd: join(fixtures, "mocha"), options });
  assert(stdout.includes("{"), stderr);
  const { failures, passes, stats } = JSON.parse(stdout.slice(stdout.indexOf("{")));
  const failed = failures.map(({ title }) => title).sort();
  const messages = Object.fromEntries(failures.map(({ title, err }) => [title, err.message]));
  return { failed, messages, passed: passes.map(({ title }) => title), stats, status, stderr };
}

const LEAKS = ["leaks: at each call", "leaks: in a module", "leaks: in a suite", "leaks: two"];

for (const [entry, flags] of [["dist/mocha.cjs", []], ["dist/integrations/mocha.js", ["--parallel", "--jobs=2"]]]) {
  test(`the tests that leak fail, and no others; ${entry} ${flags}`, () => {
    const { failed, messages, passed, status } = run(["*.spec.*"], { entry, flags });
    assert.deepEqual(failed, ["fails by itself", ...LEAKS]);
    assert.equal(status, 5);
    assert.equal(passed.filter((title) => title.startsWith("clean: ")).length, 6);
    assert.match(messages["leaks: two"], /^leaks: two leaves something behind\n\nBuffer: 1, made at objects\.spec\.cjs:26:39 and never freed\n.*\n {2}> 26 \|/);
    assert.match(messages["leaks: in a suite"], /^suite > leaks: in a suite leaves/);
    assert.match(messages["leaks: in a module"], /made at module\.spec\.mjs:11:/);
    assert.match(messages["leaks: at each call"], /Buffer: 5, made at objects\.spec\.cjs:41:/);
    assert.equal(messages["fails by itself"], "its own");
  });
}

test("what is in the baseline fails nothing, and a clean run is silent", (t) => {
  const file = join(folder(t), "leaks.txt");
  assert.deepEqual(run(["module.spec.mjs"], { options: `--baseline ${file} --update-baseline` }).failed, []);
  assert.equal(readFileSync(file, "utf8"), "leaks: in a module > Buffer (module.spec.mjs)\n");
  const { failed, status, stderr, passed } = run(["module.spec.mjs"], { options: `--baseline ${file}` });
  assert.deepEqual({ failed, status, stderr }, { failed: [], status: 0, stderr: "" });
  assert.equal(passed.length, 3);
});
