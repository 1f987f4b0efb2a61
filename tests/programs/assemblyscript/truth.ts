// A library with AssemblyScript's runtime inside: managed objects that a global list holds, raw
// blocks of the runtime's own heap that nobody frees, and garbage.
//
// live_blocks and live_bytes are the truth: what `make` holds and `leak` has leaked, in bytes
// asked for (a managed object's fields, not its header).

@final class Item {
  constructor(public next: Item | null, public value: i32, public weight: f64) {}
}

let items: Item | null = null;
let blocks: u32 = 0;
let bytes: u32 = 0;

/** Makes `n` objects and holds them; answers how many blocks are live. */
export function make(n: u32): u32 {
  for (let i: u32 = 0; i < n; i++) {
    items = new Item(items, i, 0.5);
    blocks += 1;
    bytes += offsetof<Item>();
  }
  return blocks;
}

/** Lets go of all that `make` made; `collect` then frees it. */
export function drop_all(): void {
  let item = items;
  while (item) {
    blocks -= 1;
    bytes -= offsetof<Item>();
    item = item.next;
  }
  items = null;
}

/** Leaks `times` raw blocks of `size` bytes. */
export function leak(size: u32, times: u32): u32 {
  for (let i: u32 = 0; i < times; i++) {
    store<u8>(heap.alloc(size), 1);
    blocks += 1;
    bytes += size;
  }
  return blocks;
}

/** Makes garbage, managed and raw, and holds none of it. */
export function churn(n: u32): u32 {
  let length = 0;
  let raw = heap.alloc(16);
  for (let i: u32 = 0; i < n; i++) {
    let text = "churn " + i.toString();
    length += text.length;
    raw = heap.realloc(raw, 16 + i);
  }
  heap.free(raw);
  return length;
}

export function collect(): void {
  __collect();
}

export function live_blocks(): u32 {
  return blocks;
}

export function live_bytes(): u32 {
  return bytes;
}
