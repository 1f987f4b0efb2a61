/** What makes it hard: other people's registries, copies, several instances, bundles, caps. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { createContext, runInContext, runInNewContext } from "node:vm";
import { announceClasses, install } from "../../dist/handles/index.js";
import { Ledger } from "../../dist/handles/ledger.js";
import { Stacks } from "../../dist/handles/stacks.js";
import { built, collect, counts, handles, line, require } from "./setup.mjs";

setFlagsFromString("--expose-gc");
globalThis.gc = runInNewContext("gc");

const Native = runInNewContext("FinalizationRegistry");

/** The glue of a version, evaluated anew. */
function fresh(version = "0.2.130") {
  const path = built(`${version}/nodejs/handles.cjs`);
  delete require.cache[path];
  return require(path);
}

test("FinalizationRegistry looks and works as before", async () => {
  const describe = (value) => [value.name, value.length, typeof value];
  assert.deepEqual(describe(FinalizationRegistry), describe(Native));
  assert.deepEqual(Reflect.ownKeys(FinalizationRegistry.prototype), Reflect.ownKeys(Native.prototype));
  for (const key of ["register", "unregister"]) {
    const own = (prototype) => Object.getOwnPropertyDescriptor(prototype, key);
    assert.deepEqual(describe(own(FinalizationRegistry.prototype).value), describe(own(Native.prototype).value));
    assert.deepEqual({ ...own(FinalizationRegistry.prototype), value: 0 }, { ...own(Native.prototype), value: 0 });
  }
  class Mine extends FinalizationRegistry {}
  const seen = [];
  const registry = new Mine((held) => seen.push(held));
  assert.ok(registry instanceof FinalizationRegistry);
  assert.equal(Object.prototype.toString.call(registry), "[object FinalizationRegistry]");
  const token = {};
  const before = handles.mark();
  (() => {
    registry.register({ __wbg_ptr: 3 }, "dropped", token);
    registry.register({ ptr: 4 }, "unregistered", seen);
    registry.register(() => {}, { a: "no closure" });
  })();
  assert.equal(registry.unregister(seen), true);
  assert.throws(() => registry.register(1, 1), TypeError);
  assert.throws(() => registry.register(token, token), TypeError);
  assert.throws(() => FinalizationRegistry(() => {}), TypeError);
  await collect();
  assert.ok(seen.includes("dropped") && !seen.includes("unregistered"));
  assert.deepEqual(handles.since(before), [], "other people's registries are left alone");
});

test("tracked objects look as before, and are not kept alive", async () => {
  for (const version of ["0.2.92", "0.2.130"]) {
    const { Buffer } = fresh(version);
    const buffer = new Buffer(4);
    assert.deepEqual(Reflect.ownKeys(buffer), ["__wbg_ptr"]);
    assert.deepEqual(Object.getOwnPropertyDescriptor(buffer, "__wbg_ptr"), {
      value: buffer.__wbg_ptr,
      configurable: true,
      enumerable: true,
      writable: true,
    });
    assert.equal(JSON.stringify(buffer), `{"__wbg_ptr":${buffer.__wbg_ptr}}`);
    assert.deepEqual([Buffer.prototype.free.name, Buffer.prototype.free.length], ["free", 0]);
    const weak = (() => new WeakRef(new Buffer(4)))();
    await collect();
    assert.equal(weak.deref(), undefined);
    buffer.free();
  }
});

test("a package that puts another FinalizationRegistry in place", () => {
  const { FinalizationRegistry: native } = globalThis;
  const { get } = Object.getOwnPropertyDescriptor(globalThis, "FinalizationRegistry");
  assert.equal(get(), native);
  class Nothing {
    register() {}
    unregister() {}
  }
  try {
    globalThis.FinalizationRegistry = Nothing;
    assert.equal(globalThis.FinalizationRegistry, Nothing);
    for (const version of ["0.2.92", "0.2.100", "0.2.130"]) {
      const { Buffer, slot, consume } = fresh(version);
      const before = handles.mark();
      const from = line();
      for (let i = 0; i < 3; i++) new Buffer(4);
      for (let i = 0; i < 4; i++) slot(i).free();
      for (let i = 0; i < 5; i++) consume(new Buffer(4));
      const rows = counts(import.meta.url, before, from).map(({ line: at, created, freed, moved, held }) => [at, created, freed, moved, held]);
      assert.deepEqual(rows, [[1, 3, 0, 0, 3], [2, 4, 4, 0, 0], [3, 5, 0, 5, 0]]);
    }
  } finally {
    globalThis.FinalizationRegistry = native;
  }
});

test("two copies of a package: each object belongs to the memory of its own", () => {
  const folder = mkdtempSync(join(tmpdir(), "copies-"));
  for (const version of ["0.2.92", "0.2.130"]) {
    const copies = ["one", "two"].map((name) => {
      const path = join(folder, version, name);
      cpSync(built(`${version}/nodejs`), path, { recursive: true });
      return require(join(path, "handles.cjs"));
    });
    const before = new Set(handles.roots());
    const [one, two] = copies.map(({ Buffer }) => new Buffer(4));
    const [first, second] = handles.roots().filter((root) => root.class === "Buffer").slice(-2);
    assert.equal(before.size + 2, handles.roots().length);
    assert.deepEqual([first.ptr, second.ptr], [one.__wbg_ptr, two.__wbg_ptr]);
    assert.ok(first.certain && second.certain && first.instance !== second.instance);
    // Asked for each memory once, with all addresses of a group in it.
    const asked = [];
    const groups = handles.objects((instance, ptrs) => {
      asked.push([instance, ptrs]);
      return 100 * ptrs.length;
    }).groups.filter((group) => group.held > 0 && group.stack[0].file.startsWith(folder));
    for (const root of [first, second]) {
      assert.ok(asked.some(([instance, ptrs]) => instance === root.instance && ptrs.length === 1 && ptrs[0] === root.ptr));
    }
    assert.deepEqual(groups.map((group) => group.retained), [100, 100]);
    one.free();
    two.free();
  }
});

test("glue evaluated twice: counts are exact, and what memory an object is in is not guessed", () => {
  const before = handles.mark();
  const from = line();
  const early = new (fresh().Buffer)(4);
  const late = new (fresh().Buffer)(4);
  assert.deepEqual(counts(import.meta.url, before, from).map((row) => [row.line, row.created, row.held]), [[1, 1, 1], [2, 1, 1]]);
  const roots = handles.roots().filter((root) => root.ptr === late.__wbg_ptr && root.class === "Buffer" && !root.certain);
  assert.ok(roots.length >= 2, "a root in each memory it may be in");
  early.free();
  late.free();
});

test("a module instantiated twice, without glue", async () => {
  const module = new WebAssembly.Module(readFileSync(built("0.2.130/web/handles_bg.wasm")));
  const imports = Object.fromEntries(WebAssembly.Module.imports(module).map(({ module: name }) => [name, new Proxy({}, { get: () => () => 0 })]));
  for (let i = 0; i < 2; i++) {
    const instance = new WebAssembly.Instance(module, imports);
    assert.equal(Object.getPrototypeOf(instance.exports), null);
    assert.ok(Object.isFrozen(instance.exports));
    assert.match(String(instance.exports.__wbg_buffer_free), /native code/);
  }
});

test("minified glue in one file with the app", async () => {
  // As terser writes it, with what it may do to names.
  const glue = (register) => `
    let w={__wbg_parquetfile_free(){},parquetfile_new:()=>64};const R=new FinalizationRegistry(e=>w.__wbg_parquetfile_free(e>>>0,1));
    class Z{static __wrap(e){e>>>=0;const t=Object.create(Z.prototype);return t.__wbg_ptr=e,${register("t")}t}__destroy_into_raw(){const e=this.__wbg_ptr;return this.__wbg_ptr=0,R.unregister(this),e}free(){const e=this.__destroy_into_raw();w.__wbg_parquetfile_free(e,0)}constructor(){const e=w.parquetfile_new();return this.__wbg_ptr=e>>>0,${register("this")}this}}
    export function forget(){ return new Z() }
    export function tidy(){ new Z().free() }`;
  for (const [age, register] of [["old", () => ""], ["new", (object) => `R.register(${object},${object}.__wbg_ptr,${object}),`]]) {
    const source = glue(register);
    const announced = announceClasses(source);
    assert.equal(announced === undefined, age === "new");
    if (announced !== undefined) assert.equal(announced.split("\n").length, source.split("\n").length);
    const path = join(mkdtempSync(join(tmpdir(), "minified-")), "bundle.mjs");
    writeFileSync(path, announced ?? source);
    const { forget, tidy } = await import(path);
    const before = handles.mark();
    forget();
    tidy();
    const rows = handles.since(before).map(({ class: name, glue_name, at, unfreed }) => [name, glue_name, at.name, unfreed]);
    const own = (name) => (age === "new" ? name : name);
    assert.deepEqual(rows, [["parquetfile", "Z", own(rows[0][2]), 1], ["parquetfile", "Z", own(rows[1][2]), 0]]);
  }
});

test("growth over turns is exact, whatever the collector does", async () => {
  const { Buffer } = fresh();
  const marks = [handles.mark()];
  const from = line();
  for (let turn = 0; turn < 4; turn++) {
    for (let i = 0; i < 3; i++) new Buffer(8);
    for (let i = 0; i < turn; i++) new Buffer(8);
    new Buffer(8).free();
    await collect();
    marks.push(handles.mark());
  }
  const growth = handles.growth(marks).map(({ class: name, at, turns, perTurn }) => [name, at.line - from, turns, perTurn]);
  assert.deepEqual(growth, [
    ["Buffer", 2, [3, 3, 3, 3], 3],
    ["Buffer", 3, [0, 1, 2, 3], undefined],
  ].sort((a, b) => b[2].at(-1) - a[2].at(-1)));
});

test("a realm of its own, as jest has it", () => {
  const context = createContext({ console });
  const realm = runInContext("globalThis", context);
  realm.WebAssembly = WebAssembly;
  const inside = install(realm);
  assert.notEqual(inside, handles);
  assert.equal(install(realm), inside);
  const run = (source, filename) => runInContext(source, context, { filename });
  run(
    `const R = new FinalizationRegistry(() => {});
     class Thing { constructor() { this.__wbg_ptr = 8; R.register(this, this.__wbg_ptr, this); return this } __destroy_into_raw() { this.__wbg_ptr = 0; R.unregister(this); return 8 } free() { this.__destroy_into_raw() /* __wbg_thing_free */ } }`,
    "glue.js",
  );
  run("globalThis.kept = [1, 2].map(() => new Thing())", "app.js");
  const [{ class: name, held, at }] = inside.objects().groups;
  assert.deepEqual([name, held, at.file], ["Thing", 2, "app.js"]);
});

test("what the caps leave out is counted", () => {
  const ledger = new Ledger(2);
  const owner = { kind: "wasm-bindgen", name: "A" };
  const entries = [1, 2, 3].map((ptr) => ledger.open(undefined, { owner, ptr, instance: undefined }));
  assert.deepEqual([[...ledger.entries()].length, ledger.dropped], [2, 1]);
  for (const entry of entries) ledger.close(entry, "freed");
  assert.deepEqual(ledger.groups().map(({ created, freed }) => [created, freed]), [[3, 3]]);

  const stacks = new Stacks(globalThis, 16, 0);
  const capture = () => stacks.capture(capture);
  assert.equal(capture(), undefined);
  assert.equal(stacks.dropped, 1);
});

test("stacks of engines that give text", () => {
  const texts = {
    v8: "Error\n    at capture (file:///app/shim.js:1:1)\n    at new Doc (https://a.test/glue.js:10:5)\n    at https://a.test/app.js:3:7",
    firefox: "capture@file:///app/shim.js:1:1\nDoc@https://a.test/glue.js:10:5\n@https://a.test/app.js:3:7\n",
  };
  for (const text of Object.values(texts)) {
    const stacks = new Stacks({ Object, Error: class { stack = text } });
    const site = stacks.capture(function other() {});
    assert.deepEqual([site.caller.frame.line, site.caller.caller.frame.file, site.caller.caller.frame.column], [10, "https://a.test/app.js", 7]);
    assert.equal(stacks.capture(function other() {}), site, "interned");
  }
});

test("wasm frames of engines that give text", () => {
  const texts = [
    "get@https://a.test/glue.js:10:5\nf@https://a.test/a.wasm:wasm-function[12]:0x1f\nrun@https://a.test/app.js:3:7",
    "get@https://a.test/glue.js:10:5\n<?>.wasm-function[12]@[wasm code]\nrun@https://a.test/app.js:3:7",
  ];
  for (const text of texts) {
    const site = new Stacks({ Object, Error: class { stack = text } }).capture(function other() {});
    assert.deepEqual([site.frame.name, site.caller.frame.file, site.caller.caller.frame.name], ["get", "wasm:", "run"]);
  }
});

test("embind without a heap to look into: another object at the address of one means that it is gone", async () => {
  const { load } = await import("../fixtures/embind/glue.mjs");
  const { Shape, copy, destroy, self } = await load();
  const before = handles.mark();
  const from = line();
  const first = new Shape();
  destroy(first);
  const second = new Shape();
  const lent = [self(second), self(second)];
  const third = copy();
  assert.equal(first.$$.ptr, second.$$.ptr);
  assert.deepEqual(counts(import.meta.url, before, from).map((row) => [row.line, row.created, row.freed, row.held]), [[1, 1, 1, 0], [3, 1, 0, 1], [5, 1, 0, 1]]);
  // Embind deletes an object by whichever handle it is told to.
  lent[0].delete();
  third.delete();
  assert.equal(handles.since(before).filter((one) => one.at?.file === import.meta.url).reduce((sum, one) => sum + one.unfreed, 0), 0);
});
