/**
 * An assertion that a function gives back what it takes. It is called several times; what grows at
 * every call, whether a block of the wasm heap or an object that was not freed, is a leak. A cache
 * that fills once, and memory that is kept for the next call, are not. Nothing depends on the
 * garbage collector or on time, so the same program has the same result.
 */

import { collect } from "./collector.js";
import { bytes, leaksIn } from "./growth.js";
import type { Allowance } from "./growth.js";
import { newLeaks } from "./known.js";
import { LeakError } from "./leaks.js";
import type { BlockLeak, Leak } from "./leaks.js";
import { runtime } from "./runtime.js";
import { Snapshot } from "./snapshot.js";

/** `allow` is for each call. */
export interface ExpectOptions extends Allowance {
  /** Calls that are looked at; at least 2. */
  iterations?: number;
  /** Calls before that, in which caches fill. */
  warmup?: number;
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
  const leaks = newLeaks(await findLeaks(fn, options));
  if (leaks.length > 0) throw new LeakError(leaks);
}

/** The same without a judgement: gives the leaks. */
export async function findLeaks(
  fn: (iteration: number) => unknown,
  { iterations = 7, warmup = 2, allow = 0, filter = () => true, signal }: ExpectOptions = {},
): Promise<Leak[]> {
  if (!(iterations >= 2)) throw new RangeError("growth needs at least 2 iterations");
  const allowed = { allow: bytes(allow), filter };
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
  const leaks = leaksIn(snapshots, await collect(), allowed);
  await locate(leaks.filter((leak) => leak.kind === "blocks"), call);
  return leaks;
}

/** Calls once more, and sees which lines of the app come to where blocks leak. */
async function locate(leaks: readonly BlockLeak[], call: () => Promise<void>): Promise<void> {
  const { session, handles } = runtime();
  if (leaks.length === 0) return;
  const places = await session.watching(leaks.map((leak) => leak.context), handles, call);
  for (const leak of leaks) leak.at = places.get(leak.context) ?? [];
}
