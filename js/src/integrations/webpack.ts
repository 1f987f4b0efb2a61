/** The plugin of [bundler.ts](bundler.ts) for webpack. */

import plugin from "./bundler.js";

export type { BundlerOptions } from "./bundler.js";

export default plugin.webpack;
