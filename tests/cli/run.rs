//! `seepage run`: what the guest is given, and whose the options are.

use crate::support::report_with_input;
use crate::{HEAP, finish, module, refused, say, seepage, support::program};

/// The lines of the guest `host` that begin with this word, without it.
fn lines<'a>(stdout: &'a str, word: &str) -> Vec<&'a str> {
    let mut lines: Vec<_> =
        stdout.lines().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' ')).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn what_follows_the_module_is_the_guests() {
    let ran = say(
        "run --env A=1 tests/programs/c/host.O2.wasm --env B=2 -f json -- --format text --help",
    );
    assert_eq!(ran.code, 0);
    let arguments: Vec<_> =
        ran.stdout.lines().filter_map(|line| line.strip_prefix("argument ")).collect();
    let expected =
        ["host.O2.wasm", "--env", "B=2", "-f", "json", "--", "--format", "text", "--help"];
    assert_eq!(arguments, expected);
    assert_eq!(lines(&ran.stdout, "environment"), ["A=1"]);
    assert!(ran.stderr.contains("\nSUMMARY seepage: "), "the report is text: {}", ran.stderr);
}

#[test]
fn arguments_keep_their_form() {
    let mut command = seepage();
    let odd = ["", " a  b ", "ä π 漢", "-", "*", "\"'\\", "a\nb"];
    let ran = finish(command.arg("run").arg(program("c/host.O0")).args(odd));
    let shown: String = odd.iter().map(|text| format!("argument {text}\n")).collect();
    assert!(ran.stdout.contains(&shown), "{}", ran.stdout);
}

#[test]
fn the_environment_is_what_was_given() {
    let mut command = seepage();
    command.env("PASSED_ON", "ä=b").env("KEPT_BACK", "1");
    command.args(["run", "--env", "A=1=2", "--env", "EMPTY=", "--env", "PASSED_ON"]);
    command.args(["--env", "EXIT_CODE=41"]).arg(program("c/host.O2"));
    let ran = finish(&mut command);
    assert_eq!(ran.code, 41);
    let expected = ["A=1=2", "EMPTY=", "EXIT_CODE=41", "PASSED_ON=ä=b"];
    assert_eq!(lines(&ran.stdout, "environment"), expected);
    let stderr = refused(say("run --env SURELY_NOT_SET tests/programs/c/host.O2.wasm"));
    assert!(stderr.contains("`SURELY_NOT_SET`"), "{stderr}");
}

#[test]
fn directories() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("note.txt"), "written on the host\n").expect("written");
    let host = folder.path().display().to_string();
    let ran = say(&format!("run --dir {host}::/in tests/programs/c/host.O2.wasm /in note.txt"));
    assert_eq!(lines(&ran.stdout, "entry"), ["note.txt"], "{}", ran.stderr);
    assert!(ran.stdout.contains("written on the host\n"));
    let same = say(&format!("run --dir {host} tests/programs/c/host.O2.wasm {host} note.txt"));
    assert!(same.stdout.contains("written on the host\n"), "{}", same.stdout);
    let not_given = say(&format!("run tests/programs/c/host.O2.wasm {host}"));
    assert!(not_given.stdout.contains("cannot open"), "{}", not_given.stdout);
    let outside = say(&format!("run --dir {host}::/in tests/programs/c/host.O2.wasm /in/.."));
    assert!(outside.stdout.contains("cannot open"), "{}", outside.stdout);
    let stderr = refused(say("run --dir /no/such/folder tests/programs/c/host.O2.wasm"));
    assert!(stderr.contains("/no/such/folder"), "{stderr}");
}

#[test]
fn standard_input_reaches_the_guest() {
    let input: String = (0..20_000).map(|n| format!("line {n}\n")).collect();
    let ran = report_with_input("run", &[], &program("c/host.O2"), &[], input.as_bytes());
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.contains(&input), "{} bytes came back", ran.stdout.len());
}

#[test]
fn an_export_is_invoked() {
    let guest = "tests/programs/rust/truth_unknown.release.wasm";
    let ran = say(&format!("run --invoke churn {guest} 500"));
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "24750\n"), "{}", ran.stderr);
    let ran = say(&format!("run -f json --invoke leak --repeat 7 {guest} 100 3"));
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(report["totals"]["live"]["blocks"], 21);
    assert_eq!(report["marks"].as_array().map(Vec::len), Some(7));
    assert_eq!(report["marks"][6]["name"], "leak #7");

    for (line, says) in [
        (format!("run {guest}"), "--invoke: churn, free_all, leak"),
        (format!("run --invoke nope {guest}"), "it exports churn, free_all, leak"),
        (format!("run --invoke memory {guest}"), "no function `memory`"),
        (format!("run --invoke leak {guest} 1"), "`leak(i32, i32)`: 1 argument was given"),
        (format!("run --invoke leak {guest} one 2"), "`one`"),
        ("run --repeat 2 tests/programs/c/noargs.O2.wasm".into(), "hint: choose an export"),
    ] {
        let stderr = refused(say(&line));
        assert!(stderr.contains(says), "{line}: {stderr}");
    }
}

#[test]
fn a_module_without_exports_says_so() {
    let (_folder, path) = module("(module)");
    let stderr = refused(say(&format!("run {path}")));
    assert!(stderr.contains("no `_start`") && stderr.contains("nothing"), "{stderr}");
}

#[test]
fn an_instrumented_module_runs_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    for (transport, options) in [("ring", ""), ("call", ""), ("ring", "--no-context")] {
        let out = folder.path().join("instrumented.wasm").display().to_string();
        let guest = "tests/programs/c/leak_list.O2.wasm";
        let line = format!("instrument --transport {transport} {options} {guest} -o {out}");
        assert_eq!(say(&line).code, 0);
        let ran = say(&format!("run -f json {out}"));
        let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
        assert_eq!(report["totals"]["live"]["blocks"], 160, "{transport} {options}");
        assert_eq!(report["module"]["name"], "leak_list.O2.wasm", "the original's name");
        assert_eq!(report["module"]["contexts"], options.is_empty());
        assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
        let ran = say(&format!("run --no-context {out}"));
        assert!(ran.stderr.contains("is instrumented already"), "{}", ran.stderr);
    }
}

#[test]
fn without_contexts_there_are_no_stacks_and_the_same_sums() {
    let ran = say("run -f json --no-context tests/programs/c/leak_list.O2.wasm");
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(report["totals"]["live"]["blocks"], 160);
    assert_eq!(report["module"]["contexts"], false);
}

#[test]
fn missing_imports() {
    let (_folder, path) =
        module(r#"(module (import "env" "secret" (func)) (func (export "_start") (call 0)))"#);
    let stderr = refused(say(&format!("run {path}")));
    assert!(stderr.contains("env::secret") && stderr.contains("hint: "), "{stderr}");
    let ran = say(&format!("run --unknown-imports-trap {path}"));
    assert_ne!(ran.code, 0);
    assert!(ran.stderr.contains("env::secret"), "{}", ran.stderr);
}

#[test]
fn options_from_the_variable() {
    let with = |options: &str, line: &str| {
        finish(seepage().env("SEEPAGE_OPTIONS", options).args(line.split_whitespace()))
    };
    let guest = "tests/programs/c/host.O2.wasm";
    let ran = with("--env 'A=one two' -f json", &format!("run --env B=2 {guest} x"));
    assert!(ran.stdout.starts_with('{'), "{}", ran.stdout);
    assert!(ran.stderr.contains("environment A=one two\nenvironment B=2\n"), "{}", ran.stderr);
    // What is given on the line itself holds.
    let ran = with("-f json", &format!("run -f text {guest}"));
    assert!(ran.stdout.starts_with("argument host"), "{}", ran.stdout);
    let ran = with("--error-exitcode 99", "check tests/programs/c/ends.O2.wasm");
    assert_eq!(ran.code, 99);
    // Other verbs run nothing.
    assert_eq!(with("--timeout 1s", &format!("inspect {guest}")).code, 0);
    let stderr = refused(with("--env 'A", &format!("run {guest}")));
    assert!(stderr.contains("SEEPAGE_OPTIONS") && stderr.contains("quote"), "{stderr}");
    assert!(refused(with("--frobnicate", &format!("run {guest}"))).contains("--frobnicate"));
}

#[test]
fn limits() {
    let (_folder, path) = module(HEAP);
    assert_eq!(say(&format!("run --invoke grow {path} 2")).stdout, "1\n");
    assert_eq!(say(&format!("run --max-memory 128KiB --invoke grow {path} 2")).stdout, "-1\n");
    assert_eq!(say(&format!("run --max-memory 192KiB --invoke grow {path} 2")).stdout, "1\n");
    let stderr = refused(say("run --max-memory 64K tests/programs/c/noargs.O2.wasm"));
    assert!(stderr.contains("more than the limit"), "{stderr}");
}

/// What only may be an allocator is tried before the run, by `check` as by `run`.
#[test]
fn likely_candidates_are_probed_first() {
    let path = "tests/programs/allocators/first_fit.O2.stripped.wasm";
    let ran = say(&format!("run {path}"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("found by structure and probe"), "{}", ran.stderr);
    assert_eq!(say(&format!("check {path}")).code, 23);
    let blind = say(&format!("run --no-probe {path}"));
    assert_eq!(blind.code, 0);
    assert!(blind.stderr.contains("SUMMARY seepage: blind"), "{}", blind.stderr);
    // Without an allocator there is nothing to check.
    assert_eq!(say(&format!("check --no-probe {path}")).code, 2);
}
