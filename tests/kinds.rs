//! Guests that say what became of each block, why the memory grew, and how the heap was misused:
//! the report must say exactly that, run live and from a stored trace.
//!
//! Each scenario of a program is a run of its own. What it expects it prints itself; nothing about
//! its blocks stands here. See `tests/programs/README.md` for the lines.

mod support;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use std::fs;
use support::{
    Ran, program, report, root,
    sums::{LEAKS, number, sum},
};

/// A program, its variants, and the scenarios.
struct Suite {
    program: &'static str,
    source: &'static str,
    variants: &'static [&'static str],
    /// Those of its source's own table where none are given.
    scenarios: &'static [&'static str],
    options: &'static [&'static str],
}

const FOUR: &[&str] = &["O0", "O2", "O0.stripped", "O2.stripped"];

/// Stands for a new directory as the guest's `.`.
const DIRECTORY: &str = "DIRECTORY";
const NAMED: &[&str] = &["O0", "O2"];

const BRIDGES: &[&str] = &["O0", "O2", "O2.stripped", "lto", "lto.lines", "lto.O1"];

const RUNTIMES: &[&str] =
    &["incremental", "incremental.O", "incremental.release", "minimal", "minimal.release", "stub"];

const fn c(program: &'static str, source: &'static str) -> Suite {
    Suite { program, source, variants: FOUR, scenarios: &[], options: &[] }
}

const SUITES: &[Suite] = &[
    c("c/shapes", "c"),
    c("c/roots", "c"),
    Suite {
        scenarios: &[
            "return",
            "return 3",
            "exit 0",
            "exit 7",
            "proc_exit 0",
            "proc_exit 3",
            "abort",
            "trap",
            "div_zero",
            "out_of_bounds",
        ],
        ..c("c/ends", "c")
    },
    c("c/arena", "c"),
    c("c/memory", "c"),
    c("c/containers", "c"),
    c("c/misuse", "c"),
    Suite { options: &["--dir", DIRECTORY], ..c("c/files", "c") },
    c("c/marks_imported", "c"),
    // The rest is told by names.
    Suite { variants: NAMED, ..c("c/marks", "c") },
    Suite { variants: NAMED, ..c("c/annotations", "c") },
    Suite { variants: NAMED, ..c("c/suppressions", "c") },
    Suite {
        options: &["--invoke", "request", "--repeat", "3"],
        scenarios: &["40"],
        ..c("c/calls", "c")
    },
    c("cpp/objects", "cpp"),
    Suite { variants: NAMED, ..c("cpp/doors", "cpp") },
    c("rust/holders", "rs"),
    Suite { variants: &["O0"], ..c("rust/layouts", "rs") },
    Suite { variants: BRIDGES, ..c("rust/bridges", "rs") },
    Suite { variants: RUNTIMES, ..c("assemblyscript/collected", "ts") },
];

/// Clean by their own source: `seepage check` must find nothing.
const CLEAN: &[(&str, &[&str])] = &[
    ("c/shapes", &["nothing", "reachable", "held_ring", "interior_and_start", "sure_by_a_chain"]),
    (
        "c/roots",
        &["bss", "data", "function_static", "global", "live_stack_exit", "live_local_exit"],
    ),
    ("c/arena", &["arena_held", "arena_freed", "arena_reused"]),
    ("c/memory", &["peak", "one_large", "cache", "cache_of_sizes", "aligned", "no_growth"]),
    ("c/containers", &["realloc_and_reset", "ring_buffer", "table_at_start", "queue"]),
    ("c/misuse", &["free_of_reused", "allowed"]),
    ("c/files", &["all_closed", "renumbered"]),
    ("c/marks", &["none_lost"]),
    ("c/annotations", &["ignore_all"]),
    ("c/suppressions", &["only_forgiven"]),
    ("cpp/objects", &["held", "by_first_base", "shared_freed", "map_held", "static_container"]),
    ("cpp/objects", &["cookie", "cookie_of_one", "by_second_base", "vector_held", "allowed"]),
    ("cpp/doors", &["allowed"]),
    ("rust/holders", &["box_leaked_for_a_static", "rc_weak", "rc_in_a_vector", "rc_into_raw"]),
    ("rust/holders", &["once_lock", "vector_reused", "scoped"]),
    ("rust/layouts", &["right_layouts"]),
    ("rust/bridges", &["allowed"]),
    ("assemblyscript/collected", &["held", "held_and_collected", "garbage", "dropped", "cycles"]),
    ("assemblyscript/collected", &["strings", "pinned", "raw_freed", "raw_held"]),
];

/// What a scenario needs beside its program's options.
const OPTIONS: &[(&str, &str, &[&str])] = &[("c/shapes", "unaligned_scanned", &["--unaligned"])];

fn main() {
    let mut trials = Vec::new();
    for suite in SUITES {
        let scenarios = suite.scenarios();
        for variant in suite.variants {
            for scenario in &scenarios {
                for stored in [false, true] {
                    let how = if stored { "stored" } else { "live" };
                    let name = format!("{}.{variant} {scenario} {how}", suite.program);
                    let scenario = scenario.clone();
                    trials.push(Trial::test(name, move || {
                        as_expected(&suite.run("run", variant, &scenario, stored))
                    }));
                }
            }
        }
    }
    for (name, scenarios) in CLEAN {
        let suite = SUITES.iter().find(|suite| suite.program == *name).expect("it is listed");
        for variant in suite.variants {
            for scenario in *scenarios {
                trials.push(Trial::test(format!("{name}.{variant} {scenario} clean"), move || {
                    let ran = suite.run("check", variant, scenario, false);
                    let reasons = &ran.report["verdict"]["reasons"];
                    same(&format!("exit code, {reasons}"), ran.code, 0)
                }));
            }
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

impl Suite {
    /// The names in the table of the source: lines that begin with `{"name"` or `("name"`. Of a
    /// library in AssemblyScript all exports.
    fn scenarios(&self) -> Vec<String> {
        if !self.scenarios.is_empty() {
            return self.scenarios.iter().map(|&scenario| scenario.to_owned()).collect();
        }
        let program = self.program.trim_end_matches("_imported");
        let path = format!("tests/programs/kinds/{program}.{}", self.source);
        let text = fs::read_to_string(root().join(&path)).expect("the source is there");
        let starts = ["{\"", "(\"", "export function "];
        let lines = text.lines().filter_map(|line| {
            starts.iter().find_map(|start| line.trim_start().strip_prefix(start))
        });
        let names = lines.filter_map(|line| line.split(['"', '(']).next());
        let names: Vec<String> = names.map(str::to_owned).collect();
        assert!(!names.is_empty(), "{path} has no table of scenarios");
        names
    }

    fn run(&self, verb: &str, variant: &str, scenario: &str, stored: bool) -> Ran {
        let module = program(&format!("kinds/{}.{variant}", self.program));
        let mut args: Vec<&str> = scenario.split(' ').collect();
        let mut options = self.options.to_vec();
        if self.source == "ts" {
            options.extend(["--invoke", scenario]);
            args.clear();
        }
        let own = OPTIONS.iter().find(|own| own.0 == self.program && own.1 == scenario);
        options.extend(own.map_or(&[][..], |own| own.2));
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let guests = folder.path().join("guest");
        fs::create_dir(&guests).expect("a folder can be made");
        let directory = format!("{}::.", guests.display());
        for option in options.iter_mut().filter(|option| **option == DIRECTORY) {
            *option = &directory;
        }
        if !stored {
            return report(verb, &options, &module, &args);
        }
        let trace = folder.path().join("x.trace");
        options.extend(["--trace", trace.to_str().expect("a name in UTF-8")]);
        let live = report(verb, &options, &module, &args);
        let judging: Vec<&str> =
            options.iter().copied().filter(|option| *option == "--unaligned").collect();
        let later = report("analyze", &judging, &trace, &[]);
        Ran { report: later.report, stderr: live.stderr + &later.stderr, ..live }
    }
}

/// The five parts that every block belongs to one of.
fn as_expected(ran: &Ran) -> Result<(), Failed> {
    let lines = ran.stdout.lines().filter_map(|line| line.strip_prefix("expect "));
    let lines: Vec<Vec<&str>> = lines.map(|line| line.split(' ').collect()).collect();
    if lines.is_empty() {
        return Err(format!("it expects nothing: {}", ran.stderr).into());
    }
    // A library tells after each call: of each kind the last word counts.
    let kinds = |line: &Vec<&str>| (line.len() == 3).then(|| line[0].to_owned());
    let is_last = |at: usize| {
        kinds(&lines[at]).is_none_or(|kind| {
            LEAKS.iter().all(|known| !kind.contains(known))
                || lines[at + 1..].iter().all(|later| kinds(later).as_ref() != Some(&kind))
        })
    };
    let lines: Vec<_> =
        (0..lines.len()).filter(|&at| is_last(at)).map(|at| lines[at].clone()).collect();
    if ran.report.is_null() {
        return Err(format!("no report: {}", ran.stderr).into());
    }
    // All that is wrong, not only the first of it.
    let mut wrong = Vec::new();
    for line in &lines {
        if let Err(error) = line_holds(ran, line) {
            wrong.push(format!("expect {}: {error}", line.join(" ")));
        }
    }
    wrong.extend(
        [misuse(ran, &lines), open(ran, &lines), verdict(ran, &lines)]
            .into_iter()
            .chain([is_explained(ran), exit_code(ran, &lines)])
            .filter_map(Result::err),
    );
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

fn line_holds(ran: &Ran, line: &[&str]) -> Result<(), String> {
    match *line {
        ["outcome", outcome] => equal(ran.report["guest"]["outcome"].as_str(), Some(outcome)),
        // Looked at together, for what is not expected must not be there.
        ["exit_code" | "heap_error" | "open" | "verdict", ..] => Ok(()),
        ["growth", cause, least, most] => {
            between(number(&ran.report, &format!("/memory/growth/{cause}"))?, least, most)
        }
        ["account", parts, least, most] => {
            let mut is = 0;
            for part in parts.split('+') {
                let pointer = format!("/memory/account/{part}");
                is += sum(ran.report.pointer(&pointer).ok_or(format!("no {pointer}"))?);
            }
            between(is, least, most)
        }
        ["finding", analysis, least] => {
            let least: usize = least.parse().map_err(|_| "not a number")?;
            let count = findings(ran, analysis);
            if count >= least { Ok(()) } else { Err(format!("there are {count}")) }
        }
        ["no_finding", analysis] => equal(findings(ran, analysis), 0),
        // What the blocks are at a mark in the middle of the run.
        ["mark", index, kinds, blocks, bytes] => {
            counts(&ran.report, &format!("/marks/{index}/leaks"), kinds, blocks, bytes)
        }
        [kinds, blocks, bytes] => counts(&ran.report, "/leaks", kinds, blocks, bytes),
        _ => Err("a line of no known form".into()),
    }
}

/// Blocks and bytes of a kind, or of several that are joined by `+`.
fn counts(
    report: &Value,
    base: &str,
    kinds: &str,
    blocks: &str,
    bytes: &str,
) -> Result<(), String> {
    let mut is = (0, 0);
    for kind in kinds.split('+') {
        if !LEAKS.contains(&kind) {
            return Err(format!("{kind} is no kind"));
        }
        is.0 += number(report, &format!("{base}/{kind}/blocks"))?;
        is.1 += number(report, &format!("{base}/{kind}/bytes"))?;
    }
    equal((is.0.to_string(), is.1.to_string()), (blocks.to_owned(), bytes.to_owned()))
}

/// `expect heap_error KIND COUNT`: these, and no others.
fn misuse(ran: &Ran, lines: &[Vec<&str>]) -> Result<(), String> {
    let mut expected: Vec<(String, u64)> = Vec::new();
    for line in lines {
        if let ["heap_error", kind, count] = line[..] {
            expected.push((kind.to_owned(), count.parse().map_err(|_| "not a number")?));
        }
    }
    let mut found: Vec<(String, u64)> = Vec::new();
    let errors = ran.report["heap_errors"].as_array().ok_or("the report has no heap_errors")?;
    for error in errors {
        let kind = error["kind"].as_str().unwrap_or_default().replace('-', "_");
        let count = error["count"].as_u64().unwrap_or(0);
        match found.iter_mut().find(|other| other.0 == kind) {
            Some(other) => other.1 += count,
            None => found.push((kind, count)),
        }
        let frames = error["frames"].as_array().map_or(0, Vec::len);
        if frames == 0 {
            return Err(format!("no stack: {error}"));
        }
    }
    expected.sort();
    found.sort();
    equal(found, expected).map_err(|error| format!("heap errors: {error}"))
}

/// `expect open file 2` and `expect open directory 1`: descriptors never closed, and no others.
fn open(ran: &Ran, lines: &[Vec<&str>]) -> Result<(), String> {
    let found = ran.report["open_files"].as_array();
    for kind in ["file", "directory"] {
        let expected = lines.iter().find(|line| line[0] == "open" && line[1] == kind);
        let expected: u64 = expected.map_or(Ok(0), |line| line[2].parse()).map_err(|_| "open")?;
        let of_kind = found.into_iter().flatten().filter(|open| open["kind"] == kind);
        let count = of_kind.map(|open| open["count"].as_u64().unwrap_or(1)).sum();
        equal(count, expected).map_err(|error| format!("open, {kind}: {error}"))?;
    }
    Ok(())
}

/// What `check` would say follows from the rest, unless the program knows better. Several verdicts
/// may be right: `expect verdict clean+growth`.
fn verdict(ran: &Ran, lines: &[Vec<&str>]) -> Result<(), String> {
    let lost = |line: &&Vec<&str>| matches!(line[..], ["definitely_lost" | "indirectly_lost", blocks, _] if blocks != "0");
    let expected = if let Some(line) = lines.iter().find(|line| line[0] == "verdict") {
        line[1]
    } else if lines.iter().any(|line| line[0] == "heap_error") {
        "heap-error"
    } else if lines.iter().any(|line| lost(&line)) {
        "leak"
    } else {
        "clean"
    };
    let is = ran.report["verdict"]["kind"].as_str().unwrap_or_default();
    if expected.split('+').any(|one| one == is) {
        Ok(())
    } else {
        Err(format!("verdict: {is}, not {expected}: {}", ran.report["verdict"]["reasons"]))
    }
}

/// The guest's own code comes through `seepage run`.
fn exit_code(ran: &Ran, lines: &[Vec<&str>]) -> Result<(), String> {
    let stated = lines.iter().find(|line| line[0] == "exit_code").map(|line| line[1]);
    let trapped = lines.iter().any(|line| line[..] == ["outcome", "trapped"]);
    let expected = stated.unwrap_or(if trapped { "134" } else { "0" });
    equal(ran.code.to_string().as_str(), expected).map_err(|error| format!("exit code: {error}"))
}

/// Nothing of what these programs do is left over.
fn is_explained(ran: &Ran) -> Result<(), String> {
    let of = |pointer| number(&ran.report, pointer);
    let live = ran.report.pointer("/memory/account/live").ok_or("no account of the memory")?;
    equal(sum(live), of("/totals/live/bytes")?)
        .map_err(|error| format!("live in the account: {error}"))?;
    let (unexplained, grown) = (of("/memory/growth/unexplained")?, of("/memory/growth/bytes")?);
    if unexplained * 100 > grown {
        return Err(format!("{unexplained} of {grown} bytes of growth are unexplained"));
    }
    Ok(())
}

fn findings(ran: &Ran, analysis: &str) -> usize {
    let all = ran.report["findings"].as_array();
    all.into_iter().flatten().filter(|finding| finding["analysis"] == analysis).count()
}

fn between(is: u64, least: &str, most: &str) -> Result<(), String> {
    let (least, most): (u64, u64) =
        least.parse().and_then(|least| Ok((least, most.parse()?))).map_err(|_| "not a number")?;
    if (least..=most).contains(&is) { Ok(()) } else { Err(format!("it is {is}")) }
}

fn equal<T: PartialEq + std::fmt::Debug>(is: T, should_be: T) -> Result<(), String> {
    if is == should_be { Ok(()) } else { Err(format!("{is:?}, not {should_be:?}")) }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: T, should_be: T) -> Result<(), Failed> {
    equal(is, should_be).map_err(|error| format!("{what}: {error}").into())
}
