/** The engine's own `WebAssembly`, as it was before anything was patched. */

const { Module, Instance, compile, instantiate, validate } = WebAssembly;
const { imports, exports, customSections } = Module;

const exportsOf = Object.getOwnPropertyDescriptor(Instance.prototype, "exports")?.get;

export const native = {
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
