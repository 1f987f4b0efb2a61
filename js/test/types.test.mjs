// The types: those of the report are those of its schema, and those of the integrations are what their users need.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { fixtures, root } from "./support.mjs";

test("src/generated is as docs/report.schema.json says", () => {
  const { stderr, status } = spawnSync(process.execPath, [join(root, "scripts/types.mjs"), "--check"], { encoding: "utf8" });
  assert.equal(stderr, "");
  assert.equal(status, 0);
});

test("the matcher and the plugins have their types", () => {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { stdout, status } = spawnSync(process.execPath, [tsc, "-p", join(fixtures, "types")], { encoding: "utf8" });
  assert.equal(stdout, "");
  assert.equal(status, 0);
});
