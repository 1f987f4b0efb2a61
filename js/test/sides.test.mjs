// Memory that JavaScript and a module hand to each other: what of it is an error, and whose.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { fixtures, folder, guests, nativeTool, reported } from "./support.mjs";

const script = join(fixtures, "register/sides.mjs");
const library = join(guests, "kinds/rust/sides_unknown.O2.wasm");

const errors = ({ heap_errors: errors }) =>
  errors.map((it) => [it.kind, it.side, it.allocation_side, it.first_free_side ?? null]);

for (const [story, expected] of [
  ["allowed", []],
  ["twice", [["double-free", "module", "module", "host"]]],
  ["length", [["size-mismatch", "host", "module", null]]],
]) {
  test(`${story}: ${expected.length} errors`, (t) => {
    const { report } = reported(t, [script, library, story]);
    assert.deepEqual(errors(report), expected);
  });
}

test("a trace can be asked for blocks that one side frees for the other", (t) => {
  const trace = join(folder(t), "trace");
  reported(t, [script, library, "allowed"], { options: `--trace ${trace}` });
  const run = spawnSync(nativeTool, ["analyze", "--crossing-frees", "-f", "json", trace], { encoding: "utf8" });
  assert.deepEqual(errors(JSON.parse(run.stdout)), [
    ["crossing-free", "module", "host", null],
    ["crossing-free", "host", "module", null],
  ]);
});
