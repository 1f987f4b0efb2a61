/**
 * Installs the tracking of objects as `register` does, with the least that a test needs: the ways to
 * make an instance are observed, and glue that must announce its classes is told to by `load`.
 */
import { readFileSync, writeFileSync, mkdtempSync, copyFileSync, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { announceClasses, install } from "../../dist/handles/index.js";

export const handles = install();

const { Instance, instantiate } = WebAssembly;
WebAssembly.Instance = new Proxy(Instance, {
  construct(target, [module, imports], newTarget) {
    const observed = handles.observeImports(imports);
    const instance = Reflect.construct(target, [module, observed], newTarget);
    handles.observeExports(instance.exports, instance, { module, imports });
    return instance;
  },
});
WebAssembly.instantiate = async function hooked(source, imports) {
  const observed = handles.observeImports(imports);
  const site = handles.captureSite(hooked);
  const result = await instantiate(source, observed);
  const instance = result instanceof Instance ? result : result.instance;
  const module = result instanceof Instance ? source : result.module;
  handles.observeExports(instance.exports, instance, { module, imports, site });
  return result;
};

export const require = createRequire(import.meta.url);
export const built = (path) => fileURLToPath(new URL(`../fixtures/handles/built/${path}`, import.meta.url));

/** Imports glue as a loader hook would have it: with its classes announced. Gives its namespace. */
export async function importAnnounced(path) {
  const source = readFileSync(path, "utf8");
  const announced = announceClasses(source);
  if (announced === undefined) return import(pathToFileURL(path));
  const copy = join(mkdtempSync(join(tmpdir(), "handles-")), basename(path).replace(/\.c?js$/, path.endsWith(".cjs") ? ".cjs" : ".mjs"));
  writeFileSync(copy, announced);
  for (const wasm of [path.replace(/\.[cm]?js$/, "_bg.wasm"), join(dirname(path), "index_bg.wasm")]) {
    if (existsSync(wasm)) copyFileSync(wasm, join(dirname(copy), basename(wasm)));
  }
  return import(pathToFileURL(copy));
}

/** Class, line and counts of what was made in `file` since `mark`, in the order of the lines. */
export function counts(file, mark, offset = 0) {
  return handles
    .since(mark)
    .filter((one) => one.at?.file.endsWith(basename(file)))
    .map(({ class: name, at, created, freed, moved, late, lost }) => {
      const held = created - freed - moved - late - lost;
      return { class: name, line: at.line - offset, created, freed, moved, late, lost, held };
    })
    .sort((a, b) => a.line - b.line || a.class.localeCompare(b.class));
}

/** The line of this call in its file, plus `offset`. */
export function line(offset = 0) {
  const text = new Error().stack.split("\n")[2];
  return Number(/:(\d+):\d+\)?$/.exec(text)[1]) + offset;
}

/** Collects garbage and lets what waits for it run. Needs `--expose-gc`. */
export async function collect() {
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    globalThis.gc();
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
}
