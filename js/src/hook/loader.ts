/** For the thread in which Node 20 loads ES modules: announces the classes of old glue. */

import { announceClasses } from "../handles/announce.js";

interface Loaded {
  format?: string | null;
  source?: string | ArrayBuffer | NodeJS.TypedArray | null;
}

export async function load(
  url: string,
  context: object,
  next: (url: string, context: object) => Promise<Loaded>,
): Promise<Loaded> {
  return announced(await next(url, context));
}

/** What was loaded, with announcements where it is glue that needs them. */
export function announced(loaded: Loaded): Loaded {
  const { format, source } = loaded;
  if (source == null || (format !== "module" && format !== "commonjs")) return loaded;
  const text = typeof source === "string" ? source : new TextDecoder().decode(source);
  const changed = announceClasses(text);
  return changed === undefined ? loaded : { ...loaded, source: changed };
}
