/** The garbage collector, where it can be called: `node --expose-gc`. */

// A test may put others in their place while it runs.
const { setTimeout } = globalThis;

/**
 * Has everything collected that nothing refers to, so that what is still held is told from what was
 * dropped. Gives whether that was possible.
 */
export async function collect(): Promise<boolean> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) return false;
  // What is finalised when is up to the engine: an object of our own says when it has come to that.
  let finalised = 0;
  const registry = new FinalizationRegistry(() => finalised++);
  for (let round = 0; round < 20 && finalised < 3; round++) {
    registry.register({}, undefined);
    gc();
    await new Promise((done) => setTimeout(done, 1));
  }
  return finalised >= 3;
}
