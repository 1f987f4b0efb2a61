/** The section of the text report that is about JavaScript objects. */
import type { Frame } from "./stacks.js";
import type { ObjectGroup, ObjectsReport } from "./report.js";
import { placeOf, shortFile } from "./report.js";
import { bytes, plural, thousands } from "./units.js";

export interface RenderOptions {
  /** Groups and frames that are shown; what is left out is counted. */
  readonly groups?: number;
  readonly frames?: number;
}

/** The section, without a newline at its end; empty when there is nothing to say. */
export function renderObjects(report: ObjectsReport, options: RenderOptions = {}): string {
  const { groups: maxGroups = 20, frames = 6 } = options;
  const lines: string[] = [];
  const objects = report.groups.filter((group) => group.kind !== "closure");
  const forgotten = objects.filter((group) => group.held + group.lost + group.late > 0);
  if (objects.length > 0) lines.push(summary(objects));
  for (const group of forgotten.slice(0, maxGroups)) lines.push("", ...renderGroup(group, frames));
  if (forgotten.length > maxGroups) lines.push("", `… and ${plural(forgotten.length - maxGroups, "more place")}`);

  const closures = report.groups.filter((group) => group.kind === "closure" && group.held > 0);
  if (closures.length > 0) {
    lines.push("", `Rust closures that are alive: ${thousands(closures.reduce((sum, group) => sum + group.held, 0))}`);
    for (const group of closures.slice(0, maxGroups)) {
      lines.push(`  ${thousands(group.held)} of ${thousands(group.created)} made at ${group.at ? placeOf(group.at) : "an unknown place"}`);
    }
    if (closures.length > maxGroups) lines.push(`  … and ${plural(closures.length - maxGroups, "more place")}`);
  }
  for (const { instance, where, byType } of report.values) {
    const types = Object.entries(byType).sort(([, a], [, b]) => b - a);
    lines.push("", `JavaScript values held by Rust (instance ${instance}, ${where}): ${types.map(([type, n]) => `${thousands(n)} ${type}`).join(", ")}`);
  }
  for (const { instance, bindgen, classes } of report.unseen) {
    const glue = bindgen === undefined ? "" : `, wasm-bindgen ${bindgen}`;
    const names = classes.length > 8 ? `${classes.slice(0, 8).join(", ")}, …` : classes.join(", ");
    lines.push("", `not observed: ${plural(classes.length, "class", "classes")} of instance ${instance}${glue}: ${names}`);
  }
  const { pointers, stacks } = report.dropped;
  if (pointers > 0) lines.push("", `beyond the limit: the addresses of ${plural(pointers, "object")} (they are counted)`);
  if (stacks > 0) lines.push("", `beyond the limit: the stacks of ${plural(stacks, "object")} (they are counted)`);
  return lines.join("\n").replace(/^\n/, "");
}

function summary(groups: readonly ObjectGroup[]): string {
  const total = (pick: (group: ObjectGroup) => number) => groups.reduce((sum, group) => sum + pick(group), 0);
  const never = total((group) => group.held + group.lost);
  const created = total((group) => group.created);
  const fates = (["freed", "moved", "late"] as const).map((fate) => [fate, total((group) => group[fate])] as const);
  const rest = fates.filter(([, n]) => n > 0).map(([fate, n]) => `${thousands(n)} ${WORDS[fate]}`);
  const head = `${plural(created, "object")} made: ${thousands(never)} never freed`;
  return rest.length > 0 ? `${head}, ${rest.join(", ")}` : head;
}

const WORDS = { freed: "freed", moved: "moved into wasm", late: "forgotten and freed by the collector" } as const;

function renderGroup(group: ObjectGroup, maxFrames: number): string[] {
  const { held, lost, late, freed, moved, created } = group;
  const minified = group.glueName === undefined ? "" : ` (${group.glueName} in the glue)`;
  const at = group.at === undefined ? "" : `, made at ${placeOf(group.at)}`;
  const unfreed = held + lost;
  const [verdict, n] = unfreed > 0 ? ["never freed", unfreed] : ["freed by the collector only", late];
  const retained = group.retained === undefined ? "" : `, at least ${bytes(group.retained)} of the wasm heap`;
  const head = `${verdict}: ${thousands(n)} of ${thousands(created)} ${group.class}${minified}${retained}${at}`;
  const parts = [
    [held, "still held"],
    [lost, "dropped, and nothing will free them"],
    [unfreed > 0 ? late : 0, "freed by the collector"],
    [freed, "freed"],
    [moved, "moved"],
  ] as const;
  const fates = parts.filter(([n]) => n > 0).map(([n, words]) => `${thousands(n)} ${words}`);
  const lines = [head];
  if (fates.length > 1 || lost > 0) lines.push(`  ${fates.join(", ")}`);
  for (const frame of group.stack.slice(0, maxFrames)) lines.push(`    at ${frameText(frame)}`);
  if (group.stack.length > maxFrames) lines.push(`    … ${plural(group.stack.length - maxFrames, "more frame")}`);
  if (group.note !== undefined) lines.push(`  note: ${group.note}`);
  if (group.fix !== undefined) lines.push(`  fix: ${group.fix}`);
  return lines;
}

function frameText({ name, file, line, column }: Frame): string {
  const place = `${shortFile(file)}:${line}:${column}`;
  return name === undefined ? place : `${name} (${place})`;
}
