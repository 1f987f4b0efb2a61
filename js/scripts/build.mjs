// Compiles src/ to dist/, beside the wasm that `cargo xtask js` has put there.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
if (!existsSync(join(root, "dist/seepage.wasm"))) {
  throw new Error("dist/seepage.wasm is missing: run `cargo xtask js`");
}
const dist = join(root, "dist");
for (const name of readdirSync(dist)) {
  if (name !== "seepage.wasm") rmSync(join(dist, name), { recursive: true });
}
for (const name of ["LICENSE-APACHE", "LICENSE-MIT"]) copyFileSync(join(root, "..", name), join(dist, name));
execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", root], { stdio: "inherit" });

// The twins for `require`, each in one piece: Node 20 cannot require ES modules. What is once in a
// realm is in src/runtime.ts, which both share.
const { exports, peerDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const twins = Object.values(exports).filter((entry) => entry.require).map((entry) => entry.default);
await build({
  // The last is for realms that a test runner makes.
  entryPoints: [...twins, "dist/integrations/realm.js"].map((path) => join(root, path)),
  outdir: dist,
  entryNames: "[name]",
  external: Object.keys(peerDependencies),
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  conditions: ["node"],
  define: { "import.meta.url": "here" },
  banner: { js: 'const here = require("node:url").pathToFileURL(__dirname + "/env/node.js").href;' },
  logLevel: "warning",
});
