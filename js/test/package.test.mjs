// What is published, installed into an empty project: the README's recipes work as it says.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { folder, root } from "./support.mjs";

const readme = readFileSync(join(root, "README.md"), "utf8");
const { dependencies, devDependencies, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const blocks = [...readme.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(([, kind, name, text]) => ({ kind, name, text }));

/** Runs a command line with this Node, outside of any test run. */
function run(line, cwd) {
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: "", SEEPAGE_OPTIONS: "" };
  return spawnSync(line, { cwd, env, encoding: "utf8", shell: true, timeout: 300_000 });
}

describe("the package", () => {
  let project, packed;
  let clean = () => {};
  after(() => clean());
  before(() => {
    project = folder({ after: (then) => (clean = then) });
    const pack = run(`npm pack --json --silent --pack-destination ${project}`, root);
    const told = JSON.parse(pack.stdout);
    [packed] = Array.isArray(told) ? told : Object.values(told);
    writeFileSync(join(project, "package.json"), '{ "private": true }');
    const install = run(`npm install --no-audit --no-fund ./${packed.filename} tiktoken@1.0.22 mocha@${devDependencies.mocha}`, project);
    assert.equal(install.status, 0, install.stderr);
  });

  test("holds what is needed and nothing else", () => {
    const paths = packed.files.map(({ path }) => path);
    const entries = Object.values(exports).flatMap((entry) => (typeof entry === "string" ? entry : Object.values(entry)));
    for (const path of ["README.md", "dist/seepage.wasm", "dist/cli.js", "dist/realm.cjs", ...entries]) {
      assert(paths.includes(path.replace(/^\.\//, "")), path);
    }
    assert(paths.every((path) => /^(dist\/.*\.(js|cjs|d\.ts|wasm)|dist\/LICENSE-\w+|README\.md|package\.json|LICENSE.*)$/.test(path)), paths.join(" "));
    assert.deepEqual(Object.keys(dependencies), ["unplugin"]);
  });

  test("the README's recipes do what it says", () => {
    let output = "";
    let recipes = 0;
    for (const { kind, name, text } of blocks) {
      if (name !== undefined) writeFileSync(join(project, name), text);
      else if (kind === "sh" && !text.startsWith("npm install")) {
        const { stdout, stderr } = run(text, project);
        output = stdout + stderr;
        recipes++;
      } else if (kind === "text" && !text.startsWith("npx")) {
        for (const line of text.trim().split("\n")) {
          // The collector is free to come by.
          const pattern = line.startsWith("never freed") ? /^never freed: [1-3] of 3 Tiktoken, at least [\d.]+ MiB of the wasm heap, made at app\.mjs:4$/m : undefined;
          if (pattern !== undefined) assert.match(output, pattern);
          else assert(output.includes(line), `${line}\nis not in\n${output}`);
        }
      }
    }
    assert.equal(recipes, 3);
  });

  test("mocha finds it, and so does a test in CommonJS", () => {
    writeFileSync(join(project, "tokens.spec.cjs"), `
      const { heap } = require("seepage");
      const { get_encoding } = require("tiktoken");
      it("holds one", () => void get_encoding("cl100k_base"));
      it("frees", () => {
        const scope = heap.scope();
        get_encoding("cl100k_base").free();
        scope[Symbol.dispose]();
      });`);
    const { stdout, stderr, status } = run("npx mocha --timeout 60000 --require seepage/mocha tokens.spec.cjs", project);
    assert.equal(status, 1, stderr);
    assert.match(stdout, /2 passing .*\n +1 failing\n/);
    assert.match(stdout, /holds one leaves something behind\n\nTiktoken: 1, made at tokens\.spec\.cjs:4:/);
  });

  test("each bundler finds its plugin", () => {
    const names = ["vite", "rollup", "rolldown", "webpack", "rspack", "esbuild"];
    writeFileSync(join(project, "plugins.mjs"), `
      for (const name of ${JSON.stringify(names)}) console.log(typeof (await import("seepage/" + name)).default());`);
    const { stdout, stderr } = run("node plugins.mjs", project);
    assert.equal(stdout, "object\n".repeat(names.length), stderr);
  });

  test("its types are complete", () => {
    writeFileSync(join(project, "use.mts"), `
      import { expectNoLeaks, heap, instrument, LeakError, track } from "seepage";
      import "seepage/register";
      const { exports } = await track(new Uint8Array(8), {}, { name: "mine", transport: "call" });
      await expectNoLeaks(() => (exports.run as () => void)(), { iterations: 3, allow: "1 KiB" });
      const leaks: number = heap.stats().live.bytes + heap.diff(heap.snapshot()).blocks.length;
      { using scope = heap.scope({ name: "all", allow: "1 KiB" }); }
      export { leaks, instrument, LeakError };`);
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({
      compilerOptions: { target: "es2022", module: "nodenext", lib: ["es2023", "dom", "esnext.disposable"], strict: true, noEmit: true, types: [] },
      files: ["use.mts"],
    }));
    const { stdout, status } = run(`node ${join(root, "node_modules/typescript/bin/tsc")} -p .`, project);
    assert.equal(status, 0, stdout);
  });
});
