// Random traffic on AssemblyScript's heap. It answers what the heap says that the live blocks take, by
// the word in front of each, beyond what was asked for.

const SLOTS: usize = 300;
const blocks = memory.data(300 * 4);
const sizes = memory.data(300 * 4);

let state: u32 = 1;

function chance(bound: u32): u32 {
  state = state * 1664525 + 1013904223;
  return (state >> 8) % bound;
}

function someSize(): u32 {
  return 1 + chance(chance(10) == 0 ? 6000 : 500);
}

/** Makes so many steps, and answers the bytes of overhead. */
export function work(steps: u32): u32 {
  for (let step: u32 = 0; step < steps; step++) {
    let at = <usize>chance(<u32>SLOTS) * 4;
    let block = load<usize>(blocks + at);
    let size = someSize();
    if (!block) {
      block = heap.alloc(size);
    } else if (chance(3) == 0) {
      block = heap.realloc(block, size);
    } else {
      heap.free(block);
      block = 0;
      size = 0;
    }
    store<usize>(blocks + at, block);
    store<u32>(sizes + at, size);
  }
  let overhead: u32 = 0;
  for (let at: usize = 0; at < SLOTS * 4; at += 4) {
    let block = load<usize>(blocks + at);
    if (block) overhead += 4 + (load<u32>(block - 4) & ~3) - load<u32>(sizes + at);
  }
  return overhead;
}
