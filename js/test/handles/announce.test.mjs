/** Old glue that Node loads as it is: its classes announce themselves. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { announceClasses } from "../../dist/handles/index.js";
import { built } from "./setup.mjs";

const folder = mkdtempSync(join(tmpdir(), "announce-"));
const setup = new URL("setup.mjs", import.meta.url).href;

/** Runs an app with old glue for pages in Node, and gives its counts and what was out of sight. */
function run({ announce, commonjs }) {
  const preload = join(folder, "preload.mjs");
  writeFileSync(preload, `import { handles } from "${setup}"; import { announceInNode } from "${new URL("../../dist/handles/index.js", import.meta.url)}"; ${announce ? "announceInNode();" : ""}`);
  const glue = built("0.2.89/web/handles.js");
  const wasm = JSON.stringify(built("0.2.89/web/handles_bg.wasm"));
  const body = `
    initSync(readFileSync(${wasm}));
    const kept = [];
    for (let i = 0; i < 3; i++) kept.push(new Buffer(8));
    for (let i = 0; i < 2; i++) new Buffer(8).free();
    const { groups, unseen } = globalThis[Symbol.for("seepage.handles")].objects();
    console.log(JSON.stringify({ groups: groups.map((one) => [one.class, one.at.line, one.created, one.held]), unseen }));`;
  const app = join(folder, commonjs ? "app.cjs" : "app.mjs");
  if (commonjs) {
    // What a bundler makes of it.
    const bundled = readFileSync(glue, "utf8").replace(/import\.meta\.url/g, '""').replace(/^export (default \w+;|\{.*\}.*)$/gm, "").replace(/^export /gm, "");
    writeFileSync(join(folder, "glue.cjs"), `${bundled}\nmodule.exports = { Buffer, initSync };`);
    writeFileSync(app, `const { Buffer, initSync } = require("./glue.cjs"); const { readFileSync } = require("node:fs");${body}`);
  } else {
    writeFileSync(app, `import { Buffer, initSync } from ${JSON.stringify(pathToFileURL(glue).href)}; import { readFileSync } from "node:fs";${body}`);
  }
  return JSON.parse(execFileSync(process.execPath, ["--import", pathToFileURL(preload).href, app], { encoding: "utf8" }));
}

for (const commonjs of [false, true]) {
  test(`announced, ${commonjs ? "CommonJS" : "ES modules"}`, () => {
    assert.deepEqual(run({ announce: true, commonjs }), {
      groups: [["Buffer", 4, 3, 3], ["Buffer", 5, 2, 0]],
      unseen: [],
    });
  });
}

test("not announced: it is said that nothing was seen", () => {
  assert.deepEqual(run({ announce: false, commonjs: false }), {
    groups: [],
    unseen: [{ instance: 1, classes: ["buffer", "slot"], bindgen: "0.2.89" }],
  });
});

test("what is no glue, or new glue, stays as it is", () => {
  assert.equal(announceClasses("export const a = 1;"), undefined);
  assert.equal(announceClasses("x.__destroy_into_raw() {"), undefined);
  for (const version of ["0.2.100", "0.2.130"]) {
    assert.equal(announceClasses(readFileSync(built(`${version}/web/handles.js`), "utf8")), undefined);
  }
});
