//! Checks a rewritten module before anybody runs it: it validates, exports what the original did,
//! and imports nothing but what was declared.

use crate::{error::Error, facts::Facts, instrumented::Instrumented};
use seepage_trace::abi;
use std::collections::BTreeSet;
use wasmparser::{Validator, WasmFeatures};

pub(crate) fn verify(original: &Facts<'_>, instrumented: &Instrumented) -> Result<(), Error> {
    Validator::new_with_features(features())
        .validate_all(&instrumented.wasm)
        .map_err(|error| Error::Verify(error.to_string()))?;
    let result = Facts::read(&instrumented.wasm)?;
    let own = |name: &str| name.starts_with("seepage:");
    let exports: Vec<&str> = result.all_exports.iter().copied().filter(|name| !own(name)).collect();
    let expected: Vec<&str> =
        original.all_exports.iter().copied().filter(|name| !own(name)).collect();
    if exports != expected {
        return Err(Error::Verify("its exports are not the original's".into()));
    }
    let expected: BTreeSet<_> = original.all_imports.iter().collect();
    let undeclared = result
        .all_imports
        .iter()
        .find(|import| import.0 != abi::IMPORT_MODULE && !expected.contains(import));
    match undeclared {
        Some((module, name)) => Err(Error::Verify(format!("it imports `{module}.{name}`"))),
        None => Ok(()),
    }
}

/// What an instrumented module may use.
pub(crate) fn features() -> WasmFeatures {
    WasmFeatures::default()
        | WasmFeatures::LEGACY_EXCEPTIONS
        | WasmFeatures::WIDE_ARITHMETIC
        | WasmFeatures::MULTI_MEMORY
}
