/** The probe in the engine at hand: what it settles, what bounds it, and that it is the native tool's. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { instrument } from "../../dist/index.js";
import { entry, fixtures, folder, guests, nativeTool, node, reported } from "../support.mjs";

const require = createRequire(import.meta.url);
const app = join(fixtures, "probe/app.mjs");
const guest = (name) => join(fixtures, `probe/${name}.wasm`);
const published = (file) => {
  const [scope, name] = file.split("/");
  const main = require.resolve(scope.startsWith("@") ? `${scope}/${name}` : scope);
  const at = main.lastIndexOf(`node_modules/`) + "node_modules/".length;
  return join(main.slice(0, at), file);
};
const PUBLISHED = [
  "rregex/lib/rregex.wasm",
  "rregex-1.8/lib/rregex.wasm",
  "@chainsafe/as-sha256/build/optimized.wasm",
];

for (const name of ["rregex", "rregex-1.8"]) {
  test(`${name}: an allocator in pieces, without names`, (t) => {
    const script = join(fixtures, "probe/rregex.mjs");
    const totals = (kept, freed) => {
      const { report, stderr } = reported(t, [script, name, String(kept), String(freed)]);
      assert.equal(report.totals.heap_errors, 0, stderr);
      assert.notEqual(report.verdict.kind, "blind", stderr);
      assert.equal(stderr.includes("warning"), false, stderr);
      return report.totals;
    };
    const [none, one, churned, six] = [totals(0, 0), totals(1, 0), totals(1, 50), totals(6, 0)];
    const blocks = one.live.blocks - none.live.blocks;
    const bytes = one.live.bytes - none.live.bytes;
    assert(blocks > 10 && bytes > 1000, `${blocks} blocks, ${bytes} bytes`);
    // Of what is kept each has its blocks, and of what is freed nothing stays.
    assert.deepEqual(churned.live, one.live);
    assert.deepEqual(six.live, { blocks: none.live.blocks + 6 * blocks, bytes: none.live.bytes + 6 * bytes });
    assert(churned.allocated.blocks > one.allocated.blocks + 50 * blocks);
  });
}

for (const how of ["sync", "async"]) {
  test(`${how}: a module that would trap without its host`, (t) => {
    const args = [app, guest("host"), how, "leak 7 40", "churn 1000 300", "leak 2 512"];
    const { report, stdout, stderr } = reported(t, args);
    assert.equal(stdout, "done\n", stderr);
    assert.deepEqual(report.totals.live, { blocks: 9, bytes: 7 * 40 + 2 * 512 });
    assert.deepEqual(report.totals.allocated.blocks, 1009);
    assert.equal(report.totals.heap_errors, 0);
  });
}

test("switched off, what is not certain stays unseen", (t) => {
  const { report, stdout } = reported(t, [app, guest("host"), "sync", "leak 7 40"], { options: "--no-probe" });
  assert.equal(stdout, "done\n");
  assert.equal(report.verdict.kind, "blind");
  const bytes = readFileSync(guest("host"));
  const off = instrument(bytes, { probe: false }).inspection;
  assert.deepEqual([off.verdict, off.allocators, off.probe.outcome], ["likely", [], "not run"]);
  const on = instrument(bytes).inspection;
  assert.deepEqual([on.verdict, on.probe.outcome], ["confirmed", "passed"]);
  const known = instrument(readFileSync(join(guests, "c/truth.O2.wasm"))).inspection;
  assert.deepEqual([known.probe.outcome, known.probe.checks], ["not needed", []]);
});

test("a candidate that never returns costs a moment, and the app runs", (t) => {
  const began = performance.now();
  const { inspection } = instrument(readFileSync(guest("endless")));
  const took = performance.now() - began;
  assert.equal(inspection.probe.outcome, "failed");
  assert.match(inspection.probe.checks.at(-1).detail, /too long/);
  assert(took < 20_000, `${took} ms`);
  const { report, stdout } = reported(t, [app, guest("endless"), "async", "init", "leak 3 40"]);
  assert.equal(stdout, "done\n");
  assert.equal(report.verdict.kind, "blind");
});

test("where the engine does not compile it at once, that is said and the app runs", (t) => {
  // As a page's main thread does with modules that are too large for it.
  const limit = `const { Module } = WebAssembly;
    const { exports } = Module;
    WebAssembly.Module = new Proxy(Module, { construct(target, args) {
      const module = Reflect.construct(target, args);
      if (exports(module).some((it) => it.name.startsWith("seepage:probe:"))) throw new RangeError("larger than 8MB");
      return module;
    } });`;
  const preload = `data:text/javascript,${encodeURIComponent(limit)}`;
  const file = join(folder(t), "report.json");
  const args = ["--import", preload, "--import", entry("register.js"), app, guest("host"), "sync", "leak 7 40"];
  const { stdout, stderr } = node(args, { hook: "none", options: `--no-cache -o ${file}` });
  assert.equal(stdout, "done\n", stderr);
  assert.match(stderr, /warning: what may be the allocator of the module .* was not tried: larger than 8MB/);
  assert.equal(JSON.parse(readFileSync(file, "utf8")).verdict.kind, "blind");
});

test("verdicts, readings and checks are the native tool's", () => {
  const own = ["allocators", "c"].flatMap((room) =>
    readdirSync(join(guests, room))
      .filter((name) => name.endsWith(".stripped.wasm"))
      .map((name) => join(guests, room, name)),
  );
  let passed = 0;
  for (const file of [...own, ...["host", "endless"].map(guest), ...PUBLISHED.map(published)]) {
    const run = spawnSync(nativeTool, ["inspect", "-f", "json", file], { encoding: "utf8" });
    assert.equal(run.status, 0, run.stderr);
    const native = JSON.parse(run.stdout);
    const { verdict, allocators, probe } = instrument(readFileSync(file)).inspection;
    const told = {
      verdict,
      allocators: allocators.map(({ function: name, role, family, how }) => ({ name, role, family, how })),
      outcome: probe.outcome,
      checks: probe.checks.map((check) => tell(check)),
    };
    assert.deepEqual(told, {
      verdict: native.verdict,
      allocators: native.allocators.map(({ name, role, family, how }) => ({ name, role, family, how })),
      outcome: native.probe.outcome,
      checks: native.probe.checks.map((check) => tell(check)),
    }, file);
    passed += Number(probe.outcome === "passed");
  }
  assert(passed >= 15, `${passed} have passed`);
});

/** A check, without the words that each engine has of its own for a trap. */
function tell({ function: index, name, passed, detail }) {
  return { index, name, passed, detail: detail.replace(/^it ends with: .*$/s, "it ends") };
}
