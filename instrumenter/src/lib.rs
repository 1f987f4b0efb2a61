//! Finds a WebAssembly module's allocator and rewrites the module so that every allocation, free,
//! reallocation and memory growth leaves a record with its calling context.
//!
//! The crate is pure: bytes in, bytes out; it never runs what it rewrites. No `walrus` or
//! `wasmparser` type is in its interface. Its invariant is transparency: apart from the imports and
//! exports that [`seepage_trace::abi`] names, an instrumented module behaves as the original, and
//! the traced memory holds what it held.
//!
//! ```
//! use seepage_instrumenter::{Config, instrument};
//!
//! let wasm = wat::parse_str(r#"(module
//!     (memory 1)
//!     (global $top (mut i32) (i32.const 16))
//!     (func $malloc (export "malloc") (param $size i32) (result i32)
//!         (global.get $top)
//!         (global.set $top (i32.add (global.get $top) (local.get $size))))
//!     (func (export "free") (param i32)))"#).unwrap();
//! let instrumented = instrument(&wasm, &Config::default()).unwrap();
//! let roles: Vec<_> = instrumented.inspection.allocators.iter().map(|a| a.role.name()).collect();
//! assert_eq!(roles, ["malloc", "free"]);
//! ```
#![deny(missing_docs)]

mod allocators;
mod annotations;
mod config;
mod discover;
mod doors;
mod error;
mod facts;
mod glue;
mod graph;
mod growth;
mod inspection;
mod instrumented;
mod layout;
mod liveness;
pub mod probe;
mod ranking;
mod rewrite;
mod structure;
mod symbols;
mod usable;
mod verify;

pub use config::{AllocFn, Config, Contexts, Fill, TransportKind};
pub use error::Error;
pub use inspection::{
    AllocatorFunction, AnnotationFunction, Certainty, Inspection, ModuleFacts, NotHooked, Producer,
};
pub use instrumented::Instrumented;
pub use liveness::Code;

/// Rewrites a module.
///
/// # Errors
/// When the bytes are no core module, are instrumented already, use a feature that cannot be
/// rewritten, or an [`AllocFn`] names no function of the module.
pub fn instrument(wasm: &[u8], config: &Config) -> Result<Instrumented, Error> {
    // Before the parser, which may not know the feature by its name.
    facts::Facts::read(wasm)?.check_supported(config)?;
    let Examined { facts, mut module, graph, discovery, annotations } = examine(wasm, config)?;
    let inspection = inspection::Inspection::new(&facts, &graph, &discovery, &annotations, config);
    let original = rewrite::Original {
        facts: &facts,
        graph: &graph,
        discovery: &discovery,
        annotations: &annotations,
    };
    let instrumented = rewrite::rewrite(&mut module, &original, inspection, config)?;
    verify::verify(&facts, &instrumented)?;
    Ok(instrumented)
}

/// Says what [`instrument`] would hook, and what it would not see. A module that `instrument` would
/// refuse is inspected all the same, and the refusal is among the blind spots.
///
/// # Errors
/// When the bytes are no core module, or an [`AllocFn`] names no function of the module.
pub fn inspect(wasm: &[u8], config: &Config) -> Result<Inspection, Error> {
    let Examined { facts, graph, discovery, annotations, .. } = examine(wasm, config)?;
    Ok(inspection::Inspection::new(&facts, &graph, &discovery, &annotations, config))
}

/// A module for a probe: of the candidates of [`inspect`] if nothing is hooked, else of what is;
/// nothing if there is neither.
fn probe_module(wasm: &[u8], config: &Config) -> Result<Option<probe::ProbeModule>, Error> {
    let Examined { facts, module, graph, discovery, .. } = examine(wasm, config)?;
    let heaps = if discovery.hooks.is_empty() {
        probe::heaps(&probe::Others::new(&module, &facts, &graph), discovery.pairs)
    } else {
        let hooks = discovery.hooks.into_iter().map(|hook| (hook.function, hook.shape));
        probe::known_heaps(&hooks.collect::<Vec<_>>())
    };
    if heaps.is_empty() {
        return Ok(None);
    }
    probe::module(wasm, &facts, heaps, &discovery.host_growth.imports).map(Some)
}

struct Examined<'a> {
    facts: facts::Facts<'a>,
    module: walrus::Module,
    graph: graph::CallGraph,
    discovery: discover::Discovery,
    annotations: annotations::Annotations,
}

fn examine<'a>(wasm: &'a [u8], config: &'a Config) -> Result<Examined<'a>, Error> {
    let mut facts = facts::Facts::read(wasm)?;
    if let Some(companion) = &config.companion {
        facts.adopt(facts::Facts::read(companion)?)?;
    }
    let module = rewrite::parse(wasm)?;
    let graph = graph::CallGraph::new(&module, &facts);
    facts.name_from_debug();
    facts.name_after_imports(symbols::names::served_imports(
        &facts,
        &graph,
        config.glue.as_deref(),
    ));
    let discovery = discover::discover(&module, &facts, &graph, config)?;
    let annotations = annotations::Annotations::find(&module, &facts, &graph, config)?;
    Ok(Examined { facts, module, graph, discovery, annotations })
}
