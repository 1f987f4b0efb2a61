// A page in Chromium: built by vite, clicked, and asked for its report.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { build, createServer, preview } from "vite";
import { check, launch, visit } from "./pages.mjs";
import { fixtures, folder, root } from "./support.mjs";

const { default: seepage } = await import("seepage/vite");
const line = readFileSync(join(fixtures, "page/main.js"), "utf8").split("\n").findIndex((it) => it.includes("kept.push")) + 1;
/** What a page may run: no code made of strings. */
const POLICY = "default-src 'self' data:; script-src 'self' 'wasm-unsafe-eval'";

describe("in Chromium", () => {
  const clean = [];
  let browser, project;
  before(async () => {
    project = folder({ after: (then) => clean.push(then) });
    cpSync(join(fixtures, "page"), project, { recursive: true });
    cpSync(join(fixtures, "handles/built/0.2.130/web"), join(project, "glue"), { recursive: true });
    mkdirSync(join(project, "node_modules"));
    symlinkSync(root, join(project, "node_modules/seepage"));
    browser = await launch();
    clean.push(() => browser.close());
  });
  after(async () => {
    for (const then of clean.reverse()) await then();
  });

  const config = (plugins) => ({ root: project, configFile: false, logLevel: "silent", plugins });

  test("with vite's development server", async () => {
    const server = await createServer({ ...config([seepage()]), server: { port: 0, fs: { strict: false }, hmr: false } });
    await server.listen();
    try {
      const at = check(await visit(browser, server.resolvedUrls.local[0]));
      assert.match(at.file, /\/main\.js/);
      assert.equal(at.line, line);
    } finally {
      await server.close();
    }
  });

  test("in a build that asks for it, under a policy without eval", async () => {
    const outDir = join(project, "traced");
    await build({ ...config([seepage({ enabled: true })]), build: { outDir } });
    const server = await preview({ ...config([]), build: { outDir }, preview: { port: 0, headers: { "content-security-policy": POLICY } } });
    try {
      // The class has lost its name; the module's exports have it in lower case.
      check(await visit(browser, server.resolvedUrls.local[0]), "buffer");
    } finally {
      await server.close();
    }
  });
});
