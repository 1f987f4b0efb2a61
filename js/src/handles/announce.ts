/**
 * Makes glue announce its classes. Glue older than 0.2.93 does not register what it makes, and in
 * most targets no class can be reached from outside; but whoever loads source text (a loader hook
 * of Node's, a bundler) can add to it. A static block says the class from inside, wherever it is
 * and however it is called after minification, and moves no line.
 */

/** On the global object: the function that gets each class. */
export const ANNOUNCEMENT = Symbol.for("seepage.class");

/**
 * `source` with announcements, or `undefined` when it is no glue that needs them. Columns move in
 * the line of `__destroy_into_raw` alone.
 *
 * Refers to nothing outside of itself: its text is sent to the thread of Node's loaders.
 */
export function announceClasses(source: string): string | undefined {
  // A constructor that registers what it makes is in glue that needs no help.
  if (!source.includes("__destroy_into_raw") || /\.register\(\s*this\b/.test(source)) return undefined;
  const announced = source.replace(
    /(?<![\w$.])__destroy_into_raw\s*\(\s*\)\s*\{/g,
    (method) => `static{globalThis[Symbol.for("seepage.class")]?.(this)}${method}`,
  );
  return announced === source ? undefined : announced;
}
