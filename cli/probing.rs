//! The probe under wasmtime, unless it is switched off.

use crate::options::InstrumentOptions;
use anyhow::Result;
use seepage_instrumenter::{Config, Inspection, Instrumented, probe::Probing};
use seepage_runtime::Wasmtime;

/// Instruments a module, with a probe before if nothing else tells where its allocator is.
pub(crate) fn instrumented(
    wasm: &[u8],
    options: &InstrumentOptions,
    config: &Config,
) -> Result<Instrumented> {
    Ok(if options.no_probe {
        seepage_instrumenter::instrument(wasm, config)?
    } else {
        seepage_instrumenter::probe::instrument(wasm, config, &mut Wasmtime::default())?.0
    })
}

/// Inspects a module, with a probe before if nothing else tells where its allocator is, or if one
/// `is_wanted` in any case.
pub(crate) fn inspected(
    wasm: &[u8],
    options: &InstrumentOptions,
    config: &Config,
    is_wanted: bool,
) -> Result<(Inspection, Option<Probing>)> {
    use seepage_instrumenter::{inspect, probe};
    if options.no_probe {
        return Ok((inspect(wasm, config)?, None));
    }
    let (inspection, probing) = probe::inspect(wasm, config, &mut Wasmtime::default())?;
    let probing = match probing {
        Probing::NotNeeded if is_wanted => probe::probe(wasm, config, &mut Wasmtime::default())?,
        probing => probing,
    };
    Ok((inspection, Some(probing)))
}
