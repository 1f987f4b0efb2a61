//! `seepage run` as cargo's runner for a real project: `cargo run` and `cargo test` work as they do
//! without, exit codes and stdout pass through, and the report is on stderr.

mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};
use support::{Ran, finish, root};

const TARGET: &str = "wasm32-wasip1";

const MANIFEST: &str = r#"[package]
name = "sample"
version = "0.1.0"
edition = "2021"

[workspace]
"#;

const LIBRARY: &str = r#"//! Something to test.
pub fn squares(n: u64) -> Vec<u64> {
    (0..n).map(|n| n * n).collect()
}

/// ```
/// assert_eq!(sample::squares(2), [0, 1]);
/// ```
pub fn forget(bytes: usize) {
    std::mem::forget(std::hint::black_box(vec![1u8; bytes]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_are_right() {
        assert_eq!(squares(4), [0, 1, 4, 9]);
    }

    #[test]
    fn something_is_forgotten() {
        forget(12_345);
    }
}
"#;

const PROGRAM: &str = r#"use std::{env, io::Read, process::exit};

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    println!("arguments {}", args.join("|"));
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input).unwrap();
    println!("input {input}");
    println!("squares {:?}", sample::squares(3));
    sample::forget(54_321);
    match args.first().map(String::as_str) {
        Some("fail") => exit(7),
        Some("panic") => panic!("as it was told"),
        _ => {}
    }
}
"#;

/// How cargo builds for the target on this machine: the plain way where it can, else what
/// `cargo xtask wasm-target` finds and installs.
struct Toolchain {
    cargo: String,
    env: Vec<(String, String)>,
    args: Vec<String>,
    flags: Vec<String>,
}

fn toolchain() -> Toolchain {
    let mut rustc = Command::new("rustc");
    let libraries = finish(rustc.args(["--print", "target-libdir", "--target", TARGET]));
    if libraries.code == 0 && Path::new(libraries.stdout.trim()).exists() {
        let cargo = env!("CARGO").to_owned();
        return Toolchain { cargo, env: Vec::new(), args: Vec::new(), flags: Vec::new() };
    }
    let mut xtask = Command::new(env!("CARGO"));
    xtask.current_dir(root()).args(["run", "--quiet", "--package", "xtask", "--"]);
    let said = finish(xtask.args(["wasm-target", TARGET]));
    assert_eq!(said.code, 0, "no way to build for {TARGET}: {}", said.stderr);
    let of = |word: &str| -> Vec<String> {
        let lines = said.stdout.lines();
        lines.filter_map(|line| Some(line.strip_prefix(word)?.trim_start().to_owned())).collect()
    };
    let env = of("env ").into_iter().filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    Toolchain {
        cargo: of("cargo ").pop().expect("it names a cargo"),
        env: env.collect(),
        args: of("arg "),
        flags: of("flag "),
    }
}

/// A project in a folder of its own, outside of ours.
struct Project {
    folder: tempfile::TempDir,
    toolchain: Toolchain,
}

impl Project {
    fn new() -> Project {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).expect("written");
        };
        fs::create_dir(folder.path().join("src")).expect("made");
        write("Cargo.toml", MANIFEST);
        write("src/lib.rs", LIBRARY);
        write("src/main.rs", PROGRAM);
        Project { folder, toolchain: toolchain() }
    }

    /// `cargo VERB REST…` for the target, with seepage as the runner.
    fn cargo(&self, runner: &str, verb: &[&str], rest: &[&str]) -> Command {
        let Toolchain { cargo, env, args, flags } = &self.toolchain;
        let mut command = Command::new(cargo);
        // What the cargo that runs this test has set is about another build.
        for (name, _) in std::env::vars() {
            if name.starts_with("CARGO_") && name != "CARGO_HOME" || name.starts_with("RUSTFLAGS") {
                command.env_remove(name);
            }
        }
        command.envs(env.iter().map(|(name, value)| (name, value)));
        if !flags.is_empty() {
            command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        }
        command
            .current_dir(self.folder.path())
            .env_remove("SEEPAGE_OPTIONS")
            .env("CARGO_TARGET_DIR", self.folder.path().join("target"))
            .env("CARGO_TARGET_WASM32_WASIP1_RUNNER", runner)
            .args(&verb[..1])
            .args(args)
            .args(["--quiet", "--target", TARGET])
            .args(&verb[1..])
            .args(rest)
            .stdin(Stdio::null());
        command
    }
}

fn seepage(verb: &str) -> String {
    format!("{} {verb}", env!("CARGO_BIN_EXE_seepage"))
}

fn summary(ran: &Ran) -> &str {
    let line = ran.stderr.lines().find(|line| line.starts_with("SUMMARY seepage: "));
    line.unwrap_or_else(|| panic!("no report: {}", ran.stderr))
}

#[test]
fn cargo_runs_and_tests_with_it() {
    let project = Project::new();
    runs(&project);
    tests(&project);
}

fn runs(project: &Project) {
    let run = |runner: &str, args: &[&str]| {
        finish(&mut project.cargo(runner, &["run"], &[&["--"], args].concat()))
    };
    let ran = run(&seepage("run"), &["one", "--two", "three four"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, "arguments one|--two|three four\ninput \nsquares [0, 1, 4]\n");
    assert!(summary(&ran).contains(" live_bytes=54321 "), "{}", ran.stderr);
    assert!(ran.stderr.contains("sample::forget"), "{}", ran.stderr);
    assert!(ran.stderr.contains("src/lib.rs:10\n"), "{}", ran.stderr);

    // Cargo hands the runner's code on.
    let ran = run(&seepage("run"), &["fail"]);
    assert_eq!(ran.code, 7, "{}", ran.stderr);
    let ran = run(&seepage("run"), &["panic"]);
    assert_eq!(ran.code, 134, "{}", ran.stderr);
    assert!(ran.stderr.contains("as it was told"), "{}", ran.stderr);
    assert!(summary(&ran).contains("live_blocks="), "{}", ran.stderr);
    assert_eq!(run(&seepage("check"), &["fail"]).code, 23, "a verdict outranks it");
    let lenient = format!("{} --max-leak 1MB", seepage("check"));
    assert_eq!(run(&lenient, &["fail"]).code, 7);

    let mut command = project.cargo(&seepage("run"), &["run"], &["--", "x"]);
    let ran = finish(command.env("SEEPAGE_OPTIONS", "-f json -o report.json --env A=1"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let text = fs::read_to_string(project.folder.path().join("report.json")).expect("it is there");
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["guest"]["outcome"], "returned");
}

fn tests(project: &Project) {
    let test = |runner: &str, rest: &[&str]| {
        finish(&mut project.cargo(runner, &["test", "--lib", "--bins"], rest))
    };
    let ran = test(&seepage("run"), &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("test result: ok. 2 passed"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("SUMMARY"), "{}", ran.stdout);
    // One report for each test binary.
    assert_eq!(ran.stderr.matches("SUMMARY seepage: ").count(), 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("sample::forget"), "{}", ran.stderr);

    let filtered = test(&seepage("run"), &["squares"]);
    assert!(filtered.stdout.contains("1 passed"), "{}", filtered.stdout);
    assert!(!filtered.stderr.contains("sample::forget"), "{}", filtered.stderr);

    // What libtest keeps is no leak of the tests, optimized or not; what a test forgets is.
    for profile in [&[][..], &["--release"]] {
        let check = |filter: &str| {
            let verb = [&["test", "--lib"], profile].concat();
            finish(&mut project.cargo(&seepage("check"), &verb, &["--", filter]))
        };
        let clean = check("squares");
        assert_eq!(clean.code, 0, "{}", clean.stderr);
        assert!(clean.stderr.contains("rust-libtest: 1 block"), "{}", clean.stderr);
        assert!(summary(&clean).contains("clean live_blocks=0 "), "{}", clean.stderr);
        let leaks = check("forgotten");
        assert_ne!(leaks.code, 0, "{}", leaks.stderr);
        assert!(summary(&leaks).contains(" live_bytes=12345 "), "{}", leaks.stderr);
    }

    // A failing test fails, and still has its report.
    let library = LIBRARY.replace("[0, 1, 4, 9]", "[0, 1, 4, 8]");
    fs::write(project.folder.path().join("src/lib.rs"), library).expect("written");
    let ran = test(&seepage("run"), &["squares"]);
    assert_ne!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stderr.contains("SUMMARY seepage: "), "{}", ran.stderr);
}
