import { getQuickJS } from "quickjs-emscripten";

const quickjs = await getQuickJS();
const source = "let a = []; for (let n = 0; n < 5000; n++) a.push({ n, text: 'x'.repeat(n % 9) });"
  + " JSON.stringify([a.length, a.filter((it) => it.n % 7 === 0).map((it) => it.text).join('').length])";
console.log(quickjs.evalCode(source));
console.log(quickjs.evalCode("[3, 1, 2].sort().map(String).join() + /a(b+)/.exec('xabbb')[1]"));
