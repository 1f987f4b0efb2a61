// A heap with a garbage collector: each exported function is a scenario. See c/kinds.h for the lines.
//
// What the program has let go of and the collector has not yet come to is no leak. Blocks of
// `heap.alloc` are the program's own to free, and lost when nothing points to them.

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(file: u32, parts: usize, count: u32, written: usize): u32;

@final class Item {
  other: Item | null = null;
  constructor(public next: Item | null, public value: i32) {}
}

/** What a managed object has in front of its fields. */
const HEADER: u32 = 16;

/** What ASC_RUNTIME is for the runtime that never frees an object. */
const STUB: i32 = 0;

let items: Item | null = null;
let raw: usize = 0;
let names: Map<i32, string> | null = null;

// Complements, so that no sum of sizes in a global looks like an address.
let lostBlocks: u32 = ~0;
let lostBytes: u32 = ~0;
let indirectBlocks: u32 = ~0;
let indirectBytes: u32 = ~0;
let heldBlocks: u32 = ~0;
let heldBytes: u32 = ~0;

function lose(size: u32): void {
  lostBlocks -= 1;
  lostBytes -= size;
}

function lose_indirectly(size: u32): void {
  indirectBlocks -= 1;
  indirectBytes -= size;
}

function hold(size: u32): void {
  heldBlocks -= 1;
  heldBytes -= size;
}

const parts = memory.data(16);
const line = memory.data(128);
let used: usize = 0;

// A literal lies in static memory: reading it allocates nothing.
function text(words: string): void {
  for (let i = 0; i < words.length; i++) store<u8>(line + used++, <u8>words.charCodeAt(i));
}

function number(value: u32): void {
  let scale: u32 = 1;
  while (value / scale >= 10) scale *= 10;
  store<u8>(line + used++, 32);
  for (; scale > 0; scale /= 10) store<u8>(line + used++, <u8>(48 + (value / scale) % 10));
}

function end_of_line(): void {
  store<u8>(line + used++, 10);
  store<u32>(parts, <u32>line);
  store<u32>(parts, <u32>used, 4);
  fd_write(1, parts, 1, parts + 8);
  used = 0;
}

function expect(kinds: string, blocks: u32, bytes: u32): void {
  text("expect ");
  text(kinds);
  number(blocks);
  number(bytes);
  end_of_line();
}

function expect_verdict(verdict: string): void {
  text("expect verdict ");
  text(verdict);
  end_of_line();
}

// All that is live is known to this file.
function tell(): void {
  if (ASC_RUNTIME == STUB) return tell_stub();
  expect("definitely_lost", ~lostBlocks, ~lostBytes);
  expect("indirectly_lost", ~indirectBlocks, ~indirectBytes);
  expect("possibly_lost", 0, 0);
  expect("still_reachable", ~heldBlocks, ~heldBytes);
  expect_verdict(lostBlocks == ~0 ? "clean" : "leak");
}

// The stub runtime frees no object and keeps no list of them: what points to one points behind its
// header, and nothing tells a dropped object from a lost block.
function tell_stub(): void {
  if (lostBlocks == ~0) {
    expect("possibly_lost+still_reachable", ~heldBlocks, ~heldBytes);
    expect_verdict("clean+inconclusive");
  } else {
    const blocks = ~lostBlocks + ~indirectBlocks + ~heldBlocks;
    const bytes = ~lostBytes + ~indirectBytes + ~heldBytes;
    expect("definitely_lost+indirectly_lost+possibly_lost+still_reachable", blocks, bytes);
    expect_verdict("clean+inconclusive+leak");
  }
}

// There is garbage, of which only the collector knows how much.
function tell_none_lost(): void {
  if (ASC_RUNTIME == STUB) {
    expect_verdict("clean+inconclusive");
  } else {
    expect("definitely_lost+indirectly_lost", 0, 0);
    expect_verdict("clean");
  }
}

function make_items(count: i32): void {
  for (let i = 0; i < count; i++) {
    items = new Item(items, i);
    hold(HEADER + offsetof<Item>());
  }
}

function make_garbage(count: i32): void {
  let last: Item | null = null;
  for (let i = 0; i < count; i++) last = new Item(i % 5 == 0 ? null : last, i);
}

function make_cycles(count: i32): void {
  for (let i = 0; i < count; i++) {
    const first = new Item(null, i);
    const second = new Item(first, i);
    first.next = second;
    first.other = first;
  }
}

export function held(): void {
  make_items(50);
  tell();
}

export function held_and_collected(): void {
  make_items(50);
  make_garbage(200);
  make_cycles(20);
  __collect();
  // There the garbage is still there.
  if (ASC_RUNTIME == STUB) {
    tell_none_lost();
  } else {
    tell();
  }
}

export function garbage(): void {
  make_garbage(300);
  tell_none_lost();
}

export function dropped(): void {
  make_items(100);
  items = null;
  tell_none_lost();
}

export function cycles(): void {
  make_cycles(50);
  tell_none_lost();
}

export function strings(): void {
  const map = new Map<i32, string>();
  for (let i = 0; i < 100; i++) map.set(i, "name " + i.toString());
  names = map;
  for (let i = 0; i < 100; i += 3) map.delete(i);
  tell_none_lost();
}

export function pinned(): void {
  const item = new Item(null, 1);
  __pin(changetype<usize>(item));
  hold(HEADER + offsetof<Item>());
  __collect();
  tell();
}

export function raw_freed(): void {
  for (let i: usize = 1; i < 40; i++) {
    const block = heap.alloc(i * 10);
    memory.fill(block, 0xee, i * 10);
    heap.free(heap.realloc(block, i * 30));
  }
  tell_none_lost();
}

export function raw_held(): void {
  raw = heap.alloc(100);
  memory.fill(raw, 0xee, 100);
  hold(100);
  const inner = heap.alloc(60);
  memory.fill(inner, 0xee, 60);
  store<usize>(raw, inner, 8);
  hold(60);
  tell();
}

export function raw_lost(): void {
  for (let i: u32 = 1; i < 6; i++) {
    const size = i * 33;
    memory.fill(heap.alloc(size), 0xee, size);
    lose(size);
  }
  tell();
}

export function raw_lost_chain(): void {
  const top = heap.alloc(64);
  memory.fill(top, 0xee, 64);
  lose(64);
  const below = heap.alloc(80);
  memory.fill(below, 0xee, 80);
  store<usize>(top, below, 16);
  lose_indirectly(80);
  tell();
}

// Lost blocks of the program's own beside objects that are held.
export function raw_lost_beside_items(): void {
  make_items(20);
  memory.fill(heap.alloc(200), 0xee, 200);
  lose(200);
  tell();
}
