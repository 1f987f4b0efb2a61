/** Who calls `WebAssembly`: Node itself, or a script of the app. */

/** This file's folder, and a bundled twin's file: where our own frames are. */
const OURS = /[/\\]seepage[/\\]dist[/\\]|[/\\]js[/\\]dist[/\\]/;

export interface Caller {
  /** Node's own code: its modules are none of the user's. */
  isNode: boolean;
  /** The script, by its URL or path. */
  script: string | undefined;
}

export function caller(): Caller {
  const { stack = "" } = new Error();
  for (const line of stack.split("\n").slice(1)) {
    const place = /(?:\(|at (?:async )?|@)([^()]+?):\d+:\d+\)?$/.exec(line)?.[1];
    if (place === undefined || place.startsWith("<anonymous>") || OURS.test(place)) continue;
    return place.startsWith("node:")
      ? { isNode: true, script: undefined }
      : { isNode: false, script: place };
  }
  return { isNode: false, script: undefined };
}
