/**
 * A note on an object that nobody else can see, and that lives as long as the object: a private
 * field, which a class can put on any object that its base "constructor" returns. Unlike a
 * `WeakMap` it costs the garbage collector nothing, and unlike a symbol it shows in no comparison,
 * copy or enumeration.
 */
import type { Entry } from "./ledger.js";

// A base class whose constructor gives back the object it got.
const Itself = function (object: object) {
  return object;
} as unknown as new (object: object) => object;

class Tag extends Itself {
  #entry: Entry;

  constructor(object: object, entry: Entry) {
    super(object);
    this.#entry = entry;
  }

  static entryOf(object: object): Entry | undefined {
    return #entry in object ? object.#entry : undefined;
  }
}

/** Attaches `entry`; an object can be tagged once. */
export function tag(object: object, entry: Entry): void {
  new Tag(object, entry);
}

export function entryOf(object: unknown): Entry | undefined {
  return typeof object === "object" && object !== null ? Tag.entryOf(object) : undefined;
}
