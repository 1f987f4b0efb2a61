// `node --import seepage/register`: nothing changes for the app, and the heap is what it is.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fixtures, folder, guests, nativeTool, node, reported, root } from "./support.mjs";

const library = join(guests, "rust/truth_unknown.release.wasm");
const script = join(fixtures, "register/library.mjs");
const calls = ["leak 100 5", "churn 1000", "leak 40 3", "make 4"];

for (const hook of ["--import", "--require"]) {
  test(`${hook}: blocks and bytes are the guest's own`, (t) => {
    const { stdout, stderr, report } = reported(t, [script, library, ...calls], { hook });
    const [blocks, bytes] = stdout.split(" ").map(Number);
    assert.deepEqual(report.totals.live, { blocks, bytes }, stderr);
    assert.equal(report.totals.heap_errors, 0);
    assert.equal(report.dropped.unknown_contexts, 0);
    assert.equal(report.module.name, "library.mjs (wasm)");
  });
}

test("what a library still holds at the end of the process is no leak", (t) => {
  const { report } = reported(t, [script, library, "make 4"]);
  assert.equal(report.verdict.kind, "inconclusive");
  assert.deepEqual(report.findings, []);
});

test("an allocator that nobody knows is asked what its blocks can hold", (t) => {
  const guest = join(guests, "usable/classes.header.O2.wasm");
  for (const transport of ["call", "auto"]) {
    const command = ["--no-warnings", join(fixtures, "register/command.mjs"), guest];
    const { report } = reported(t, command, { options: `--transport ${transport}` });
    // As the program says itself: what blocks can hold, with 16 bytes in front of each.
    assert.deepEqual([report.memory.overhead, report.memory.account.overhead], ["measured", 824224 + 16 * 185 - 460994]);
  }
});

test("both transports tell the same", (t) => {
  // Node 20 has one memory a module.
  const transports = WebAssembly.validate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 5, 2, 0, 0, 0, 0]))
    ? ["call", "ring", "auto"]
    : ["call", "auto"];
  const tell = (transport) => {
    const { report } = reported(t, [script, library, ...calls], { options: `--transport ${transport}` });
    return { totals: report.totals, contexts: report.contexts };
  };
  const [first, ...others] = transports.map(tell);
  for (const other of others) assert.deepEqual(other, first);
});

test("stacks are those of the native tool", (t) => {
  for (const file of ["rust/truth_unknown.release.wasm", "rust/truth_unknown.dev.wasm"]) {
    const wasm = join(guests, file);
    for (const [name, ...args] of [["leak", "100", "5"], ["make", "40"], ["churn", "50"]]) {
      const run = spawnSync(nativeTool, ["run", "--format", "json", "--invoke", name, wasm, ...args], { encoding: "utf8" });
      const native = JSON.parse(run.stdout.slice(run.stdout.indexOf("{")));
      const { report } = reported(t, [script, wasm, [name, ...args].join(" ")]);
      assert(report.contexts.length > 0);
      assert.deepEqual(report.contexts, native.contexts, `${file}: ${name}`);
      assert.deepEqual(report.sizes, native.sizes);
    }
  }
});

test("the report of a trace is the native tool's, byte for byte", (t) => {
  const trace = join(folder(t), "trace");
  for (const format of ["json", "text"]) {
    const { stdout, stderr } = node([script, library, ...calls], { options: `--trace ${trace} -f ${format}` });
    const native = spawnSync(nativeTool, ["analyze", "--format", format, trace], { encoding: "utf8" });
    assert.equal(native.stderr, "");
    const own = format === "json" ? stdout.slice(stdout.indexOf("{")) : stderr;
    // Only who has a trace is told to analyze it.
    const withoutAdvice = (text) => text.replace(/^next: .*\n/gm, "");
    assert.equal(withoutAdvice(own), withoutAdvice(native.stdout));
  }
});

test("every way to an instance is traced, and none looks different", (t) => {
  for (const hook of ["none", "--import"]) {
    const { stdout, stderr } = node([join(fixtures, "register/ways.mjs"), library], { hook });
    assert.equal(stdout, "as ever\n", stderr);
  }
  const { report } = reported(t, [join(fixtures, "register/ways.mjs"), library]);
  assert.equal(report.modules.length + 1, 10);
  assert.equal(report.totals.live.blocks, 10);
});

test("a module that cannot be instrumented runs as it is, with one warning", (t) => {
  const text = `
    const text = (text) => [text.length, ...Buffer.from(text)];
    const object = new Uint8Array([0,97,115,109,1,0,0,0, 2,24,1,...text("env"),...text("__linear_memory"),2,0,1, 7,5,1,1,109,2,0, 0,9,...text("linking"),2]);
    const env = { __linear_memory: new WebAssembly.Memory({ initial: 1 }) };
    for (let i = 0; i < 3; i++) {
      const module = new WebAssembly.Module(object);
      console.log(new WebAssembly.Instance(module, { env }).exports.m.buffer.byteLength);
    }`;
  const { stdout, stderr, status } = node(["--input-type=module", "--eval", text]);
  assert.equal(stdout, "65536\n65536\n65536\n");
  assert.equal(status, 0);
  assert.match(stderr, /^seepage: warning: the wasm heap of the module .* is not traced: unsupported feature: a relocatable object file/);
  assert.equal(stderr.trim().split("\n").length, 1, stderr);
});

test("a program without wasm is not spoken of", () => {
  const { stdout, stderr } = node(["--eval", "console.log('nothing here')"]);
  assert.deepEqual([stdout, stderr], ["nothing here\n", ""]);
});

test("Node's own modules are none of the user's", () => {
  const { stdout, stderr } = node(["--input-type=module", "--eval", "await fetch('data:,text').then((r) => r.text()).then(console.log)"]);
  assert.deepEqual([stdout, stderr], ["text\n", ""]);
});

test("no code is made of strings", (t) => {
  const { report } = reported(t, ["--disallow-code-generation-from-strings", script, library, "leak 8 1"]);
  assert.equal(report.totals.live.blocks, 1);
});

test("two copies of the package are one", (t) => {
  const { report, stderr } = reported(t, ["--require", join(root, "dist/register.cjs"), script, library, "leak 8 2"]);
  assert.equal(report.totals.live.blocks, 2, stderr);
  assert.equal(report.modules, undefined);
});

test("an option that is none is an error, before the app runs", () => {
  const { status, stdout, stderr } = node([script, library], { options: "--frobnicate" });
  assert.notEqual(status, 0);
  assert.equal(stdout, "");
  assert.match(stderr, /SEEPAGE_OPTIONS: unexpected argument '--frobnicate'/);
});

test("the exit code is the app's", () => {
  assert.equal(node(["--eval", "process.exitCode = 7"]).status, 7);
  assert.equal(node(["--eval", "throw new Error('its own')"]).status, 1);
});

test("a report on demand, and the app goes on", (t) => {
  const text = `
    import { readFileSync, readdirSync, writeFileSync } from "node:fs";
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(${JSON.stringify(library)})));
    exports.leak(8, 3);
    process.kill(process.pid, "SIGUSR2");
    setTimeout(() => exports.leak(8, 2), 200);`;
  const { stderr } = node(["--input-type=module", "--eval", text]);
  assert.deepEqual([...stderr.matchAll(/SUMMARY .* live_blocks=(\d+)/g)].map(([, n]) => n), ["3", "5"], stderr);
});

for (const own of [[], ["--no-warnings"]]) {
  test(`threads have reports of their own${own.length > 0 ? ", also with their own arguments" : ""}`, (t) => {
    const path = folder(t);
    const { stdout, stderr } = node([join(fixtures, "register/threads.mjs"), library, ...own], { options: `-o ${join(path, "report.json")}` });
    assert.equal(stdout, "true\nthread 0\n", stderr);
    const live = (name) => JSON.parse(readFileSync(join(path, name), "utf8")).totals.live;
    assert.deepEqual(live("report.json"), { blocks: 2, bytes: 16 });
    // Node has threads of its own, which count.
    const [other] = readdirSync(path).filter((name) => /^report\.thread-\d+\.json$/.test(name));
    assert.deepEqual(live(other), { blocks: 3, bytes: 48 });
  });
}

test("a module without a memory and an allocator is no module of the report", (t) => {
  const { report, stderr } = reported(t, [join(fixtures, "register/trampoline.mjs"), library]);
  assert.equal(stderr, "");
  assert.equal(report.modules, undefined);
  assert.deepEqual(report.totals.live, { blocks: 1, bytes: 24 });
});

test("threads that had no time to report are counted", (t) => {
  const run = (...ends) => node([join(fixtures, "register/terminated.mjs"), library, ...ends], { options: `--output ${join(folder(t), "report.txt")}` });
  const warning = (threads) => `seepage: warning: ${threads} traced a module and ended without a report: worker.terminate() and process.exit() give it no time\n`;
  assert.equal(run("return").stderr, "");
  assert.equal(run("terminate").stderr, warning("1 thread has"));
  assert.equal(run("terminate", "return", "terminate").stderr, warning("2 threads have"));
});

test("with a baseline, leaks that are not in it end the process with 23", (t) => {
  const file = join(folder(t), "leaks.txt");
  const run = (options) => node([join(fixtures, "register/objects.mjs"), "0.2.130", "nodejs"], { options: `--output /dev/null ${options}` });
  assert.equal(run("").status, 0);
  const before = run(`--baseline ${file}`);
  assert.equal(before.status, 23);
  assert.match(before.stderr, /^seepage: warning: the baseline .*leaks\.txt cannot be read: no leak is known\n/);
  assert.match(before.stderr, /\nseepage: there are leaks that are not in .*leaks\.txt\n\nBuffer: \d+, made at test\/fixtures\/register\/objects\.mjs:\d+:\d+ and never freed\n/);
  assert.deepEqual(run(`--baseline ${file} --update-baseline`).status, 0);
  assert.equal(readFileSync(file, "utf8"), "Buffer (test/fixtures/register/objects.mjs)\n");
  const after = run(`--baseline ${file}`);
  assert.deepEqual([after.status, after.stderr], [0, ""]);
  writeFileSync(file, "Other (test/fixtures/register/objects.mjs)\n");
  assert.equal(run(`--baseline ${file}`).status, 23);
});
