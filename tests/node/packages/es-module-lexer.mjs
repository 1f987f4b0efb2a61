import { init, parse } from "es-module-lexer";

await init;
const source = 'import a, { b } from "c"; export const d = await import("e"); export { b as f };';
console.log(JSON.stringify(parse(source)));
console.log(JSON.stringify(parse(source.repeat(1).replaceAll("d", "longer"))));
