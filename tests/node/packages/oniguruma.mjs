import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { loadWASM, OnigScanner, OnigString } = require("vscode-oniguruma");
const wasm = readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
await loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
const scanner = new OnigScanner(["(\\w+)\\s*=", "\\d+", "(?<=;)\\s*$"]);
const text = new OnigString("value = 42; other=7;");
for (const start of [0, 6, 9, 19]) {
  console.log(JSON.stringify(scanner.findNextMatchSync(text, start)));
}
scanner.dispose();
text.dispose();
