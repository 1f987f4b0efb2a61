//! What becomes of an inspection that leaves the allocator open: a probe, in the engine of whoever
//! has one.

use super::{ProbeModule, sandbox::MAX_MEMORY};
use crate::{
    Inspection, Instrumented,
    config::{AllocFn, Config},
    error::Error,
};
use seepage_probe::engine::Engine;

/// What a probe of a module has shown.
#[derive(Debug)]
pub enum Probing {
    /// There was nothing to settle.
    NotNeeded,
    /// An allocator passed.
    Passed(Probed),
    /// All were tried, and none passed.
    Failed(Probed),
    /// The engine does not take the module: why.
    CouldNotRun(String),
}

/// The checks that were made.
#[derive(Debug, Default)]
pub struct Probed {
    /// In the order in which they were made.
    pub checks: Vec<Check>,
    /// What passed, to be hooked.
    pub(crate) functions: Vec<AllocFn>,
}

/// A check, and the function that it is about.
#[derive(Debug)]
pub struct Check {
    /// Its index in the original.
    pub function: Option<u32>,
    /// The check, and how it went.
    pub check: seepage_probe::Check,
}

impl Probing {
    /// The word for it in reports.
    pub fn outcome(&self) -> &'static str {
        match self {
            Probing::NotNeeded => "not needed",
            Probing::Passed(_) => "passed",
            Probing::Failed(_) => "failed",
            Probing::CouldNotRun(_) => "could not run",
        }
    }

    /// The checks that were made.
    pub fn checks(&self) -> &[Check] {
        match self {
            Probing::Passed(probed) | Probing::Failed(probed) => &probed.checks,
            _ => &[],
        }
    }
}

/// As [`instrument`](crate::instrument), with a probe before if nothing else tells where the
/// allocator is.
///
/// # Errors
/// As [`instrument`](crate::instrument).
pub fn instrument(
    wasm: &[u8],
    config: &Config,
    engine: &mut dyn Engine,
) -> Result<(Instrumented, Probing), Error> {
    let instrumented = crate::instrument(wasm, config)?;
    let (config, probing) = settle(wasm, &instrumented.inspection, config, engine)?;
    Ok(match config {
        Some(config) => (crate::instrument(wasm, &config)?, probing),
        None => (instrumented, probing),
    })
}

/// As [`inspect`](crate::inspect), with a probe before if nothing else tells where the allocator is.
///
/// # Errors
/// As [`inspect`](crate::inspect).
pub fn inspect(
    wasm: &[u8],
    config: &Config,
    engine: &mut dyn Engine,
) -> Result<(Inspection, Probing), Error> {
    let inspection = crate::inspect(wasm, config)?;
    let (config, probing) = settle(wasm, &inspection, config, engine)?;
    Ok(match config {
        Some(config) => (crate::inspect(wasm, &config)?, probing),
        None => (inspection, probing),
    })
}

/// Tries what a module has: its candidates, the outermost first, or the allocator that is known.
///
/// # Errors
/// As [`inspect`](crate::inspect).
pub fn probe(wasm: &[u8], config: &Config, engine: &mut dyn Engine) -> Result<Probing, Error> {
    let Some(ProbeModule { wasm, memory, heaps }) = crate::probe_module(wasm, config)? else {
        return Ok(Probing::NotNeeded);
    };
    if memory > MAX_MEMORY {
        let (begins, most) = (memory >> 20, MAX_MEMORY >> 20);
        let why = format!("the memory begins with {begins} MiB, and a probe has room for {most}");
        return Ok(Probing::CouldNotRun(why));
    }
    if let Err(why) = engine.compile(&wasm) {
        return Ok(Probing::CouldNotRun(why));
    }
    let mut failed = Probed::default();
    for heap in heaps {
        let probed = match seepage_probe::run(engine, &heap.suspects()) {
            Ok(probed) => probed,
            Err(why) => return Ok(Probing::CouldNotRun(why)),
        };
        let functions = [&heap.malloc].into_iter().chain(&heap.frees).chain(&heap.others);
        let of = |export: &str| functions.clone().find(|it| it.is_called(export));
        let checks = probed.checks.into_iter().map(|check| {
            let function = check.export.as_deref().and_then(of).map(|function| function.index);
            Check { function, check }
        });
        let checks: Vec<Check> = checks.collect();
        let (Some(malloc), Some(free)) = (probed.malloc, probed.free) else {
            failed.checks.extend(checks);
            continue;
        };
        let functions = heap.settled(malloc, free, &probed.others);
        return Ok(Probing::Passed(Probed { checks, functions }));
    }
    Ok(Probing::Failed(failed))
}

/// The configuration with what passed, if something had to and did.
fn settle(
    wasm: &[u8],
    inspection: &Inspection,
    config: &Config,
    engine: &mut dyn Engine,
) -> Result<(Option<Config>, Probing), Error> {
    if !inspection.allocators.is_empty() || inspection.candidates.is_empty() {
        return Ok((None, Probing::NotNeeded));
    }
    let probing = probe(wasm, config, engine)?;
    let config = match &probing {
        Probing::Passed(probed) => {
            let mut config = config.clone();
            config.alloc_fns.extend(probed.functions.iter().cloned());
            Some(config)
        }
        _ => None,
    };
    Ok((config, probing))
}
