// What is lost where a program ends in the middle of its calls: as much as natively.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fixtures, folder, guests, nativeTool, reported } from "./support.mjs";

const command = join(fixtures, "register/command.mjs");
const ENDS = ["return 3", "exit 0", "exit 7", "proc_exit 3", "abort", "trap", "div_zero", "out_of_bounds"];
const ROOTS = [
  "live_stack_exit", "live_stack_proc_exit", "live_stack_trap", "live_stack_dynamic", "dead_stack_exit",
  "dead_stack_trap", "live_local_exit", "stack_of_main",
];

/** What became of the blocks, and where they are from. */
const told = ({ leaks, loss_records }) => ({ leaks, loss_records });

for (const [program, scenarios] of [["ends", ENDS], ["roots", ROOTS]]) {
  for (const variant of ["O0", "O2.stripped"]) {
    test(`${program}.${variant}`, (t) => {
      const wasm = join(guests, `kinds/c/${program}.${variant}.wasm`);
      const file = join(folder(t), "native.json");
      for (const scenario of scenarios) {
        const args = scenario.split(" ");
        const native = spawnSync(nativeTool, ["run", "-o", file, "--", wasm, ...args]);
        assert.equal(native.error, undefined);
        const expected = told(JSON.parse(readFileSync(file, "utf8")));
        // An error comes back to the script, or the process ends in the guest's call.
        for (const STAYS of ["", "1"]) {
          const node = ["--no-warnings", "--stack-trace-limit=100", command, wasm, ...args];
          const { report, status } = reported(t, node, { env: { STAYS } });
          assert.notEqual(status, null);
          assert.deepEqual(told(report), expected, `${scenario} ${STAYS}`);
        }
      }
    });
  }
}

test("where the stack of a trap is cut, what is lost is possibly lost", (t) => {
  const wasm = join(guests, "kinds/c/ends.O0.wasm");
  const { report } = reported(t, ["--no-warnings", "--stack-trace-limit=3", command, wasm, "trap"]);
  assert.equal(report.leaks.definitely_lost.blocks, 0);
  assert.equal(report.leaks.possibly_lost.blocks, 6);
});

test("an error that the script survives ends nothing", (t) => {
  const wasm = join(guests, "kinds/c/ends.O0.wasm");
  const script = join(fixtures, "register/caught.mjs");
  const { report, stdout } = reported(t, ["--no-warnings", "--stack-trace-limit=3", script, wasm, "trap"]);
  assert.equal(stdout, "RuntimeError\n");
  assert.equal(report.leaks.definitely_lost.blocks, 4);
});
