import jq from "jq-wasm";

const data = { numbers: [3, 1, 2], inner: { text: "x" } };
console.log(JSON.stringify(await jq.json(data, ".numbers | sort | map(. * 10)")));
console.log(JSON.stringify(await jq.json(data, "[paths(scalars)] | length")));
