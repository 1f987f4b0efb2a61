//! The probe between the instrumenter, which has candidates, and the runtime, which can run them.

use crate::options::InstrumentOptions;
use anyhow::{Context, Result};
use seepage_instrumenter::{
    AllocFn, Config, Inspection, Instrumented, instrument, probe as found, probe_module,
};
use seepage_runtime::probe as tried;

/// What a probe of a module has shown.
#[derive(Debug)]
pub(crate) enum Probing {
    /// There was nothing to settle.
    NotNeeded,
    /// An allocator passed.
    Passed(Probed),
    /// All were tried, and none passed.
    Failed(Probed),
    /// The module cannot be instantiated with stubs.
    CouldNotRun(String),
}

/// The checks that were made.
#[derive(Debug, Default)]
pub(crate) struct Probed {
    pub(crate) checks: Vec<Check>,
    /// What passed, to be hooked.
    functions: Vec<AllocFn>,
}

/// A check, and the function that it is about.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) function: Option<u32>,
    pub(crate) check: tried::Check,
}

impl Probing {
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Probing::NotNeeded => "not needed",
            Probing::Passed(_) => "passed",
            Probing::Failed(_) => "failed",
            Probing::CouldNotRun(_) => "could not run",
        }
    }

    pub(crate) fn checks(&self) -> &[Check] {
        match self {
            Probing::Passed(probed) | Probing::Failed(probed) => &probed.checks,
            _ => &[],
        }
    }
}

/// Instruments a module, with a probe before if nothing else tells where its allocator is.
pub(crate) fn instrumented(
    wasm: &[u8],
    options: &InstrumentOptions,
    mut config: Config,
) -> Result<Instrumented> {
    let instrumented = instrument(wasm, &config)?;
    match settle(wasm, &instrumented.inspection, options, &mut config)? {
        Some(Probing::Passed(_)) => Ok(instrument(wasm, &config)?),
        _ => Ok(instrumented),
    }
}

/// Settles by a probe what an inspection has left open, if a probe is wanted: what passed joins the
/// configuration, to be hooked.
pub(crate) fn settle(
    wasm: &[u8],
    inspection: &Inspection,
    options: &InstrumentOptions,
    config: &mut Config,
) -> Result<Option<Probing>> {
    if options.no_probe {
        return Ok(None);
    }
    if !inspection.allocators.is_empty() || inspection.candidates.is_empty() {
        return Ok(Some(Probing::NotNeeded));
    }
    let probing = probe(wasm, config)?;
    if let Probing::Passed(probed) = &probing {
        config.alloc_fns.extend(probed.functions.iter().cloned());
    }
    Ok(Some(probing))
}

/// Tries what a module has: its candidates, the outermost first, or the allocator that is known.
pub(crate) fn probe(wasm: &[u8], config: &Config) -> Result<Probing> {
    let module = probe_module(wasm, config).context("failed to prepare a probe")?;
    let Some(module) = module else { return Ok(Probing::NotNeeded) };
    let found::ProbeModule { wasm, memory, grow_imports, heaps } = module;
    let probe = tried::Probe { wasm, memory, grow_imports };
    let mut failed = Probed::default();
    for heap in heaps {
        let suspects = tried::Suspects {
            malloc: suspect(&heap.malloc),
            frees: heap.frees.iter().map(suspect).collect(),
            others: heap.others.iter().map(suspect).collect(),
        };
        let probed = match probe.run(&suspects) {
            Ok(probed) => probed,
            Err(error) => return Ok(Probing::CouldNotRun(error.to_string())),
        };
        let functions = [&heap.malloc].into_iter().chain(&heap.frees).chain(&heap.others);
        let of = |export: &str| functions.clone().find(|it| it.export == export).map(|it| it.index);
        let checks = probed.checks.into_iter().map(|check| {
            let function = check.export.as_deref().and_then(of);
            Check { function, check }
        });
        let checks = checks.collect();
        let (Some(malloc), Some(free)) = (probed.malloc, probed.free) else {
            failed.checks.extend::<Vec<_>>(checks);
            continue;
        };
        let functions = heap.settled(malloc, free, &probed.others);
        return Ok(Probing::Passed(Probed { checks, functions }));
    }
    Ok(Probing::Failed(failed))
}

fn suspect(function: &found::ProbeFunction) -> tried::Suspect {
    let reading = |reading: &found::Reading| tried::Reading {
        service: match reading.service() {
            found::Service::Allocate => tried::Service::Allocate,
            found::Service::Free => tried::Service::Free,
            found::Service::Resize => tried::Service::Resize,
            found::Service::ResizeOrRefuse => tried::Service::ResizeOrRefuse,
            found::Service::ResizeInPlace => tried::Service::ResizeInPlace,
            found::Service::AllocateZeroed => tried::Service::AllocateZeroed,
            found::Service::AllocateAligned => tried::Service::AllocateAligned,
        },
        arguments: reading.meanings().map(argument).collect(),
    };
    tried::Suspect {
        export: function.export.clone(),
        readings: function.readings.iter().map(reading).collect(),
    }
}

fn argument(meaning: found::Meaning) -> tried::Argument {
    match meaning {
        found::Meaning::Size => tried::Argument::Size,
        found::Meaning::Count => tried::Argument::Count,
        found::Meaning::Pointer => tried::Argument::Pointer,
        found::Meaning::OldSize => tried::Argument::OldSize,
        found::Meaning::Align => tried::Argument::Align,
        found::Meaning::Own => tried::Argument::Own,
        found::Meaning::Other => tried::Argument::Zero,
    }
}
