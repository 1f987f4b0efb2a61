//! Any bytes at all: a module that validates, or an error; and what `inspect` says fits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seepage_instrumenter::{Config, Error, TransportKind, inspect, instrument};
use wasmparser::{Validator, WasmFeatures};

fn validates(wasm: &[u8]) -> bool {
    Validator::new_with_features(WasmFeatures::all()).validate_all(wasm).is_ok()
}

fuzz_target!(|bytes: &[u8]| {
    for transport in [TransportKind::Ring, TransportKind::Call] {
        let config = Config { module_name: "fuzz".into(), transport, ..Config::default() };
        let inspected = inspect(bytes, &config);
        match instrument(bytes, &config) {
            Ok(instrumented) => {
                assert!(validates(&instrumented.wasm));
                assert!(inspected.is_ok());
            }
            // Only for what was wrong before.
            Err(Error::Verify(why)) => assert!(!validates(bytes), "{why}"),
            Err(_) => {}
        }
    }
});
