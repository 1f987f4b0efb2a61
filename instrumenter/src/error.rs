//! Why a module cannot be instrumented.

/// Why a module cannot be instrumented. The texts fit behind "failed to instrument: ".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are not WebAssembly.
    #[error("not a WebAssembly module: {0}")]
    NotWasm(&'static str),
    /// The bytes are a component.
    #[error(
        "this is a component, and only core modules can be instrumented so far\nhint: instrument the core module before it is wrapped into a component"
    )]
    Component,
    /// The module is malformed or uses what the parser does not know.
    #[error("invalid or unsupported module: {0}")]
    Invalid(String),
    /// The module uses a feature that cannot be rewritten.
    #[error("unsupported feature: {feature}{hint}")]
    Unsupported {
        /// What the feature is called.
        feature: &'static str,
        /// What can be done, as a `hint:` line, or nothing.
        hint: &'static str,
    },
    /// The module carries seepage's section.
    #[error("the module is instrumented already\nhint: instrument the original")]
    AlreadyInstrumented,
    /// An `--alloc-fn` cannot be followed.
    #[error("--alloc-fn {name}: {why}")]
    AllocFn {
        /// The function's name, as the user gave it.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// A `--mark-export` cannot be followed.
    #[error("--mark-export {name}: {why}")]
    MarkExport {
        /// The export's name, as the user gave it.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The companion is not the same module.
    #[error(
        "the debug file does not fit: {0}\nhint: it must come from the same link as the module"
    )]
    Companion(String),
    /// More than the format can number.
    #[error("too many {what}: {count}, and the limit is {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The result is wrong: a defect of seepage's.
    #[error(
        "the instrumented module does not validate: {0}\nhint: this is a bug in seepage; please report it with the module"
    )]
    Verify(String),
}
