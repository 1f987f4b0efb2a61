/** What `expect(fn).toNotLeak()` does, in whatever `expect` is extended with it. */

import type { ExpectOptions } from "../expect.js";
import { findLeaks } from "../expect.js";
import { newLeaks } from "../known.js";
import { LeakError } from "../leaks.js";

interface Judgement {
  pass: boolean;
  message(): string;
}

export async function toNotLeak(
  this: { isNot?: boolean },
  fn: (iteration: number) => unknown,
  options?: ExpectOptions,
): Promise<Judgement> {
  const found = await findLeaks(fn, options);
  // Who says that something leaks does not mean what is known.
  const leaks = this.isNot === true ? found : newLeaks(found);
  return {
    pass: leaks.length === 0,
    message: () => (leaks.length === 0 ? "nothing is left behind" : new LeakError(leaks).message),
  };
}
