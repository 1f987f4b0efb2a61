// A page in Chromium: built by vite, clicked, and asked for its report.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { build, createServer, preview } from "vite";
import { fixtures, folder, root } from "./support.mjs";

const { default: seepage } = await import("seepage/vite");
const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const line = readFileSync(join(fixtures, "page/main.js"), "utf8").split("\n").findIndex((it) => it.includes("kept.push")) + 1;
/** What a page may run: no code made of strings. */
const POLICY = "default-src 'self' data:; script-src 'self' 'wasm-unsafe-eval'";

describe("in Chromium", { skip: !executablePath && "there is no Chromium: apt-get install chromium" }, () => {
  const clean = [];
  let browser, project;
  before(async () => {
    project = folder({ after: (then) => clean.push(then) });
    cpSync(join(fixtures, "page"), project, { recursive: true });
    cpSync(join(fixtures, "handles/built/0.2.130/web"), join(project, "glue"), { recursive: true });
    mkdirSync(join(project, "node_modules"));
    symlinkSync(root, join(project, "node_modules/seepage"));
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    clean.push(() => browser.close());
  });
  after(async () => {
    for (const then of clean.reverse()) await then();
  });

  const config = (plugins) => ({ root: project, configFile: false, logLevel: "silent", plugins });

  /** Opens a page, clicks, and gives what it says. */
  async function visit(url) {
    const page = await browser.newPage();
    const complaints = [];
    page.on("console", (message) => message.type() !== "debug" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(url);
    await page.waitForSelector("body[data-ready]", { timeout: 30_000 }).catch((error) => {
      throw new Error([...complaints, error.message].join("\n"));
    });
    for (let i = 0; i < 3; i++) await page.click("#leak");
    for (let i = 0; i < 2; i++) await page.click("#free");
    const told = await page.evaluate(() => {
      const { __seepage: seepage } = globalThis;
      if (seepage === undefined) return undefined;
      return { text: seepage.report(), data: JSON.parse(seepage.report({ format: "json" })), stats: seepage.stats() };
    });
    await page.close();
    return { told, complaints };
  }

  function check({ told, complaints }, name = "Buffer") {
    assert.deepEqual(complaints, []);
    const { objects, totals, module } = told.data;
    assert.deepEqual(
      objects.groups.map(({ class: name, created, freed, held }) => ({ name, created, freed, held })),
      [
        { name, created: 3, freed: 0, held: 3 },
        { name, created: 2, freed: 2, held: 0 },
      ],
    );
    assert.match(module.name, /^handles_bg.*\.wasm$/);
    assert(totals.live.bytes >= 300_000 && totals.live.bytes < 310_000, totals.live.bytes);
    assert.deepEqual(told.stats.live, totals.live);
    assert.match(told.text, /never freed: 3 of 3 [Bb]uffer(?: \(\w+ in the glue\))?, at least 293 KiB of the wasm heap, made at .*:\d+/);
    assert.match(told.text, /SUMMARY seepage: inconclusive/);
    return objects.groups[0].at;
  }

  test("with vite's development server", async () => {
    const server = await createServer({ ...config([seepage()]), server: { port: 0, fs: { strict: false }, hmr: false } });
    await server.listen();
    try {
      const at = check(await visit(server.resolvedUrls.local[0]));
      assert.match(at.file, /\/main\.js/);
      assert.equal(at.line, line);
    } finally {
      await server.close();
    }
  });

  test("in a build that asks for it, under a policy without eval", async () => {
    const outDir = join(project, "traced");
    await build({ ...config([seepage({ build: true })]), build: { outDir } });
    const server = await preview({ ...config([]), build: { outDir }, preview: { port: 0, headers: { "content-security-policy": POLICY } } });
    try {
      // The class has lost its name; the module's exports have it in lower case.
      check(await visit(server.resolvedUrls.local[0]), "buffer");
    } finally {
      await server.close();
    }
  });

  test("a build that does not ask is what it is without the plugin", async () => {
    const files = async (name, plugins) => {
      const outDir = join(project, name);
      await build({ ...config(plugins), build: { outDir } });
      return readdirSync(outDir, { recursive: true }).filter((path) => /\./.test(path)).sort().map((path) => [path, readFileSync(join(outDir, path), "latin1")]);
    };
    assert.deepEqual(await files("with", [seepage()]), await files("without", []));
  });
});
