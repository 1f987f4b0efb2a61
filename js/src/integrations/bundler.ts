/**
 * A plugin for bundlers: what is bundled begins with `seepage/browser`, or with `seepage/register` if
 * it is for Node, and instruments each module as it is loaded. So it does not matter how the app
 * imports it: as an ES module, an asset, by a glue that fetches, or as bytes in the script. Glue too
 * old to be seen announces its classes.
 *
 * ```js
 * import seepage from "seepage/vite"; // or rollup, rolldown, webpack, rspack, esbuild
 * export default { plugins: [seepage()] };
 * ```
 *
 * Where nothing is asked for, the bundle is what it is without the plugin, byte for byte.
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import process from "node:process";
import type { PluginBuild } from "esbuild";
import { createUnplugin } from "unplugin";
import type { UnpluginInstance } from "unplugin";
import type { Plugin } from "vite";
import { announceClasses } from "../handles/announce.js";

export interface BundlerOptions {
  /**
   * Whether to trace what is bundled. If this does not say, the variable `SEEPAGE` does (`1` or `0`);
   * failing that, tests are traced (mode or `NODE_ENV` is `test`), and vite's development server.
   */
  enabled?: boolean;
  /** Where the bundle runs, if the bundler does not know. */
  platform?: "browser" | "node";
}

const NAME = "seepage";
const IN_NODE = "seepage/register";
const IN_PAGE = "seepage/browser";
const FILES = {
  page: fileURLToPath(new URL("../browser.js", import.meta.url)),
  environment: fileURLToPath(new URL("../env/browser.js", import.meta.url)),
  analysis: fileURLToPath(new URL("../seepage.wasm", import.meta.url)),
};
/** How a page finds the analysis, in `env/browser.ts`: not all bundlers know this for an asset. */
const ASSET = `new URL("../seepage.wasm", import.meta.url)`;
const SCRIPT = /\.[cm]?[jt]sx?(?:$|\?)/;

const plugin: UnpluginInstance<BundlerOptions | undefined, false> = createUnplugin((options = {}, { framework }) => {
  const { enabled = asked(), platform } = options;
  if (framework === "vite") return { name: NAME, vite: inVite(enabled, platform, options) };
  if (!(enabled ?? process.env.NODE_ENV === "test")) return { name: NAME };
  const rollup = inRollup(() => platform === "node", true);
  return {
    name: NAME,
    enforce: "pre",
    transform: { filter: { id: SCRIPT, code: /__destroy_into_raw/ }, handler: announceClasses },
    rollup: rollup as object,
    rolldown: rollup as object,
    webpack: (compiler) => inWebpack(compiler as unknown as Compiler, platform),
    rspack: (compiler) => inWebpack(compiler as unknown as Compiler, platform),
    esbuild: { setup: (build) => inEsbuild(build, platform) },
  };
});

export default plugin;

function asked(): boolean | undefined {
  const { SEEPAGE } = process.env;
  return SEEPAGE === undefined || SEEPAGE === "" ? undefined : SEEPAGE !== "0";
}

// What is used of rollup's hooks, which vite and rolldown have as well.
interface Context {
  getModuleInfo(id: string): { isEntry: boolean } | null;
  emitFile(file: { type: "asset"; name: string; source: Uint8Array }): string;
}

/** `isBare`: bundlers that look for no packages and no assets by themselves. */
function inRollup(isNode: () => boolean, isBare: boolean) {
  return {
    resolveId(id: string, importer?: string) {
      if (id === IN_NODE && isNode()) return { id, external: true };
      if (id === IN_PAGE && isBare) return FILES.page;
      const isOurs = isBare && importer !== undefined && fileOf(importer).startsWith(fileURLToPath(new URL("..", import.meta.url)));
      return id === "#env" && isOurs ? FILES.environment : undefined;
    },
    transform(this: Context, code: string, id: string) {
      let changed = SCRIPT.test(id) ? announceClasses(code) : undefined;
      if (isBare && fileOf(id) === FILES.environment) {
        const source = new Uint8Array(readFileSync(FILES.analysis));
        const asset = this.emitFile({ type: "asset", name: "seepage.wasm", source });
        changed = code.replace(ASSET, `new URL(import.meta.ROLLUP_FILE_URL_${asset})`);
      }
      // On the first line, so that no other moves.
      if (SCRIPT.test(id) && this.getModuleInfo(id)?.isEntry === true) {
        const [, hashbang = "", rest = ""] = /^(#!.*\n)?([\s\S]*)$/.exec(changed ?? code) ?? [];
        changed = `${hashbang}import "${isNode() ? IN_NODE : IN_PAGE}";${rest}`;
      }
      return changed === undefined ? undefined : { code: changed, map: null };
    },
  };
}

function inVite(enabled: boolean | undefined, platform: BundlerOptions["platform"], options: BundlerOptions): Partial<Plugin> {
  let isNode = platform === "node";
  let isBuild = false;
  const { resolveId, transform } = inRollup(() => isNode, false);
  return {
    enforce: "pre",
    apply: (_, { command, mode }) => enabled ?? (command === "serve" || mode === "test"),
    config: (config) => ({
      // Bundled in advance it would not find its wasm beside itself.
      optimizeDeps: { exclude: [NAME] },
      build: { target: "es2022" },
      // Their bundles have plugins of their own.
      worker: { plugins: () => [plugin.vite({ ...options, enabled: true })].flat() },
      // Of vitest; its tests in a browser begin with `seepage/browser` as any page.
      ...(process.env.VITEST && !isForPage(config as Vitest) && { test: { setupFiles: ["seepage/vitest"] } }),
    }),
    configResolved({ command, build }) {
      isBuild = command === "build";
      isNode = platform === "node" || (platform === undefined && Boolean(build.ssr));
    },
    resolveId: resolveId as Plugin["resolveId"] & object,
    transform(code, id) {
      const info = (entry: string) => (isBuild ? this.getModuleInfo(entry) : { isEntry: /[?&]worker_file\b/.test(entry) });
      return transform.call({ getModuleInfo: info, emitFile: () => "" }, code, id);
    },
    transformIndexHtml: {
      order: "pre",
      handler: () => [{ tag: "script", attrs: { type: "module" }, children: `import "${IN_PAGE}";`, injectTo: "head-prepend" }],
    },
  };
}

/** What vitest adds to the configuration. */
interface Vitest {
  test?: { browser?: { enabled?: boolean } };
}

/** Whether it runs the tests in a page. */
function isForPage({ test }: Vitest): boolean {
  return test?.browser?.enabled === true;
}

/** What is used of the compilers of webpack and rspack. */
interface Compiler {
  context: string;
  options: { externalsPresets?: { node?: boolean }; output: { module?: boolean } };
  hooks: { afterEnvironment: { tap(name: string, then: () => void): void } };
  webpack: {
    EntryPlugin: new (context: string, entry: string, options: { name: undefined }) => Applicable;
    BannerPlugin: new (options: { banner: string; raw: true; entryOnly: true; test: RegExp }) => Applicable;
  };
}
interface Applicable {
  apply(compiler: Compiler): void;
}

function inWebpack(compiler: Compiler, platform: BundlerOptions["platform"]): void {
  const { EntryPlugin, BannerPlugin } = compiler.webpack;
  // Not before is it known what it builds for.
  compiler.hooks.afterEnvironment.tap(NAME, () => {
    const { externalsPresets, output } = compiler.options;
    const isNode = platform === undefined ? externalsPresets?.node === true : platform === "node";
    const before = isNode
      ? new BannerPlugin({ banner: loadInNode(output.module === true), raw: true, entryOnly: true, test: /\.[cm]?js$/ })
      : // Without a name it comes before all entries, those of workers too.
        new EntryPlugin(compiler.context, FILES.page, { name: undefined });
    before.apply(compiler);
  });
}

function inEsbuild(build: PluginBuild, platform: BundlerOptions["platform"]): void {
  const { initialOptions: options } = build;
  if ((platform ?? options.platform) === "node") {
    const load = loadInNode(options.format === "esm");
    options.banner = { ...options.banner, js: `${load}${options.banner?.["js"] ?? ""}` };
  } else {
    options.inject = [FILES.page, ...(options.inject ?? [])];
    const base = options.format === "esm" ? "import.meta.url" : "document.currentScript?.src ?? location.href";
    build.onResolve({ filter: /^seepage:analysis$/ }, () => ({ path: FILES.analysis, namespace: NAME }));
    build.onLoad({ filter: /./, namespace: NAME }, () => ({ contents: readFileSync(FILES.analysis), loader: "file" }));
    build.onLoad({ filter: /browser\.js$/ }, ({ path }) => {
      if (path !== FILES.environment) return undefined;
      const code = readFileSync(path, "utf8").replace(ASSET, `new URL(analysis, ${base})`);
      return { contents: `import analysis from "seepage:analysis";${code}`, loader: "js" };
    });
  }
  build.onLoad({ filter: /\.[cm]?js$/ }, ({ path }) => {
    const contents = announceClasses(readFileSync(path, "utf8"));
    return contents === undefined ? undefined : { contents, loader: "js" };
  });
}

function loadInNode(isModule: boolean): string {
  return isModule ? `import "${IN_NODE}";` : `require("${IN_NODE}");`;
}

/** The file of a module, without what a bundler has added to its name. */
function fileOf(id: string): string {
  return id.replace(/^\0/, "").replace(/[?#].*$/, "");
}
