//! What stops a run from outside: signals, a killed process, a trace that was cut off, a full disk.
#![cfg(unix)]

mod support;

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};
use support::{Ran, finish, program, seepage};

/// Longer than anything here takes on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status();
    assert!(sent.expect("there is a kill").success());
}

/// Starts a guest and waits until it has said its truth: from then on it loops, or waits.
fn started(command: &mut Command) -> Child {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("seepage can be started");
    let mut line = String::new();
    let stdout = child.stdout.as_mut().expect("it was piped");
    BufReader::with_capacity(1, stdout).read_line(&mut line).expect("the guest writes");
    assert!(!line.is_empty());
    child
}

/// Waits for the end, but not for ever.
fn ended(mut child: Child) -> Ran {
    let begin = Instant::now();
    while child.try_wait().expect("it can be asked").is_none() {
        if begin.elapsed() > PATIENCE {
            child.kill().expect("it is ours");
            panic!("it goes on and on");
        }
        sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().expect("it has ended");
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        report: Value::Null,
    }
}

#[test]
fn an_interrupt_of_a_loop() {
    for name in ["INT", "TERM"] {
        let mut command = seepage();
        let child = started(command.arg("run").arg(program("c/ends.O0")).arg("loop"));
        sleep(Duration::from_millis(100));
        signal(&child, name);
        let ran = ended(child);
        assert_eq!(ran.code, 130, "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains("guest       stopped by the user after"), "{}", ran.stderr);
        assert!(ran.stderr.contains("     300 B "), "{}", ran.stderr);
        assert!(ran.stderr.contains("    leak_three "), "{}", ran.stderr);
        // Its loops do not look whether they are to stop, so the last records may be missing: not
        // without a word.
        let whole = ran.stderr.contains(" live_blocks=3 live_bytes=300 ");
        assert!(whole || ran.stderr.contains("is missing\n"), "{}", ran.stderr);
    }
}

/// A guest that waits for input does not come by: it is given up on, and the report comes.
#[test]
fn an_interrupt_of_one_that_waits_for_input() {
    let mut command = seepage();
    command.arg("run").arg(program("c/host.O2")).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("seepage can be started");
    let stdin = child.stdin.take().expect("it was piped");
    sleep(Duration::from_secs(1));
    signal(&child, "INT");
    let ran = ended(child);
    drop(stdin);
    assert_eq!(ran.code, 130, "{}", ran.stderr);
    assert!(ran.stderr.contains("SUMMARY seepage: "), "{}", ran.stderr);
    assert!(ran.stderr.contains("stopped by the user"), "{}", ran.stderr);
}

/// The mark is made when the guest next comes by, and the run goes on.
#[test]
fn a_mark_by_a_signal() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let report = folder.path().join("report.json");
    let mut command = seepage();
    command.args(["run", "--output"]).arg(&report).arg(program("c/host.O2"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("seepage can be started");
    let stdin = child.stdin.take().expect("it was piped");
    sleep(Duration::from_secs(1));
    signal(&child, "USR1");
    // The signal's handler has a moment of its own.
    sleep(Duration::from_millis(200));
    drop(stdin);
    let ran = ended(child);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report = std::fs::read_to_string(&report).expect("there is a report");
    let report: Value = serde_json::from_str(&report).expect("the report is JSON");
    assert_eq!(report["marks"][0]["name"], "SIGUSR1 #1", "{}", report["marks"]);
}

/// With `check` the interruption does not hide behind a verdict about blocks in use.
#[test]
fn a_timeout_of_one_that_waits_for_input() {
    let mut command = seepage();
    command.args(["check", "--timeout", "300ms"]).arg(program("c/host.O2")).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("seepage can be started");
    let stdin = child.stdin.take().expect("it was piped");
    let ran = ended(child);
    drop(stdin);
    assert_eq!(ran.code, 124, "{}", ran.stderr);
    assert!(ran.stderr.contains("SUMMARY seepage: "), "{}", ran.stderr);
}

fn analyze(trace: &Path) -> Ran {
    finish(seepage().args(["analyze", "-f", "json"]).arg(trace))
}

fn parsed(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("no report: {}", ran.stderr))
}

#[test]
fn a_killed_process_leaves_a_trace() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("killed.trace");
    let mut command = seepage();
    command.arg("run").arg("--trace").arg(&trace).arg(program("c/ends.O0")).arg("loop");
    let child = started(&mut command);
    sleep(Duration::from_millis(1500));
    signal(&child, "KILL");
    let killed = ended(child);
    assert_eq!(killed.code, -1);
    let ran = analyze(&trace);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("warning: ") && ran.stderr.contains("is cut off"),
        "{}",
        ran.stderr
    );
    let report = parsed(&ran);
    assert_eq!(report["guest"]["outcome"], "unknown");
    let contexts = report["contexts"].as_array().expect("a list");
    let three = contexts.iter().find(|it| it["frames"][0]["function"] == "leak_three");
    assert_eq!(three.expect("it leaked before")["live"]["bytes"], 300);
    let text = finish(seepage().arg("analyze").arg(&trace));
    assert!(text.stdout.contains("SUMMARY seepage: "), "{}", text.stdout);
}

/// Wherever a trace is cut, it gives a report of what came before and one line of warning, or, if
/// not one chunk is whole, one line of error.
#[test]
fn a_trace_cut_anywhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("whole.trace");
    let mut command = seepage();
    command.args(["run", "--trace"]).arg(&trace).arg(program("c/ends.O0")).arg("trap");
    assert_eq!(finish(&mut command).code, 134);
    let bytes = std::fs::read(&trace).expect("it was written");
    let whole = parsed(&analyze(&trace));
    assert_eq!(whole["totals"]["live"]["blocks"], 5);
    let cut = folder.path().join("cut.trace");
    let (mut refused, mut before) = (0, 0);
    for length in (0..bytes.len()).step_by(97).chain([1, 11, 12, 13, bytes.len() - 1]) {
        std::fs::write(&cut, &bytes[..length]).expect("written");
        let ran = analyze(&cut);
        assert!(!ran.stderr.contains("panicked"), "{length}: {}", ran.stderr);
        if ran.code == 2 {
            refused = refused.max(length);
            assert_eq!(ran.stdout, "");
            assert!(ran.stderr.starts_with("seepage: error: failed to read"), "{}", ran.stderr);
            assert!(ran.stderr.lines().count() <= 2, "{}", ran.stderr);
            continue;
        }
        assert_eq!(ran.code, 0, "{length}");
        assert!(ran.stderr.contains("is cut off") && ran.stderr.lines().count() == 1, "{length}");
        let report = parsed(&ran);
        assert_eq!(report["guest"]["outcome"], "unknown");
        let allocated = report["totals"]["allocated"]["blocks"].as_u64().expect("a number");
        if length < bytes.len() - 1 {
            assert!(allocated >= before, "{length}: more of a trace shows more");
            before = allocated;
        }
    }
    assert!(refused < bytes.len() / 2, "a part of a trace is worth something");
    assert_eq!(before, 5);
}

#[test]
fn a_damaged_trace_says_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("damaged.trace");
    let mut command = seepage();
    command.args(["run", "--trace"]).arg(&trace).arg(program("c/ends.O0"));
    assert_eq!(finish(&mut command).code, 0);
    let mut bytes = std::fs::read(&trace).expect("it was written");
    let last = bytes.len() - 1;
    bytes[last] ^= 0x40;
    std::fs::write(&trace, &bytes).expect("written");
    let ran = analyze(&trace);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("has a wrong checksum"), "{}", ran.stderr);
    assert_eq!(parsed(&ran)["totals"]["live"]["blocks"], 5, "what came before is reported");
}

/// The guest runs to its end, its report comes, and one line says that the trace is not whole.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    for (options, code) in [(vec!["exit", "7"], 7), (vec!["return", "0"], 2)] {
        let mut command = seepage();
        command.args(["run", "--trace", "/dev/full"]).arg(program("c/ends.O0")).args(&options);
        let ran = finish(&mut command);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stdout.contains("truth live_blocks=3"), "the guest ran: {}", ran.stderr);
        assert!(ran.stderr.contains(" live_blocks=3 live_bytes=300 "), "{}", ran.stderr);
        let says = "the trace `/dev/full` is incomplete: No space left on device";
        assert_eq!(ran.stderr.matches(says).count(), 1, "{}", ran.stderr);
    }
}

/// A reader of the guest's output that goes away is the guest's business, and no crash of ours.
#[test]
fn nobody_reads_what_the_guest_writes() {
    let mut command = seepage();
    command.arg("run").arg(program("c/ends.O0")).arg("exit").arg("3");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("seepage can be started");
    drop(child.stdout.take());
    let mut stderr = child.stderr.take().expect("it was piped");
    let mut text = String::new();
    stderr.read_to_string(&mut text).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(3), "{text}");
    assert!(text.contains("SUMMARY seepage: ") && !text.contains("panicked"), "{text}");
}
