// The types of the report are those of its schema.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./support.mjs";

test("src/generated is as docs/report.schema.json says", () => {
  const { stderr, status } = spawnSync(process.execPath, [join(root, "scripts/types.mjs"), "--check"], { encoding: "utf8" });
  assert.equal(stderr, "");
  assert.equal(status, 0);
});
