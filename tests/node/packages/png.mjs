import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

globalThis.ImageData = class {
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
};
const { default: encode, init: initEncoder } = await import("@jsquash/png/encode.js");
const { default: decode, init: initDecoder } = await import("@jsquash/png/decode.js");
const path = createRequire(import.meta.url).resolve("@jsquash/png/codec/pkg/squoosh_png_bg.wasm");
const module = new WebAssembly.Module(readFileSync(path));
await initEncoder(module);
await initDecoder(module);
const data = new Uint8ClampedArray(64 * 48 * 4).map((_, n) => (n * n) % 251);
const packed = await encode(new ImageData(data, 64, 48));
console.log(packed.byteLength, createHash("sha256").update(new Uint8Array(packed)).digest("hex"));
const image = await decode(packed);
console.log(image.width, image.height, Buffer.from(image.data).equals(Buffer.from(data)));
