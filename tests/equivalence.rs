//! Transparency: a generated module and its instrumented self cannot be told apart from outside:
//! same results, same traps, same final memory and globals.
//!
//! `SEEPAGE_MODULES=20000 cargo test --test equivalence` runs more than the 2,500 of a normal test
//! run; `tests/fuzz` runs without end.

mod support;

use support::differential::{Verdict, compare};

const MODULES: u64 = 2_500;

#[test]
fn generated_modules_behave_the_same() {
    let count = std::env::var("SEEPAGE_MODULES").ok().and_then(|count| count.parse().ok());
    let count = count.unwrap_or(MODULES);
    let (mut same, mut refused) = (0, 0);
    for seed in 0..count {
        match compare(&bytes(seed)) {
            Verdict::Same => same += 1,
            Verdict::Refused(_) => refused += 1,
            Verdict::Different(what) => panic!("seed {seed}: {what}"),
        }
    }
    println!("{same} the same, {refused} refused, of {count}");
    assert!(same >= count * 8 / 10, "only {same} of {count} were compared; {refused} refused");
}

/// Bytes for the generator to make decisions by: the same for the same seed.
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
    let mut next = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..2048).map(|_| next()).collect()
}
