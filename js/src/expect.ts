/**
 * An assertion that a function gives back what it takes. It is called several times; what grows at
 * every call, whether a block of the wasm heap or an object that was not freed, is a leak. A cache
 * that fills once, and memory that is kept for the next call, are not. Nothing depends on the
 * garbage collector or on time, so the same program has the same result.
 */

import { Snapshot } from "./heap.js";
import { LeakError } from "./leaks.js";
import type { BlockLeak, Leak, ObjectLeak } from "./leaks.js";
import { runtime } from "./runtime.js";

export interface ExpectOptions {
  /** Calls that are looked at; at least 2. */
  iterations?: number;
  /** Calls before that, in which caches fill. */
  warmup?: number;
  /** Bytes of the wasm heap that each call may keep, such as `1024` or `"1 KiB"`. */
  allow?: number | string;
  /** Says whether a leak counts. */
  filter?: (leak: Leak) => boolean;
  /** Stops between two calls. */
  signal?: AbortSignal;
}

/**
 * Calls `fn` several times, and rejects with a {@link LeakError} if each call leaves something
 * behind.
 *
 * @throws an error if nothing is traced, for then nothing would ever leak
 */
export async function expectNoLeaks(
  fn: (iteration: number) => unknown,
  options: ExpectOptions = {},
): Promise<void> {
  const leaks = await findLeaks(fn, options);
  if (leaks.length > 0) throw new LeakError(leaks);
}

/** The same without a judgement: gives the leaks. */
export async function findLeaks(
  fn: (iteration: number) => unknown,
  { iterations = 7, warmup = 2, allow = 0, filter = () => true, signal }: ExpectOptions = {},
): Promise<Leak[]> {
  if (!(iterations >= 2)) throw new RangeError("growth needs at least 2 iterations");
  const allowed = bytes(allow);
  let iteration = 0;
  const call = async (): Promise<void> => {
    signal?.throwIfAborted();
    await fn(iteration++);
  };

  while (iteration < warmup) await call();
  const snapshots = [new Snapshot("before")];
  while (iteration < warmup + iterations) {
    await call();
    snapshots.push(new Snapshot(`call ${iteration}`));
  }
  if (!runtime().isTracing && runtime().handles.objects().groups.length === 0) {
    throw new Error(
      "nothing is traced: run with `node --import seepage/register`, or instantiate with `track`",
    );
  }
  const blocks = blocksOf(snapshots);
  const kept = blocks.reduce((sum, leak) => sum + leak.total.bytes, 0) / iterations;
  const leaks: Leak[] = [...objectsOf(snapshots), ...(kept > allowed ? blocks : [])].filter(filter);
  for (const snapshot of snapshots) snapshot[Symbol.dispose]();
  await locate(leaks.filter((leak) => leak.kind === "blocks"), call);
  return leaks;
}

/** The objects of which each call leaves some. */
function objectsOf(snapshots: readonly Snapshot[]): ObjectLeak[] {
  const growth = runtime().handles.growth(snapshots.map((snapshot) => snapshot.objects));
  return growth
    .filter(({ turns, certain }) => certain && turns.every((count) => count > 0))
    .map(({ class: name, at, stack, turns, perTurn, fix }) => ({
      kind: "object",
      class: name,
      total: turns.reduce((sum, count) => sum + count, 0),
      ...(perTurn !== undefined && { perCall: perTurn }),
      ...(at !== undefined && { at }),
      stack,
      ...(fix !== undefined && { fix }),
    }));
}

/** The contexts in which each call leaves blocks. */
function blocksOf(snapshots: readonly Snapshot[]): BlockLeak[] {
  const rising = runtime().session.rising(snapshots.map((snapshot) => snapshot.wasm));
  return rising.map(({ id, module, frames, risen, each }) => ({
    kind: "blocks",
    context: id,
    module,
    total: risen,
    ...(each !== null && { perCall: each }),
    stack: frames,
    at: [],
  }));
}

/** Calls once more, and sees which lines of the app come to where blocks leak. */
async function locate(leaks: readonly BlockLeak[], call: () => Promise<void>): Promise<void> {
  const { session, handles } = runtime();
  if (leaks.length === 0) return;
  const places = await session.watching(leaks.map((leak) => leak.context), handles, call);
  for (const leak of leaks) leak.at = places.get(leak.context) ?? [];
}

/** `1024`, `"1024 B"`, `"1 KiB"`. */
function bytes(size: number | string): number {
  if (typeof size === "number") return size;
  const [, number, unit = "B"] = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB)?$/.exec(size.trim()) ?? [];
  if (number === undefined) throw new RangeError(`'${size}' is no size: such as 1024 or "1 KiB"`);
  return Number(number) * 1024 ** ["B", "KiB", "MiB", "GiB"].indexOf(unit);
}
