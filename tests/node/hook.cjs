// Loaded before a package: every module that it compiles is instrumented first, if
// SEEPAGE_NODE_MODE is `instrumented`. At the end the numbers of modules and of events go to the file
// SEEPAGE_NODE_REPORT.
"use strict";
const { spawnSync } = require("node:child_process");
const { readFileSync, writeFileSync, mkdtempSync, rmSync } = require("node:fs");
const { join } = require("node:path");
const { tmpdir } = require("node:os");

const isOn = process.env.SEEPAGE_NODE_MODE === "instrumented";
const told = { modules: 0, hooked: 0, events: 0, blocks: 0, errors: 0, grown: 0, unexplained: 0, refused: [] };
const native = {
  Module: WebAssembly.Module,
  Instance: WebAssembly.Instance,
  compile: WebAssembly.compile,
  instantiate: WebAssembly.instantiate,
};

function instrumented(source) {
  told.modules += 1;
  const bytes = ArrayBuffer.isView(source)
    ? Buffer.from(source.buffer, source.byteOffset, source.byteLength)
    : Buffer.from(source);
  if (!isOn) return bytes;
  const folder = mkdtempSync(join(tmpdir(), "seepage-node-"));
  try {
    const original = join(folder, "module.wasm");
    const output = join(folder, "instrumented.wasm");
    writeFileSync(original, bytes);
    const options = ["instrument", "--transport", "call", "--output", output, original];
    const run = spawnSync(process.env.SEEPAGE_NODE_BINARY, options, { encoding: "utf8" });
    if (run.status !== 0) {
      told.refused.push(run.stderr.trim());
      return bytes;
    }
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [ALLOC, FREE, FREE_SIZED, REALLOC, GROW] = [1, 2, 3, 4, 5];

// One instance's heap: a block that is handed out twice, and one that is given back without having
// been handed out, are errors; no program here has any.
function heap() {
  const live = new Set();
  const begin = (address) => {
    if (address === 0) return;
    if (live.has(address)) told.errors += 1;
    live.add(address);
    told.blocks += 1;
  };
  const end = (address) => {
    if (address !== 0 && !live.delete(address)) told.errors += 1;
  };
  // The memory's pages after its last growth: more before the next one came from nowhere.
  let pages;
  return (head, size, context, address, old) => {
    told.events += 1;
    const kind = head >>> 24;
    if (kind === GROW && address !== -1) {
      if (pages !== undefined) told.unexplained += address - pages;
      told.grown += size;
      pages = address + size;
    }
    // What has no bytes Rust hands out and takes back by an address that is none.
    if (kind === ALLOC && (size !== 0 || address >= 64)) begin(address);
    if (kind === FREE || (kind === FREE_SIZED && size !== 0)) end(address);
    if (kind === REALLOC && (address !== 0 || size === 0)) {
      end(old);
      begin(address);
    }
  };
}

// On top of the package's own import object, which must not be enumerated: some make what is asked for.
function imports(module, own) {
  if (!native.Module.imports(module).some((it) => it.module === "seepage")) return own;
  told.hooked += 1;
  return Object.create(own ?? {}, { seepage: { value: { event: heap() } } });
}

WebAssembly.Module = new Proxy(native.Module, {
  construct: (target, [source], self) =>
    Reflect.construct(target, [instrumented(source)], self === WebAssembly.Module ? target : self),
});
WebAssembly.Instance = new Proxy(native.Instance, {
  construct: (target, [module, own]) => new target(module, imports(module, own)),
});
WebAssembly.compile = async (source) => native.compile(instrumented(source));
WebAssembly.instantiate = async (source, own) => {
  if (source instanceof native.Module) {
    return native.instantiate(source, imports(source, own));
  }
  const module = await native.compile(instrumented(source));
  return { module, instance: await native.instantiate(module, imports(module, own)) };
};
const response = async (source) => (await source).arrayBuffer();
WebAssembly.compileStreaming = async (source) => WebAssembly.compile(await response(source));
WebAssembly.instantiateStreaming = async (source, own) =>
  WebAssembly.instantiate(await response(source), own);

process.on("exit", () => writeFileSync(process.env.SEEPAGE_NODE_REPORT, JSON.stringify(told)));
