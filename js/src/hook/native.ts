/**
 * The engine's own `WebAssembly`, as it was before anything was patched: of a realm and not of this
 * file, for a second copy of the package is loaded when all is patched.
 */

const KEY = Symbol.for("seepage/native/1");

export const native = shared();

function shared(): ReturnType<typeof take> {
  const realm = globalThis as { [KEY]?: ReturnType<typeof take> };
  if (realm[KEY] === undefined) Object.defineProperty(realm, KEY, { value: take() });
  return realm[KEY]!;
}

function take() {
  const { Module, Instance, compile, instantiate, validate } = WebAssembly;
  const { imports, exports, customSections } = Module;
  const exportsOf = Object.getOwnPropertyDescriptor(Instance.prototype, "exports")?.get;
  return {
    Module,
    Instance,
    compile,
    instantiate: instantiate as {
      (module: WebAssembly.Module, imports?: WebAssembly.Imports): Promise<WebAssembly.Instance>;
    },
    validate,
    compileStreaming: WebAssembly.compileStreaming,
    instantiateStreaming: WebAssembly.instantiateStreaming,
    /** All exports of an instance, those that instrumentation added as well. */
    exports: (instance: WebAssembly.Instance): WebAssembly.Exports => {
      return exportsOf?.call(instance) ?? instance.exports;
    },
    importsOf: imports,
    exportsOf: exports,
    customSections,
  };
}
