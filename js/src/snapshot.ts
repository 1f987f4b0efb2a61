/** A moment to compare with. */

import type { Mark } from "./handles/index.js";
import { runtime } from "./runtime.js";

/** A moment that `heap.diff` can go back to. Costs a number for each calling context. */
export class Snapshot {
  /** @internal */
  readonly wasm: number;
  /** @internal */
  readonly objects: Mark;
  constructor(readonly name: string) {
    const { session, handles } = runtime();
    this.wasm = session.snapshot();
    this.objects = handles.mark();
  }

  /** Gives back what it costs. */
  forget(): void {
    runtime().session.forget(this.wasm);
  }

  [Symbol.dispose](): void {
    this.forget();
  }
}
