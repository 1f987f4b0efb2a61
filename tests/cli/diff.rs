//! `seepage diff`: reports and traces, limits, and what it refuses.

use crate::{finish, refused, say, seepage};
use serde_json::Value;
use std::fs;

/// Reports and traces of a library that leaks 10 bytes as often as it is told.
struct Runs(tempfile::TempDir);

impl Runs {
    fn new() -> Runs {
        let runs = Runs(tempfile::tempdir().expect("a temporary folder can be made"));
        for count in [0, 2, 3] {
            let (report, trace) = (runs.path(count, "json"), runs.path(count, "trace"));
            let guest = "tests/programs/rust/truth_unknown.release.wasm";
            let ran =
                say(&format!("run -o {report} --trace {trace} --invoke leak {guest} 10 {count}"));
            assert_eq!(ran.code, 0, "{}", ran.stderr);
        }
        runs
    }

    fn path(&self, count: u32, extension: &str) -> String {
        self.0.path().join(format!("{count}.{extension}")).display().to_string()
    }
}

#[test]
fn reports_and_traces_compare_alike() {
    let runs = Runs::new();
    let change = |old: &str, new: &str| -> Value {
        let ran = say(&format!("diff -f json {} {}", runs.path(2, old), runs.path(3, new)));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        let mut diff: Value = serde_json::from_str(&ran.stdout).expect("stdout is JSON");
        assert_eq!(diff["schema"], "seepage-diff/1");
        diff["old"]["source"].take();
        diff["new"]["source"].take();
        diff
    };
    let first = change("json", "json");
    assert_eq!(first["verdict"], "changed");
    assert_eq!(first["contexts"][0]["lost"]["bytes"]["change"], 10);
    assert_eq!(first["contexts"][0]["status"], "changed");
    assert_eq!(
        first["totals"]["lost"]["blocks"],
        serde_json::json!({"old": 2, "new": 3, "change": 1})
    );
    for (old, new) in [("trace", "trace"), ("json", "trace"), ("trace", "json")] {
        assert_eq!(change(old, new), first, "{old} {new}");
    }
}

#[test]
fn limits_are_exit_codes() {
    let runs = Runs::new();
    let code = |options: &str, old: u32, new: u32| {
        say(&format!("diff {options} {} {}", runs.path(old, "json"), runs.path(new, "json"))).code
    };
    assert_eq!(code("", 0, 3), 0);
    assert_eq!(code("--fail-on-new", 0, 3), 27);
    assert_eq!(code("--fail-on-new", 2, 3), 0);
    assert_eq!(code("--fail-on-increase 49%", 2, 3), 27);
    assert_eq!(code("--fail-on-increase 50%", 2, 3), 0);
    assert_eq!(code("--fail-on-increase 9", 2, 3), 27);
    assert_eq!(code("--fail-on-increase 10B", 2, 3), 0);
    assert_eq!(code("--fail-on-new --fail-on-increase 0%", 3, 2), 0);
    assert_eq!(code("--fail-on-new --fail-on-increase 0", 3, 3), 0);
    let ran = say(&format!(
        "diff --fail-on-increase 5% {} {}",
        runs.path(2, "json"),
        runs.path(3, "json")
    ));
    assert!(ran.stdout.starts_with("REGRESSION: "), "{}", ran.stdout);
    let reason = "--fail-on-increase: lost bytes rose from 20 to 30, by more than 5 %";
    assert!(ran.stdout.contains(reason), "{}", ran.stdout);
    let last = ran.stdout.lines().last().unwrap_or_default();
    assert!(last.starts_with("SUMMARY seepage-diff: regression new=0 gone=0 changed=1"), "{last}");
}

#[test]
fn where_it_is_written() {
    let runs = Runs::new();
    let (old, new, file) = (runs.path(2, "json"), runs.path(3, "json"), runs.path(9, "json"));
    let ran = say(&format!("diff -o {file} {old} {new}"));
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    let text = fs::read_to_string(&file).expect("written");
    serde_json::from_str::<Value>(&text).expect("JSON by its extension");
    let piped = {
        let mut command = seepage();
        let input = fs::File::open(&old).expect("it is there");
        finish(command.args(["diff", "-", &new]).stdin(input))
    };
    assert!(piped.stdout.contains("-: truth_unknown.release.wasm"), "{}", piped.stdout);
    let again = say(&format!("diff -o - {old} {new}"));
    assert_eq!(again.stdout, say(&format!("diff {old} {new}")).stdout, "the same each time");
}

#[test]
fn what_it_cannot_compare() {
    let runs = Runs::new();
    let good = runs.path(2, "json");
    let other = runs.path(8, "json");
    let text = fs::read_to_string(&good).expect("it is there");
    fs::write(&other, text.replacen("seepage-report/", "seepage-report/9", 1)).expect("written");
    for (line, says) in [
        (format!("{good} {other}"), "a report of another version, seepage-report/9"),
        (format!("{other} {good}"), "a report of another version, seepage-report/9"),
        (format!("{good} docs/report.schema.json"), "it is no report of seepage"),
        (format!("{good} Cargo.toml"), "not a seepage trace"),
        (format!("{good} no-such-file"), "failed to read `no-such-file`"),
        (format!("{good} -"), "it holds nothing"),
        ("- -".into(), "only one of the two"),
        (format!("--fail-on-increase lots {good} {good}"), "no unit of size"),
        (format!("--fail-on-increase x% {good} {good}"), "no percentage"),
        (good.clone(), "<NEW>"),
    ] {
        let stderr = refused(say(&format!("diff {line}")));
        assert!(stderr.contains(says), "{line}: {stderr}");
    }
    let stderr = refused(say(&format!("diff {good} {other}")));
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}
