/** The plugin of [bundler.ts](bundler.ts) for rolldown. */

import plugin from "./bundler.js";

export type { BundlerOptions } from "./bundler.js";

export default plugin.rolldown;
