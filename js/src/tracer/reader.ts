/** Reading what was written before: traces, and reports in JSON. */

import { NOBODY } from "./instrument.js";
import type { TextOptions } from "./session.js";
import { Analysis } from "./wasm.js";

export class Reader {
  readonly #analysis = new Analysis(NOBODY);
  messages = 0;
  /** The trace says how the guest ended. */
  ended = false;
  unknownChunks = 0;
  /** What is wrong with the trace; what came before counts. */
  damage: string | undefined;

  /** Takes the next piece of a trace. */
  read(piece: Uint8Array): void {
    this.#analysis.call("seepage_read", piece);
    const read = this.#analysis.json<{
      messages: number;
      ended: boolean;
      unknown_chunks: number;
      damage: string | null;
    }>();
    this.messages += read.messages;
    this.ended ||= read.ended;
    this.unknownChunks = read.unknown_chunks;
    this.damage = read.damage ?? undefined;
  }

  /** The report of the trace so far; `file` is what the user calls it. */
  report(format: string, text: TextOptions, file: string): string {
    this.#analysis.ask("seepage_assemble", new Uint8Array());
    return decode(this.#analysis.ask("seepage_render", { format, text, analyze: file }));
  }

  /** A report that was saved as JSON. */
  render(report: Uint8Array, format: string, text: TextOptions): string {
    this.#analysis.ask("seepage_saved", report);
    return decode(this.#analysis.ask("seepage_render", { format, text }));
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
