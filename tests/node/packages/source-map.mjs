import { SourceMapConsumer, SourceMapGenerator } from "source-map";

const generator = new SourceMapGenerator({ file: "out.js" });
for (let line = 1; line <= 200; line++) {
  const original = { line: line * 2, column: line % 7 };
  generator.addMapping({ source: "in.js", original, generated: { line, column: 3 } });
}
const consumer = await new SourceMapConsumer(generator.toString());
for (const line of [1, 77, 200]) {
  console.log(JSON.stringify(consumer.originalPositionFor({ line, column: 3 })));
}
let count = 0;
consumer.eachMapping(() => count++);
console.log(count);
consumer.destroy();
