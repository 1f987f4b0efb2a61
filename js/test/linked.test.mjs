// Heaps that several instances work on: side modules of dynamic linking, and threads.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fixtures, node, reported } from "./support.mjs";

const linked = (name) => join(fixtures, "linked", name);

test("a side module and the module that loads it have one heap", (t) => {
  const { report, stderr } = reported(t, [linked("side.mjs")]);
  assert.equal(stderr, "");
  assert.equal(report.module.name, "side.mjs (wasm)");
  assert.equal(report.modules, undefined);
  // 64 for its variables, then what was kept and leaked; each block once.
  assert.deepEqual(report.totals.live, { blocks: 1 + 2 + 3 + 4, bytes: 64 + 2 * 16 + 3 * 40 + 4 * 24 });
  assert.deepEqual(report.totals.allocated, { blocks: 12, bytes: report.totals.live.bytes + 150 });
  assert.equal(report.totals.heap_errors, 0);
  // The side module's own variables hold what it keeps.
  assert.deepEqual(report.leaks.definitely_lost, { blocks: 3, bytes: 120 });
  assert.deepEqual(report.leaks.still_reachable, { blocks: 7, bytes: 64 + 2 * 16 + 4 * 24 });
});

test("a side module by itself is not called clean", () => {
  const { stdout, stderr } = node([linked("alone.mjs")], { hook: "none" });
  const report = JSON.parse(stdout || "{}");
  assert.equal(stderr, "");
  assert.notEqual(report.verdict.kind, "clean");
  assert.equal(report.totals.heap_errors, 0);
  assert(report.totals.allocated.blocks > 0);
});

test("a shared memory is followed as long as one thread alone works on it", (t) => {
  const { report, stderr } = reported(t, [linked("shared.mjs")]);
  assert.equal(stderr, "");
  assert.deepEqual(report.totals.live, { blocks: 5, bytes: 152 });
  assert.deepEqual(report.leaks.definitely_lost, { blocks: 3, bytes: 120 });
  assert.deepEqual(report.leaks.still_reachable, { blocks: 2, bytes: 32 });
  assert.equal(report.dropped.records, 0);
});

for (const given of ["bytes", "module"]) {
  for (const transport of ["call", "auto"]) {
    test(`and no further, when a thread that gets its ${given} begins to (${transport})`, (t) => {
      const { report, stderr, status } = reported(t, [linked("shared.mjs"), given], { options: `--transport ${transport}` });
      assert.equal(status, 0, stderr);
      assert.match(stderr, /^seepage: warning: several threads work on one memory: [^\n]*\n$/);
      // As it was before; what this thread frees of the other's is no error.
      assert.deepEqual(report.totals.live, { blocks: 5, bytes: 152 });
      assert.equal(report.totals.heap_errors, 0);
      assert.equal(report.leaks, null);
      assert.equal(report.dropped.records, 3);
      assert.equal(report.verdict.kind, "inconclusive");
    });
  }
}
