/**
 * What is there once in a realm, however many copies of this package it has loaded, as ES modules
 * and as CommonJS: the session, and the patches of `WebAssembly`.
 */

import * as env from "#env";
import { install } from "./handles/index.js";
import type { Handles } from "./handles/index.js";
import { native } from "./hook/native.js";
import { instrument } from "./tracer/instrument.js";
import type { InstrumentOptions, Instrumented } from "./tracer/instrument.js";
import { Session, sectionOf } from "./tracer/session.js";

/** Changes when copies of the package cannot share a runtime any more. */
const KEY = Symbol.for("seepage/1");

export interface Runtime {
  /** The session, made when the first guest comes. */
  readonly session: Session;
  /** Whether there is one. */
  readonly hasSession: boolean;
  /** The JS objects that own memory of a module. */
  readonly handles: Handles;
  /** Whether `WebAssembly` is patched. */
  isRegistered: boolean;
  warn(message: string): void;
  instrument(bytes: BufferSource, options: InstrumentOptions): Instrumented;
  /** The imports for an instance of an instrumented module; nothing for any other module. */
  imports(module: WebAssembly.Module, own: WebAssembly.Imports | undefined): Linked | undefined;
}

export interface Linked {
  imports: WebAssembly.Imports;
  attach(instance: WebAssembly.Instance): void;
}

export function runtime(): Runtime {
  const realm = globalThis as { [KEY]?: Runtime };
  return (realm[KEY] ??= create());
}

function create(): Runtime {
  let session: Session | undefined;
  let handles: Handles | undefined;
  const said = new Set<string>();
  const warn = (message: string): void => {
    if (said.has(message)) return;
    said.add(message);
    env.say(`seepage: warning: ${message}\n`);
  };
  const get = (): Session => (session ??= new Session(warn));
  return {
    get session() {
      return get();
    },
    get hasSession() {
      return session !== undefined;
    },
    get handles() {
      return (handles ??= install());
    },
    isRegistered: false,
    warn,
    instrument,
    imports(module, own) {
      const section = sectionOf(module);
      if (section === undefined) return undefined;
      const guest = get().add(section);
      return {
        imports: withOurs(own, guest.imports),
        attach: (instance) => guest.attach(native.exports(instance)),
      };
    },
  };
}

/** On top of the app's own imports, which are asked for what is wanted and never enumerated. */
function withOurs(own: WebAssembly.Imports | undefined, ours: WebAssembly.ModuleImports): WebAssembly.Imports {
  return new Proxy(own ?? {}, {
    get: (target, name) => (name === "seepage" ? ours : Reflect.get(target, name)),
  });
}
