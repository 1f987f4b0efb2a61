// expectNoLeaks: exact for what leaks at each call, silent for all else.
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { fixtures, guests, node } from "./support.mjs";

const library = join(guests, "rust/truth_unknown.release.wasm");
const script = join(fixtures, "expect.mjs");

for (const transport of ["call", "auto"]) {
  describe(`transport ${transport}`, () => {
    let told;
    before(() => {
      const { stdout, stderr } = node([script, library, transport], { hook: "none" });
      assert.equal(stderr, "");
      told = JSON.parse(stdout);
    });

    test("what leaks is told with exact figures, and what does not is not", () => {
      const { leaks, message, name } = told.leaks;
      assert.equal(name, "LeakError");
      assert.deepEqual(leaks.map(({ perCall, total }) => ({ perCall, total })), [
        { perCall: { blocks: 3, bytes: 116 }, total: { blocks: 21, bytes: 812 } },
      ]);
      assert.equal(leaks[0].module, "library");
      assert.deepEqual(leaks[0].stack.map((frame) => frame.function), ["leak"]);
      assert.match(message, /^each call leaves something behind\n\n116 bytes in 3 blocks for each call, allocated in library\n    leak(\n|$)/);
      assert.deepEqual(told.asynchronous.leaks.map(({ perCall }) => perCall), [{ blocks: 3, bytes: 72 }]);
      for (const name of ["churns", "frees all", "keeps once", "keeps at every other call"]) {
        assert.equal(told[name], "clean", name);
      }
    });

    test("the options do what they say", () => {
      assert.equal(told.allowed, "clean");
      assert.equal(told["not allowed"], "LeakError");
      assert.equal(told.filtered, "clean");
      assert.equal(told.aborted, "enough");
      assert.equal(told.failing, "its own");
      assert.deepEqual(told.calls, [0, 1, 2, 3]);
    });

    test("figures are the guest's own", () => {
      assert.deepEqual(told.diff, [{ risen: { blocks: 4, bytes: 40 }, module: "library" }]);
      assert.deepEqual(told.stats.live, told.stats.truth);
    assert.deepEqual(told.peak.said, told.peak.reported);
    assert(told.peak.said.bytes > told.stats.live.bytes);
    });

    test("the lines that lead there are shown, where records come one by one", { skip: transport !== "call" }, () => {
      const { leaks, message } = told.leaks;
      assert.deepEqual(leaks[0].at.map(({ line }) => line), [9, 10]);
      assert.match(message, /called at test\/fixtures\/expect\.mjs:9:11\n.*\n  >  9 \|   exports\.leak\(100, 1\);\n       \|           \^\n/);
    });
  });
}

test("where nothing is traced, nothing is claimed", () => {
  const text = `
    import { expectNoLeaks } from "seepage";
    await expectNoLeaks(() => {}).catch((error) => console.log(error.name, error.message));`;
  const { stdout } = node(["--input-type=module", "--eval", text], { hook: "none" });
  assert.match(stdout, /^Error nothing is traced: run with `node --import seepage\/register`/);
});
