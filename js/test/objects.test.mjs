// `register` with glue of every age: objects, fates, and the wasm heap beside them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fixtures, node, reported } from "./support.mjs";

const script = join(fixtures, "register/objects.mjs");
const line = (text) => readFileSync(script, "utf8").split("\n").findIndex((it) => it.includes(text)) + 1;

for (const age of ["0.2.89", "0.2.92", "0.2.100", "0.2.130"]) {
  for (const target of age === "0.2.130" ? ["nodejs", "web", "no-modules", "deno"] : ["nodejs", "web"]) {
    for (const hook of target === "nodejs" && age === "0.2.130" ? ["--import", "--require"] : ["--import"]) {
      test(`wasm-bindgen ${age}, target ${target}, ${hook}`, (t) => {
        const { report, stderr } = reported(t, [script, age, target], { hook });
        assert.equal(stderr, "");
        const groups = report.objects.groups.map(({ class: name, at, created, freed, moved, held }) => ({ name, line: at.line, created, freed, moved, held }));
        const of = (text, fates) => ({ name: "Buffer", line: line(text), created: 0, freed: 0, moved: 0, held: 0, ...fates });
        assert.deepEqual(groups.sort((a, b) => a.line - b.line), [
          of("kept.push", { created: 10, held: 10 }),
          of(").free()", { created: 5, freed: 5 }),
          of("consume(", { created: 3, moved: 3 }),
        ]);
        // The heap of the same run: what the kept objects own is live.
        const { bytes } = report.totals.live;
        assert(bytes >= 1_000_000 && bytes < 1_010_000, bytes);
        assert.equal(report.totals.heap_errors, 0);
        // To the byte: what each of them asked for, and the block that it lies in.
        const { retained } = report.objects.groups.find(({ held }) => held > 0);
        const blocks = report.held.filter(({ retained_bytes: retained }) => retained > 100_000);
        assert.deepEqual(blocks.map((it) => it.retained_bytes - it.bytes), Array(10).fill(100_000));
        assert.equal(retained, 1_000_000 + 10 * blocks[0].bytes);
        assert.equal(report.leaks.still_reachable.bytes, bytes);
        assert.equal(report.memory.account.live.still_reachable, bytes);
        assert.equal(report.module.name, target === "nodejs" ? "handles.cjs (wasm)" : "handles.js (wasm)");
      });
    }
  }
}

test("as text", () => {
  const { stderr } = node([script, "0.2.130", "nodejs"]);
  assert.match(stderr, /^18 objects made: 10 never freed, 5 freed, 3 moved into wasm\n/);
  assert.match(stderr, /never freed: 10 of 10 Buffer, at least 977 KiB of the wasm heap, made at test\/fixtures\/register\/objects\.mjs:\d+\n/);
  assert.match(stderr, /fix: call \.free\(\) on the Buffer made at/);
  assert.match(stderr, /SUMMARY seepage: inconclusive live_blocks=/);
});

for (const age of ["0.2.89", "0.2.130"]) {
  test(`closures of glue of wasm-bindgen ${age}`, (t) => {
    const { report, stderr } = reported(t, [join(fixtures, "register/closures.mjs"), age]);
    assert.equal(stderr, "");
    const closures = report.objects.groups.filter(({ kind }) => kind === "closure");
    assert.deepEqual(closures.map(({ created, freed, held }) => [created, freed, held]), [[5, 0, 5], [4, 4, 0]]);
  });
}

test("blocks that nothing points to are told apart, and are no verdict", (t) => {
  const dropped = join(fixtures, "register/dropped.mjs");
  const lost = (kind, { report, status, stderr }) => {
    assert.deepEqual([status, stderr], [0, ""]);
    assert.equal(report.verdict.kind, "inconclusive");
    const { definitely_lost, indirectly_lost, possibly_lost, still_reachable } = report.leaks;
    const all = { definitely_lost, indirectly_lost, possibly_lost };
    for (const [name, { blocks }] of Object.entries(all)) assert.equal(blocks > 0, kind.includes(name), name);
    const sum = Object.values(all).reduce((sum, { bytes }) => sum + bytes, 0);
    assert(sum > 18_000 && sum < 21_000, sum);
    assert(still_reachable.bytes > 3000, still_reachable.bytes);
  };
  lost(["definitely_lost", "indirectly_lost"], reported(t, ["--expose-gc", dropped]));
  // Locals of the calls that are under way may hold some of what looks lost, and not all of it.
  const inside = reported(t, ["--expose-gc", dropped, "inside"]);
  lost(["definitely_lost", "indirectly_lost", "possibly_lost"], inside);
  const { definitely_lost: lostForSure, possibly_lost: doubtful } = inside.report.leaks;
  assert(doubtful.blocks < lostForSure.blocks, JSON.stringify(inside.report.leaks));
});
