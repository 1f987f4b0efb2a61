/** What grew from each of several moments to the next, as leaks. */

import type { Mark, ObjectGrowth } from "./handles/index.js";
import type { BlockLeak, Leak, ObjectLeak } from "./leaks.js";
import { runtime } from "./runtime.js";
import type { Snapshot } from "./snapshot.js";

/** What to let pass. */
export interface Allowance {
  /** Bytes of the wasm heap that may stay, such as `1024` or `"1 KiB"`. */
  allow?: number | string;
  /** Says whether a leak counts. */
  filter?: (leak: Leak) => boolean;
}

/**
 * The objects of a class and place of which some were left in every turn, whoever called there.
 * `isCollected`: what is dropped is told apart.
 */
export function objectsLeftIn(marks: readonly Mark[], isCollected: boolean): ObjectLeak[] {
  const places = new Map<string, ObjectGrowth[]>();
  for (const growth of runtime().handles.growth(marks)) {
    if (!growth.certain) continue;
    const key = placeOfClass(growth);
    places.set(key, [...(places.get(key) ?? []), growth]);
  }
  return [...places.values()].flatMap((same): ObjectLeak[] => {
    const turns = marks.slice(1).map((_, turn) => sum(same.map((growth) => growth.turns[turn] ?? 0)));
    if (turns.some((count) => count <= 0)) return [];
    const { class: name, at, stack, fix } = same[0]!;
    return [
      {
        kind: "object",
        class: name,
        total: sum(turns),
        ...(turns.length > 1 && turns.every((count) => count === turns[0]) && { perCall: turns[0]! }),
        ...(isCollected && { dropped: sum(same.map(({ dropped }) => dropped)) }),
        ...(at !== undefined && { at }),
        stack,
        fix,
      },
    ];
  });
}

/** The same for objects of one class that were made at one place. */
export function placeOfClass({ class: name, at }: Pick<ObjectLeak, "class" | "at">): string {
  return `${name} ${at?.file}:${at?.line}:${at?.column}`;
}

/** The contexts in which each turn left blocks. */
export function blocksLeftIn(snapshots: readonly Snapshot[]): BlockLeak[] {
  const rising = runtime().session.rising(snapshots.map((snapshot) => snapshot.wasm));
  return rising.map(({ id, module, frames, risen, each }) => ({
    kind: "blocks",
    context: id,
    module,
    total: risen,
    ...(snapshots.length > 2 && each !== null && { perCall: each }),
    stack: frames,
    at: [],
  }));
}

/** Both, without what may stay in each turn. Afterwards the snapshots are none any more. */
export function leaksIn(snapshots: readonly Snapshot[], isCollected: boolean, allowed: Required<Allowance>): Leak[] {
  if (!runtime().isTracing && runtime().handles.objects().groups.length === 0) {
    throw new Error(
      "nothing is traced: run with `node --import seepage/register`, or instantiate with `track`",
    );
  }
  const objects = objectsLeftIn(snapshots.map((snapshot) => snapshot.objects), isCollected);
  const blocks = blocksLeftIn(snapshots);
  for (const snapshot of snapshots) snapshot.forget();
  const kept = sum(blocks.map((leak) => leak.total.bytes)) / (snapshots.length - 1);
  const counts = kept > bytes(allowed.allow);
  return [...objects, ...(counts ? blocks : [])].filter(allowed.filter);
}

/** `1024`, `"1024 B"`, `"1 KiB"`. */
export function bytes(size: number | string): number {
  if (typeof size === "number") return size;
  const [, number, unit = "B"] = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB)?$/.exec(size.trim()) ?? [];
  if (number === undefined) throw new RangeError(`'${size}' is no size: such as 1024 or "1 KiB"`);
  return Number(number) * 1024 ** ["B", "KiB", "MiB", "GiB"].indexOf(unit);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
