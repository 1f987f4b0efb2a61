/** Prints what `npm install` takes to install the packages of PACKAGES.json. */
import { readFileSync } from "node:fs";

const { devDependencies } = JSON.parse(readFileSync(new URL("PACKAGES.json", import.meta.url), "utf8"));
console.log(Object.entries(devDependencies).map(([name, version]) => `${name}@${version}`).join(" "));
