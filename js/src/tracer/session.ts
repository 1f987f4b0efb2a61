/** The session of this realm: it takes what all traced guests write, and gives reports. */

import * as env from "#env";
import type { Count, Frame, Objects } from "../generated/report.js";
import type { Frame as JsFrame, Handles, Retained, Root } from "../handles/index.js";
import { native } from "../hook/native.js";
import { Baseline, LONGEST, stretches, wordsOf } from "./image.js";
import { link } from "./link.js";
import { Locals } from "./locals.js";
import { place } from "./place.js";
import { guestStack } from "./stack.js";
import { Analysis } from "./wasm.js";
import type { Host } from "./wasm.js";

/** The name of the custom section in an instrumented module, and of its imports. */
export const SECTION = "seepage";
/** What instrumentation adds to the exports. */
export const ADDED_EXPORT = /^seepage:/;

const PAGE = 65_536;
/** A guest's records are handed on after so many milliseconds, even if they are few. */
const PATIENCE = 100;
/** The engine's own memory is looked at after so many nanoseconds, when there is an occasion. */
const SAMPLE = 250e6;
/** And where a memory of a guest has grown, after so many. */
const SAMPLE_AT_GROWTH = 20e6;
/** Never twice within so many. */
const SAMPLE_AT_LEAST = 1e6;
/** Bytes of memory of which images are taken at marks, altogether, if not told otherwise. */
const MARKS_BUDGET = 2 ** 30;
/** Bytes of the scratch memory: stacks of 1024 calls fit in it. */
const SCRATCH = 16_384;

/** The moments of which images are taken: none, the end and marks while the budget lasts, or all. */
export type Images = "off" | "marks" | "all";

/** Addresses that JavaScript holds for one reason. */
interface Held {
  guest: Guest;
  ptrs: number[];
}

/** The heaps of all traced modules together. */
export interface Stats {
  allocated: Count;
  freed: Count;
  live: Count;
  /** What was live when most was. */
  peak: Count;
  /** Events so far: what the clock counts. */
  events: number;
  /** Size of all memories, in pages of 64 KiB. */
  pages: number;
}

/** A calling context that held more at each of several moments. */
export interface Rising {
  /** The context's number in this session. */
  id: number;
  /** The module whose code it is. */
  module: string;
  /** Innermost first. */
  frames: Frame[];
  /** How much more it held at the last moment than at the first. */
  risen: Count;
  /** How much more at each moment than at the one before, where that was always the same. */
  each: Count | null;
  /** What it holds. */
  live: Count;
}

/** As it is, all the way down. */
export type ReadonlyDeep<T> = { readonly [K in keyof T]: ReadonlyDeep<T[K]> };

/** How a run ended, in the words of a trace. */
export interface End {
  outcome: "returned" | "exited" | "trapped" | "unknown";
  exit_code?: number;
  message?: string;
}

/** How a text report looks. */
export interface TextOptions {
  color?: boolean;
  width?: number;
  top?: number;
  unicode?: boolean;
}

interface GuestInfo {
  id: number;
  wide: boolean;
  memories: number;
  ring: [number, number] | null;
  record: number;
  allocates: boolean;
  globals: number[];
}

interface Guest extends GuestInfo {
  /** Absent until instantiation is over. */
  exports?: WebAssembly.Exports;
  /** The code of its module, where that is known. */
  code: Uint8Array | undefined;
  /** What its memory held at first, where that is known. */
  baseline?: Baseline;
  /** Size of its memories when it was last fed. */
  pages: number;
  /** Its memory can be that of other threads as well. */
  isShared: boolean;
  /** Other threads have begun to use it: what is written since has no order. */
  isStopped: boolean;
  /** Addresses in its memory that side modules hold. */
  held: number[];
}

export class Session {
  readonly #analysis: Analysis;
  readonly #host: Host;
  readonly #locals: Locals;
  #watched: ((context: number) => void) | undefined;
  readonly #guests: Guest[] = [];
  readonly #guestOf = new WeakMap<WebAssembly.Instance, Guest>();
  readonly #scratch: number;
  readonly #warn: (message: string) => void;
  #writeTrace: ((bytes: Uint8Array) => void) | undefined;
  #failed = false;
  #ended = false;
  /** When the engine's own memory was last looked at. */
  #sampled: number | undefined;
  /** Set before the first guest. */
  images: Images = "marks";
  #budget = MARKS_BUDGET;
  /** The addresses that JavaScript holds. */
  readonly #roots: () => Root[];

  constructor(warn: (message: string) => void, roots: () => Root[]) {
    this.#warn = warn;
    this.#roots = roots;
    this.#host = {
      context: (guest, context) => this.#guard(() => this.#learn(guest, context)),
      full: (guest) => this.#guard(() => this.#feed(this.#guests[guest]!)),
      watched: (context) => this.#guard(() => this.#watched?.(context)),
      memory: (guest) => memoryOf(this.#guests[guest]!),
    };
    this.#analysis = new Analysis(this.#host);
    this.#locals = new Locals(this.#analysis);
    this.#scratch = this.#analysis.alloc(SCRATCH);
    const timer = setInterval(() => this.flush(), PATIENCE);
    // Node would wait for it; a page has nothing to wait for.
    if (typeof timer === "object") timer.unref();
  }

  /** Whether anything is traced. */
  get hasGuests(): boolean {
    return this.#guests.length > 0;
  }

  /** Writes the trace as it comes, from now on. Call it before the first guest. */
  traceTo(write: (bytes: Uint8Array) => void): void {
    this.#analysis.call("seepage_trace_on");
    this.#writeTrace = write;
  }

  /** A guest of an instrumented module: what it imports, and what to do with the instance. */
  add(section: ArrayBuffer, code: Uint8Array | undefined): {
    imports: WebAssembly.ModuleImports;
    attach(exports: WebAssembly.Exports, instance: WebAssembly.Instance): void;
  } {
    const info = JSON.parse(
      new TextDecoder().decode(this.#analysis.ask("seepage_guest", new Uint8Array(section))),
    ) as GuestInfo;
    if (!this.hasGuests) env.owe();
    const guest: Guest = { ...info, code, pages: 0, isShared: false, isStopped: false, held: [] };
    this.#guests[guest.id] = guest;
    const { event, wide, context } = link(guest.id, this.#analysis.exports);
    return {
      imports: {
        event: (guest.wide ? wide : event)!,
        context: context!,
        flush: () => this.#guard(() => this.#feed(guest)),
        mark: (tracepoint: number) => {
          this.#guard(() => {
            this.#locals.learnCaller(guest);
            this.#markAt(guest, tracepoint);
          });
        },
      },
      attach: (exports, instance) => {
        guest.exports = exports;
        this.#guestOf.set(instance, guest);
        const memory = memoryOf(guest);
        guest.isShared = memory !== undefined && !(memory instanceof ArrayBuffer);
        if (guest.isShared) env.share();
        const isWanted = memory !== undefined && this.images !== "off";
        if (isWanted && this.#isNew(guest)) guest.baseline = new Baseline(memory);
        if (this.#sampled === undefined) this.#sample();
      },
    };
  }

  /**
   * Takes a side module into the guest whose memory and allocator it uses, if there is one: that one's
   * records have its blocks already. `base` is where its variables are.
   */
  join(memory: WebAssembly.Memory, base: number | undefined): boolean {
    const main = this.#guests.find((it) => it.allocates && it.exports?.["seepage:memory:0"] === memory);
    if (base !== undefined) main?.held.push(base);
    return main !== undefined;
  }

  /** Takes what the guests have written so far. */
  flush(): void {
    this.#guard(() => {
      for (const guest of this.#guests) this.#feed(guest);
      this.#passTraceOn();
    });
  }

  /**
   * The serial number of the live block at an address, or around it: less than zero where there is
   * none, `undefined` where that is not known.
   */
  blockAt(instance: WebAssembly.Instance, ptr: number): number | undefined {
    const guest = this.#guestOf.get(instance);
    if (guest === undefined || !guest.allocates) return undefined;
    this.#guard(() => this.#feed(guest));
    if (this.#failed || guest.isStopped) return undefined;
    return this.#analysis.exports.seepage_block_at!(guest.id, ptr);
  }

  stats(): Stats {
    return this.#ask("seepage_stats");
  }

  /** Remembers what each context holds; the number is for {@link rising} and {@link forget}. */
  snapshot(): number {
    this.flush();
    return this.#analysis.call("seepage_snapshot");
  }

  forget(snapshot: number): void {
    this.#analysis.call("seepage_forget", snapshot);
  }

  /** The contexts that held more at each snapshot than at the one before. */
  rising(snapshots: readonly number[]): Rising[] {
    this.#callWith("seepage_rising", snapshots);
    return this.#analysis.json();
  }

  /**
   * The lines of the app that came to contexts while `body` ran. Only known with the transport
   * `call`: a ring says what happened, and not when.
   */
  async watching(
    contexts: readonly number[],
    handles: Handles,
    body: () => Promise<void>,
  ): Promise<Map<number, JsFrame[]>> {
    const places = new Map<number, Map<string, JsFrame>>();
    this.#watch(contexts);
    this.#watched = (context) => {
      const at = place(handles, this.#host.watched);
      if (at === undefined) return;
      const known = places.get(context) ?? new Map<string, JsFrame>();
      places.set(context, known.set(`${at.file}:${at.line}:${at.column}`, at));
    };
    try {
      await body();
    } finally {
      this.#watched = undefined;
      this.#watch([]);
    }
    return new Map([...places].map(([context, known]) => [context, [...known.values()]]));
  }

  /** Marks a quiescent moment. */
  mark(name: string): void {
    if (this.#ended) return;
    this.flush();
    this.#guard(() => {
      this.#sendImagesOfMark();
      this.#analysis.call("seepage_mark", name);
    });
  }

  /**
   * The report of everything so far, as if it had come to this end; the session goes on. `objects`
   * is told what those that are held keep of the heaps at this moment.
   */
  report(
    format: string,
    text: TextOptions,
    end: End,
    objects: (retained: Retained) => ReadonlyDeep<Objects> | undefined,
  ): string {
    this.flush();
    const now = this.#ended ? new Uint8Array() : { ...end, time_ns: env.now() };
    this.#sample();
    const roots = this.#roots();
    const groups = this.#grouped(roots);
    const isImage = this.images !== "off" && !this.#failed;
    let draft: Analysis;
    try {
      draft = this.#draft(groups, now, (it) => isImage && this.#sendImages(it, roots, { isLent: true }));
    } catch {
      // There was not enough memory to judge what they show.
      draft = this.#draft(groups, now, (it) => it.call("seepage_drop_image"));
    }
    const listed = objects(this.#retained(groups, draft.json()));
    if (listed !== undefined) draft.ask("seepage_objects", listed);
    return new TextDecoder().decode(draft.ask("seepage_render", { format, text }));
  }

  /** A copy of the analysis that has made a report; what each group retains is its result. */
  #draft(groups: readonly Held[], end: object, fill: (draft: Analysis) => void): Analysis {
    const draft = this.#analysis.fork();
    const numbers = groups.flatMap(({ guest, ptrs }) => [guest.id, ptrs.length, ...ptrs]);
    const long = new BigUint64Array(numbers.map(BigInt));
    draft.lend(new Uint8Array(long.buffer), (address) => draft.exports.seepage_draft!(address, long.length));
    fill(draft);
    draft.ask("seepage_assemble", end);
    return draft;
  }

  /** A guest ends the program by calling `exit`. */
  leave<T>(exit: () => T): T {
    this.#guard(() => this.#locals.leave());
    try {
      return exit();
    } finally {
      this.#locals.comeBack();
    }
  }

  /** An error that nobody has caught ends the program. */
  fail(error: unknown): void {
    this.#guard(() => this.#locals.fail(error));
  }

  /** Ends the trace. */
  end(end: End): void {
    this.flush();
    this.#sample();
    this.#ended = true;
    this.#guard(() => {
      const isWanted = this.#writeTrace !== undefined && this.images !== "off";
      if (isWanted) this.#sendImages(this.#analysis, this.#roots(), { isLent: false });
      this.#analysis.ask("seepage_end", { ...end, time_ns: env.now() });
      this.#passTraceOn();
    });
  }

  /** Those of a mark, if there are to be any. */
  #sendImagesOfMark(): void {
    const size = this.#guests.reduce((sum, guest) => sum + (memoryOf(guest)?.byteLength ?? 0), 0);
    const isWanted = this.images === "all" || (this.images === "marks" && size <= this.#budget);
    this.#budget = Math.max(0, this.#budget - size);
    if (isWanted) this.#sendImages(this.#analysis, this.#roots(), { isLent: true });
  }

  /**
   * What each guest's memory holds, and who outside holds addresses in it: for the trace, if this is
   * not a report's copy of the analysis, and if `isLent` for what is judged next.
   */
  #sendImages(to: Analysis, roots: readonly Root[], { isLent }: { isLent: boolean }): void {
    const hidden = this.#locals.hidden();
    for (const guest of this.#guests) {
      const memory = memoryOf(guest);
      if (memory === undefined) continue;
      const globals = guest.globals.map((index) => valueOf(guest.exports![`seepage:global:${index}`]));
      const own = roots.filter(({ instance }) => this.#guestOf.get(instance) === guest);
      const addresses = [...new Set([...own.map(({ ptr }) => ptr), ...guest.held])];
      const bounds = guest.baseline?.unchanged(memory, guest.wide) ?? [];
      const numbers = new BigUint64Array([...globals, ...[...addresses, ...bounds].map(BigInt)]);
      const counts = [globals.length, addresses.length, bounds.length];
      to.lend(new Uint8Array(numbers.buffer), (address) => {
        to.exports.seepage_state!(guest.id, hidden, memory.byteLength, address, ...counts, Number(isLent));
      });
      if (this.#writeTrace === undefined || to !== this.#analysis) continue;
      for (const [start, end] of stretches(wordsOf(memory), LONGEST)) {
        to.lend(new Uint8Array(memory, start, end - start), (address) => {
          to.exports.seepage_memory!(guest.id, start, address, end - start);
        });
        this.#passTraceOn();
      }
    }
  }

  /** The addresses of objects of one class and place in one guest. */
  #grouped(roots: readonly Root[]): Held[] {
    const groups = new Map<object, Map<Guest, Held>>();
    for (const { instance, ptr, certain, group } of roots) {
      const guest = this.#guestOf.get(instance);
      if (guest === undefined || !certain) continue;
      const guests = groups.get(group) ?? new Map<Guest, Held>();
      groups.set(group, guests);
      const held = guests.get(guest) ?? { guest, ptrs: [] };
      guests.set(guest, held);
      held.ptrs.push(ptr);
    }
    return [...groups.values()].flatMap((guests) => [...guests.values()]);
  }

  /** What each group keeps, for who knows an address of it. */
  #retained(groups: readonly Held[], bytes: readonly (number | null)[]): Retained {
    const byGuest = new Map<Guest, Map<number, number>>();
    groups.forEach(({ guest, ptrs }, index) => {
      const known = byGuest.get(guest) ?? new Map<number, number>();
      byGuest.set(guest, known);
      const retained = bytes[index];
      if (typeof retained === "number") for (const ptr of ptrs) known.set(ptr, retained);
    });
    return (instance, [ptr]) => {
      const guest = this.#guestOf.get(instance);
      return guest === undefined || ptr === undefined ? undefined : byGuest.get(guest)?.get(ptr);
    };
  }

  /** A guest has called a function that marks a moment. */
  #markAt(guest: Guest, tracepoint: number): void {
    if (this.#ended) return;
    for (const one of this.#guests) this.#feed(one);
    this.#sendImagesOfMark();
    this.#analysis.exports.seepage_mark_at!(guest.id, tracepoint);
  }

  /** Whether the guest's own code has not run, as far as anybody can see. */
  #isNew({ id, exports, ring }: Guest): boolean {
    if (ring !== null) return (exports!["seepage:head"] as WebAssembly.Global<"i32">).value === ring[0];
    return this.#analysis.exports.seepage_is_new!(id) !== 0;
  }

  #watch(contexts: readonly number[]): void {
    this.#callWith("seepage_watch", contexts);
  }

  /** Calls a function with a list of numbers. */
  #callWith(name: string, numbers: readonly number[]): void {
    const bytes = new Uint8Array(new Uint32Array(numbers).buffer);
    const address = this.#analysis.alloc(bytes.length);
    this.#analysis.bytes.set(bytes, address);
    this.#analysis.exports[name]!(address, numbers.length);
    this.#analysis.free(address, bytes.length);
  }

  #ask<T>(name: string): T {
    this.flush();
    this.#analysis.call(name);
    return this.#analysis.json();
  }

  /** The guest is at a context that nobody has seen. */
  #learn(guest: number, context: bigint): void {
    const { calls, module, cut } = guestStack();
    this.#locals.learn(module, this.#guests[guest]!);
    new Uint32Array(this.#analysis.buffer, this.#scratch, calls.length).set(calls);
    this.#analysis.exports.seepage_stack!(
      guest,
      context,
      this.#scratch,
      calls.length / 2,
      Number(cut),
    );
  }

  #feed(guest: Guest): void {
    const { id, exports } = guest;
    if (guest.isShared && !guest.isStopped && !env.mayShare()) this.#stop(guest);
    if (guest.ring !== null) this.#empty(guest, guest.ring);
    const pages: number[] = [];
    for (let index = 0; exports !== undefined && index < guest.memories; index++) {
      const memory = exports[`seepage:memory:${index}`] as WebAssembly.Memory;
      pages.push(memory.buffer.byteLength / PAGE);
    }
    new Uint32Array(this.#analysis.buffer, this.#scratch, pages.length).set(pages);
    const now = env.now();
    this.#analysis.exports.seepage_feed!(id, now, this.#scratch, pages.length);
    const size = pages.reduce((sum, count) => sum + count, 0);
    const patience = size === guest.pages ? SAMPLE : SAMPLE_AT_GROWTH;
    guest.pages = size;
    if (this.#sampled !== undefined && now - this.#sampled > patience) this.#sample();
    this.#passTraceOn();
  }

  /** Tells of the engine's own memory: beside the guests' it shows on which side something grows. */
  #sample(): void {
    if (this.#ended || !this.hasGuests || env.now() - (this.#sampled ?? -Infinity) < SAMPLE_AT_LEAST) return;
    const memory = env.memory();
    if (memory === undefined) return;
    const { heap, buffers = -1, resident = -1 } = memory;
    this.#sampled = env.now();
    this.#guard(() => {
      const { seepage_host: tell } = this.#analysis.exports;
      tell!(this.#sampled!, heap, buffers, resident, this.#analysis.buffer.byteLength);
    });
  }

  /** Follows a guest no further. */
  #stop(guest: Guest): void {
    guest.isStopped = true;
    this.#analysis.exports.seepage_stop!(guest.id);
    this.#warn(
      "several threads work on one memory: the report says what was in it when the second began, and what comes after is not followed",
    );
  }

  /** Takes the records out of a ring. */
  #empty({ id, exports, record, isStopped }: Guest, [start, end]: [number, number]): void {
    // Modules with a start function have no ring: see `bindings/src/instrument.rs`.
    if (exports === undefined) return;
    const ring = exports["seepage:ring"] as WebAssembly.Memory;
    const head = exports["seepage:head"] as WebAssembly.Global<"i32">;
    const at = head.value;
    if (at < start || at > end || (at - start) % record !== 0) {
      // Not the injected code's work.
      this.#analysis.exports.seepage_lost!(id, 1);
    } else if (isStopped) {
      this.#analysis.exports.seepage_lost!(id, (at - start) / record);
    } else if (at > start) {
      const written = new Uint8Array(ring.buffer, start, at - start);
      const room = this.#analysis.exports.seepage_room!(id, written.length) >>> 0;
      this.#analysis.bytes.set(written, room);
    }
    head.value = start;
  }

  #passTraceOn(): void {
    if (this.#writeTrace === undefined) return;
    this.#analysis.call("seepage_trace");
    const bytes = this.#analysis.result();
    if (bytes.length > 0) this.#writeTrace(bytes);
  }

  /** Nothing that fails here may reach a guest. */
  #guard(body: () => void): void {
    if (this.#failed) return;
    try {
      body();
    } catch (error) {
      this.#failed = true;
      this.#warn(`the analysis failed, and nothing more is traced: ${String(error)}`);
    }
  }
}

/** The first memory of a guest; once several threads write to it there is no moment to look at. */
function memoryOf({ exports, memories, isStopped }: Guest): ArrayBufferLike | undefined {
  if (exports === undefined || memories === 0 || isStopped) return undefined;
  return (exports["seepage:memory:0"] as WebAssembly.Memory).buffer;
}

function valueOf(exported: unknown): bigint {
  const { value } = exported as WebAssembly.Global;
  return typeof value === "bigint" ? BigInt.asUintN(64, value) : BigInt((value as number) >>> 0);
}

/** The section that instrumentation leaves in a module. */
export function sectionOf(module: WebAssembly.Module): ArrayBuffer | undefined {
  return native.customSections(module, SECTION)[0];
}
