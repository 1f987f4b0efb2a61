import { compress, decompress, init } from "@bokuweb/zstd-wasm";

await init();
const text = Buffer.from("words that come again and again, ".repeat(3000));
for (const level of [1, 10, 19]) {
  const packed = compress(text, level);
  console.log(packed.length, Buffer.from(decompress(packed)).equals(text));
}
