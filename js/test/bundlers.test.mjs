// The plugin in each bundler: what it bundles is run, and says what leaks; what nobody asks for is as it was.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import wasm from "vite-plugin-wasm";
import { bundlers } from "./bundlers.mjs";
import { check, launch, serve, visit } from "./pages.mjs";
import { fixtures, folder, guests, node, root } from "./support.mjs";

describe("bundlers", () => {
  const clean = [];
  let project, browser;
  before(async () => {
    project = folder({ after: (then) => clean.push(then) });
    cpSync(join(fixtures, "bundles"), project, { recursive: true });
    for (const [target, built] of [["web", "0.2.130/web"], ["bundler", "0.2.130/bundler"], ["old", "0.2.92/web"]]) {
      cpSync(join(fixtures, "handles/built", built), join(project, "glue", target), { recursive: true });
    }
    cpSync(join(guests, "rust/truth_unknown.release.wasm"), join(project, "glue/library.wasm"));
    mkdirSync(join(project, "node_modules"));
    symlinkSync(root, join(project, "node_modules/seepage"));
    symlinkSync(join(root, "node_modules/tiktoken"), join(project, "node_modules/tiktoken"));
    browser = await launch();
    clean.push(() => browser.close());
  });
  after(async () => {
    for (const then of clean.reverse()) await then();
  });

  let count = 0;
  const fresh = () => join(project, `out-${count++}`);
  const page = (script) => readFileSync(join(project, "page.html"), "utf8").replace("ENTRY", script);

  /** Bundles, and gives what the page says when it is clicked. */
  async function visited(name, how) {
    const out = fresh();
    await bundlers[name]({ project, out, options: { enabled: true }, ...how });
    const html = how.entry.endsWith(".html") ? how.entry : "index.html";
    if (html === "index.html") writeFileSync(join(out, html), page("main.js"));
    const server = await serve(out);
    try {
      return await visit(browser, `${server.url}${html}`);
    } finally {
      server.close();
    }
  }

  for (const [name, entry, more = {}, file] of [
    ["webpack", "imported.js", {}, /\.wasm$/],
    ["webpack", "asset.js", {}, /\.wasm$/],
    ["rspack", "imported.js", {}, /\.wasm$/],
    ["rspack", "asset.js", {}, /\.wasm$/],
    ["rollup", "asset.js"],
    ["rolldown", "asset.js"],
    ["esbuild", "url.js", { loader: "file" }],
    ["esbuild", "url.js", { loader: "file", format: "iife" }],
    ["esbuild", "bytes.js", { loader: "binary" }, /wasm/],
    ["webpack", "old.js", {}, /\.wasm$/],
    ["rolldown", "old.js"],
    ["esbuild", "old.js"],
  ]) {
    test(`${name}, a page: ${entry} ${JSON.stringify(more)}`, async () => {
      check(await visited(name, { entry, ...more }), "Buffer", file);
    });
  }

  for (const name of ["webpack", "rspack", "vite"]) {
    test(`${name}: a published package`, async () => {
      writeFileSync(join(project, "published.html"), page("published.js"));
      const entry = name === "vite" ? "published.html" : "published.js";
      const { told, complaints } = await visited(name, { entry, more: [wasm()] });
      assert.deepEqual(complaints, []);
      const counts = told.data.objects.groups.map(({ class: name, created, freed }) => [name, created, freed]);
      assert.deepEqual(counts, [["Tiktoken", 3, 0], ["Tiktoken", 2, 2]]);
    });
  }

  test("vite with vite-plugin-wasm", async () => {
    writeFileSync(join(project, "imported.html"), page("imported.js"));
    check(await visited("vite", { entry: "imported.html", more: [wasm()] }));
  });

  test("vite, `?init` and a worker", async () => {
    writeFileSync(join(project, "init.html"), page("init.js"));
    const { told, complaints } = await visited("vite", { entry: "init.html" });
    assert.deepEqual(complaints, []);
    assert.deepEqual(told.stats.live, { blocks: 3, bytes: 300_000 });
    assert.equal(told.worker, '{"blocks":7,"bytes":700}');
  });

  for (const [name, entry, more = {}] of [
    ["webpack", "imported.js"],
    ["rspack", "imported.js"],
    ["rollup", "file.js"],
    ["rolldown", "file.js"],
    ["esbuild", "bytes.js", { loader: "binary" }],
    ["esbuild", "bytes.js", { loader: "binary", format: "cjs" }],
  ]) {
    test(`${name}, for Node: ${entry} ${JSON.stringify(more)}`, async () => {
      const bundle = await bundlers[name]({ project, entry, out: fresh(), options: { enabled: true }, node: true, ...more });
      const report = join(project, `report-${count}.json`);
      const args = [bundle, join(project, "glue/web/handles_bg.wasm")];
      const { stderr, status } = node(args, { hook: "none", cwd: project, options: `-o ${report}` });
      assert.deepEqual([stderr, status], ["", 0]);
      const { objects, totals } = JSON.parse(readFileSync(report, "utf8"));
      const counts = objects.groups.map(({ class: name, created, freed }) => [name, created, freed]);
      assert.deepEqual(counts, [["Buffer", 3, 0], ["Buffer", 2, 2]]);
      assert(totals.live.bytes >= 300_000 && totals.live.bytes < 310_000, totals.live.bytes);
    });
  }

  for (const [name, more] of [
    ["webpack", { entry: "imported.js", mode: "production" }],
    ["rspack", { entry: "imported.js", mode: "production" }],
    ["rollup", { entry: "asset.js" }],
    ["rolldown", { entry: "asset.js" }],
    ["esbuild", { entry: "url.js", loader: "file" }],
    ["vite", { entry: "asset.html", minify: true }],
  ]) {
    test(`${name}: nothing is added to a bundle that nobody asked to trace`, async () => {
      writeFileSync(join(project, "asset.html"), page("asset.js"));
      // In one folder, for some bundlers have its name in their output.
      const out = fresh();
      const made = [];
      for (const options of [null, {}, { enabled: true }]) {
        await bundlers[name]({ project, ...more, out, options });
        made.push(filesIn(out));
      }
      const [without, plain, traced] = made;
      assert.deepEqual(plain, without);
      assert(Object.keys(without).length > 1);
      assert.notDeepEqual(traced, without);
    });
  }

  test("who is asked: the option, then the variable SEEPAGE, then what is run", async () => {
    const { SEEPAGE, NODE_ENV } = process.env;
    const isTraced = async (variables, options = {}) => {
      for (const name of ["SEEPAGE", "NODE_ENV"]) delete process.env[name];
      Object.assign(process.env, variables);
      const file = await bundlers.esbuild({ project, out: fresh(), entry: "app.js", options });
      return readFileSync(file, "utf8").includes("__seepage");
    };
    try {
      assert.equal(await isTraced({}), false);
      assert.equal(await isTraced({ NODE_ENV: "production" }), false);
      assert.equal(await isTraced({ NODE_ENV: "test" }), true);
      assert.equal(await isTraced({ NODE_ENV: "test", SEEPAGE: "0" }), false);
      assert.equal(await isTraced({ SEEPAGE: "1" }), true);
      assert.equal(await isTraced({ SEEPAGE: "1" }, { enabled: false }), false);
    } finally {
      Object.assign(process.env, SEEPAGE === undefined ? {} : { SEEPAGE }, NODE_ENV === undefined ? {} : { NODE_ENV });
    }
  });
});

function filesIn(folder) {
  const paths = readdirSync(folder, { recursive: true }).filter((path) => statSync(join(folder, path)).isFile());
  return Object.fromEntries(paths.sort().map((path) => [path, readFileSync(join(folder, path), "latin1")]));
}
