/**
 * JavaScript objects that own memory of a WebAssembly module: who made them, who freed them, who
 * forgot to. `install()` must run before any glue does; nothing that the app can see changes, and no
 * object is kept alive.
 */
import { ANNOUNCEMENT } from "./announce.js";
import { Bindgen } from "./bindgen.js";
import { Closures } from "./closures.js";
import { Embind } from "./embind.js";
import type { BlockAt } from "./embind.js";
import { Instances, ownKeys, read } from "./instances.js";
import type { Mark } from "./ledger.js";
import { Ledger } from "./ledger.js";
import { guarded } from "./patch.js";
import { observeRegistries } from "./registries.js";
import type { ObjectChange, ObjectGrowth, ObjectsReport, Retained } from "./report.js";
import { reportChange, reportGroups, reportGrowth, reportUnseen } from "./report.js";
import type { Site } from "./stacks.js";
import { Stacks } from "./stacks.js";
import { Tracker } from "./tracker.js";
import { heldValues } from "./values.js";

export { announceClasses } from "./announce.js";
export type { BlockAt } from "./embind.js";
export { announceInNode } from "./environment.js";
export type { Counts, Fate, Kind, Mark } from "./ledger.js";
export type { ObjectChange, ObjectGroup, ObjectGrowth, ObjectsReport, Origin, Pointer, Retained, Unseen } from "./report.js";
export type { Frame, Site } from "./stacks.js";
export type { HeldValues } from "./values.js";

/** What is known of an instance besides its exports. */
export interface InstanceDetails {
  /** Tells the version of wasm-bindgen. */
  readonly module?: WebAssembly.Module | undefined;
  /** What the app gave: tells which glue it belongs to, and the types of held values. */
  readonly imports?: WebAssembly.Imports | undefined;
  /** `captureSite` when instantiation began; without it, the stack of this call is taken. */
  readonly site?: Site | undefined;
}

/** An object's address: what it points to is not lost. */
export interface Root {
  readonly ptr: number;
  /** Where it points into. */
  readonly instance: WebAssembly.Instance;
  /** `false` when the object may belong to any one of several instances. */
  readonly certain: boolean;
  readonly class: string;
  /** The same for all objects of a class that were made at one place. */
  readonly group: object;
}

export interface Handles {
  /**
   * Call with the app's imports before a module is instantiated: its start function may make objects.
   * Instantiate with what it returns, or closures of glue older than 0.2.91 go unseen.
   */
  observeImports(imports: WebAssembly.Imports | undefined): WebAssembly.Imports | undefined;
  /** Call with every new instance, before the app gets it. Gives `exports` back, unchanged. */
  observeExports(exports: WebAssembly.Exports, instance: WebAssembly.Instance, details?: InstanceDetails): WebAssembly.Exports;
  /** A stack to give to `observeExports` after an `await`; `below` is the function the app called. */
  captureSite(below: (...args: never[]) => unknown): Site | undefined;
  /** Asks here for blocks from now on. */
  lookInto(blockAt: BlockAt): void;
  /** Tells of a class of a glue, such as one found in a module's exports. */
  adopt(constructor: unknown): boolean;
  /** Everything so far; with `retained`, also what the objects that are held keep in the wasm heap. */
  objects(retained?: Retained): ObjectsReport;
  roots(): Root[];
  mark(): Mark;
  /** What happened since a mark, or between two. */
  since(mark: Mark, until?: Mark): ObjectChange[];
  /** What grew over the turns that `marks` bound: one mark before the first, one after each. */
  growth(marks: readonly Mark[]): ObjectGrowth[];
}

const INSTALLED = Symbol.for("seepage.handles");

/** Starts tracking in a realm, or joins whoever did. */
export function install(realm: typeof globalThis = globalThis): Handles {
  const installed = (realm as { [INSTALLED]?: Handles })[INSTALLED];
  if (installed !== undefined) return installed;

  const ledger = new Ledger();
  const stacks = new Stacks(realm);
  const tracker = new Tracker(ledger, stacks, realm.FinalizationRegistry);
  const instances = new Instances();
  const bindgen = new Bindgen(tracker, instances);
  const closures = new Closures(tracker, instances);
  let heaps: BlockAt = () => undefined;
  const embind = new Embind(tracker, instances, realm, (instance, ptr) => heaps(instance, ptr));

  observeRegistries(realm, {
    registered(target, held, token, below) {
      if (bindgen.registered(target, held, below)) return;
      if (closures.registered(target, held, token, below)) return;
      embind.registered(target);
    },
    unregistered: (token) => closures.unregistered(token),
  });

  const handles: Handles = {
    observeImports(imports) {
      let observed = imports;
      guarded(() => {
        bindgen.adoptAmong(imports);
        observed = closures.observe(imports);
      });
      return observed;
    },
    observeExports: function observeExports(exports, instance, details = {}) {
      guarded(() => {
        // Emscripten compiles one for each function that it gives to C++: nothing points into it.
        if (!hasMemory(exports, details.imports)) return;
        const site = details.site ?? stacks.capture(observeExports as (...args: never[]) => unknown);
        const added = instances.add(instance, exports, { ...details, site });
        bindgen.link(details.imports, added);
        if (!isBindgen(exports)) embind.watch();
      });
      return exports;
    },
    lookInto: (blockAt) => void (heaps = blockAt),
    captureSite: (below) => stacks.capture(below),
    adopt: (constructor) => bindgen.adopt(constructor) !== undefined,
    objects: (retained) => ({
      groups: reportGroups(ledger, retained),
      values: heldValues(instances.all()),
      unseen: reportUnseen(instances.all(), bindgen.seen),
      dropped: { pointers: ledger.dropped, stacks: stacks.dropped },
    }),
    roots: () => rootsOf(ledger, instances),
    mark: () => ledger.mark(),
    since: (mark, until) => ledger.since(mark, until).map(reportChange),
    growth: (marks) => reportGrowth(ledger, marks),
  };
  const hidden = { configurable: true, enumerable: false, writable: true };
  Object.defineProperty(realm, INSTALLED, { ...hidden, value: handles });
  Object.defineProperty(realm, ANNOUNCEMENT, { ...hidden, value: handles.adopt });
  return handles;
}

/** Whether addresses may be of an instance: it gives its memory to the glue, or has it from there. */
function hasMemory(exports: WebAssembly.Exports, imports: WebAssembly.Imports | undefined): boolean {
  const isMemory = (value: unknown) => Object.prototype.toString.call(value) === "[object WebAssembly.Memory]";
  const given = ownKeys(imports).map((key) => read(imports, key));
  return Object.values(exports).some(isMemory) || given.some((from) => ownKeys(from).some((key) => isMemory(read(from, key))));
}

function isBindgen(exports: WebAssembly.Exports): boolean {
  return Object.keys(exports).some((name) => name.startsWith("__wbindgen") || name.startsWith("__wbg_"));
}

function rootsOf(ledger: Ledger, instances: Instances): Root[] {
  const roots: Root[] = [];
  for (const { ptr, instance, group } of ledger.entries()) {
    if (ptr === undefined) continue;
    // A root too many hides a leak; a root too few would accuse what is in use.
    const may = instance === undefined ? instances.able(group.owner.exportName) : [instance];
    for (const one of may) {
      const alive = one.ref.deref();
      if (alive === undefined) continue;
      roots.push({ ptr, instance: alive, certain: may.length === 1, class: group.owner.name, group });
    }
  }
  return roots;
}
