/** Places are those of the source that was compiled, where Node has its map. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { built } from "./setup.mjs";

test("source maps are honoured", () => {
  const folder = mkdtempSync(join(tmpdir(), "maps-"));
  // One line of output; its third statement is line 7 of app.ts.
  const lines = ["", "", "", "", "", "", "  new Buffer(4);"];
  writeFileSync(join(folder, "app.ts"), lines.join("\n"));
  // Generated column 0 is line 7, column 2 of source 0.
  const map = { version: 3, sources: ["app.ts"], names: [], mappings: "AAME" };
  writeFileSync(join(folder, "app.js.map"), JSON.stringify(map));
  writeFileSync(join(folder, "app.js"), "new globalThis.Buffer(4);\n//# sourceMappingURL=app.js.map\n");
  const main = `
    import { handles, require } from ${JSON.stringify(new URL("setup.mjs", import.meta.url).href)};
    globalThis.Buffer = require(${JSON.stringify(built("0.2.130/nodejs/handles.cjs"))}).Buffer;
    require(${JSON.stringify(join(folder, "app.js"))});
    const { at } = handles.objects().groups[0];
    console.log(JSON.stringify(at));`;
  writeFileSync(join(folder, "main.mjs"), main);
  const run = (...flags) => JSON.parse(execFileSync(process.execPath, [...flags, join(folder, "main.mjs")], { encoding: "utf8" }));
  assert.deepEqual(run("--enable-source-maps"), { ...run("--enable-source-maps"), file: pathToFileURL(join(folder, "app.ts")).href, line: 7 });
  assert.equal(run().file, join(folder, "app.js"));
});
