import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Resvg, initWasm } from "@resvg/resvg-wasm";

const path = createRequire(import.meta.url).resolve("@resvg/resvg-wasm/index_bg.wasm");
await initWasm(readFileSync(path));
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="80" height="60">
  <circle cx="30" cy="30" r="20" fill="teal" stroke="black" stroke-width="3"/>
  <path d="M5 5 C 40 80 60 -20 75 55" fill="none" stroke="red"/></svg>`;
const image = new Resvg(svg).render();
console.log(image.width, image.height);
console.log(createHash("sha256").update(image.asPng()).digest("hex"));
