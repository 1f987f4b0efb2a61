import xxhash from "xxhash-wasm";

const { h32ToString, h64ToString, create64 } = await xxhash();
console.log(h32ToString("text"), h64ToString("text".repeat(30000)));
console.log(create64().update("one").update("two").digest().toString(16));
