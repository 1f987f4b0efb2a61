//! What keeps a run from beginning. Whatever happens to a guest that has begun is not an error but
//! the [`End`](seepage_trace::End) of its trace.

/// Why a module cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no module.
    #[error("not a WebAssembly module")]
    NotWasm,
    /// The bytes are a component.
    #[error(
        "a component, not a core module\n\
         hint: seepage traces core modules; build for wasm32-wasip1 instead of wasm32-wasip2"
    )]
    Component,
    /// The module carries no site table.
    #[error("the module is not instrumented\nhint: pass it through `seepage instrument` first")]
    NotInstrumented,
    /// The module carries a site table that cannot be used.
    #[error(
        "cannot use the module's `seepage` section: {0}\n\
         hint: instrument the original again with this version of seepage"
    )]
    Section(String),
    /// wasmtime does not take the module.
    #[error("failed to compile the module: {0}")]
    Compile(String),
    /// wasmtime does not take the configuration.
    #[error("failed to start the engine: {0}")]
    Engine(String),
    /// The module imports what nobody provides.
    #[error(
        "the module imports what the host does not provide: {}\n\
         hint: WASI preview 1 is provided; an import that is never called can be ignored with \
         --unknown-imports-trap",
        list(names)
    )]
    MissingImports {
        /// `module::name` of each.
        names: Vec<String>,
    },
    /// There is no `_start` and nothing to invoke.
    #[error(
        "the module has no `_start` function, so it does nothing by itself\n\
         hint: choose one of its exports with --invoke: {}",
        list(exports)
    )]
    NoStart {
        /// The functions it exports.
        exports: Vec<String>,
    },
    /// The export to invoke is not there.
    #[error("the module exports no function `{name}`\nhint: it exports {}", list(exports))]
    NoExport {
        /// What was asked for.
        name: String,
        /// The functions it exports.
        exports: Vec<String>,
    },
    /// The arguments do not fit the export to invoke.
    #[error("cannot call `{name}({})`: {why}", parameters.join(", "))]
    Arguments {
        /// The export.
        name: String,
        /// Its parameters' types.
        parameters: Vec<String>,
        /// What is wrong.
        why: String,
    },
    /// A program was to run more than once.
    #[error(
        "`_start` can run only once\n\
         hint: --repeat calls an export again and again: choose one with --invoke"
    )]
    RepeatStart,
    /// The module's memory is larger than the limit from the start.
    #[error("the module begins with {initial} bytes of memory, more than the limit of {limit}")]
    InitialMemory {
        /// What it begins with.
        initial: u64,
        /// What it may have.
        limit: u64,
    },
    /// A directory for the guest cannot be opened.
    #[error("failed to open the directory `{path}` for the guest: {error}")]
    Directory {
        /// The directory on the host.
        path: String,
        /// Why not.
        error: String,
    },
    /// An argument or variable cannot be passed to the guest.
    #[error("failed to pass {what} to the guest: it contains a NUL byte")]
    Nul {
        /// What it is.
        what: String,
    },
    /// A thread cannot be started.
    #[error("failed to start a thread: {0}")]
    Thread(std::io::Error),
    /// The thread that consumes the trace died.
    #[error("the consumer of the trace panicked")]
    Consumer,
    /// A function that the tracer provides cannot be defined.
    #[error("failed to provide the tracing imports: {0}")]
    Link(String),
}

/// A list that stays readable for a module with thousands of exports.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 12;
    const LONGEST: usize = 200;
    if names.is_empty() {
        return "nothing".into();
    }
    // A name of several lines would look as if there were more to the message.
    let name = |name: &String| name.chars().take(LONGEST).collect::<String>().replace('\n', "\\n");
    let shown: Vec<_> = names.iter().take(SHOWN).map(name).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}
