/** The report of this realm, as text or JSON. */

import * as env from "#env";
import type { Runtime } from "./runtime.js";

export interface ReportOptions {
  format?: "text" | "json" | undefined;
  /** Contexts in a list of the text report. */
  top?: number | undefined;
  color?: boolean | undefined;
}

/** Renders everything so far; `code` is the exit code of a program that has ended. */
export function report(runtime: Runtime, options: ReportOptions, code?: number): string {
  const { format = "text", top, color = env.hasColor() } = options;
  const width = env.columns();
  const text = { color, ...(top !== undefined && { top }), ...(width !== undefined && { width }) };
  const end = code === undefined ? { outcome: "unknown" } as const : { outcome: "exited", exit_code: code } as const;
  return runtime.session.report(format, text, end);
}
