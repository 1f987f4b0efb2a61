/** Node's worker threads: each is traced by itself, and may be sent modules that are instrumented. */

import { createRequire, syncBuiltinESMExports } from "node:module";
import type { Worker, WorkerOptions } from "node:worker_threads";

type Threads = typeof import("node:worker_threads");

const threads = createRequire(import.meta.url)("node:worker_threads") as Threads;

/**
 * Threads begin with `entry` as this one did. They inherit it, unless the app gives them arguments of
 * their own; without it, a module that was instrumented here would lack its imports there. `before`
 * is called when one is to begin.
 */
export function followThreads(entry: string, before: () => void): void {
  const { Worker: native } = threads;
  const traced: typeof native = new Proxy(native, {
    construct(target, [file, options, ...rest]: [string | URL, WorkerOptions | undefined], self) {
      before();
      const { execArgv } = options ?? {};
      const given =
        execArgv === undefined ? options : { ...options, execArgv: ["--import", entry, ...execArgv] };
      return Reflect.construct(target, [file, given, ...rest], self === traced ? target : self) as Worker;
    },
  });
  threads.Worker = traced;
  syncBuiltinESMExports();
}

/** Words that all threads of the process have: what each is for. */
const KEY = "seepage/shared";
/** Who works on shared memories. */
const SHARES = 0;
/** How many threads besides the first have traced a module, and how many have reported. */
const TRACED = 1;
const REPORTED = 2;
const WORDS = 3;
const NOBODY = 0;
const SEVERAL = -1;
const ME = threads.threadId + 1;

function ofProcess(): Int32Array {
  let words = threads.getEnvironmentData(KEY);
  // Threads that begin later get what is there when they do.
  if (words === undefined) threads.setEnvironmentData(KEY, (words = new SharedArrayBuffer(4 * WORDS) as never));
  return new Int32Array(words as unknown as SharedArrayBuffer);
}

const words = ofProcess();

/** Whether the process has begun with another thread. */
export function isThread(): boolean {
  return !threads.isMainThread;
}

/** Whether this thread is the only one that works on shared memories, if it does from now on. */
export function mayShare(): boolean {
  return [NOBODY, ME].includes(Atomics.load(words, SHARES));
}

/** This thread works on shared memories from now on. */
export function share(): void {
  const before = Atomics.compareExchange(words, SHARES, NOBODY, ME);
  if (before !== NOBODY && before !== ME) Atomics.store(words, SHARES, SEVERAL);
}

/** This thread has traced a module, and owes a report. */
export function owe(): void {
  if (!threads.isMainThread) Atomics.add(words, TRACED, 1);
}

/** It has reported. */
export function settle(): void {
  if (!threads.isMainThread) Atomics.add(words, REPORTED, 1);
}

/** Threads that owe a report and cannot give it any more, as the process ends. */
export function silentThreads(): number {
  return threads.isMainThread ? Atomics.load(words, TRACED) - Atomics.load(words, REPORTED) : 0;
}

/** A file of this thread: those of others have their number in it. */
export function fileOfThread(path: string): string {
  if (threads.isMainThread) return path;
  return path.replace(/(\.[^./\\]*)?$/, `.thread-${threads.threadId}$1`);
}
