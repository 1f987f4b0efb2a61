/** What images are made of: the stretches of a memory that hold something, and what they held at first. */

/** A stretch that is looked at whole, in bytes: all of it is zero, or it is sent. */
const STRETCH = 4096;
/** The longest part of an image, in bytes. */
export const LONGEST = 1 << 20;
/** Constants lie at the beginning of a memory: what is further on is not looked at before a module runs. */
const CONSTANTS = 64 << 20;

export function wordsOf(memory: ArrayBufferLike, bytes = memory.byteLength): Int32Array {
  return new Int32Array(memory, 0, Math.min(bytes, memory.byteLength) >>> 2);
}

/** Begin and end of the stretches that are not all zero, in bytes; none is longer than `longest`. */
export function* stretches(words: Int32Array, longest: number): Generator<[start: number, end: number]> {
  let start: number | undefined;
  for (let at = 0; at < words.length * 4; at += STRETCH) {
    const isUsed = isAnySet(words, at / 4);
    if (start !== undefined && (!isUsed || at - start >= longest)) {
      yield [start, at];
      start = undefined;
    }
    if (isUsed) start ??= at;
  }
  if (start !== undefined) yield [start, words.length * 4];
}

function isAnySet(words: Int32Array, from: number): boolean {
  const end = Math.min(from + STRETCH / 4, words.length);
  for (let index = from; index < end; index++) if (words[index] !== 0) return true;
  return false;
}

/** What a memory held before its module ran: whatever is still the same is a constant, and no address. */
export class Baseline {
  readonly #stretches: [at: number, words: Int32Array][] = [];

  constructor(memory: ArrayBufferLike) {
    const words = wordsOf(memory, CONSTANTS);
    for (const [start, end] of stretches(words, LONGEST)) {
      this.#stretches.push([start / 4, words.slice(start / 4, end / 4)]);
    }
  }

  /** Begin and end of each stretch of whole words of an address that is still the same, in bytes. */
  unchanged(memory: ArrayBufferLike, wide: boolean): number[] {
    const now = wordsOf(memory);
    const step = wide ? 2 : 1;
    const bounds: number[] = [];
    for (const [at, before] of this.#stretches) {
      for (let index = 0; index + step <= before.length; index += step) {
        const isSame = before[index] === now[at + index] && (!wide || before[index + 1] === now[at + index + 1]);
        if (!isSame) continue;
        const start = (at + index) * 4;
        if (bounds[bounds.length - 1] === start) bounds.pop();
        else bounds.push(start);
        bounds.push(start + step * 4);
      }
    }
    return bounds;
  }
}
