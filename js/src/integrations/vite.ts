/**
 * A plugin for vite: pages and workers of the development server, and of a build that asks for it,
 * begin with `seepage/browser`. Modules are instrumented in the page, so it does not matter how they
 * are imported (`?init`, `?url`, a glue that fetches, another plugin's ES modules).
 *
 * ```js
 * import seepage from "seepage/vite";
 * export default { plugins: [seepage()] };
 * ```
 */

import type { Plugin } from "vite";
import { announceClasses } from "../handles/announce.js";

export interface VitePluginOptions {
  /** Whether a build is to be traced as well: not unless this says so. */
  build?: boolean;
}

const ENTRY = "seepage/browser";

export default function seepage({ build = false }: VitePluginOptions = {}): Plugin {
  return {
    name: "seepage",
    enforce: "pre",
    // A build without it is as if the plugin were not there.
    apply: (_, { command }) => command === "serve" || build,
    config: () => ({
      // Bundled in advance it would not find its wasm beside itself.
      optimizeDeps: { exclude: ["seepage"] },
      build: { target: "es2022" },
    }),
    transform: (code: string) => {
      const announced = announceClasses(code);
      return announced === undefined ? undefined : { code: announced, map: null };
    },
    transformIndexHtml: {
      order: "pre",
      handler: () => [
        { tag: "script", attrs: { type: "module" }, children: `import "${ENTRY}";`, injectTo: "head-prepend" },
      ],
    },
  };
}
