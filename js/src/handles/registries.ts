/**
 * Sees what is registered for finalisation. `FinalizationRegistry` itself stays what it is, since
 * only the two methods on its prototype are observed: `instanceof`, subclasses and the order in
 * which cleanup callbacks run cannot change. When a package puts another one in its place, that one
 * is observed as well.
 */
import { guarded, patchMethod } from "./patch.js";
import type { Method } from "./patch.js";

export interface RegistryObserver {
  /** Called after a registration that succeeded; `below` is the function that the app called. */
  registered(target: object, held: unknown, token: unknown, below: Method): void;
  unregistered(token: unknown): void;
}

export function observeRegistries(realm: typeof globalThis, observer: RegistryObserver): void {
  const seen = new WeakSet<object>();
  const observe = (registry: unknown): void => {
    if (typeof registry !== "function") return;
    const prototype: unknown = registry.prototype;
    if (typeof prototype !== "object" || prototype === null || seen.has(prototype)) return;
    seen.add(prototype);
    patchMethod(prototype, "register", (original) => {
      return function register(...args) {
        const result = Reflect.apply(original, this, args);
        const [target, held, token] = args;
        guarded(() => observer.registered(target as object, held, token, register));
        return result;
      } as Method;
    });
    patchMethod(prototype, "unregister", (original) => {
      return function unregister(...args) {
        guarded(() => observer.unregistered(args[0]));
        return Reflect.apply(original, this, args);
      };
    });
  };

  let current: unknown = realm.FinalizationRegistry;
  observe(current);
  const descriptor = Object.getOwnPropertyDescriptor(realm, "FinalizationRegistry");
  if (descriptor !== undefined && !descriptor.configurable) return;
  Object.defineProperty(realm, "FinalizationRegistry", {
    configurable: true,
    enumerable: descriptor?.enumerable ?? false,
    get: () => current,
    set(replacement: unknown) {
      guarded(() => observe(replacement));
      current = replacement;
    },
  });
}
