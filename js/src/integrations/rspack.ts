/** The plugin of [bundler.ts](bundler.ts) for rspack. */

import plugin from "./bundler.js";

export type { BundlerOptions } from "./bundler.js";

export default plugin.rspack;
