// What the npm package costs: its size, the time to instrument a module, and what `register` adds to
// an object of wasm-bindgen's glue and to an allocation. Prints a table, and judges nothing.
//
//   cargo xtask js && node benches/javascript/bench.mjs [MODULE.wasm …]
//
// Each figure of a program is that of a process of its own; of several rounds it is the least.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const js = join(root, "js");
const work = fileURLToPath(new URL("work.mjs", import.meta.url));
const register = pathToFileURL(join(js, "dist/register.js")).href;
const ROUNDS = 5;

const mb = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;
const row = (what, figure) => console.log(`${what.padEnd(52)} ${figure}`);

function least(args, options) {
  let best;
  for (let round = 0; round < ROUNDS; round++) {
    const hooks = options === undefined ? [] : ["--import", register];
    const { stdout, stderr, status } = spawnSync(process.execPath, [...hooks, work, ...args], {
      encoding: "utf8",
      env: { ...process.env, SEEPAGE_OPTIONS: `${options ?? ""} -o /dev/null` },
    });
    if (status !== 0) throw new Error(stderr);
    const figure = Number(stdout);
    best = best === undefined ? figure : Math.min(best, figure);
  }
  return best;
}

const [packed] = JSON.parse(execFileSync("npm", ["pack", "--dry-run", "--json", "--silent"], { cwd: js, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
row("tarball", mb(packed.size));
row("unpacked", mb(packed.unpackedSize));
row("seepage.wasm, fetched when there is a module", mb(statSync(join(js, "dist/seepage.wasm")).size));

const { instrument } = await import(pathToFileURL(join(js, "dist/index.js")).href);
const cpu = ({ user, system }) => (user + system) / 1000;
for (const file of process.argv.slice(2)) {
  const bytes = readFileSync(file);
  const before = process.cpuUsage();
  instrument(bytes);
  const ms = cpu(process.cpuUsage(before));
  row(`instrumenting ${basename(file)}, ${mb(bytes.length)}`, `${(ms / 1000).toFixed(2)} s CPU, ${(bytes.length / 1000 / ms).toFixed(1)} MB/s`);
  const cache = mkdtempSync(join(tmpdir(), "seepage-bench-"));
  const options = `--cache ${cache}`;
  least(["load", file], options);
  row("  loading it from the cache, against plain", `${least(["load", file], options).toFixed(0)} ms and ${least(["load", file]).toFixed(0)} ms`);
  rmSync(cache, { recursive: true });
}

for (const [what, kind] of [["an object made and freed", "objects"], ["the same, ten calls deep", "deep"], ["an allocation and its free", "blocks"]]) {
  const plain = least([kind]);
  const configurations = kind === "blocks" ? [["call", "--transport call"], ["ring or call", ""], ["without contexts", "--no-context"]] : [["register", ""]];
  for (const [name, options] of configurations) {
    const traced = least([kind], options);
    row(`${what}, ${name}`, `${plain.toFixed(0)} ns → ${traced.toFixed(0)} ns`);
  }
}
