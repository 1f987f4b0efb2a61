/** Our own guest, built with four ages of wasm-bindgen: every fate, closures, held values. */
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { test } from "node:test";
import { readFileSync } from "node:fs";
import { built, collect, counts, handles, importAnnounced, line, require } from "./setup.mjs";

setFlagsFromString("--expose-gc");
globalThis.gc = runInNewContext("gc");

const VERSIONS = ["0.2.89", "0.2.92", "0.2.100", "0.2.130"];

for (const version of VERSIONS) {
  for (const target of ["nodejs", "web"]) {
    test(`${version}, ${target}: counts by class and line`, async () => {
      const guest = await load(version, target);
      const before = handles.mark();
      const { Buffer, slot, consume, consume_maybe } = guest;

      const kept = [];
      const made = line();
      for (let i = 0; i < 7; i++) kept.push(new Buffer(16));
      for (let i = 0; i < 5; i++) new Buffer(8).free();
      for (let i = 0; i < 4; i++) consume(new Buffer(8));
      for (let i = 0; i < 3; i++) consume_maybe(new Buffer(8));
      for (let i = 0; i < 2; i++) kept.push(kept[0].half());
      for (let i = 0; i < 6; i++) kept.push(slot(i));
      consume_maybe(undefined);

      const none = { freed: 0, moved: 0, late: 0, lost: 0, held: 0 };
      const rows = () => counts(import.meta.url, before, made);
      assert.deepEqual(rows(), [
        { class: "Buffer", line: 1, created: 7, ...none, held: 7 },
        { class: "Buffer", line: 2, created: 5, ...none, freed: 5 },
        { class: "Buffer", line: 3, created: 4, ...none, moved: 4 },
        { class: "Buffer", line: 4, created: 3, ...none, moved: 3 },
        { class: "Buffer", line: 5, created: 2, ...none, held: 2 },
        { class: "Slot", line: 6, created: 6, ...none, held: 6 },
      ]);

      const roots = new Set(handles.roots().map(({ ptr }) => ptr));
      for (const object of kept) assert.ok(roots.has(object.__wbg_ptr));
      for (const object of kept) object.free();
      assert.deepEqual(rows().filter((row) => row.held > 0), []);
      assert.deepEqual(handles.roots().filter((root) => root.class !== "Closure"), []);
    });
  }

  test(`${version}: what the collector does with forgotten objects`, async () => {
    const { Buffer, slot } = await load(version, "nodejs");
    const before = handles.mark();
    const made = line();
    (() => {
      for (let i = 0; i < 20; i++) new Buffer(16);
      for (let i = 0; i < 10; i++) slot(i);
    })();
    await collect();
    // Constructors that do not register lose their objects; methods of newer glue do not.
    const lost = isOld(version) ? 20 : 0;
    const lostSlots = version === "0.2.89" ? 10 : 0;
    const rows = counts(import.meta.url, before, made).filter((row) => row.class !== "Closure");
    assert.deepEqual(rows, [
      { class: "Buffer", line: 2, created: 20, freed: 0, moved: 0, late: 20 - lost, lost, held: 0 },
      { class: "Slot", line: 3, created: 10, freed: 0, moved: 0, late: 10 - lostSlots, lost: lostSlots, held: 0 },
    ]);
    const notes = handles.objects().groups.filter((one) => one.stack[0].file.includes(version) && one.note?.includes("0.2.88–0.2.92"));
    assert.equal(notes.length, isOld(version) ? 1 : 0);
  });

  test(`${version}: a free that is refused is no free`, async () => {
    const { Buffer } = await load(version, "nodejs");
    const before = handles.mark();
    const buffer = new Buffer(4);
    assert.throws(() => buffer.with(() => buffer.free()));
    const [row] = counts(import.meta.url, before);
    assert.deepEqual([row.freed, row.moved], [0, 1]);
  });

  test(`${version}: closures and held values`, async () => {
    const guest = await load(version, "nodejs");
    const before = handles.mark();
    const alive = [];
    const made = line();
    for (let i = 0; i < 5; i++) alive.push(guest.forget_closure(i));
    for (let i = 0; i < 4; i++) alive.push(guest.keep_closure(i));
    for (let i = 0; i < 3; i++) guest.once(i)();
    guest.drop_closures();
    assert.deepEqual(
      handles.since(before).map(({ kind, at, created, freed, unfreed }) => ({ kind, line: at.line - made, created, freed, unfreed })),
      [
        { kind: "closure", line: 1, created: 5, freed: 0, unfreed: 5 },
        { kind: "closure", line: 2, created: 4, freed: 4, unfreed: 0 },
        { kind: "closure", line: 3, created: 3, freed: 3, unfreed: 0 },
      ],
    );

    class Thing {}
    const held = () => handles.objects().values.map(({ where, by_type: byType }) => ({ where, n: byType.Thing ?? byType.object ?? 0, functions: byType.function ?? 0 })).filter(({ n }) => n > 0);
    for (let i = 0; i < 11; i++) guest.keep(new Thing());
    for (let i = 0; i < 2; i++) guest.keep(() => i);
    assert.deepEqual(held().map(({ where, n }) => ({ where, n })), [{ where: isOld(version) ? "heap array" : "externref table", n: 11 }]);
    assert.ok(held()[0].functions >= 2);
    guest.drop_values();
    assert.deepEqual(held(), []);
  });
}

for (const version of VERSIONS) {
  test(`${version}: random lives against a model`, async () => {
    const { Buffer, slot, consume, consume_maybe } = await load(version, "web");
    // Mulberry32: the same run every time.
    let seed = 7;
    const random = (below) => {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) % below;
    };
    const before = handles.mark();
    const from = line();
    const makers = [
      () => new Buffer(random(64) + 2),
      () => slot(random(9)),
      () => alive.find((one) => one instanceof Buffer)?.half(),
    ];
    const alive = [];
    const model = makers.map(() => ({ created: 0, freed: 0, moved: 0 }));
    const madeBy = new Map();
    const end = (object, fate) => {
      alive.splice(alive.indexOf(object), 1);
      model[madeBy.get(object)][fate]++;
    };
    for (let step = 0; step < 3000; step++) {
      const object = alive[random(alive.length + 1)];
      const action = random(7);
      if (object === undefined || action < 3) {
        const maker = random(makers.length);
        const made = makers[maker]();
        if (made === undefined) continue;
        model[maker].created++;
        madeBy.set(made, maker);
        alive.push(made);
      } else if (action < 5 || !(object instanceof Buffer)) {
        object.free();
        end(object, "freed");
      } else {
        (action === 5 ? consume : consume_maybe)(object);
        end(object, "moved");
      }
    }
    const rows = counts(import.meta.url, before, from).map(({ created, freed, moved, held }) => ({ created, freed, moved, held }));
    assert.deepEqual(rows, model.map((one) => ({ ...one, held: one.created - one.freed - one.moved })));
    const open = handles.roots().filter((root) => alive.some((object) => object.__wbg_ptr === root.ptr));
    assert.ok(open.length >= alive.length && alive.length > 0);
    for (const object of alive) object.free();
  });
}

test("0.2.130: classes that inherit, in glue that can be reset", async () => {
  const { Animal, Dog, Lonely, adopt, __wbg_reset_state } = require(built("0.2.130/reset/family.cjs"));
  class Puppy extends Dog {}
  const before = handles.mark();
  const kept = [];
  const made = line();
  for (let i = 0; i < 2; i++) kept.push(new Animal(i));
  for (let i = 0; i < 3; i++) kept.push(new Dog(i));
  for (let i = 0; i < 4; i++) new Dog(i).free();
  for (let i = 0; i < 5; i++) adopt(new Dog(i));
  for (let i = 0; i < 6; i++) new Lonely(i).free();
  for (let i = 0; i < 7; i++) new Puppy(i).free();
  assert.throws(() => Animal.prototype.free.call(kept[2]), TypeError);
  const none = { freed: 0, moved: 0, late: 0, lost: 0, held: 0 };
  assert.deepEqual(counts(import.meta.url, before, made), [
    // Where the class of the app's own calls super().
    { class: "Dog", line: -3, created: 7, ...none, freed: 7 },
    { class: "Animal", line: 1, created: 2, ...none, held: 2 },
    { class: "Dog", line: 2, created: 3, ...none, held: 3 },
    { class: "Dog", line: 3, created: 4, ...none, freed: 4 },
    { class: "Dog", line: 4, created: 5, ...none, moved: 5 },
    { class: "Lonely", line: 5, created: 6, ...none, freed: 6 },
  ]);
  const instanceOf = (object) => handles.roots().find((root) => root.ptr === object.__wbg_ptr && ["Animal", "Dog"].includes(root.class));
  assert.ok(instanceOf(kept[0]).certain);
  const first = instanceOf(kept[0]).instance;
  __wbg_reset_state();
  assert.equal(instanceOf(kept[0]).instance, first, "an object stays in the memory it was made in");
});

async function load(version, target) {
  if (target === "nodejs") return require(built(`${version}/nodejs/handles.cjs`));
  const glue = await importAnnounced(built(`${version}/web/handles.js`));
  const bytes = readFileSync(built(`${version}/web/handles_bg.wasm`));
  await glue.default(isOld(version) ? bytes : { module_or_path: bytes });
  return glue;
}

/** Its constructors register nothing, and it has no table of externrefs. */
function isOld(version) {
  return version === "0.2.89" || version === "0.2.92";
}
