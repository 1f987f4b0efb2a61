//! Programs that know what they leaked: what seepage reports must be exactly that, for every
//! language, level of optimisation, with names and stripped, over both transports.

mod support;

use libtest_mimic::{Arguments, Failed, Trial};
use support::{Ran, program, report};

fn main() {
    let mut trials = Vec::new();
    for name in PROGRAMS {
        for transport in ["ring", "call"] {
            trials.push(Trial::test(format!("{name} {transport}"), move || {
                exact(&run(name, transport, &[]))
            }));
        }
    }
    for variant in ["O0", "O2", "O0.stripped", "O2.stripped"] {
        for seed in 1..=6 {
            trials.push(Trial::test(format!("c/truth.{variant} seed {seed}"), move || {
                let ran = run(&format!("c/truth.{variant}"), "ring", &[&seed.to_string(), "3000"]);
                exact(&ran)?;
                // It never grows the memory but through its allocator, also from a recursion.
                same("grown by itself", ran.number("/memory/growth/direct"), 0)
            }));
        }
        trials.push(Trial::test(format!("argv of c/truth.{variant}"), move || argv(variant)));
    }
    for seed in 2..=6 {
        trials.push(Trial::test(format!("rust counting seed {seed}"), move || {
            exact(&run("rust/truth_wasi_counting.release", "ring", &[&seed.to_string(), "3000"]))
        }));
    }
    trials.push(Trial::test("a pool of one's own", pool));
    for variant in ["dev", "release", "release.stripped", "v0", "demangled"] {
        trials.push(Trial::test(format!("rust/truth_unknown.{variant}"), move || library(variant)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Those whose own count is of the very blocks that their allocator hands out.
const PROGRAMS: &[&str] = &[
    "c/truth.O0",
    "c/truth.O2",
    "c/truth.O0.stripped",
    "c/truth.O2.stripped",
    "c/noargs.O0",
    "c/noargs.O2",
    "c/noargs.O0.stripped",
    "c/noargs.O2.stripped",
    "c/leak_list.O0",
    "c/leak_list.O2",
    "c/leak_list.O0.stripped",
    "c/leak_list.O2.stripped",
    "c/double_free.O0",
    "c/double_free.O2.stripped",
    "c/unknown_free.O2",
    "c/unknown_free.O0.stripped",
    "c/recursion.O0",
    "c/recursion.O2",
    "c/recursion.O2.stripped",
    "c/grow.O0",
    "c/grow.O2",
    "c/grow.O2.stripped",
    "cpp/truth.O0",
    "cpp/truth.O2",
    "cpp/truth.O0.stripped",
    "cpp/truth.O2.stripped",
    "rust/truth_wasi.dev",
    "rust/truth_wasi.release",
    "rust/truth_wasi.release.stripped",
    "rust/truth_wasi_counting.release",
    "rust/truth_wasi_counting.release.stripped",
    "rust/truth_wasi_counting.v0",
    "rust/truth_wasi_counting.demangled",
    "zig/truth_wasm_allocator.safe",
    "zig/truth_wasm_allocator.small",
    "zig/truth_wasm_allocator.small.stripped",
];

fn run(name: &str, transport: &str, args: &[&str]) -> Ran {
    report("run", &["--transport", transport], &program(name), args)
}

fn exact(ran: &Ran) -> Result<(), Failed> {
    let truth = |name| ran.truth(name).ok_or_else(|| format!("no truth: {}", ran.stderr));
    let expected = (truth("live_blocks")?, truth("live_bytes")?);
    same("live blocks and bytes", ran.live(), expected)?;
    same("exit code", ran.code, 0)?;
    // Where the program counts all its traffic, so do we, but for what is known as libc's own.
    if let Some(allocated) = ran.truth("allocated_blocks") {
        let freed = truth("freed_blocks")?;
        let noise: u64 =
            ran.list("/suppressions").iter().filter_map(|rule| rule["blocks"].as_u64()).sum();
        if !ran.report["module"]["name"].as_str().unwrap_or_default().starts_with("truth_wasi") {
            same("allocated", ran.number("/totals/allocated/blocks") - noise, allocated)?;
            same("freed", ran.number("/totals/freed/blocks"), freed)?;
        }
    }
    same("lost", ran.number("/dropped/records"), 0)
}

/// libc's copy of the arguments is two blocks, whose size follows from the arguments.
fn argv(variant: &str) -> Result<(), Failed> {
    let ran = run(&format!("c/truth.{variant}"), "ring", &["7", "50"]);
    let rules = ran.list("/suppressions");
    same("rules", rules.len(), 1)?;
    same("rule", rules[0]["rule"].as_str(), Some("wasi-libc-argv"))?;
    same("blocks", rules[0]["blocks"].as_u64(), Some(2))?;
    let strings = format!("truth.{variant}.wasm\0").len() + "7\0".len() + "50\0".len();
    let pointers = 4 * 4;
    same("bytes", rules[0]["bytes"].as_u64(), Some((strings + pointers) as u64))
}

/// Named with `--alloc-fn`, the pool's objects are booked instead of its slabs.
fn pool() -> Result<(), Failed> {
    for variant in ["O0", "O2"] {
        let options =
            ["--alloc-fn", "pool_alloc=malloc(_,size)", "--alloc-fn", "pool_free=free(_,ptr)"];
        exact(&report("run", &options, &program(&format!("c/custom_pool.{variant}")), &[]))?;
        let without = run(&format!("c/custom_pool.{variant}"), "ring", &[]);
        same("slabs", without.live(), (12, 49152))?;
    }
    Ok(())
}

/// A library without `_start`, driven by its exports.
fn library(variant: &str) -> Result<(), Failed> {
    let module = program(&format!("rust/truth_unknown.{variant}"));
    let ran = report("run", &["--invoke", "leak"], &module, &["100", "3"]);
    same("leaked", ran.live(), (3, 300))?;
    let ran = report("run", &["--invoke", "churn"], &module, &["500"]);
    same("result", ran.stdout.trim(), "24750")?;
    same("churned", ran.live(), (0, 0))
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: T, should_be: T) -> Result<(), Failed> {
    if is == should_be { Ok(()) } else { Err(format!("{what}: {is:?}, not {should_be:?}").into()) }
}
