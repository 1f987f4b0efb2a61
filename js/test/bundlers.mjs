// The bundlers, each with the plugin and as its users call it: `bundle(entry, folder, options)`.
import { cpSync } from "node:fs";
import { join } from "node:path";
import { rspack } from "@rspack/core";
import * as esbuild from "esbuild";
import { rolldown } from "rolldown";
import { rollup } from "rollup";
import * as vite from "vite";
import webpack from "webpack";

const plugin = Object.fromEntries(
  await Promise.all(
    ["esbuild", "rolldown", "rollup", "rspack", "vite", "webpack"].map(async (name) => [name, (await import(`seepage/${name}`)).default]),
  ),
);

/** `plugins`: with the plugin, unless `options` is `null`. */
const plugins = (name, options) => (options === null ? [] : [plugin[name](options)]);

function packed(compile, name) {
  return ({ project, entry, out, options = {}, node = false, mode = "development" }) =>
    new Promise((done, failed) => {
      const config = {
        mode,
        context: project,
        devtool: false,
        entry: { main: `./${entry}` },
        experiments: { asyncWebAssembly: true },
        output: { path: out, clean: true },
        plugins: plugins(name, options),
        target: node ? "node" : "web",
      };
      compile(config, (error, stats) => {
        if (error !== null || stats.hasErrors()) failed(error ?? new Error(stats.toString("errors-only")));
        else done(join(out, "main.js"));
      });
    });
}

/** These two look for no wasm: it stays where the glue asks for it. */
function rolled(roll, name) {
  return async ({ project, entry, out, options = {}, node = false }) => {
    const bundle = await roll({
      input: join(project, entry),
      external: [/^node:/],
      onwarn: (warning) => { throw new Error(warning.message) },
      plugins: plugins(name, node && options !== null ? { platform: "node", ...options } : options),
    });
    await bundle.write({ dir: out, format: "es", entryFileNames: node ? "main.mjs" : "main.js" });
    await bundle.close();
    if (!node) cpSync(join(project, "glue"), join(out, "glue"), { recursive: true });
    return join(out, node ? "main.mjs" : "main.js");
  };
}

export const bundlers = {
  webpack: packed(webpack, "webpack"),
  rspack: packed(rspack, "rspack"),
  rollup: rolled(rollup, "rollup"),
  rolldown: rolled(rolldown, "rolldown"),
  async esbuild({ project, entry, out, options = {}, node = false, format = "esm", loader }) {
    if (loader === undefined) cpSync(join(project, "glue"), join(out, "glue"), { recursive: true });
    await esbuild.build({
      absWorkingDir: project,
      bundle: true,
      entryPoints: { main: entry },
      format,
      loader: loader === undefined ? {} : { ".wasm": loader },
      logLevel: "silent",
      outdir: out,
      outExtension: node && format === "esm" ? { ".js": ".mjs" } : node ? { ".js": ".cjs" } : {},
      target: "es2022",
      platform: node ? "node" : "browser",
      plugins: plugins("esbuild", options),
    });
    return join(out, `main.${node ? (format === "esm" ? "mjs" : "cjs") : "js"}`);
  },
  async vite({ project, entry, out, options = {}, more = [], mode = "production", minify = false }) {
    await vite.build({
      configFile: false,
      logLevel: "silent",
      mode,
      root: project,
      build: { outDir: out, emptyOutDir: true, minify, rolldownOptions: { input: join(project, entry) } },
      plugins: [...more, ...plugins("vite", options)],
    });
    return join(out, entry);
  },
};
