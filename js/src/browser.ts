/**
 * `import "seepage/browser"` before anything else in a page or a worker: traces every module that is
 * instantiated from then on. `globalThis.__seepage` is what `heap` is elsewhere, so
 * `__seepage.report()` in the console prints the report.
 */

import * as env from "./env/browser.js";
import { expectNoLeaks } from "./expect.js";
import { heap } from "./heap.js";
import { runtime } from "./runtime.js";
import { start } from "./start.js";
import { provide } from "./tracer/wasm.js";

const shared = runtime();
if (!shared.isRegistered) {
  // At once, for the scripts behind this one do not wait. Whoever instantiates does.
  const loaded = env.analysisModule();
  start();
  shared.ready = loaded.then(
    (module) => {
      provide(module);
      shared.ready = undefined;
    },
    (error: unknown) => {
      shared.warn(`nothing is traced: seepage.wasm could not be loaded: ${String(error)}`);
      shared.isDisabled = true;
      shared.ready = undefined;
    },
  );
}

Object.defineProperty(globalThis, "__seepage", {
  value: { ...heap, expectNoLeaks },
  configurable: true,
});

export { expectNoLeaks, heap };
