/** The report of this realm, as text or JSON. */

import * as env from "#env";
import type { ObjectsReport } from "./handles/index.js";
import type { Runtime } from "./runtime.js";

export interface ReportOptions {
  format?: "text" | "json" | undefined;
  /** Contexts in a list of the text report. */
  top?: number | undefined;
  /** Where it will be shown: a file's name, or the number of a standard stream. */
  output?: string | 1 | 2 | undefined;
}

/** A module that a page or Node has loaded lies in memory until the process ends. */
const LOADED = { outcome: "unknown", message: "the modules were still loaded" } as const;

/** Whether there is anything to report on. */
export function sawAnything(runtime: Runtime): boolean {
  return runtime.isTracing || saysAnything(runtime.handles.objects());
}

function saysAnything(objects: ObjectsReport): boolean {
  return objects.groups.length > 0 || objects.unseen.length > 0 || objects.values.length > 0;
}

/** Renders everything so far. */
export function report(runtime: Runtime, options: ReportOptions = {}): string {
  const { format = "text", output, top } = options;
  const text = { ...(output !== undefined && env.look(output)), ...(top !== undefined && { top }) };
  const { session, handles } = runtime;
  return session.report(format, text, LOADED, (retained) => {
    const objects = handles.objects(retained);
    const directory = env.directory();
    return saysAnything(objects) ? { ...objects, ...(directory && { directory }) } : undefined;
  });
}

/** Says how the run ended, in the trace. */
export function end(runtime: Runtime): void {
  if (runtime.isTracing) runtime.session.end(LOADED);
}
