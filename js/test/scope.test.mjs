// heap.scope: what was made in it and is not freed at its end.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fixtures, guests, node } from "./support.mjs";

const script = join(fixtures, "scope.mjs");
const library = join(guests, "rust/truth_unknown.release.wasm");

function run(...flags) {
  const { stdout, stderr } = node([...flags, script, library], { options: "--output /dev/null" });
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

test("what stays is thrown at the end, with exact figures, and nothing else is", () => {
  const told = run();
  for (const name of ["clean", "frees what is older", "allowed", "filtered", "ended"]) assert.equal(told[name], "clean", name);
  const { name, message, leaks } = told.objects;
  assert.equal(name, "LeakError");
  assert.match(message, /^render leaves something behind\n\nBuffer: 1, made at test\/fixtures\/scope\.mjs:26:43 and never freed\n.*\n {2}> 26 \|/);
  assert.deepEqual(leaks.filter(({ kind }) => kind === "object").map(({ class: name, total, at }) => [name, total, at.column]), [
    ["Buffer", 1, 43],
    ["Buffer", 1, 59],
  ]);
  // The objects themselves, and what they own.
  assert(leaks.some(({ kind, total }) => kind === "blocks" && total.blocks === 2));
  assert.deepEqual(told.blocks.leaks, [{ kind: "blocks", module: "library", total: { blocks: 4, bytes: 40 }, at: [] }]);
  assert.match(told.blocks.message, /^the scope leaves something behind\n\n40 bytes in 4 blocks in all, allocated in library/);
});

test("with the collector at hand, what was dropped is told from what is held", () => {
  const objects = (leaks) => leaks.filter(({ total }) => typeof total === "number");
  assert.deepEqual(objects(run().asynchronous), [{ total: 1 }, { total: 2 }].reverse());
  const { asynchronous, expected } = run("--expose-gc");
  assert.deepEqual(objects(asynchronous), [{ total: 2, dropped: 2 }, { total: 1, dropped: 0 }]);
  assert.match(expected, /^Buffer: 1 for each call, made at .* and never freed: dropped$/);
});
