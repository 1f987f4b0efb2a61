// `register` with glue of every age: objects, fates, and the wasm heap beside them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fixtures, node, reported } from "./support.mjs";

const script = join(fixtures, "register/objects.mjs");
const line = (text) => readFileSync(script, "utf8").split("\n").findIndex((it) => it.includes(text)) + 1;

for (const age of ["0.2.89", "0.2.92", "0.2.100", "0.2.130"]) {
  for (const target of ["nodejs", "web"]) {
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
        assert.equal(report.module.name, target === "nodejs" ? "handles.cjs (wasm)" : "handles.js (wasm)");
      });
    }
  }
}

test("as text", () => {
  const { stderr } = node([script, "0.2.130", "nodejs"]);
  assert.match(stderr, /^18 objects made: 10 never freed, 5 freed, 3 moved into wasm\n/);
  assert.match(stderr, /never freed: 10 of 10 Buffer, made at test\/fixtures\/register\/objects\.mjs:\d+\n/);
  assert.match(stderr, /fix: call \.free\(\) on the Buffer made at/);
  assert.match(stderr, /SUMMARY seepage: inconclusive live_blocks=/);
});
