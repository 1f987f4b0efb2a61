// What the tests share: running scripts under the package as it is built.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");
export const guests = join(root, "../tests/programs");
export const fixtures = join(root, "test/fixtures");

/** A folder that is gone after the test. */
export function folder(test) {
  const path = mkdtempSync(join(tmpdir(), "seepage-test-"));
  test.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** Runs node, by default under `register`; `options` are those of `SEEPAGE_OPTIONS`. */
export function node(args, { hook = "--import", options = "", env = {}, cwd = root } = {}) {
  const register = { "--import": ["--import", entry("register.js")], "--require": ["--require", join(root, "dist/register.cjs")], none: [] };
  const run = spawnSync(process.execPath, [...register[hook], ...args], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "", NODE_TEST_CONTEXT: undefined, SEEPAGE_OPTIONS: options, ...env },
    timeout: 120_000,
  });
  if (run.error) throw run.error;
  return run;
}

export const entry = (name) => pathToFileURL(join(root, "dist", name)).href;

/** The same, with the report as data. */
export function reported(test, args, more = {}) {
  const file = join(folder(test), "report.json");
  const run = node(args, { ...more, options: `${more.options ?? ""} --output ${file}` });
  const report = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  return { ...run, report };
}

/** The native tool. */
export const nativeTool = process.env.SEEPAGE_BINARY ?? join(root, "../target/debug/seepage");
