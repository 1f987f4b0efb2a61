//! The probe between the instrumenter, which has candidates, and the runtime, which can run them.

use crate::options::InstrumentOptions;
use anyhow::{Context, Result};
use seepage_instrumenter::{
    AllocFn, Config, Inspection, Instrumented, instrument,
    probe::{Meaning, ProbeFunction, ProbeModule},
    probe_module,
};
use seepage_runtime::probe::{Argument, Probe, Probed, Suspect, Suspects};

/// What a probe of a module has shown.
#[derive(Debug)]
pub(crate) enum Probing {
    /// There was nothing to settle.
    NotNeeded,
    /// A candidate passed: these are its functions.
    Passed { functions: Vec<AllocFn>, probed: Probed },
    /// Candidates were tried, and none passed.
    Failed(Probed),
    /// The module cannot be instantiated with stubs.
    CouldNotRun(String),
}

impl Probing {
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Probing::NotNeeded => "not needed",
            Probing::Passed { .. } => "passed",
            Probing::Failed(_) => "failed",
            Probing::CouldNotRun(_) => "could not run",
        }
    }

    pub(crate) fn probed(&self) -> Option<&Probed> {
        match self {
            Probing::Passed { probed, .. } | Probing::Failed(probed) => Some(probed),
            _ => None,
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
        Some(Probing::Passed { .. }) => Ok(instrument(wasm, &config)?),
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
    if let Probing::Passed { functions, .. } = &probing {
        config.alloc_fns.extend(functions.iter().cloned());
    }
    Ok(Some(probing))
}

/// Tries the candidates of a module, the outermost first.
fn probe(wasm: &[u8], config: &Config) -> Result<Probing> {
    let module = probe_module(wasm, config).context("failed to prepare a probe")?;
    let Some(module) = module else { return Ok(Probing::NotNeeded) };
    let ProbeModule { wasm, memory, grow_imports, pairs } = module;
    let probe = Probe { wasm, memory, grow_imports };
    let mut failed = Probed::default();
    for pair in pairs {
        let suspects = Suspects {
            malloc: suspect(&pair.malloc),
            frees: pair.frees.iter().map(suspect).collect(),
        };
        let probed = match probe.run(&suspects) {
            Ok(probed) => probed,
            Err(error) => return Ok(Probing::CouldNotRun(error.to_string())),
        };
        let (Some(reading), Some((free, free_reading))) = (probed.malloc, probed.free) else {
            failed.checks.extend(probed.checks);
            continue;
        };
        let functions = vec![pair.malloc.settled(reading), pair.frees[free].settled(free_reading)];
        return Ok(Probing::Passed { functions, probed });
    }
    Ok(Probing::Failed(failed))
}

fn suspect(function: &ProbeFunction) -> Suspect {
    let argument = |meaning| match meaning {
        Meaning::Size => Argument::Size,
        Meaning::Pointer => Argument::Pointer,
        Meaning::Align => Argument::Align,
        Meaning::Other => Argument::Zero,
    };
    let readings =
        function.readings.iter().map(|reading| reading.meanings().map(argument).collect());
    Suspect { export: function.export.clone(), readings: readings.collect() }
}
