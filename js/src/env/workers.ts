/** Node's worker threads: each is traced by itself, and may be sent modules that are instrumented. */

import { createRequire, syncBuiltinESMExports } from "node:module";
import type { Worker, WorkerOptions } from "node:worker_threads";

type Threads = typeof import("node:worker_threads");

const threads = createRequire(import.meta.url)("node:worker_threads") as Threads;

/**
 * Threads begin with `entry` as this one did. They inherit it, unless the app gives them arguments of
 * their own; without it, a module that was instrumented here would lack its imports there.
 */
export function followThreads(entry: string): void {
  const { Worker: native } = threads;
  const traced: typeof native = new Proxy(native, {
    construct(target, [file, options, ...rest]: [string | URL, WorkerOptions | undefined], self) {
      const { execArgv } = options ?? {};
      const given =
        execArgv === undefined ? options : { ...options, execArgv: ["--import", entry, ...execArgv] };
      return Reflect.construct(target, [file, given, ...rest], self === traced ? target : self) as Worker;
    },
  });
  threads.Worker = traced;
  syncBuiltinESMExports();
}

/** A file of this thread: those of others have their number in it. */
export function fileOfThread(path: string): string {
  if (threads.isMainThread) return path;
  return path.replace(/(\.[^./\\]*)?$/, `.thread-${threads.threadId}$1`);
}
