// Pages in Chromium that leak when they are clicked.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { chromium } from "playwright-core";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

export function launch() {
  if (executablePath === undefined) throw new Error("there is no Chromium: apt-get install chromium");
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

/** Serves a folder, until `close` is called. */
export async function serve(folder) {
  const server = createServer(({ url }, response) => {
    const path = join(folder, new URL(url, "http://a").pathname.replace(/\/$/, "/index.html"));
    if (!existsSync(path)) return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" }).end(readFileSync(path));
  });
  await new Promise((done) => server.listen(0, done));
  return { url: `http://localhost:${server.address().port}/`, close: () => server.close() };
}

/** Opens a page, clicks, and gives what it says. */
export async function visit(browser, url) {
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
    return { worker: document.body.dataset.worker, text: seepage.report(), data: JSON.parse(seepage.report({ format: "json" })), stats: seepage.stats() };
  });
  await page.close();
  return { told, complaints };
}

/** What there is to say of three buffers of 100,000 bytes that are not freed, and two that are. */
export function check({ told, complaints }, name = "Buffer", file = /^handles_bg.*\.wasm$/) {
  assert.deepEqual(complaints, []);
  const { objects, totals, module } = told.data;
  assert.deepEqual(
    objects.groups.map(({ class: name, created, freed, held }) => ({ name, created, freed, held })),
    [
      { name, created: 3, freed: 0, held: 3 },
      { name, created: 2, freed: 2, held: 0 },
    ],
  );
  assert.match(module.name, file);
  assert(totals.live.bytes >= 300_000 && totals.live.bytes < 310_000, totals.live.bytes);
  assert.deepEqual(told.stats.live, totals.live);
  assert.match(told.text, /never freed: 3 of 3 [Bb]uffer(?: \(\w+ in the glue\))?, at least 293 KiB of the wasm heap, made at .*:\d+/);
  assert.match(told.text, /SUMMARY seepage: inconclusive/);
  return objects.groups[0].at;
}

