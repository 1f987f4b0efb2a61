// Moments that are marked, by the guest, at exports and by the script: what is told of them is what the
// native tool tells.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { launch, serve } from "./pages.mjs";
import { fixtures, folder, guests, nativeTool, node, reported, root } from "./support.mjs";

const kinds = join(guests, "kinds/c");
const command = join(fixtures, "register/command.mjs");
/** Why a mark without an image has no kinds. */
const UNSEEN = "there is no image of the memory";
const calls = join(fixtures, "register/calls.mjs");

/** What the native tool says of a run. */
function natively(t, ...args) {
  const file = join(folder(t), "native.json");
  const { error } = spawnSync(nativeTool, ["run", "-o", file, ...args]);
  assert.equal(error, undefined);
  return JSON.parse(readFileSync(file, "utf8"));
}

for (const file of ["marks.O0.wasm", "marks.O2.wasm", "marks_imported.O2.wasm"]) {
  test(file, (t) => {
    const wasm = join(kinds, file);
    for (const scenario of ["none_lost", "lost_between", "many_marks"]) {
      const { report, stderr, status } = reported(t, ["--no-warnings", command, wasm, scenario]);
      assert.deepEqual([status, stderr], [0, ""]);
      assert(report.marks.length >= 3);
      assert.match(report.marks[0].name, /^seepage_mark #1$/);
      assert(report.marks.every(({ leaks, account }) => leaks != null && account != null));
      assert.deepEqual(report.marks, natively(t, wasm, scenario).marks);
    }
  });
}

test("--mark-export marks each return of an export, in the modules that have it", (t) => {
  const wasm = join(kinds, "calls.O2.wasm");
  const expected = natively(t, "--mark-export", "request", "--invoke", "request", "--repeat", "3", wasm, "40").marks;
  const options = "--mark-export request --mark-export nowhere";
  const args = ["--no-warnings", calls, wasm, "request 40", "request 40", "request 40"];
  const { report, stderr } = reported(t, args, { options });
  assert.equal(stderr, "");
  assert.equal(report.marks[2].leaks.definitely_lost.bytes, 120);
  assert.deepEqual(report.marks, expected);
});

test("a trace with marks gives the same report, here and natively", (t) => {
  const path = folder(t);
  const [json, trace] = [join(path, "report.json"), join(path, "trace")];
  const wasm = join(kinds, "marks.O0.wasm");
  const cli = join(root, "dist/cli.js");
  const npx = (...args) => node([cli, ...args], { hook: "none" });
  npx("run", "--trace", trace, "-o", json, command, wasm, "lost_between");
  const [live, ours] = [readFileSync(json, "utf8"), npx("report", "-f", "json", trace)].map((it) => it.stdout ?? it);
  const theirs = spawnSync(nativeTool, ["analyze", "-f", "json", trace], { encoding: "utf8" });
  assert.equal(ours, theirs.stdout);
  const both = [live, ours].map((text) => JSON.parse(text));
  assert.deepEqual(both[0].marks, both[1].marks);
  assert.deepEqual(both[0].leaks, both[1].leaks);
  assert.equal(both[0].marks[3].leaks.still_reachable.bytes, 110);
});

test("the script's marks have kinds while images are taken", (t) => {
  const wasm = join(kinds, "calls.O2.wasm");
  const script = ["--no-warnings", calls, wasm, "request 40", "heap.mark", "heap.mark", "heap.mark", "request 9"];
  const told = ({ report }) => report.marks.map(({ leaks, not_judged }) => leaks?.definitely_lost.bytes ?? not_judged);
  const env = { PAGES: "8192" };
  const some = reported(t, script, { env });
  assert.deepEqual(told(some), [40, 40, UNSEEN]);
  assert.equal(some.report.leaks.definitely_lost.bytes, 49);
  assert.deepEqual(told(reported(t, script, { env, options: "--trace-images all" })), [40, 40, 40]);
  const none = reported(t, script, { env, options: "--trace-images off" });
  assert.deepEqual(told(none), [UNSEEN, UNSEEN, UNSEEN]);
  assert.equal(none.report.leaks, null);
});

test("in Chromium", async (t) => {
  const site = folder(t);
  symlinkSync(join(root, "dist"), join(site, "dist"));
  cpSync(join(fixtures, "register/page.html"), join(site, "index.html"));
  const server = await serve(site);
  const browser = await launch();
  try {
    for (const [name, ...args] of [["marks_imported.O2.wasm", "lost_between"], ["ends.O2.wasm", "exit", "7"]]) {
      cpSync(join(kinds, name), join(site, name));
      const page = await browser.newPage();
      const complaints = [];
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(String(error)));
      await page.goto(server.url);
      await page.waitForSelector("body[data-ready]", { timeout: 30_000, state: "attached" });
      const report = await page.evaluate((it) => globalThis.run(...it), [name, [name, ...args]]);
      const expected = natively(t, join(kinds, name), ...args);
      assert.deepEqual(complaints, []);
      assert.deepEqual(report.marks, expected.marks);
      assert.deepEqual(report.leaks, expected.leaks);
      await page.close();
    }
  } finally {
    await browser.close();
    server.close();
  }
});
