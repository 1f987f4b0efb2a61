/**
 * What the ledger knows, as plain data: the part of the report that is about JavaScript objects.
 */
import type { BindgenClass } from "./bindgen.js";
import type { EmbindClass } from "./embind.js";
import { originalFrame } from "./environment.js";
import type { Instance } from "./instances.js";
import type { Change, Counts, Entry, Group, Kind, Ledger, Mark, Owner } from "./ledger.js";
import { heldIn } from "./ledger.js";
import type { Frame, Site } from "./stacks.js";
import { framesOf, runningIn } from "./stacks.js";
import type { HeldValues } from "./values.js";

/** A class and a place. */
export interface Origin {
  readonly kind: Kind;
  readonly class: string;
  /** What the glue calls the class, where that is another name (a minified one). */
  readonly glue_name?: string;
  /**
   * Where the app made it: the first frame outside of glue, packages and wasm. What waits (`await`)
   * for the maker is not it.
   */
  readonly at?: Frame;
  /** Innermost first; source maps are applied. */
  readonly stack: readonly Frame[];
  /**
   * Whether an object that is held is one that the app should have freed. Not so for closures, for
   * handles of embind that may just borrow what they point to, for what glue makes when wasm calls
   * it (a getter's result that goes back into wasm is nothing the app ever gets), and for what a
   * package makes while none of the app's own code runs, such as when it is initialised.
   */
  readonly certain: boolean;
}

/** The objects of one class made at one place. */
export interface ObjectGroup extends Origin {
  readonly created: number;
  readonly freed: number;
  readonly moved: number;
  readonly late: number;
  readonly lost: number;
  readonly held: number;
  /** Their addresses, at most `MAX_POINTERS`. */
  readonly pointers: readonly Pointer[];
  /**
   * Bytes of the wasm heap that would be free without those that are held, at least; absent where
   * nobody knows.
   */
  readonly retained?: number;
  /** Absent where none was forgotten. */
  readonly fix?: string;
  /** What makes it worse than it looks. */
  readonly note?: string;
}

export interface Pointer {
  /** The instance's number; absent where it is not certain. */
  readonly instance?: number;
  readonly ptr: number;
}

/** Classes of a module that are out of sight. */
export interface Unseen {
  readonly instance: number;
  /** The version of wasm-bindgen, where the module says. */
  readonly bindgen?: string;
  readonly classes: readonly string[];
}

export interface ObjectsReport {
  /** Most forgotten first. */
  readonly groups: readonly ObjectGroup[];
  readonly values: readonly HeldValues[];
  readonly unseen: readonly Unseen[];
  /** What the caps left out: addresses of objects, stacks. */
  readonly dropped: { readonly pointers: number; readonly stacks: number };
}

/** What happened at one place between two marks. */
export interface ObjectChange extends Origin, Counts {
  /** Created and neither freed nor moved, whatever the collector did: the same in every run. */
  readonly unfreed: number;
}

/** What grew over several turns. */
export interface ObjectGrowth extends Origin {
  /** Unfreed objects of each turn. */
  readonly turns: readonly number[];
  /** Their number for each turn, where it is the same for all. */
  readonly perTurn?: number;
  /** How many of them the collector has found by now. */
  readonly dropped: number;
  readonly fix: string;
}

export const MAX_POINTERS = 1000;

/**
 * Bytes that only objects at these addresses of an instance keep; `undefined` where its heap is not
 * known.
 */
export type Retained = (instance: WebAssembly.Instance, ptrs: readonly number[]) => number | undefined;

export function reportGroups(ledger: Ledger, retainedBy: Retained = () => undefined): ObjectGroup[] {
  const open = groupBy(ledger.entries(), (entry) => entry.group);
  const groups = ledger.groups().map((group): ObjectGroup => {
    const entries = open.get(group) ?? [];
    const { created, freed, moved, late, lost } = group;
    const held = heldIn(group);
    const origin = originOf(group);
    const fix = held + late + lost > 0 ? fixFor(group, origin) : undefined;
    const note = held + lost > 0 && !entries.some((entry) => entry.registered) ? noteFor(group.owner) : undefined;
    const retained = retainedOf(entries, retainedBy);
    return {
      ...origin,
      ...{ created, freed, moved, late, lost, held },
      pointers: entries.flatMap(pointerOf).slice(0, MAX_POINTERS),
      ...(retained !== undefined && { retained }),
      ...(fix !== undefined && { fix }),
      ...(note !== undefined && { note }),
    };
  });
  const forgotten = (group: ObjectGroup) => group.held + group.lost;
  return groups.sort((a, b) => forgotten(b) - forgotten(a) || b.late - a.late || b.created - a.created);
}

function groupBy<K, T>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

export function reportChange(change: Change): ObjectChange {
  const { group, counts, unfreed } = change;
  return { ...originOf(group), ...counts, unfreed };
}

/** The groups with more unfreed objects after the last mark than at the first. */
export function reportGrowth(ledger: Ledger, marks: readonly Mark[]): ObjectGrowth[] {
  const turns = new Map<Group, number[]>();
  marks.slice(1).forEach((mark, turn) => {
    for (const { group, unfreed } of ledger.since(marks[turn] as Mark, mark)) {
      let counts = turns.get(group);
      if (counts === undefined) turns.set(group, (counts = new Array<number>(marks.length - 1).fill(0)));
      counts[turn] = unfreed;
    }
  });
  const first = marks[0];
  const since = new Map(first && ledger.since(first).map(({ group, counts }) => [group, counts]));
  const growth: ObjectGrowth[] = [];
  for (const [group, counts] of turns) {
    const unfreed = counts.reduce((sum, count) => sum + count, 0);
    if (unfreed <= 0) continue;
    // The collector may have come to older objects of the same place as well.
    const { late = 0, lost = 0 } = since.get(group) ?? {};
    const origin = originOf(group);
    growth.push({
      ...origin,
      turns: counts,
      ...(counts.every((count) => count === counts[0]) && { perTurn: counts[0]! }),
      dropped: Math.min(unfreed, late + lost),
      fix: fixFor(group, origin),
    });
  }
  return growth.sort((a, b) => (b.turns.at(-1) ?? 0) - (a.turns.at(-1) ?? 0));
}

/** Classes that a module can free and that nobody has seen, where they may be made unseen. */
export function reportUnseen(instances: readonly Instance[], seen: ReadonlySet<string>): Unseen[] {
  return instances.flatMap((instance): Unseen[] => {
    const classes = [...instance.freeable].filter((name) => !seen.has(name));
    const { bindgen } = instance;
    // Newer glue registers whatever it makes: a class that was not seen was not used.
    const mayHide = bindgen === undefined ? classes.length === instance.freeable.size : isOld(bindgen);
    if (classes.length === 0 || !mayHide) return [];
    return [{ instance: instance.number, classes, ...(bindgen !== undefined && { bindgen }) }];
  });
}

function isOld(bindgen: string): boolean {
  const [major = 0, minor = 0, patch = 0] = bindgen.split(".").map(Number);
  return major === 0 && (minor < 2 || (minor === 2 && patch < 93));
}

function pointerOf({ ptr, instance }: Entry): Pointer[] {
  if (ptr === undefined) return [];
  return [instance === undefined ? { ptr } : { instance: instance.number, ptr }];
}

function retainedOf(entries: readonly Entry[], retainedBy: Retained): number | undefined {
  let sum: number | undefined;
  for (const [instance, list] of groupBy(entries, (entry) => entry.instance)) {
    const alive = instance?.ref.deref();
    const retained = alive && retainedBy(alive, list.flatMap(({ ptr }) => ptr ?? []));
    if (retained !== undefined) sum = (sum ?? 0) + retained;
  }
  return sum;
}

function originOf({ owner, site }: Group): Origin {
  const stack = mapped(site);
  const running = stack.slice(0, runningIn(site));
  const isInside = isInsideWasm(stack);
  const stranger = strangerIn(owner, stack, running);
  const at = userFrame(stranger === undefined || isInside ? stack : running);
  const glueName = owner.kind === "wasm-bindgen" ? (owner as BindgenClass).glueName : undefined;
  return {
    kind: owner.kind,
    class: owner.name,
    ...(glueName !== undefined && { glue_name: glueName }),
    ...(at !== undefined && { at }),
    stack,
    certain: owns(owner) && !isInside && stranger === undefined,
  };
}

function owns(owner: Owner): boolean {
  return owner.kind === "wasm-bindgen" || (owner.kind === "embind" && (owner as EmbindClass).owns);
}

// Sites are few and reports may be many.
const mappedSites = new WeakMap<Site, Frame[]>();

function mapped(site: Site | undefined): Frame[] {
  if (site === undefined) return [];
  let frames = mappedSites.get(site);
  if (frames === undefined) mappedSites.set(site, (frames = framesOf(site).map(originalFrame)));
  return frames;
}

/** The first frame of the app's own; failing that, of a package that uses the glue. */
export function userFrame(stack: readonly Frame[]): Frame | undefined {
  const outside = stack.filter(isOutside(stack));
  const own = outside.find((frame) => !isPackage(frame));
  // In a bundle, glue and app are one file: what is not the constructor called it.
  const inside = stack.find((frame) => !isWasm(frame.file) && !isPackage(frame) && !isMaker(frame.name));
  return own ?? inside ?? outside[0] ?? stack[0];
}

function isOwn(frame: Frame): boolean {
  return !isWasm(frame.file) && !isPackage(frame);
}

function isPackage({ file }: Frame): boolean {
  return file.includes("/node_modules/") || file.includes("\\node_modules\\");
}

/**
 * Who made an object while none of the app's code ran: a package on its own, or Emscripten's glue
 * that is being initialised. Where the app waits for one of wasm-bindgen's, it is given that.
 */
function strangerIn({ kind }: Owner, stack: readonly Frame[], running: readonly Frame[]): string | undefined {
  const scripts = running.filter(({ file }) => !isWasm(file));
  const [glue] = scripts;
  if (glue === undefined || scripts.some((frame) => isOwn(frame) && frame.file !== glue.file)) return undefined;
  const waiting = stack.slice(running.length).filter(isOwn);
  // In a bundle, glue and app are one file.
  const isBundled = waiting.every(({ file }) => file === glue.file);
  if (!scripts.every(isPackage) && (isBundled || kind !== "embind")) return undefined;
  if (kind === "wasm-bindgen" && waiting.length > 0) return undefined;
  return packageOf(scripts.at(-1)!) ?? shortFile(glue.file);
}

/** The package whose code has made an object for itself, when the app called something else of it. */
function keeperIn(kind: Kind, running: readonly Frame[]): string | undefined {
  const own = running.findIndex(isOwn);
  const inside = running.slice(0, own === -1 ? undefined : own).filter(({ file }) => !isWasm(file));
  const [maker, ...others] = inside;
  // A constructor, or a function of the glue that has wrapped an address: what follows has called that.
  const isGlue = (frame: Frame, index: number) =>
    kind !== "wasm-bindgen" || !isMaker(maker?.name) ? frame.file === maker?.file : index === 0 && isWrap(maker?.name);
  const keeper = others.filter((frame, index) => !isGlue(frame, index)).at(-1);
  return keeper && packageOf(keeper);
}

function packageOf({ file }: Frame): string | undefined {
  return /^(?:.*[\\/])?node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(file)?.[1];
}

/** Whether wasm asked for the object, and not somebody outside of the glue. */
function isInsideWasm(stack: readonly Frame[]): boolean {
  const asked = stack.findIndex(isOutside(stack));
  return stack.slice(0, asked === -1 ? undefined : asked).some(({ file }) => isWasm(file));
}

function isOutside(stack: readonly Frame[]): (frame: Frame) => boolean {
  const glue = stack.find(({ file }) => !isWasm(file))?.file;
  return ({ file }) => file !== glue && !isWasm(file);
}

function isWasm(file: string): boolean {
  return file.startsWith("wasm:") || file.endsWith(".wasm");
}

function isMaker(name: string | undefined): boolean {
  return name?.startsWith("new ") === true || isWrap(name);
}

function isWrap(name: string | undefined): boolean {
  return name !== undefined && /(^|\.)__wrap$/.test(name);
}

/** `app.mjs:12`: the end of the path is what people look for. */
export function placeOf(frame: Frame): string {
  return `${shortFile(frame.file)}:${frame.line}`;
}

export function shortFile(file: string): string {
  const path = file.replace(/^file:\/\//, "");
  const cwd = (globalThis as { process?: { cwd?(): string } }).process?.cwd?.();
  return cwd !== undefined && path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;
}

function fixFor({ owner, site }: Group, { class: name, at, certain, stack }: Origin): string {
  const running = stack.slice(0, runningIn(site));
  const isInside = isInsideWasm(stack);
  const stranger = isInside ? undefined : strangerIn(owner, stack, running);
  if (stranger !== undefined) return `made by ${stranger} on its own: nothing that the app was given to free`;
  const keeper = isInside ? undefined : keeperIn(owner.kind, running);
  if (keeper !== undefined && at !== undefined) {
    const unless = certain ? "" : ", unless the object is borrowed";
    return `made inside ${keeper} by the call at ${placeOf(at)}: free what that call returned${unless}`;
  }
  const made = at === undefined ? name : `the ${name} made at ${placeOf(at)}`;
  switch (owner.kind) {
    case "wasm-bindgen":
      if (!certain) return `made while wasm ran: where the app is given the ${name}, call .free() on it`;
      return withUsing(`call .free() on ${made}`, owner as BindgenClass);
    case "embind":
      if (!certain) return `call .delete() on ${made}, unless it only borrows its object`;
      return withUsing(`call .delete() on ${made}`, owner as EmbindClass);
    case "closure":
      return "in Rust, keep the Closure and drop it when it is done, in place of forget()";
  }
}

function withUsing(fix: string, { disposable }: { disposable: boolean }): string {
  return disposable ? `${fix}, or declare it there with \`using\`` : fix;
}

function noteFor(owner: Owner): string | undefined {
  if (owner.kind !== "wasm-bindgen") return undefined;
  switch ((owner as BindgenClass).age) {
    case "0.2.88–0.2.92":
      return "this package's glue (wasm-bindgen 0.2.88–0.2.92) never registers objects made by constructors: they leak unless freed";
    case "≤ 0.2.87":
      return "this package's glue (wasm-bindgen 0.2.87 or older, without --weak-refs) registers no objects: they leak unless freed";
    default:
      return undefined;
  }
}
