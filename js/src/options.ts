/** The options of `register`, from `SEEPAGE_OPTIONS`: those of the native tool, under its names. */

import * as env from "#env";
import type { InstrumentOptions } from "./tracer/instrument.js";
import type { Images } from "./tracer/session.js";

export interface Options {
  format: "text" | "json";
  /** A file for the report; `-` is standard output. */
  output: string | undefined;
  /** A file for the trace. */
  trace: string | undefined;
  /** The moments of which the memory is looked at. */
  traceImages: Images;
  /** Contexts in a list of the text report. */
  top: number | undefined;
  /** A file with leaks that fail no test. */
  baseline: string | undefined;
  updateBaseline: boolean;
  instrument: InstrumentOptions;
}

const SHORT: Record<string, string> = { "-f": "--format", "-o": "--output" };

/** Reads options as they stand on a command line; an unknown one is an error. */
export function parse(words: readonly string[]): { options: Options; rest: string[] } {
  const instrument: InstrumentOptions = {};
  const allocFn: string[] = [];
  const markExport: string[] = [];
  const options: Options = {
    format: "text",
    output: undefined,
    trace: undefined,
    traceImages: "marks",
    top: undefined,
    baseline: undefined,
    updateBaseline: false,
    instrument,
  };
  let format: string | undefined;
  let index = 0;
  for (; index < words.length; index++) {
    const word = words[index]!;
    if (word === "--") {
      index++;
      break;
    }
    if (!word.startsWith("-") || word === "-") break;
    const [long = "", inline] = word.startsWith("--") ? split(word) : [SHORT[word] ?? word, undefined];
    const value = (): string => {
      const given = inline ?? words[++index];
      if (given === undefined) throw new Error(`a value is required for '${long}'`);
      return given;
    };
    switch (long) {
      case "--format":
        format = one(long, value(), ["text", "json"]);
        break;
      case "--output":
        options.output = value();
        break;
      case "--trace":
        options.trace = value();
        break;
      case "--trace-images":
        options.traceImages = one(long, value(), ["off", "marks", "all"] as const);
        break;
      case "--top":
        options.top = number(long, value());
        break;
      case "--baseline":
        options.baseline = value();
        break;
      case "--update-baseline":
        options.updateBaseline = true;
        break;
      case "--cache":
        instrument.cache = value();
        break;
      case "--no-cache":
        instrument.cache = false;
        break;
      case "--no-context":
        instrument.contexts = false;
        break;
      case "--no-probe":
        instrument.probe = false;
        break;
      case "--transport":
        instrument.transport = one(long, value(), ["auto", "ring", "call"] as const);
        break;
      case "--alloc-fn":
        allocFn.push(value());
        break;
      case "--mark-export":
        markExport.push(value());
        break;
      default:
        throw new Error(`unexpected argument '${word}' found`);
    }
  }
  if (allocFn.length > 0) instrument.allocFn = allocFn;
  if (markExport.length > 0) instrument.markExport = markExport;
  options.format = (format ?? (options.output?.endsWith(".json") ? "json" : "text")) as Options["format"];
  return { options, rest: words.slice(index) };
}

/** The options in the environment. */
export function fromEnvironment(): Options {
  try {
    const { options, rest } = parse(words(env.options()));
    if (rest.length > 0) throw new Error(`unexpected argument '${rest[0]}' found`);
    return options;
  } catch (error) {
    throw new Error(`SEEPAGE_OPTIONS: ${(error as Error).message}`);
  }
}

/** Splits a line into words as a shell does, with quotes and without anything else. */
export function words(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"),
  );
}

function split(word: string): [string, string | undefined] {
  const at = word.indexOf("=");
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function one<T extends string>(name: string, value: string, values: readonly T[]): T {
  const found = values.find((it) => it === value);
  if (found === undefined) throw new Error(`invalid value '${value}' for '${name}': one of ${values.join(", ")}`);
  return found;
}

function number(name: string, value: string): number {
  if (!/^\d+$/.test(value)) throw new Error(`invalid value '${value}' for '${name}'`);
  return Number(value);
}
