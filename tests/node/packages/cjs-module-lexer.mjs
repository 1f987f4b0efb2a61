import { init, parse } from "cjs-module-lexer";

await init();
console.log(JSON.stringify(parse("exports.a = 1; exports.b = () => 2; module.exports.c = 3;")));
console.log(JSON.stringify(parse('module.exports = { ...require("x"), y };')));
