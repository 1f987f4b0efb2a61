#!/usr/bin/env node
/** `npx seepage`: what of the native tool makes sense without a native binary. */

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { basename } from "node:path";
import process from "node:process";
import * as env from "#env";
import { parse } from "./options.js";
import type { Options } from "./options.js";
import { instrument } from "./tracer/instrument.js";
import { Reader } from "./tracer/reader.js";

const USAGE = `Tells where a WebAssembly heap goes: what is leaked, what is held, and which line is to blame

Usage: seepage <COMMAND>

Commands:
  run [OPTIONS] SCRIPT [ARGS]     Run a script under Node, and report on the heaps of its modules
  report [OPTIONS] FILE           Report on a trace, or on a report that was saved as JSON
  instrument -o FILE MODULE       Write the instrumented module to a file

Options:
  -f, --format FORMAT             text or json [default: by the extension of --output, else text]
  -o, --output FILE               Write to a file; \`-\` is standard output
      --top N                     Calling contexts to show in a list of the text report
      --trace FILE                With run: write the trace to a file
      --trace-images WHEN         Moments of which the memory is looked at: off, marks (the end, and marks up to
                                  1 GiB altogether) or all [default: marks]
      --mark-export NAME          An export that marks a moment whenever it returns
      --baseline FILE             With run: exit with 23 if objects leak that FILE does not name
      --update-baseline           Add what leaks to that file
      --transport HOW             How records leave the guest: auto, ring or call [default: auto]
      --cache FOLDER              With run: keep all instrumented modules there [default: those that took long,
                                  in node_modules/.cache/seepage or the folder for temporary files]
      --no-cache                  With run: keep none
      --no-context                Leave out calling contexts: faster, and without stacks
      --alloc-fn NAME=ROLE        A function that is an allocator's, e.g. pool_alloc=malloc
      --no-probe                  Do not try candidates in a sandbox when names and code leave the allocator open
`;

/** As of the native tool: see cli/exit.rs. */
const FAILED = 2;
/** Bytes of a trace that are read at once. */
const PIECE = 256 * 1024;

const [verb, ...words] = process.argv.slice(2);
try {
  switch (verb) {
    case "run":
      run(words);
      break;
    case "report":
    case "analyze":
      process.exitCode = report(words);
      break;
    case "instrument":
      rewrite(words);
      break;
    case "--version":
    case "-V":
      env.print(`seepage ${version()}\n`);
      break;
    case undefined:
    case "--help":
    case "-h":
      env.print(USAGE);
      break;
    default:
      throw new Error(`unrecognized subcommand '${verb}'\nhint: \`seepage --help\` lists them`);
  }
} catch (error) {
  const [first = "", ...rest] = (error as Error).message.split("\n");
  env.say([`seepage: error: ${first}`, ...rest].join("\n") + "\n");
  process.exitCode = FAILED;
}

/** Runs a script under `register`, which gets the options. */
function run(words: readonly string[]): void {
  const { rest } = parse(words);
  const [script] = rest;
  if (script === undefined) throw new Error("a script is required");
  const options = words.slice(0, words.length - rest.length).filter((word) => word !== "--");
  const quoted = options.map((word) => (/["'\s]/.test(word) ? `"${word}"` : word));
  const before = process.env.SEEPAGE_OPTIONS ?? "";
  const register = new URL("./register.js", import.meta.url).href;
  const child = spawn(process.execPath, [...process.execArgv, "--import", register, ...rest], {
    stdio: "inherit",
    env: { ...process.env, SEEPAGE_OPTIONS: `${before} ${quoted.join(" ")}` },
  });
  // The terminal tells both, and the child decides what comes of it.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
}

/** The report of a trace or of a saved report: the native tool's, byte for byte. */
function report(words: readonly string[]): number {
  const { options, file } = oneFile(words, "a trace or a report is required");
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(readFileSync(file === "-" ? 0 : file));
  } catch (error) {
    throw new Error(`failed to read \`${file}\`: ${(error as Error).message}`);
  }
  const reader = new Reader();
  const text = { ...env.look(options.output ?? 1), ...(options.top !== undefined && { top: options.top }) };
  // A trace begins with its name, and a report with a brace.
  if (bytes[0] === 0x7b) {
    put(options, reader.render(bytes, options.format, text));
    return 0;
  }
  for (let at = 0; at < bytes.length && reader.damage === undefined; at += PIECE) {
    reader.read(bytes.subarray(at, at + PIECE));
  }
  if (reader.messages === 0) {
    const why = reader.damage ?? (bytes.length === 0 ? "it holds nothing" : "it is cut off");
    throw new Error(`failed to read \`${file}\`: ${why}`);
  }
  put(options, reader.report(options.format, text, file));
  const warn = (message: string): void => env.say(`seepage: warning: \`${file}\`${message}\n`);
  if (reader.damage !== undefined) warn(`: ${reader.damage}; the report is of what came before`);
  else if (!reader.ended) {
    warn(" is cut off: it does not say how the guest ended, and the report is of what came before");
  }
  if (reader.unknownChunks > 0) warn(`: ${reader.unknownChunks} chunks of unknown kinds passed over`);
  return reader.damage === undefined ? 0 : FAILED;
}

function rewrite(words: readonly string[]): void {
  const { options, file } = oneFile(words, "a module is required");
  if (options.output === undefined) throw new Error("`--output FILE` is required");
  const bytes = readFileSync(file);
  const name = basename(file);
  const { wasm, inspection } = instrument(bytes, { ...options.instrument, name });
  const count = inspection.allocators.length;
  env.say(`${name}: ${count} allocator function${count === 1 ? "" : "s"} hooked; ${bytes.length} bytes became ${wasm.length}\n`);
  for (const spot of inspection.blindSpots) env.say(`  not seen: ${spot}\n`);
  if (options.output === "-") writeFileSync(1, wasm);
  else writeFileSync(options.output, wasm);
}

function oneFile(words: readonly string[], missing: string): { options: Options; file: string } {
  const { options, rest } = parse(words);
  const [file, ...others] = rest;
  if (file === undefined) throw new Error(missing);
  const after = parse(others);
  if (after.rest.length > 0) throw new Error(`unexpected argument '${after.rest[0]}' found`);
  // Options may stand behind the file as well.
  return { options: others.length > 0 ? parse([...words.slice(0, words.length - rest.length), ...others]).options : options, file };
}

function put(options: Options, text: string): void {
  const { output } = options;
  if (output === undefined || output === "-") env.print(text);
  else writeFileSync(output, text);
}

function version(): string {
  const file = new URL("../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
