//! A generated module and its instrumented self cannot be told apart from outside.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../support/differential.rs"]
mod differential;

fuzz_target!(|bytes: &[u8]| {
    if let differential::Verdict::Different(what) = differential::compare(bytes) {
        panic!("{what}");
    }
});
