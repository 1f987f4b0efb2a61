//! All tests, in the order in which a failure costs the least: the whole of what `.ci/run` asks.
//!
//! What a step needs and the machine lacks is installed. A step that fails ends the run with its
//! name; nothing is passed over in silence.

use crate::corpus;
use crate::js;
use crate::tools::{answers, command, need_debian, run};
use anyhow::{Context, Result, ensure};
use std::process::Command;
use std::time::Instant;

/// The crates that must build where there is no operating system.
const PURE: [&str; 5] = [
    "seepage-trace",
    "seepage-probe",
    "seepage-instrumenter",
    "seepage-analysis",
    "seepage-report",
];
const UNKNOWN: &str = "wasm32-unknown-unknown";

/// A name and what to do.
type Step = (&'static str, fn() -> Result<()>);

const STEPS: &[Step] = &[
    ("format", format),
    ("corpus", fetch_corpus),
    ("lints", lints),
    ("tests", tests),
    ("documentation", documentation),
    ("pure crates on wasm32-unknown-unknown", pure_crates),
    ("npm package", js::test),
];

pub fn all() -> Result<()> {
    let begin = Instant::now();
    for (number, (name, step)) in (1..).zip(STEPS) {
        println!("== {number}/{}: {name}", STEPS.len());
        let start = Instant::now();
        step().with_context(|| format!("the step `{name}` failed"))?;
        println!("== {name}: ok, {:.0} s", start.elapsed().as_secs_f64());
    }
    println!("== all {} steps ok, {:.0} s", STEPS.len(), begin.elapsed().as_secs_f64());
    Ok(())
}

fn format() -> Result<()> {
    need_component("rustfmt", "fmt")?;
    show(command("cargo").args(["fmt", "--all", "--check"]))
}

/// Registries have their bad minutes; what was fetched before one is kept.
fn fetch_corpus() -> Result<()> {
    need_debian(&["nodejs", "npm"], answers("npm", "--version"))?;
    let pip = run(command("python3").args(["-m", "pip", "--version"])).is_ok();
    need_debian(&["python3", "python3-pip"], pip)?;
    for attempt in 1..3 {
        let Err(error) = corpus::fetch(None) else { return Ok(()) };
        println!("attempt {attempt} failed: {error:#}");
    }
    corpus::fetch(None)
}

fn lints() -> Result<()> {
    need_component("clippy", "clippy")?;
    show(command("cargo").args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--keep-going",
        "--",
        "-D",
        "warnings",
    ]))
}

fn tests() -> Result<()> {
    show(command("cargo").args(["test", "--workspace", "--no-fail-fast"]))
}

fn documentation() -> Result<()> {
    let mut doc = command("cargo");
    doc.args(["doc", "--workspace", "--no-deps"]);
    show(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

fn pure_crates() -> Result<()> {
    need_target(UNKNOWN)?;
    let mut check = command("cargo");
    check.args(["check", "--target", UNKNOWN]);
    for name in PURE {
        check.args(["--package", name]);
    }
    show(&mut check)
}

fn need_component(component: &str, subcommand: &str) -> Result<()> {
    if run(command("cargo").args([subcommand, "--version"])).is_ok() {
        return Ok(());
    }
    println!("installing {component}");
    let advice = || format!("cargo {subcommand} is missing; install {component} yourself");
    run(command("rustup").args(["component", "add", component])).with_context(advice)?;
    Ok(())
}

fn need_target(target: &str) -> Result<()> {
    let libraries = run(command("rustc").args(["--print", "target-libdir", "--target", target]));
    if libraries.is_ok_and(|folder| std::path::Path::new(folder.trim()).exists()) {
        return Ok(());
    }
    println!("installing the target {target}");
    let advice = || format!("the target {target} is missing; install it yourself");
    run(command("rustup").args(["target", "add", target])).with_context(advice)?;
    Ok(())
}

/// Runs a command whose output is for whoever watches.
fn show(command: &mut Command) -> Result<()> {
    println!("{}", shown(command));
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    ensure!(status.success(), "{}: {status}", shown(command));
    Ok(())
}

fn shown(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
