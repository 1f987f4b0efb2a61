// What bench.mjs measures, in a process of its own: prints nanoseconds a turn, or milliseconds.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [kind, file] = process.argv.slice(2);
const tests = new URL("../../js/test/fixtures/", import.meta.url);
const guests = new URL("../../tests/programs/", import.meta.url);

function perTurn(turns, turn) {
  for (let i = 0; i < turns / 10; i++) turn();
  const begun = performance.now();
  for (let i = 0; i < turns; i++) turn();
  return ((performance.now() - begun) * 1e6) / turns;
}

function deep(levels, then) {
  return levels === 0 ? then() : deep(levels - 1, then) + 0;
}

const figures = {
  load: () => {
    const begun = performance.now();
    new WebAssembly.Module(readFileSync(file));
    return performance.now() - begun;
  },
  objects: () => perTurn(50_000, () => new Buffer(8).free()),
  deep: () => perTurn(50_000, () => deep(10, () => (new Buffer(8).free(), 0))),
  blocks: () => {
    const wasm = new WebAssembly.Module(readFileSync(new URL("rust/truth_unknown.release.wasm", guests)));
    const { churn } = new WebAssembly.Instance(wasm).exports;
    return perTurn(20, () => churn(50_000)) / 50_000;
  },
};

let Buffer;
if (kind === "objects" || kind === "deep") {
  ({ Buffer } = createRequire(import.meta.url)(new URL("handles/built/0.2.130/nodejs/handles.cjs", tests).pathname));
}
console.log(figures[kind]());
