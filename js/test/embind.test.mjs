// Handles of embind, whose objects C++ frees as well, and lends, and makes for itself.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fixtures, folder, node, reported } from "./support.mjs";

const app = join(fixtures, "embind/app.mjs");
const glue = join(fixtures, "embind/glue.mjs");
const line = (text) => readFileSync(app, "utf8").split("\n").findIndex((it) => it.includes(text)) + 1;

/** The glue as that of a package. */
function packaged(t) {
  const path = join(folder(t), "node_modules/shapes");
  for (const name of ["embind/glue.mjs", "linked/main.wasm"]) {
    mkdirSync(join(path, name, ".."), { recursive: true });
    cpSync(join(fixtures, name), join(path, name));
  }
  return join(path, "embind/glue.mjs");
}

function fates({ objects }) {
  const own = objects.groups.filter(({ at }) => at.file.endsWith("app.mjs"));
  return own
    .map(({ at, certain, created, freed, held, lost }) => [at.line, certain, created, freed, held + lost])
    .sort(([one], [other]) => one - other);
}

test("what C++ has freed, or lends, is not forgotten", (t) => {
  for (const transport of ["call", "auto"]) {
    const { report, stderr } = reported(t, [app, packaged(t), "Shape"], { options: `--transport ${transport}` });
    assert.equal(stderr, "");
    assert.deepEqual(fates(report), [
      [line("const destroyed"), true, 10, 10, 0],
      [line("const deleted"), true, 10, 10, 0],
      [line("const forgotten"), true, 10, 0, 10],
      [line("const given"), false, 10, 10, 0],
      [line("const original"), true, 10, 10, 0],
      [line("const clones"), false, 10, 0, 10],
    ]);
  }
});

test("what a package makes when nobody calls it is not the app's to free", (t) => {
  for (const path of [packaged(t), glue]) {
    const { report } = reported(t, [app, path, "Shape"]);
    const [singleton, ...others] = report.objects.groups.filter(({ created }) => created === 1);
    assert.deepEqual(others, []);
    assert.match(singleton.at.file, /glue\.mjs$/);
    assert.deepEqual([singleton.certain, singleton.held], [false, 1]);
    assert.match(singleton.fix, path === glue ? /^made by .*glue\.mjs on its own: / : /^made by shapes on its own: /);
  }
});

test("a class without a name", (t) => {
  const { report } = reported(t, [app, glue, ""]);
  assert(report.objects.groups.every(({ class: name }) => name === "object"));
  const { stderr } = node([app, glue, ""]);
  assert.match(stderr, /never freed: 10 of 10 object, .*made at test\/fixtures\/embind\/app\.mjs:/);
});
