//! What instrumenting costs: time and memory, beside a bare walrus that reads the same module and
//! writes it again.
//!
//! Every measurement is a process of its own, so that its high-water mark is the job's: the bench
//! calls itself with `--job`. The jobs take turns. Nothing here passes or fails.
//!
//! ```sh
//! cargo bench --bench instrument                            # all of .cache/corpus, or the guests
//! cargo bench --bench instrument -- --rounds 5 sqlite
//! cargo bench --bench instrument -- --job instrument FILE   # one job, for a profiler
//! ```
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use anyhow::{Context as _, Result, bail};
use seepage_instrumenter::{Config, inspect, instrument};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// What is done to a module. The first is what the others are compared with.
const JOBS: [&str; 3] = ["walrus", "inspect", "instrument"];

/// What one job took.
#[derive(Clone, Copy)]
struct Taken {
    seconds: f64,
    /// How far the process grew, with the module's own bytes and the result's.
    peak: f64,
}

fn main() -> Result<()> {
    let mut rounds = 3;
    let mut filters: Vec<String> = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} wants a value"));
        match arg.as_str() {
            // What cargo adds.
            "--bench" => {}
            "--rounds" => rounds = value()?.parse::<usize>()?.max(1),
            "--job" => return job(&value()?, Path::new(&value()?)),
            _ => filters.push(arg),
        }
    }
    let mut modules = modules()?;
    modules.retain(|(name, ..)| filters.is_empty() || filters.iter().any(|f| name.contains(f)));
    println!("{rounds} rounds, the fastest counts; memory in bytes per input byte");
    print!("| module | MB |");
    JOBS.iter().for_each(|job| print!(" {job} MB/s | memory |"));
    println!(" time | memory |");
    println!("|---|---:|{}---:|---:|", "---:|---:|".repeat(JOBS.len()));
    for (name, path, bytes) in &modules {
        row(name, path, *bytes as f64, rounds)?;
    }
    Ok(())
}

/// Name, path and size; small ones first.
fn modules() -> Result<Vec<(String, PathBuf, u64)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut modules = wasm_files(&root.join(".cache/corpus"))?;
    if modules.is_empty() {
        println!("no corpus: `cargo xtask corpus` fetches it");
        modules = wasm_files(&root.join("benches/guests"))?;
    }
    modules.sort_by_key(|&(.., bytes)| bytes);
    Ok(modules)
}

fn wasm_files(folder: &Path) -> Result<Vec<(String, PathBuf, u64)>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let bytes = path.metadata()?.len();
            files.push((name, path, bytes));
        }
    }
    Ok(files)
}

fn row(name: &str, path: &Path, bytes: f64, rounds: usize) -> Result<()> {
    let mut best = [None::<Taken>; JOBS.len()];
    for _ in 0..rounds {
        for (best, job) in best.iter_mut().zip(JOBS) {
            let taken = in_a_process(job, path)?;
            let least = best.get_or_insert(taken);
            least.seconds = least.seconds.min(taken.seconds);
            least.peak = least.peak.min(taken.peak);
        }
    }
    print!("| {name} | {:.2} |", bytes / 1e6);
    for taken in best.iter().flatten() {
        print!(" {:.1} | {:.0} |", bytes / 1e6 / taken.seconds, taken.peak / bytes);
    }
    if let (Some(Some(walrus)), Some(Some(ours))) = (best.first(), best.last()) {
        print!(" {:.2}× | {:.2}× |", ours.seconds / walrus.seconds, ours.peak / walrus.peak);
    }
    println!();
    Ok(())
}

fn in_a_process(job: &str, path: &Path) -> Result<Taken> {
    let output = Command::new(std::env::current_exe()?).arg("--job").arg(job).arg(path).output()?;
    let told = String::from_utf8(output.stdout)?;
    let figures: Vec<f64> = told.split_whitespace().flat_map(str::parse).collect();
    let ([seconds, peak], true) = (&figures[..], output.status.success()) else {
        bail!("{job} {}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
    };
    Ok(Taken { seconds: *seconds, peak: *peak })
}

/// Does one job, and prints its seconds and bytes.
fn job(job: &str, path: &Path) -> Result<()> {
    let before = memory("VmRSS:")?;
    let wasm = std::fs::read(path)?;
    let begin = Instant::now();
    let result = match job {
        "walrus" => walrus::Module::from_buffer(&wasm)?.emit_wasm().len(),
        "inspect" => inspect(&wasm, &Config::default())?.allocators.len(),
        "instrument" => instrument(&wasm, &Config::default())?.wasm.len(),
        _ => bail!("there is no job {job}"),
    };
    let seconds = begin.elapsed().as_secs_f64();
    std::hint::black_box(result);
    println!("{seconds} {}", memory("VmHWM:")? - before);
    Ok(())
}

/// One of the process's figures, in bytes.
fn memory(figure: &str) -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status").context("only Linux tells")?;
    let line = status.lines().find_map(|line| line.strip_prefix(figure)).context("no figure")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
}
