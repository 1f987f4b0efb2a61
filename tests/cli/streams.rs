//! What goes to which stream, and what happens when nobody reads it.

use crate::{finish, module, say, seepage, support::program};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
};

#[test]
fn stdout_is_the_guests_alone() {
    for verb in ["run", "check"] {
        let ran = say(&format!("{verb} tests/programs/c/host.O2.wasm one"));
        let lines: Vec<_> = ran.stdout.lines().collect();
        assert_eq!(lines[..2], ["argument host.O2.wasm", "argument one"]);
        assert!(lines.last().is_some_and(|line| line.starts_with("truth ")), "{}", ran.stdout);
        assert!(ran.stderr.contains("SUMMARY seepage: "));
    }
}

#[test]
fn json_on_stdout_stays_clean() {
    for options in ["-f json", "--format=json -o -", "-o - -f json"] {
        for verb in ["run", "check"] {
            let ran = say(&format!("{verb} {options} tests/programs/c/host.O2.wasm one"));
            let report: Value = serde_json::from_str(&ran.stdout).expect("JSON and nothing else");
            assert_eq!(report["guest"]["outcome"], "returned");
            assert!(ran.stderr.contains("argument one\n"), "{}", ran.stderr);
            assert!(!ran.stderr.contains("SUMMARY"), "{}", ran.stderr);
        }
    }
    let ran = say("run -f json --invoke churn tests/programs/rust/truth_unknown.release.wasm 500");
    serde_json::from_str::<Value>(&ran.stdout).expect("JSON and nothing else");
    assert!(ran.stderr.contains("24750"), "the result: {}", ran.stderr);
}

#[test]
fn a_text_report_on_stdout() {
    let ran = say("run -f text -o - tests/programs/c/host.O2.wasm one");
    assert!(ran.stdout.contains("SUMMARY seepage: "), "{}", ran.stdout);
    assert!(!ran.stdout.contains("argument one"), "{}", ran.stdout);
    assert!(ran.stderr.contains("argument one"), "{}", ran.stderr);
}

#[test]
fn a_report_in_a_file_leaves_both_streams_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.txt").display().to_string();
    let ran = say(&format!("run -o {file} tests/programs/c/host.O2.wasm one"));
    assert!(ran.stdout.starts_with("argument host"), "{}", ran.stdout);
    assert_eq!(ran.stderr, format!("seepage: the report is in {file}\n"));
    let text = std::fs::read_to_string(&file).expect("it was written");
    assert!(text.contains("\nSUMMARY seepage: "), "text by its extension: {text}");
}

#[cfg(unix)]
#[test]
fn a_report_may_go_to_a_device() {
    for (device, on_stdout) in [("/dev/null", false), ("/dev/stdout", true)] {
        let ran = say(&format!("run -f json -o {device} tests/programs/c/noargs.O2.wasm"));
        assert_eq!(ran.code, 0, "{device}: {}", ran.stderr);
        assert_eq!(ran.stdout.contains("\"schema\""), on_stdout, "{device}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named() {
    let ran = say("run -f json -o /dev/full tests/programs/c/noargs.O2.wasm");
    assert_eq!(ran.code, 2);
    let says = "failed to write the report to `/dev/full`: No space left";
    assert!(ran.stderr.contains(says), "{}", ran.stderr);
}

/// Runs a command whose reader has had enough after the first line.
fn head(command: &mut Command) -> (i32, String) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("seepage can be started");
    let mut stdout = child.stdout.take().expect("it was piped");
    let mut byte = [0];
    let _ = stdout.read(&mut byte).expect("there is a first line");
    drop(stdout);
    let output = child.wait_with_output().expect("seepage ends");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or(-1), stderr)
}

#[test]
fn a_broken_pipe_is_success() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("t.trace");
    let mut command = seepage();
    let ran = finish(command.args(["run", "--trace"]).arg(&trace).arg(program("c/truth.O0")));
    assert_eq!(ran.code, 0);
    let trace = trace.display().to_string();
    let guest = program("c/truth.O0").display().to_string();
    for line in [
        // Each writes more than a pipe holds, or is done before the reader goes away.
        format!("analyze -f json {trace}"),
        format!("analyze {trace}"),
        format!("run -f json {guest}"),
        format!("inspect -f json {guest}"),
        format!("instrument -o - {guest}"),
        "run --help".to_owned(),
    ] {
        let (code, stderr) = head(seepage().args(line.split(' ')));
        assert_eq!(code, 0, "{line}: {stderr}");
        assert!(!stderr.contains("roken pipe") && !stderr.contains("panicked"), "{stderr}");
    }
}

/// Without anybody on stderr the guest still has its own code.
#[test]
fn nobody_reads_the_report() {
    let mut command = seepage();
    command.args(["run"]).arg(program("c/ends.O2")).args(["exit", "5"]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("seepage can be started");
    drop(child.stderr.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(5));
}

#[test]
fn colour_only_on_request() {
    let coloured = |variable: &str, value: &str| {
        let mut command = seepage();
        command.env_remove("NO_COLOR").env(variable, value);
        finish(command.args(["run"]).arg(program("c/ends.O2"))).stderr.contains('\u{1b}')
    };
    assert!(!coloured("TERM", "xterm-256color"));
    assert!(coloured("CLICOLOR_FORCE", "1"));
}

/// An allocator that nobody knows by name, and a program that gives back to it what is none of its
/// blocks, without end.
const WRONG: &str = r#"(module
    (memory (export "memory") 2)
    (func $push (param $block i32)
        (i32.store (local.get $block) (i32.load (i32.const 1040)))
        (i32.store (i32.const 1040) (local.get $block)))
    (func $refill (local $at i32) (local $end i32)
        (local.set $at (i32.shl (memory.grow (i32.const 1)) (i32.const 16)))
        (local.set $end (i32.add (local.get $at) (i32.const 65536)))
        (loop $next
            (call $push (local.get $at))
            (local.set $at (i32.add (local.get $at) (i32.const 8192)))
            (br_if $next (i32.lt_u (local.get $at) (local.get $end)))))
    (func $take (param $size i32) (result i32) (local $block i32)
        (if (i32.gt_u (local.get $size) (i32.const 8192)) (then (return (i32.const 0))))
        (if (i32.eqz (i32.load (i32.const 1040))) (then (call $refill)))
        (local.set $block (i32.load (i32.const 1040)))
        (i32.store (i32.const 1040) (i32.load (local.get $block)))
        (local.get $block))
    (func $give (param $block i32)
        (if (i32.ge_u (local.get $block) (i32.const 65536)) (then
            (i32.store (local.get $block) (i32.load (i32.const 1040)))
            (i32.store (i32.const 1040) (local.get $block)))))
    (func (export "run") (param $times i32)
        (loop $again
            (call $give (call $take (i32.const 40)))
            (call $give (i32.add (i32.const 2048) (i32.and (local.get $times) (i32.const 1016))))
            (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))))"#;

#[test]
fn a_wrong_allocator_is_said_while_the_guest_runs() {
    let (_folder, path) = module(WRONG);
    let says = "seepage: warning: there will be no verdict: in the first 256 events, ";
    // 0 is four billion times.
    let mut endless = seepage()
        .args(["run", "--timeout", "20s", "--invoke", "run", &path, "0"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("seepage can be started");
    let mut first = String::new();
    let stderr = endless.stderr.take().expect("it was piped");
    BufReader::new(stderr).read_line(&mut first).expect("a line comes");
    endless.kill().expect("it still runs");
    endless.wait().expect("it ends");
    assert!(first.starts_with(says), "{first}");

    let ran = say(&format!("check --invoke run {path} 1000"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.starts_with(says), "{}", ran.stderr);
    assert!(ran.stderr.contains("SUMMARY seepage: inconclusive"), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("warning").count(), 1, "{}", ran.stderr);
}
