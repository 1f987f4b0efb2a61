// vitest with the setup file `seepage/vitest`, and with the plugin that brings it.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fixtures, node, root } from "./support.mjs";

for (const config of ["vitest.config.mjs", "plugin.config.mjs"]) {
  test(`the tests that leak fail, and no others; ${config}`, () => {
    const folder = join(fixtures, "vitest");
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const { stdout, stderr } = node([vitest, "run", "--config", config, "--reporter=json"], { hook: "none", cwd: folder });
    const report = JSON.parse(stdout.slice(stdout.indexOf("{")));
    const results = report.testResults.flatMap((file) => file.assertionResults);
    assert.equal(results.length, 8, stderr);
    for (const { title, status, failureMessages } of results) {
      assert.equal(status, title.startsWith("clean") ? "passed" : "failed", `${title}: ${failureMessages}`);
    }
    const message = (title) => results.find((it) => it.title === title).failureMessages.join("\n");
    assert.match(message("leaks: two"), /Buffer: 1, made at objects\.spec\.mjs:20:\d+ and never freed/);
    assert.match(message("leaks: blocks"), /8 bytes in 1 block for each call, allocated in /);
    assert.match(message("leaks: blocks"), /called at objects\.spec\.mjs:29:\d+/);
  });
}
