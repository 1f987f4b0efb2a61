//! Published packages with the JavaScript that they come with, under Node: each prints the same with
//! its modules instrumented, and its heap adds up. Node has no second memory yet, so the records go
//! over the transport of calls.
//!
//! The packages are pinned by `tests/node/package-lock.json`; npm installs them below `.cache/`.
#![allow(clippy::print_stdout)] // the counts are for a person to read

mod support;

use libtest_mimic::{Arguments, Failed, Trial};
use seepage_instrumenter::{Config, inspect};
use seepage_trace::Role;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use support::root;

/// Longer than this no package takes.
const LIMIT: Duration = Duration::from_secs(120);

#[derive(Default)]
struct Totals {
    packages: u64,
    modules: u64,
    blocks: u64,
}

fn main() {
    let arguments = Arguments::from_args();
    let scripts = root().join("tests/node/packages");
    let mut names: Vec<String> = fs::read_dir(&scripts)
        .expect("the scripts are committed")
        .filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    assert!(names.len() >= 20, "the packages are not what they were");
    let totals = Arc::new(Mutex::new(Totals::default()));
    let installed = Arc::new(Mutex::new(None));
    let trials = names
        .into_iter()
        .map(|name| {
            let (totals, installed) = (totals.clone(), installed.clone());
            Trial::test(name.clone(), move || {
                let folder = installed
                    .lock()
                    .map_err(|_| "npm did not end well")?
                    .get_or_insert_with(install)
                    .clone()?;
                let told = check(&folder, &name)?;
                if let Ok(mut totals) = totals.lock() {
                    totals.packages += 1;
                    totals.modules += told["hooked"].as_u64().unwrap_or(0);
                    totals.blocks += told["blocks"].as_u64().unwrap_or(0);
                }
                Ok(())
            })
        })
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let (false, Ok(totals)) = (arguments.list, totals.lock()) {
        let Totals { packages, modules, blocks } = *totals;
        println!("{packages} packages, {modules} instrumented instances, {blocks} blocks");
    }
    conclusion.exit();
}

/// Installs the packages where node finds them from the scripts, unless they are there.
fn install() -> Result<PathBuf, String> {
    let folder = root().join(".cache/node");
    let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
    let ours = root().join("tests/node");
    fs::create_dir_all(&folder).map_err(fail)?;
    let lock = fs::read(ours.join("package-lock.json")).map_err(fail)?;
    // Written last: what was interrupted is done again.
    let stamp = folder.join("installed");
    if fs::read(&stamp).ok().as_deref() != Some(&lock[..]) {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(ours.join(file), folder.join(file)).map_err(fail)?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
        let output = npm.output().map_err(|error| format!("npm cannot be started: {error}"))?;
        if !output.status.success() {
            return Err(format!("npm: {}", String::from_utf8_lossy(&output.stderr)));
        }
        fs::write(stamp, &lock).map_err(fail)?;
    }
    let scripts = folder.join("packages");
    fs::create_dir_all(&scripts).map_err(fail)?;
    for entry in fs::read_dir(ours.join("packages")).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        fs::copy(entry.path(), scripts.join(entry.file_name())).map_err(fail)?;
    }
    Ok(folder)
}

fn check(folder: &Path, name: &str) -> Result<Value, Failed> {
    if name == "brotli" {
        size_stands_first(folder)?;
    }
    let (original, told) = run(folder, name, "original")?;
    if told["modules"].as_u64() == Some(0) || original.trim().is_empty() {
        return Err("the script uses no module, or prints nothing".into());
    }
    let (instrumented, told) = run(folder, name, "instrumented")?;
    if instrumented != original {
        return Err(format!("instrumented:\n{instrumented}\nand not:\n{original}").into());
    }
    if let Some(refused) = told["refused"].as_array().and_then(|refused| refused.first()) {
        return Err(format!("refused: {refused}").into());
    }
    // Emscripten's JavaScript grows the memory, in several steps.
    if name == "wawoff2" && (told["grown"].as_u64() < Some(64) || told["unexplained"] != 0) {
        return Err(format!("growth that the module asked for was not recorded: {told}").into());
    }
    match told["errors"].as_u64() {
        Some(0) => Ok(told),
        _ => Err(format!("heap errors where there are none: {told}").into()),
    }
}

/// Rust's allocation of a layout, with `memalign` inlined into it, takes the size first.
fn size_stands_first(folder: &Path) -> Result<(), Failed> {
    let wasm = fs::read(folder.join("node_modules/brotli-wasm/pkg.node/brotli_wasm_bg.wasm"))?;
    let inspection = inspect(&wasm, &Config::default())?;
    let aligned = inspection.allocators.iter().find(|it| it.role == Role::Memalign);
    match aligned.map(|it| it.parameters.as_str()) {
        Some("(size, align)" | "size, align") => Ok(()),
        other => Err(format!("the parameters of memalign are {other:?}").into()),
    }
}

/// Runs a script; what it prints, and what the hook tells of it.
fn run(folder: &Path, name: &str, mode: &str) -> Result<(String, Value), Failed> {
    let file = |kind: &str| folder.join(format!("packages/{name}.{mode}.{kind}"));
    let (output, report) = (file("out"), file("json"));
    let start = Instant::now();
    let mut child = Command::new("node")
        .arg("--require")
        .arg(root().join("tests/node/hook.cjs"))
        .arg(folder.join(format!("packages/{name}.mjs")))
        .env("SEEPAGE_NODE_MODE", mode)
        .env("SEEPAGE_NODE_REPORT", &report)
        .env("SEEPAGE_NODE_BINARY", env!("CARGO_BIN_EXE_seepage"))
        .stdin(Stdio::null())
        .stdout(fs::File::create(&output)?)
        .stderr(fs::File::create(file("err"))?)
        .spawn()
        .map_err(|error| format!("node cannot be started: {error}"))?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            return Err(format!("{mode}: it does not end").into());
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    if !status.success() {
        let complaint = fs::read_to_string(file("err"))?;
        return Err(format!("{mode}: {status}: {complaint}").into());
    }
    Ok((fs::read_to_string(output)?, serde_json::from_slice(&fs::read(report)?)?))
}
