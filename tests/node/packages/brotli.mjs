import { createRequire } from "node:module";

const brotli = createRequire(import.meta.url)("brotli-wasm");

const text = Buffer.from("a text that is compressed, and compressed again; ".repeat(500));
for (const quality of [1, 5, 11]) {
  const packed = brotli.compress(text, { quality });
  console.log(packed.length, Buffer.from(brotli.decompress(packed)).equals(text));
}
