// `npx seepage`: the same words and bytes as the native tool's.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fixtures, folder, guests, nativeTool, node, root } from "./support.mjs";

const cli = join(root, "dist/cli.js");
const library = join(guests, "rust/truth_unknown.release.wasm");
const script = join(fixtures, "register/library.mjs");

const seepage = (args, more = {}) => node([cli, ...args], { hook: "none", ...more });
const native = (args) => spawnSync(nativeTool, args, { encoding: "utf8", maxBuffer: 1 << 28 });

test("the report of a trace that the native tool has written is the native tool's", (t) => {
  const trace = join(folder(t), "trace");
  for (const [wasm, name, ...args] of [
    [library, "leak", "8", "20"],
    [join(guests, "rust/truth_unknown.dev.wasm"), "make", "40"],
    [join(guests, "rust/truth_unknown.v0.wasm"), "churn", "200"],
  ]) {
    native(["run", "--trace", trace, "--invoke", name, wasm, ...args]);
    for (const format of [["-f", "text"], ["-f", "json"], ["--top", "1"], []]) {
      const [own, theirs] = [seepage(["report", ...format, trace]), native(["analyze", ...format, trace])];
      assert.equal(own.stdout, theirs.stdout);
      assert.equal(own.stderr, theirs.stderr);
      assert.equal(own.status, theirs.status);
    }
  }
});

test("so it is for traces of every version, and for those that are cut or damaged", (t) => {
  const vectors = join(root, "../tests/vectors");
  const whole = readdirSync(vectors).filter((name) => /trace/.test(name)).map((name) => readFileSync(join(vectors, name)));
  assert(whole.length > 0);
  const file = join(folder(t), "trace");
  for (const bytes of whole) {
    const damaged = Buffer.from(bytes);
    damaged[damaged.length >> 1] ^= 0xff;
    for (const variant of [bytes, bytes.subarray(0, bytes.length - 3), bytes.subarray(0, 20), bytes.subarray(0, 5), damaged, Buffer.alloc(0), Buffer.from("other")]) {
      writeFileSync(file, variant);
      const [own, theirs] = [seepage(["report", file]), native(["analyze", file])];
      assert.equal(own.stdout, theirs.stdout);
      assert.equal(own.status, theirs.status, own.stderr + theirs.stderr);
      assert.equal(own.stderr.split("\n")[0], theirs.stderr.split("\n")[0]);
    }
  }
});

test("a saved report is rendered again", (t) => {
  const file = join(folder(t), "report.json");
  const { stderr } = node([script, library, "leak 8 3"], { options: `-o ${file}` });
  assert.equal(stderr, "");
  const { stdout } = seepage(["report", file]);
  assert.match(stdout, /SUMMARY seepage: inconclusive live_blocks=3 live_bytes=24 /);
  assert.equal(seepage(["report", "-f", "json", file]).stdout, readFileSync(file, "utf8"));
});

test("a saved report with objects is the native tool's as well, byte for byte", (t) => {
  const file = join(folder(t), "report.json");
  const { stderr } = node([join(fixtures, "register/objects.mjs"), "0.2.130", "nodejs"], { options: `-o ${file}` });
  assert.equal(stderr, "");
  for (const format of ["text", "json"]) {
    const own = seepage(["report", "-f", format, file]).stdout;
    assert.equal(native(["analyze", "-f", format, file]).stdout, own);
    assert.match(own, format === "json" ? /"class": "Buffer"/ : /^18 objects made: 10 never freed/);
  }
  assert.equal(seepage(["report", "-f", "json", file]).stdout, readFileSync(file, "utf8"));
  writeFileSync(file, readFileSync(file, "utf8").replace('"created": 10', '"created": -10'));
  for (const { status, stderr } of [seepage(["report", file]), native(["analyze", file])]) {
    assert.equal(status, 2);
    assert.match(String(stderr), /^seepage: error: /);
  }
});

test("an instrumented module is the native tool's", (t) => {
  const path = folder(t);
  for (const transport of ["ring", "call"]) {
    const [own, theirs] = [join(path, "own.wasm"), join(path, "theirs.wasm")];
    const { stderr, status } = seepage(["instrument", "--transport", transport, "-o", own, library]);
    assert.equal(status, 0, stderr);
    native(["instrument", "--transport", transport, "-o", theirs, library]);
    assert.deepEqual(readFileSync(own), readFileSync(theirs));
  }
});

test("run is node under register, with the script's own exit code", (t) => {
  const file = join(folder(t), "report.json");
  const { stdout } = seepage(["run", "-o", file, script, library, "leak 8 3"]);
  assert.equal(stdout, "3 24\n");
  assert.equal(JSON.parse(readFileSync(file, "utf8")).totals.live.blocks, 3);
  const failing = join(folder(t), "failing.mjs");
  writeFileSync(failing, "process.exit(process.argv.length)");
  assert.equal(seepage(["run", failing, "one", "--two"]).status, 4);
});

test("what cannot be done is said in one line", () => {
  for (const [args, words] of [
    [["frobnicate"], /^seepage: error: unrecognized subcommand 'frobnicate'\n/],
    [["report", "/nowhere"], /^seepage: error: failed to read `\/nowhere`/],
    [["report"], /^seepage: error: a trace or a report is required\n$/],
    [["instrument", library], /^seepage: error: `--output FILE` is required\n$/],
    [["instrument", "-o", "-", script], /^seepage: error: not a WebAssembly module/],
  ]) {
    const { stderr, status, stdout } = seepage(args);
    assert.match(stderr, words);
    assert.equal(status, 2);
    assert.equal(stdout, "");
  }
  assert.match(seepage(["--help"]).stdout, /Usage: seepage <COMMAND>/);
});
