//! Runs the real `seepage` on the real guests.
#![allow(dead_code)] // each test file uses a part of it

pub mod differential;
pub mod host;
pub mod sums;

use serde_json::Value;
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What a run printed and reported.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    /// The JSON report, of runs that write one.
    pub report: Value,
}

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A guest of `tests/programs`.
pub fn program(name: &str) -> PathBuf {
    root().join("tests/programs").join(format!("{name}.wasm"))
}

/// The command line tool, to be given arguments.
pub fn seepage() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seepage"));
    command.current_dir(root()).env_remove("SEEPAGE_OPTIONS").stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn finish(command: &mut Command) -> Ran {
    let output = command.output().expect("seepage can be started");
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        report: Value::Null,
    }
}

/// `seepage VERB OPTIONS… MODULE ARGS…` with the report as JSON in a file of its own.
pub fn report(verb: &str, options: &[&str], module: &Path, args: &[&str]) -> Ran {
    report_with_input(verb, options, module, args, b"")
}

/// The same with something on the guest's standard input.
pub fn report_with_input(
    verb: &str,
    options: &[&str],
    module: &Path,
    args: &[&str],
    input: &[u8],
) -> Ran {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("report.json");
    let mut command = seepage();
    command.arg(verb).args(["--format", "json", "-o"]).arg(&file).args(options).arg(module);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("seepage can be started");
    let mut stdin = child.stdin.take().expect("it was piped");
    // On a thread of its own: a guest that answers while it reads would wait for us, and we for it.
    let output = std::thread::scope(|scope| {
        // A guest that does not read its input closes the pipe: that is no failure of the test.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().expect("seepage ends")
    });
    let mut ran = Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        report: Value::Null,
    };
    if let Ok(text) = std::fs::read_to_string(&file) {
        ran.report = serde_json::from_str(&text).expect("the report is JSON");
        if let Err(error) = sums::add_up(&ran.report) {
            panic!("the report does not add up: {error}\n{}", ran.stderr);
        }
    }
    ran
}

impl Ran {
    /// A number of the report, by its path.
    pub fn number(&self, pointer: &str) -> u64 {
        let value = self.report.pointer(pointer).and_then(Value::as_u64);
        value.unwrap_or_else(|| panic!("the report has no number {pointer}: {}", self.stderr))
    }

    /// A list of the report.
    pub fn list(&self, pointer: &str) -> &[Value] {
        let value = self.report.pointer(pointer).and_then(Value::as_array);
        value.unwrap_or_else(|| panic!("the report has no list {pointer}: {}", self.stderr))
    }

    /// Blocks and bytes that are live at the end and nobody's known noise.
    pub fn live(&self) -> (u64, u64) {
        let noise = |what: &str| -> u64 {
            let rules = self.list("/suppressions").iter();
            rules.filter_map(|rule| rule[what].as_u64()).sum()
        };
        (
            self.number("/totals/live/blocks") - noise("blocks"),
            self.number("/totals/live/bytes") - noise("bytes"),
        )
    }

    /// What the guest says of itself in its line `truth name=number …`.
    pub fn truth(&self, name: &str) -> Option<u64> {
        let line = self.stdout.lines().rfind(|line| line.starts_with("truth "))?;
        let mut pairs = line.split(' ').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name)?.1.parse().ok()
    }

    /// The function names of all contexts that have live blocks, innermost first.
    pub fn live_stacks(&self) -> Vec<Vec<String>> {
        let contexts = self.list("/contexts").iter();
        contexts
            .filter(|context| context["live"]["blocks"].as_u64() > Some(0))
            .map(|context| {
                let frames = context["frames"].as_array().into_iter().flatten();
                frames.map(|f| f["function"].as_str().unwrap_or_default().to_owned()).collect()
            })
            .collect()
    }
}
