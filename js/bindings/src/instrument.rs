//! The instrumenter for JavaScript.

use crate::{
    abi::{Address, answer, give, give_json},
    probe::Engine,
};
use seepage_instrumenter::{
    AllocFn, Config, Contexts, Inspection, TransportKind, instrument,
    probe::{self, Probing},
};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use wasmparser::{Parser, Payload};

/// How to instrument: the options of `seepage instrument`, under the same names.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    name: String,
    transport: Transport,
    #[serde(default)]
    no_context: bool,
    #[serde(default)]
    alloc_fn: Vec<String>,
    #[serde(default)]
    mark_export: Vec<String>,
    #[serde(default)]
    glue: Option<String>,
    #[serde(default)]
    no_probe: bool,
    #[serde(default)]
    shared_memory: bool,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Transport {
    Ring,
    Call,
    /// Through a ring, unless the module has a start function: JavaScript cannot empty the ring
    /// of an instance that it does not have yet. Nor for WASI: Node 22 ends the process when a
    /// module with two memories is given a function of the fast API, as `node:wasi` has them.
    Auto,
}

/// What came of it, beside the bytes.
#[derive(Serialize)]
struct Told {
    /// There is a memory, an allocator, or a heap that is not traced.
    has_heap: bool,
    verdict: &'static str,
    allocators: Vec<Allocator>,
    blind_spots: Vec<String>,
    probe: Probe,
}

/// What a probe has shown, if there was one.
#[derive(Serialize)]
struct Probe {
    outcome: &'static str,
    /// Why it could not run.
    reason: Option<String>,
    checks: Vec<Check>,
}

#[derive(Serialize)]
struct Check {
    function: Option<u32>,
    name: &'static str,
    passed: bool,
    detail: String,
}

#[derive(Serialize)]
struct Allocator {
    function: String,
    role: &'static str,
    family: &'static str,
    how: String,
}

thread_local! {
    static TOLD: RefCell<Option<(Inspection, Option<Probing>)>> = const { RefCell::new(None) };
}

/// Instruments a module. The result is its bytes, or why there are none.
#[unsafe(no_mangle)]
extern "C" fn seepage_instrument(
    wasm: Address,
    length: usize,
    options: Address,
    options_length: usize,
) -> i32 {
    // A panic ends in a trap, which has no words of its own.
    std::panic::set_hook(Box::new(|info| give(info.to_string().into_bytes())));
    answer(run(wasm.bytes(length), options.json(options_length)))
}

/// What was found in the module that was instrumented last, as JSON.
#[unsafe(no_mangle)]
extern "C" fn seepage_inspection() {
    TOLD.with_borrow(|inspection| {
        give_json(&inspection.as_ref().map(|(inspection, probing)| {
            Told {
                has_heap: has_heap(inspection),
                verdict: inspection.verdict.name(),
                allocators: inspection
                    .allocators
                    .iter()
                    .map(|it| Allocator {
                        function: it.name.clone(),
                        role: it.role.name(),
                        family: it.family,
                        how: it.how.clone(),
                    })
                    .collect(),
                blind_spots: inspection.blind_spots.clone(),
                probe: told(probing.as_ref()),
            }
        }));
    });
}

fn has_heap(inspection: &Inspection) -> bool {
    let module = &inspection.module;
    let is_collected = module.features.iter().any(|feature| feature == "gc");
    is_collected || !module.memories.is_empty() || !inspection.allocators.is_empty()
}

fn told(probing: Option<&Probing>) -> Probe {
    let checks = probing.map(Probing::checks).unwrap_or_default();
    let check = |it: &probe::Check| Check {
        function: it.function,
        name: it.check.name,
        passed: it.check.passed,
        detail: it.check.detail.clone(),
    };
    Probe {
        outcome: probing.map_or("not run", Probing::outcome),
        reason: match probing {
            Some(Probing::CouldNotRun(reason)) => Some(reason.clone()),
            _ => None,
        },
        checks: checks.iter().map(check).collect(),
    }
}

fn run(wasm: &[u8], options: Result<Options, String>) -> Result<Vec<u8>, String> {
    let options = options?;
    let alloc_fns: Result<Vec<AllocFn>, String> =
        options.alloc_fn.iter().map(|text| text.parse()).collect();
    let transport = match options.transport {
        Transport::Ring => TransportKind::Ring,
        Transport::Call => TransportKind::Call,
        Transport::Auto if needs_calls(wasm) => TransportKind::Call,
        Transport::Auto => TransportKind::Ring,
    };
    let config = Config {
        module_name: options.name,
        transport,
        contexts: if options.no_context { Contexts::Off } else { Contexts::On },
        alloc_fns: alloc_fns?,
        mark_exports: options.mark_export,
        fill: None,
        glue: options.glue,
        shared_memory: options.shared_memory,
        companion: None,
    };
    let (instrumented, probing) = if options.no_probe {
        instrument(wasm, &config).map(|instrumented| (instrumented, None))
    } else {
        probe::instrument(wasm, &config, &mut Engine).map(|(it, probing)| (it, Some(probing)))
    }
    .map_err(|error| error.to_string())?;
    TOLD.set(Some((instrumented.inspection, probing)));
    Ok(instrumented.wasm)
}

fn needs_calls(wasm: &[u8]) -> bool {
    Parser::new(0).parse_all(wasm).any(|payload| match payload {
        Ok(Payload::StartSection { .. }) => true,
        Ok(Payload::ImportSection(imports)) => imports
            .into_imports()
            .any(|import| import.is_ok_and(|import| import.module.starts_with("wasi_"))),
        _ => false,
    })
}
