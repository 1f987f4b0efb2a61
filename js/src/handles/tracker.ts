/**
 * One tracked object's life: opened with the stack of its maker, closed by whoever gives it up, or
 * by the collector. The recognisers (wasm-bindgen, embind, closures) call this and nothing else.
 */
import type { Birth, Entry, Ledger } from "./ledger.js";
import type { Site, Stacks } from "./stacks.js";
import { entryOf, tag } from "./tags.js";

export class Tracker {
  readonly ledger: Ledger;
  readonly stacks: Stacks;
  readonly #watch: (target: object, entry: Entry) => void;

  constructor(ledger: Ledger, stacks: Stacks, Registry: FinalizationRegistryConstructor | undefined) {
    this.ledger = ledger;
    this.stacks = stacks;
    if (Registry === undefined) {
      // Some hosts have none: what is collected stays held in our books.
      this.#watch = () => {};
      return;
    }
    // As the engine made it: what we register ourselves must not be observed.
    const { register } = Registry.prototype;
    const collected = new Registry<Entry>((entry) => {
      const fate = entry.isFreed?.() === true ? "freed" : "lost";
      ledger.close(entry, entry.registered ? "late" : fate);
    });
    this.#watch = (target, entry) => void Reflect.apply(register, collected, [target, entry]);
  }

  /**
   * Notes that `object` was made by whoever called `below`, and gives its entry, which is the one
   * it has when it is known already. `keeper` is whose collection ends it, if not its own.
   */
  open(
    object: object,
    below: (...args: never[]) => unknown,
    birth: (site: Site | undefined) => Birth,
    keeper: object = object,
  ): Entry {
    const known = entryOf(object);
    if (known !== undefined) return known;
    const site = this.stacks.capture(below);
    const born = birth(site);
    const entry = born.borrows ?? this.ledger.open(site, born);
    tag(object, entry);
    if (born.borrows === undefined) this.#watch(keeper, entry);
    return entry;
  }
}
