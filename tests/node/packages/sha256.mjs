import sha256 from "sha256-wasm";

await new Promise((resolve) => sha256.ready(resolve));
const hash = sha256();
for (let n = 0; n < 50; n++) hash.update(Buffer.alloc(n * 37, n));
console.log(hash.digest("hex"));
