// Runs all tests: with this Node, and with `--all` with the newer ones that are supported as well.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Packages that are nothing but a Node: https://www.npmjs.com/package/node. */
const OTHERS = ["22.23.3", "24.21.0"];

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const files = ["test", "test/handles"].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".test.mjs"))
    .map((name) => join(folder, name)),
);

published();

/** What a bundle is does not depend on the Node that runs the bundler. */
const once = [join("test", "bundlers.test.mjs")];

const nodes = [process.execPath];
if (process.argv.includes("--all")) nodes.push(...OTHERS.map(install));
for (const node of nodes) {
  const { stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
  console.log(`== Node ${stdout.trim()}`);
  const wanted = node === process.execPath ? files : files.filter((file) => !once.includes(file));
  // The tests start programs of their own: more at a time than cores help nobody.
  const { status } = spawnSync(node, ["--test", "--test-concurrency=2", ...wanted], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

/** The published packages whose objects are counted, each pinned: see test/handles/PACKAGES.json. */
function published() {
  const folder = join(root, "test/handles");
  const { stdout } = spawnSync(process.execPath, [join(folder, "packages.mjs")], { encoding: "utf8" });
  const npm = ["install", "--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"];
  const { status } = spawnSync("npm", [...npm, "--prefix", folder, ...stdout.trim().split(/\s+/)], { stdio: "inherit" });
  if (status !== 0) throw new Error("the published packages of the tests cannot be had");
}

function install(version) {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(root, "../.cache", `node-${version}`);
  const node = join(folder, "node_modules", name, "bin/node");
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    const npm = ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", `${name}@${version}`];
    const { status } = spawnSync("npm", npm, { stdio: "inherit" });
    if (status !== 0) throw new Error(`Node ${version} cannot be had as ${name}`);
  }
  return node;
}
