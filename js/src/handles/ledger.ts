/**
 * Who made which objects, and what became of each: exact counts by class and place of creation.
 *
 * Nothing here refers to a tracked object. What is known of an object is in its `Entry`; the object
 * carries the entry (see `tags.ts`), and the entries of objects that nobody has given up yet are
 * kept here for their addresses, up to `maxOpen`. Counts are exact beyond that.
 */
import type { Instance } from "./instances.js";
import type { Site } from "./stacks.js";

/** How an object gave its memory up; `held` until it has. */
export type Fate =
  | "held"
  /** Freed by the program. */
  | "freed"
  /** Passed by value: the module owns the memory again. */
  | "moved"
  /** Forgotten, and freed by the collector, whenever it came around. */
  | "late"
  /** Forgotten and collected, and nobody frees it any more. */
  | "lost";

/** What kind of thing owns the memory. */
export type Kind = "wasm-bindgen" | "embind" | "closure";

/** A class of tracked objects, as far as the ledger cares. */
export interface Owner {
  readonly kind: Kind;
  readonly name: string;
  /** Its name in the exports of an instance that can free it. */
  readonly exportName?: string | undefined;
}

/** Counts of objects. `created` is the sum of the others and those still held. */
export interface Counts {
  created: number;
  freed: number;
  moved: number;
  late: number;
  lost: number;
}

/** All objects of a class made at one place. */
export interface Group<O extends Owner = Owner> extends Counts {
  readonly owner: O;
  readonly site: Site | undefined;
}

/** One object. */
export interface Entry<O extends Owner = Owner> {
  readonly group: Group<O>;
  /** Address in the instance's memory, where it is known. */
  readonly ptr: number | undefined;
  readonly instance: Instance | undefined;
  fate: Fate;
  /** Whether the collector will free the object's memory when it collects the object. */
  registered: boolean;
  /** For what is freed with nobody told: asked before counts are read. */
  readonly isFreed: (() => boolean) | undefined;
}

/** What is known of a new object. */
export interface Birth {
  readonly owner: Owner;
  readonly ptr: number | undefined;
  readonly instance: Instance | undefined;
  readonly isFreed?: (() => boolean) | undefined;
  /** Whether no other object can own what is at the same address. */
  readonly isOwner?: boolean;
  /** The object that owns what this one points to: nothing becomes of this one by itself. */
  readonly borrows?: Entry | undefined;
}

/** A moment: the counts of every group that existed at it. */
export interface Mark {
  readonly counts: ReadonlyMap<Group, Counts>;
}

/** What happened to a group since a mark. */
export interface Change {
  readonly group: Group;
  readonly counts: Counts;
  /**
   * Created and neither freed nor moved. What the collector did is no part of it, so it is the same
   * from run to run.
   */
  readonly unfreed: number;
}

export class Ledger {
  /** Objects whose address is not kept, because `maxOpen` others were open. */
  dropped = 0;
  readonly #groups = new Map<Owner, Map<Site | undefined, Group>>();
  readonly #open = new Set<Entry>();
  readonly #asked = new Set<Entry>();
  /** Those of `#open` that alone own what is at their address. */
  readonly #owners = new Map<Instance, Map<number, Entry>>();
  readonly #maxOpen: number;

  constructor(maxOpen = 1_000_000) {
    this.#maxOpen = maxOpen;
  }

  open(site: Site | undefined, { owner, ptr, instance, isFreed, isOwner = false }: Birth): Entry {
    const group = this.#group(owner, site);
    group.created++;
    const entry: Entry = { group, ptr, instance, fate: "held", registered: false, isFreed };
    if (this.#open.size < this.#maxOpen) {
      this.#open.add(entry);
      if (isFreed !== undefined) this.#asked.add(entry);
      if (isOwner && ptr !== undefined && instance !== undefined) {
        const owners = this.#owners.get(instance) ?? new Map<number, Entry>();
        this.#owners.set(instance, owners.set(ptr, entry));
      }
    } else {
      this.dropped++;
    }
    return entry;
  }

  /** The first fate of an object is its fate. */
  close(entry: Entry, fate: Exclude<Fate, "held">): void {
    if (entry.fate !== "held") return;
    entry.fate = fate;
    entry.group[fate]++;
    this.#open.delete(entry);
    this.#asked.delete(entry);
    const { instance, ptr } = entry;
    const owners = instance && this.#owners.get(instance);
    if (ptr !== undefined && owners?.get(ptr) === entry) owners.delete(ptr);
  }

  /** The object that owns what is at an address, as far as is known. */
  ownerAt(instance: Instance, ptr: number): Entry | undefined {
    const entry = this.#owners.get(instance)?.get(ptr);
    if (entry?.isFreed?.() === true) this.close(entry, "freed");
    return entry?.fate === "held" ? entry : undefined;
  }

  /** What looked like a move turned out to be the first half of `free()`. */
  movedIsFreed(entry: Entry): void {
    if (entry.fate !== "moved") return;
    entry.fate = "freed";
    entry.group.moved--;
    entry.group.freed++;
  }

  groups(): Group[] {
    this.#ask();
    return [...this.#groups.values()].flatMap((sites) => [...sites.values()]);
  }

  /** Objects that are held. */
  entries(): Iterable<Entry> {
    this.#ask();
    return this.#open;
  }

  mark(): Mark {
    const counts = new Map<Group, Counts>();
    for (const group of this.groups()) counts.set(group, countsOf(group));
    return { counts };
  }

  /** The groups that changed between two marks; without `until`, up to now. */
  since(mark: Mark, until: Mark = this.mark()): Change[] {
    const changes: Change[] = [];
    for (const [group, now] of until.counts) {
      const counts = subtract(now, mark.counts.get(group));
      if (!Object.values(counts).some((count) => count !== 0)) continue;
      changes.push({ group, counts, unfreed: counts.created - counts.freed - counts.moved });
    }
    return changes;
  }

  #ask(): void {
    for (const entry of this.#asked) if (entry.isFreed?.() === true) this.close(entry, "freed");
  }

  #group(owner: Owner, site: Site | undefined): Group {
    let sites = this.#groups.get(owner);
    if (sites === undefined) this.#groups.set(owner, (sites = new Map()));
    let group = sites.get(site);
    if (group === undefined) {
      group = { owner, site, created: 0, freed: 0, moved: 0, late: 0, lost: 0 };
      sites.set(site, group);
    }
    return group;
  }
}

/** Objects of a group that nobody has given up. */
export function heldIn(counts: Counts): number {
  return counts.created - counts.freed - counts.moved - counts.late - counts.lost;
}

function countsOf({ created, freed, moved, late, lost }: Counts): Counts {
  return { created, freed, moved, late, lost };
}

function subtract(now: Counts, before: Counts | undefined): Counts {
  if (before === undefined) return now;
  return {
    created: now.created - before.created,
    freed: now.freed - before.freed,
    moved: now.moved - before.moved,
    late: now.late - before.late,
    lost: now.lost - before.lost,
  };
}
