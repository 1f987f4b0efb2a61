// Writes src/generated/report.ts from docs/report.schema.json; with --check it only compares.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "json-schema-to-typescript";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const schema = JSON.parse(readFileSync(join(root, "../docs/report.schema.json"), "utf8"));
const output = join(root, "src/generated/report.ts");
/** A reference with a description of its own would become a type of its own. */
function plain(value) {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  if ("$ref" in value) return { $ref: value.$ref };
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, plain(it)]));
}
const text = await compile(plain(schema), "Report", {
  bannerComment: "/* Made from docs/report.schema.json by scripts/types.mjs. */",
  additionalProperties: false,
});
if (!process.argv.includes("--check")) {
  writeFileSync(output, text);
} else if (readFileSync(output, "utf8") !== text) {
  console.error("src/generated/report.ts is stale: run `npm run types` in js/");
  process.exitCode = 1;
}
