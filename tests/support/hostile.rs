//! Modules that somebody has damaged, by accident or not.
#![allow(dead_code)] // each test file uses a part of it

use proptest::{collection::vec, prelude::*, sample::Index};
use seepage_instrumenter::{Config, Error, inspect, instrument};
use std::path::Path;
use wasmparser::{Validator, WasmFeatures};

/// Modules to damage, and at every how many bytes to flip a bit: small ones everywhere.
pub const SEEDS: &[(&str, usize)] = &[
    ("wat", 1),
    ("c/noargs.O2.stripped", 11),
    ("c/noargs.O2", 23),
    ("rust/truth_unknown.release", 67),
    ("zig/truth_wasm_allocator.small", 67),
    ("assemblyscript/truth.incremental", 97),
    ("cpp/truth.O2", 331),
];

/// One of them.
pub fn seed(name: &str) -> Vec<u8> {
    if name == "wat" {
        return wat::parse_str(SMALL).expect("the text is a module");
    }
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let path = programs.join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A little of everything.
const SMALL: &str = r#"(module $small
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (type $unary (func (param i32) (result i32)))
    (memory (export "memory") 1 4)
    (global $top (mut i32) (i32.const 64))
    (table $table 3 funcref)
    (elem (i32.const 0) $malloc $calloc $deep)
    (data (i32.const 16) "some data")
    (func $malloc (export "malloc") (type $unary)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
        (global.get $top)
        (global.set $top (i32.add (global.get $top) (local.get 0))))
    (func $calloc (export "calloc") (param i32 i32) (result i32)
        (call $malloc (i32.mul (local.get 0) (local.get 1))))
    (func $free (export "free") (param i32))
    (func $deep (type $unary)
        (if (result i32) (local.get 0)
            (then (call $deep (i32.sub (local.get 0) (i32.const 1))))
            (else (call_indirect (type $unary) (i32.const 8) (i32.const 0)))))
    (func (export "_start") (local i64 f64)
        (block $out
            (loop $again
                (call $free (call $deep (i32.const 5)))
                (br_if $out (i32.lt_s (memory.grow (i32.const 1)) (i32.const 3)))
                (br $again)))
        (call $exit (i32.const 0))))"#;

/// The bytes with one bit of one of them changed: which, follows from the place.
pub fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1 << (at % 8);
    bytes
}

/// Changes to make: where, to what, and how.
pub fn changes() -> impl Strategy<Value = Vec<(Index, u8, u8)>> {
    vec((any::<Index>(), any::<u8>(), any::<u8>()), 1..5)
}

/// Makes them: sets, flips, removes, repeats.
pub fn change(bytes: &mut Vec<u8>, changes: &[(Index, u8, u8)]) {
    for (at, value, how) in changes {
        if bytes.is_empty() {
            return;
        }
        let at = at.index(bytes.len());
        match how % 5 {
            0 => bytes[at] = *value,
            1 => bytes[at] ^= 1 << (value % 8),
            2 => drop(bytes.drain(at..(at + usize::from(*value)).min(bytes.len()))),
            3 => bytes.insert(at, *value),
            _ => {
                let end = (at + usize::from(*value)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
        }
    }
}

/// Whether they were instrumented. Either way the answer is a clean one.
pub fn outcome(bytes: &[u8]) -> bool {
    let config = Config { module_name: "hostile".into(), ..Config::default() };
    let inspected = inspect(bytes, &config).map(|_| ());
    let result = instrument(bytes, &config);
    for error in [inspected.as_ref().err(), result.as_ref().err()].into_iter().flatten() {
        let text = error.to_string();
        assert!(text.len() < 500, "{text}");
        let mut lines = text.lines();
        assert!(lines.next().is_some() && lines.all(|line| line.starts_with("hint: ")), "{text}");
    }
    match result {
        Ok(instrumented) => {
            validates(&instrumented.wasm);
            assert!(inspected.is_ok(), "what can be instrumented can be inspected");
            true
        }
        Err(Error::Verify(why)) => {
            let valid = Validator::new_with_features(WasmFeatures::all()).validate_all(bytes);
            assert!(valid.is_err(), "a module that validates became one that does not: {why}");
            false
        }
        Err(_) => false,
    }
}

/// Panics if the module does not validate.
pub fn validates(wasm: &[u8]) {
    let valid = Validator::new_with_features(WasmFeatures::all()).validate_all(wasm).map(drop);
    assert!(valid.is_ok(), "what was instrumented does not validate: {valid:?}");
}

/// A trace whose chunks all have the checksum of what is in them.
pub fn with_checksums(trace: &[u8]) -> Vec<u8> {
    let mut out = trace.to_vec();
    let mut at = 12;
    while let Some(header) = out.get(at..at + 9) {
        let length = u32::from_le_bytes([header[1], header[2], header[3], header[4]]) as usize;
        let Some(payload) = out.get(at + 9..(at + 9).saturating_add(length)) else { break };
        let crc = !payload.iter().fold(!0u32, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                if crc & 1 == 1 { 0xedb8_8320 ^ crc >> 1 } else { crc >> 1 }
            })
        });
        out[at + 5..at + 9].copy_from_slice(&crc.to_le_bytes());
        at += 9 + length;
    }
    out
}
