//! What is reported, and that a stored trace gives the same report.

use crate::{finish, refused, say, seepage, support::program};
use serde_json::Value;

/// The report without what differs from run to run.
fn timeless(mut value: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| name != "time_ns" && name != "duration_ns");
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut value);
    value
}

#[test]
fn the_json_report_has_what_was_promised() {
    let ran = say("run -f json tests/programs/c/double_free.O0.wasm");
    let report: Value = serde_json::from_str(&ran.stdout).expect("stdout is JSON and nothing else");
    for path in [
        "/schema",
        "/module/allocators/0/function",
        "/module/allocators/0/role",
        "/module/allocators/0/family",
        "/module/allocators/0/how",
        "/guest/outcome",
        "/guest/exit_code",
        "/memory/initial_pages",
        "/memory/final_pages",
        "/memory/grows",
        "/contexts/0/frames/0/function",
        "/contexts/0/frames/0/file",
        "/contexts/0/frames/0/line",
        "/contexts/0/allocated/bytes",
        "/contexts/0/live/bytes",
        "/contexts/0/peak/bytes",
        "/contexts/0/temporary/bytes",
        "/anomalies/0/kind",
        "/anomalies/0/count",
        "/dropped",
    ] {
        assert!(report.pointer(path).is_some_and(|value| !value.is_null()), "no {path}");
    }
    for total in ["allocated", "freed", "live", "peak"] {
        for unit in ["blocks", "bytes"] {
            assert!(report["totals"][total][unit].is_u64(), "no {total} {unit}");
        }
    }
    assert_eq!(report["schema"], "seepage-report/2");
    assert_eq!(report["anomalies"][0]["kind"], "double-free");
}

#[test]
fn the_last_line_is_for_grep() {
    for (guest, expected) in [
        ("ends.O2", "leak live_blocks=3 live_bytes=300 contexts=1 peak_bytes="),
        ("noargs.O2", "clean live_blocks=0 live_bytes=0 contexts=0 peak_bytes=80704 pages=3"),
        ("double_free.O2", "heap-error live_blocks="),
    ] {
        let ran = say(&format!("run tests/programs/c/{guest}.wasm"));
        let last = ran.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with(&format!("SUMMARY seepage: {expected}")), "{last}");
        assert!(last.contains(" heap_errors="), "{last}");
        assert_eq!(ran.stderr.matches("SUMMARY seepage: ").count(), 1);
    }
}

#[test]
fn a_person_reads_the_verdict_first_and_the_line_to_look_at() {
    let ran = say("run tests/programs/c/ends.O0.wasm");
    assert!(
        ran.stderr.starts_with("LEAK: 200 bytes in 2 blocks definitely lost"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("leak_three"), "{}", ran.stderr);
    assert!(ran.stderr.contains("tests/programs/c/ends.c:16"), "{}", ran.stderr);
    assert!(ran.stderr.contains("\nnext: seepage "), "{}", ran.stderr);
    assert!(!ran.stderr.contains('\u{1b}'), "no colour where there is no terminal");
}

#[test]
fn a_trace_gives_the_same_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (trace, live, later) = (path("t.trace"), path("live.json"), path("later.json"));
    for guest in [
        "tests/programs/c/truth.O0.wasm",
        "tests/programs/c/double_free.O2.wasm",
        "tests/programs/cpp/truth.O2.stripped.wasm",
        "tests/programs/rust/truth_wasi.release.wasm",
        "--no-context tests/programs/c/recursion.O2.wasm",
        "--invoke leak --repeat 50 tests/programs/rust/truth_unknown.release.wasm 10 2",
        "--transport call tests/programs/c/ends.O0.wasm trap",
    ] {
        let ran = say(&format!("run --trace {trace} -o {live} {guest}"));
        assert!(ran.stderr.contains(&format!("the report is in {live}")), "{}", ran.stderr);
        let ran = say(&format!("analyze {trace} -o {later}"));
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
        assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
        let read = |path: &str| -> Value {
            let text = std::fs::read_to_string(path).expect("the report was written");
            serde_json::from_str(&text).expect("it is JSON by its extension")
        };
        assert_eq!(timeless(read(&live)), timeless(read(&later)), "{guest}");
    }
    let text = say(&format!("analyze {trace}"));
    assert_eq!(text.code, 0);
    assert!(text.stdout.contains("\nSUMMARY seepage: "), "{}", text.stdout);
    let piped = {
        let mut command = seepage();
        command.args(["analyze", "-"]).stdin(std::fs::File::open(&trace).expect("the trace"));
        finish(&mut command)
    };
    assert_eq!(piped.code, 0);
    assert_eq!(piped.stdout.lines().last(), text.stdout.lines().last());
}

/// The same run gives the same report: of two JSON reports only the times differ.
#[test]
fn two_runs_report_the_same() {
    let json = || -> Value {
        let ran = say("run -f json tests/programs/cpp/truth.O2.wasm");
        serde_json::from_str(&ran.stdout).expect("JSON")
    };
    assert_eq!(timeless(json()), timeless(json()));
}

#[test]
fn a_report_file_is_decided_before_the_run() {
    let stderr = refused(say("run -o /nowhere/report.json tests/programs/c/noargs.O2.wasm"));
    assert!(stderr.contains("`/nowhere/report.json`"), "{stderr}");
    let stderr = refused(say("run --trace /nowhere/x.trace tests/programs/c/noargs.O2.wasm"));
    assert!(stderr.contains("`/nowhere/x.trace`"), "{stderr}");
}

#[test]
fn a_report_file_is_replaced_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.json");
    std::fs::write(&file, vec![b'x'; 1 << 20]).expect("written");
    let mut command = seepage();
    let ran = finish(command.args(["run", "-o"]).arg(&file).arg(program("c/noargs.O2")));
    assert_eq!(ran.code, 0);
    let text = std::fs::read_to_string(&file).expect("it is there");
    serde_json::from_str::<Value>(&text).expect("nothing is left of what was there");
}

#[test]
fn fewer_contexts_on_request() {
    let shown = |top: &str| {
        let ran = say(&format!("run --top {top} tests/programs/c/truth.O0.wasm"));
        ran.stderr.lines().filter(|line| line.contains("% ") && line.contains("block")).count()
    };
    assert!(shown("1") < shown("5"));
}
