/** Replaces a method without changing anything else that can be seen of it. */

export type Method = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Puts what `wrap` makes of `object[key]` in its place: same attributes, name and length. Returns
 * whether there was a function that could be replaced.
 */
export function patchMethod(object: object, key: PropertyKey, wrap: (original: Method) => Method): boolean {
  const descriptor = Object.getOwnPropertyDescriptor(object, key);
  const original: unknown = descriptor?.value;
  if (descriptor === undefined || typeof original !== "function") return false;
  if (!descriptor.configurable && !descriptor.writable) return false;
  const replacement = wrap(original as Method);
  for (const property of ["name", "length"] as const) {
    Object.defineProperty(replacement, property, { value: original[property], configurable: true });
  }
  Object.defineProperty(object, key, { ...descriptor, value: replacement });
  return true;
}

/** Runs what is ours inside of what is the app's: nothing of it may reach the app. */
export function guarded(body: () => void): void {
  try {
    body();
  } catch {
    // An object that cannot be tracked (a frozen one, a revoked proxy) is one that is not counted.
  }
}
