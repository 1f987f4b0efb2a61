import init, { transform } from "lightningcss-wasm";

await init();
const code = Buffer.from(".a { color: #ff0000; margin: 0px } .b { .c & { width: calc(1px + 2px) } }");
const { code: smaller } = transform({ filename: "a.css", code, minify: true });
console.log(Buffer.from(smaller).toString());
