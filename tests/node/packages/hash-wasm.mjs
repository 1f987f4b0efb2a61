import * as hash from "hash-wasm";

const text = "a text to be hashed ".repeat(100);
console.log(await hash.md5(text), await hash.sha3(text), await hash.blake3(text));
console.log(await hash.xxhash64(text), await hash.crc32(text));
const salt = new Uint8Array(16).fill(3);
const work = { iterations: 2, memorySize: 512, hashLength: 24, parallelism: 1 };
console.log(await hash.argon2id({ password: "password", salt, ...work, outputType: "encoded" }));
