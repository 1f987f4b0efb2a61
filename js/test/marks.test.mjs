// Guests that mark moments themselves.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fixtures, guests, reported } from "./support.mjs";

for (const file of ["marks.O2.wasm", "marks_imported.O2.wasm"]) {
  test(file, (t) => {
    const wasm = join(guests, "kinds/c", file);
    const { report, stderr, status } = reported(t, ["--no-warnings", join(fixtures, "register/command.mjs"), wasm]);
    assert.deepEqual([status, stderr], [0, ""]);
    assert(report.marks.length > 1, report.marks.length);
    assert.match(report.marks[0].name, /^seepage_mark #1$/);
  });
}
