/**
 * Published packages, built with wasm-bindgen 0.2.84 to 0.2.129 and with embind: loops that forget to
 * free and loops that free, counted by class and line.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { counts, handles, importAnnounced, line, require } from "./setup.mjs";

const folder = (name) => {
  for (const base of require.resolve.paths(name)) {
    const path = join(base, name);
    try {
      readFileSync(join(path, "package.json"));
      return path;
    } catch {}
  }
  throw new Error(`${name} is not installed: see PACKAGES.json`);
};

/** Runs `drive`, which gives the line it counts from, and compares what was made by class and line. */
async function expectCounts(drive, expected) {
  const before = handles.mark();
  const from = await drive();
  const none = { freed: 0, moved: 0, late: 0, lost: 0, held: 0 };
  // What the collector does meanwhile with objects of other packages is not of this one.
  const rows = counts(import.meta.url, before, from).filter((row) => row.created > 0);
  for (const row of rows) [row.held, row.late, row.lost] = [row.held + row.late + row.lost, 0, 0];
  assert.deepEqual(rows, expected.map((row) => ({ ...row, ...none, ...row })));
}

/** What was made since `mark` and not freed, by class. */
function unfreed(mark) {
  return handles.since(mark).filter((one) => one.unfreed > 0).map((one) => one.class);
}

test("resvg-wasm 0.4.1 (0.2.84): objects are registered nowhere", () =>
  expectCounts(async () => {
    const { newContext } = require("resvg-wasm");
    const from = line();
    for (let i = 0; i < 3; i++) await newContext();
    for (let i = 0; i < 4; i++) (await newContext()).free();
    return from;
  }, [
    { class: "Context", line: 1, created: 3, held: 3 },
    { class: "Context", line: 2, created: 4, freed: 4 },
  ]));

test("diamond-types-node 1.0.2 (0.2.85)", () =>
  expectCounts(() => {
    const { Branch, Doc, OpLog } = require("diamond-types-node");
    const from = line();
    for (let i = 0; i < 3; i++) new OpLog("a");
    for (let i = 0; i < 5; i++) new Branch().free();
    for (let i = 0; i < 2; i++) new Doc("b");
    return from;
  }, [
    { class: "OpLog", line: 1, created: 3, held: 3 },
    { class: "Branch", line: 2, created: 5, freed: 5 },
    { class: "Doc", line: 3, created: 2, held: 2 },
  ]));

for (const [name, version] of [["ywasm-0.16", "0.2.87"], ["ywasm", "0.2.91"]]) {
  test(`${name} (${version})`, () =>
    expectCounts(() => {
      const { YDoc } = require(name);
      const from = line();
      for (let i = 0; i < 3; i++) {
        const doc = new YDoc();
        doc.getText("a").free();
      }
      for (let i = 0; i < 2; i++) new YDoc().free();
      return from;
    }, [
      { class: "YDoc", line: 2, created: 3, held: 3 },
      { class: "YText", line: 3, created: 3, freed: 3 },
      { class: "YDoc", line: 5, created: 2, freed: 2 },
    ]));
}

for (const [name, version] of [["rregex-1.8", "0.2.89"], ["rregex", "0.2.100"]]) {
  test(`${name} (${version})`, () =>
    expectCounts(() => {
      const { RRegex } = require(name);
      const from = line();
      for (let i = 0; i < 6; i++) new RRegex("a+");
      for (let i = 0; i < 7; i++) new RRegex("b+").free();
      return from;
    }, [
      { class: "RRegex", line: 1, created: 6, held: 6 },
      { class: "RRegex", line: 2, created: 7, freed: 7 },
    ]));
}

test("@resvg/resvg-wasm 2.6.2 (0.2.92, for pages): a class that extends the glue's", () =>
  expectCounts(async () => {
    const path = folder("@resvg/resvg-wasm");
    const { initWasm, Resvg } = await importAnnounced(join(path, "index.mjs"));
    await initWasm(readFileSync(join(path, "index_bg.wasm")));
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>';
    const from = line();
    for (let i = 0; i < 3; i++) new Resvg(svg);
    for (let i = 0; i < 2; i++) {
      const resvg = new Resvg(svg);
      resvg.render();
      resvg.free();
    }
    return from;
  }, [
    { class: "Resvg", line: 1, created: 3, held: 3 },
    { class: "Resvg", line: 3, created: 2, freed: 2 },
    { class: "RenderedImage", line: 4, created: 2, held: 2 },
  ]));

test("ergo-lib-wasm-nodejs 0.28.0 (0.2.92): what is made by constructors, and by methods", () =>
  expectCounts(() => {
    const { DataInputs, I64 } = require("ergo-lib-wasm-nodejs");
    const from = line();
    for (let i = 0; i < 3; i++) I64.from_str("1");
    for (let i = 0; i < 4; i++) new DataInputs();
    for (let i = 0; i < 5; i++) new DataInputs().free();
    return from;
  }, [
    { class: "I64", line: 1, created: 3, held: 3 },
    { class: "DataInputs", line: 2, created: 4, held: 4 },
    { class: "DataInputs", line: 3, created: 5, freed: 5 },
  ]));

test("@silvia-odwyer/photon-node 0.3.4 (0.2.95)", () =>
  expectCounts(() => {
    const { PhotonImage, resize } = require("@silvia-odwyer/photon-node");
    const from = line();
    for (let i = 0; i < 3; i++) {
      const image = new PhotonImage(new Uint8Array(16), 2, 2);
      resize(image, 4, 4, 1);
      image.free();
    }
    return from;
  }, [
    { class: "PhotonImage", line: 2, created: 3, freed: 3 },
    { class: "PhotonImage", line: 3, created: 3, held: 3 },
  ]));

test("lol-html 2.3.0 (0.2.99): objects that the glue makes for a callback", () =>
  expectCounts(() => {
    const { HTMLRewriter } = require("lol-html");
    const from = line();
    for (let i = 0; i < 2; i++) {
      const rewriter = new HTMLRewriter("utf8", () => {});
      rewriter.on("a", { element: (element) => element.setAttribute("x", "y") });
      rewriter.write(new TextEncoder().encode("<a>b</a><a>c</a>"));
      rewriter.end();
      rewriter.free();
    }
    return from;
  }, [
    { class: "HTMLRewriter", line: 2, created: 2, freed: 2 },
    { class: "Element", line: 4, created: 4, held: 4 },
  ]));

test("@emurgo/cardano-serialization-lib-nodejs 15.0.3 (0.2.103)", () =>
  expectCounts(() => {
    const { BigNum, Value } = require("@emurgo/cardano-serialization-lib-nodejs");
    const from = line();
    for (let i = 0; i < 3; i++) {
      const n = BigNum.from_str("12");
      Value.new(n).coin();
      n.free();
    }
    return from;
  }, [
    { class: "BigNum", line: 2, created: 3, freed: 3 },
    { class: "BigNum", line: 3, created: 3, held: 3 },
    { class: "Value", line: 3, created: 3, held: 3 },
  ]));

test("oxigraph 0.5.11 (0.2.125): getters that wasm calls make objects which the app never gets", async () => {
  const before = handles.mark();
  await expectCounts(() => {
    const { literal, namedNode, quad, Store } = require("oxigraph");
    const from = line();
    const store = new Store();
    const [s, p, o] = [namedNode("http://s"), namedNode("http://p"), literal("o")];
    const statement = quad(s, p, o);
    store.has(statement);
    for (const one of [statement, s, p, o, store]) one.free();
    for (let i = 0; i < 3; i++) literal("x");
    return from;
  }, [
    { class: "Store", line: 1, created: 1, freed: 1 },
    { class: "Literal", line: 2, created: 1, freed: 1 },
    { class: "NamedNode", line: 2, created: 1, freed: 1 },
    { class: "NamedNode", line: 2, created: 1, freed: 1 },
    { class: "NamedNode", line: 3, created: 1, held: 1 },
    { class: "Quad", line: 3, created: 1, freed: 1 },
    { class: "DefaultGraph", line: 4, created: 1, held: 1 },
    { class: "Literal", line: 4, created: 1, held: 1 },
    { class: "NamedNode", line: 4, created: 1, held: 1 },
    { class: "NamedNode", line: 4, created: 1, held: 1 },
    { class: "NamedNode", line: 4, created: 1, held: 1 },
    { class: "Literal", line: 6, created: 3, held: 3 },
  ]);
  const accused = handles.since(before).filter((one) => one.certain && one.unfreed > 0);
  assert.deepEqual(accused.map((one) => [one.class, one.unfreed]), [["Literal", 3]]);
});

test("parquet-wasm 0.8.0 (0.2.128): builders are passed by value", () =>
  expectCounts(async () => {
    const glue = require(join(folder("parquet-wasm"), "node/parquet_wasm.js"));
    const { Compression, WriterPropertiesBuilder } = glue;
    const from = line();
    for (let i = 0; i < 4; i++) {
      const builder = new WriterPropertiesBuilder();
      const snappy = builder.setCompression(Compression.SNAPPY);
      const properties = snappy.build();
      if (i % 2 === 0) properties.free();
    }
    return from;
  }, [
    { class: "WriterPropertiesBuilder", line: 2, created: 4, moved: 4 },
    { class: "WriterPropertiesBuilder", line: 3, created: 4, moved: 4 },
    { class: "WriterProperties", line: 4, created: 4, freed: 2, held: 2 },
  ]));

test("@dimforge/rapier2d-compat 0.21.0 (0.2.129, minified): real names, and nothing is left of a world that is freed", async () => {
  const { default: rapier } = await import(join(folder("@dimforge/rapier2d-compat"), "dist/rapier.mjs"));
  await rapier.init();
  const before = handles.mark();
  const world = new rapier.World({ x: 0, y: -9.81 });
  const body = world.createRigidBody(rapier.RigidBodyDesc.dynamic());
  world.createCollider(rapier.ColliderDesc.ball(1), body);
  for (let i = 0; i < 3; i++) world.step();
  assert.ok(unfreed(before).includes("rawrigidbodyset"));
  assert.ok(!unfreed(before).includes("rawvector"));
  world.free();
  assert.deepEqual(unfreed(before), []);
});

test("manifold-3d 2.5.1 (embind)", () =>
  expectCounts(async () => {
    const { default: load } = await import(join(folder("manifold-3d"), "manifold.js"));
    const module = await load();
    module.setup();
    const { Manifold } = module;
    const from = line();
    for (let i = 0; i < 3; i++) Manifold.cube([1, 1, 1]);
    for (let i = 0; i < 4; i++) {
      const cube = Manifold.cube([2, 2, 2]);
      const sphere = Manifold.sphere(1);
      const rest = cube.subtract(sphere);
      for (const one of [cube, sphere]) one.delete();
      if (i % 2 === 0) rest.delete();
    }
    return from;
  }, [
    { class: "Manifold", line: 1, created: 3, held: 3 },
    { class: "Manifold", line: 3, created: 4, freed: 4 },
    { class: "Manifold", line: 4, created: 4, freed: 4 },
    { class: "Manifold", line: 5, created: 4, freed: 2, held: 2 },
  ]));
