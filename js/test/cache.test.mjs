// Instrumented modules are kept from one run to the next, and nobody can tell but by the time.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { entry, fixtures, folder, guests, node, reported } from "./support.mjs";

const library = join(guests, "rust/truth_unknown.release.wasm");
const script = join(fixtures, "register/library.mjs");
const calls = ["leak 100 5", "churn 100"];

const run = (t, options, file = library) => {
  const { report, stderr, stdout } = reported(t, [script, file, ...calls], { options });
  assert.equal(stderr, "");
  return { stdout, totals: report.totals, contexts: report.contexts, module: report.module };
};

test("what was made is used again, for the same bytes and options only", (t) => {
  const path = folder(t);
  const made = () => readdirSync(path).sort();
  const plain = run(t, "--no-cache");
  assert.deepEqual(run(t, `--cache ${path}`), plain);
  const first = made();
  assert.equal(first.length, 1);
  // It is read, and not made anew: it carries a mark that only its use sets.
  const file = join(path, first[0]);
  utimesSync(file, 1e9, 1e9);
  const { ino } = statSync(file);
  assert.deepEqual(run(t, `--cache ${path}`), plain);
  assert.equal(statSync(file).ino, ino);
  assert(statSync(file).mtimeMs > 1e12);

  assert.equal(run(t, `--cache ${path} --no-context`).module.contexts, false);
  assert.equal(made().length, 2);
  run(t, `--cache ${path}`, join(guests, "rust/truth_unknown.v0.wasm"));
  assert.equal(made().length, 3);
});

test("a file that is damaged, cut or empty is made anew", (t) => {
  const path = folder(t);
  const plain = run(t, `--cache ${path}`);
  const file = join(path, readdirSync(path)[0]);
  const good = readFileSync(file);
  const flipped = Buffer.from(good);
  flipped[good.length >> 1] ^= 1;
  for (const bad of [flipped, good.subarray(0, good.length - 1), good.subarray(0, 20), Buffer.alloc(0)]) {
    writeFileSync(file, bad);
    assert.deepEqual(run(t, `--cache ${path}`), plain);
    assert.deepEqual(readFileSync(file), good);
  }
});

test("many processes at once write one file", async (t) => {
  const path = folder(t);
  const codes = Array.from({ length: 4 }, () => {
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: "", SEEPAGE_OPTIONS: `--cache ${path}` };
    const child = spawn(process.execPath, ["--import", entry("register.js"), script, library, ...calls], { env, stdio: "ignore" });
    return new Promise((resolve) => child.on("exit", resolve));
  });
  assert.deepEqual(await Promise.all(codes), [0, 0, 0, 0]);
  assert.match(readdirSync(path).join(), /^[0-9a-f]{64}\.wasm$/);
});

test("a folder that cannot be had is no trouble", () => {
  const { stdout, status } = node([script, library, ...calls], { options: "--cache /dev/null/nowhere" });
  assert.equal(status, 0);
  assert.equal(stdout, "5 500\n");
});
