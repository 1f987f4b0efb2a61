/** Who calls `WebAssembly`: Node itself, or a script of the app. */

const FRAME = /(?:\(|at (?:async )?|@)([^()]+?):\d+:\d+\)?$/;

/** The folder of this package as it is built, or the one file that it is bundled into. */
const own = folderOf(placesOf(new Error())[0] ?? "");

export interface Caller {
  /** Node's own code: its modules are none of the user's. */
  isNode: boolean;
  /** The script, by its URL or path. */
  script: string | undefined;
}

export function caller(): Caller {
  const script = placesOf(new Error()).find((place) => !isOurs(place));
  return script?.startsWith("node:") ? { isNode: true, script: undefined } : { isNode: false, script };
}

/** Whether a script is of this package. */
export function isOurs(script: string): boolean {
  return own !== "" && path(script).startsWith(own);
}

function placesOf({ stack = "" }: Error): string[] {
  const places = stack.split("\n").map((line) => FRAME.exec(line)?.[1]);
  return places.filter((place) => place !== undefined && !place.startsWith("<anonymous>")) as string[];
}

/** `…/dist/` of `…/dist/hook/caller.js` and of `…/dist/register.cjs`; of a bundle, itself. */
function folderOf(url: string): string {
  return path(url).replace(/(?:hook[/\\]caller\.[jt]s|[\w-]+\.cjs)$/, "");
}

/** ES modules have URLs in stacks, and CommonJS paths. */
function path(place: string): string {
  return place.replace(/^file:\/\//, "");
}
