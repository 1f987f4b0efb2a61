/** Node's ways of loading scripts: the glue that does not say what it makes is told to. */

import Module, { register } from "node:module";
import { announceClasses } from "../handles/announce.js";
import { announced } from "../hook/loader.js";

type Loader = (url: string, context: object) => object;
type Compile = (this: unknown, source: string, ...rest: unknown[]) => unknown;

/** Announces the classes of every old glue that is loaded from now on. */
export function announceGlue(): void {
  const { registerHooks, prototype } = Module as unknown as {
    registerHooks?: (hooks: { load(url: string, context: object, next: Loader): object }) => void;
    prototype: { _compile: Compile };
  };
  if (registerHooks !== undefined) {
    registerHooks({ load: (url, context, next) => announced(next(url, context)) });
    return;
  }
  // Before Node 22.15 there is one way for ES modules and another for CommonJS.
  register(new URL("../hook/loader.js", import.meta.url));
  const { _compile } = prototype;
  prototype._compile = function (source, ...rest) {
    return _compile.call(this, announceClasses(source) ?? source, ...rest);
  };
}
