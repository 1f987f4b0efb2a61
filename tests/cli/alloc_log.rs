//! `seepage analyze` and `diff` on logs of `@ALLOCATE` and `@DROP` lines.

use crate::{finish, refused, say, seepage};
use serde_json::{Value, json};
use std::fs;

/// A service that forgets a proof, drops a field twice, and says other things in between.
const LOG: &str = "server is up
@ALLOCATE WasmProof 5242880 /app/src/prove.js:41 1
@ALLOCATE WasmProof 5242880 /app/src/prove.js:41 2
12:00 INFO @ALLOCATE Map<string, Field> 32 /app/src/a b.js:10:5 7
@DROP Map<string, Field> 32 7
@DROP Map<string, Field> 32 7
@DROP WasmProof 5242880 1
";

fn log(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("app.log");
    fs::write(&path, text).expect("it can be written");
    let path = path.display().to_string();
    (folder, path)
}

#[test]
fn the_text_has_the_types_and_where_they_are_made() {
    let (_folder, path) = log(LOG);
    let ran = say(&format!("analyze --format-in alloc-log {path}"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = ran.stdout.lines().map(words).collect();
    for line in [
        "HEAP ERROR: 1 heap error at 1 place",
        "type allocated dropped leaked",
        "WasmProof 2 10 MiB 1 5 MiB 1 5 MiB",
        "Map<string, Field> 1 32 B 1 32 B 0 0 B",
        "double free of an object",
        "@DROP of id 7 app.log:6",
        "WasmProof src/prove.js:41",
    ] {
        assert!(lines.iter().any(|it| it == line), "{line}:\n{}", ran.stdout);
    }
    assert!(ran.stderr.contains("7 lines read, 6 with events, 1 other line passed over"));
}

#[test]
fn a_log_is_recognised_and_that_is_said() {
    let (_folder, path) = log(LOG);
    let named = say(&format!("analyze --format-in alloc-log -f json {path}"));
    let ran = say(&format!("analyze -f json {path}"));
    assert_eq!((ran.code, &ran.stdout), (0, &named.stdout));
    assert!(ran.stderr.contains("is no trace, and read as an alloc-log"), "{}", ran.stderr);
    assert!(!named.stderr.contains("is no trace"), "{}", named.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).expect("stdout is JSON");
    let proof = json!({
        "name": "WasmProof",
        "allocated": {"blocks": 2, "bytes": 10_485_760},
        "dropped": {"blocks": 1, "bytes": 5_242_880},
        "leaked": {"blocks": 1, "bytes": 5_242_880},
    });
    assert_eq!(report["types"][0], proof);
    assert_eq!(report["totals"]["peak"]["bytes"], 10_485_792);
    assert_eq!(report["contexts"][0]["frames"][0]["file"], "/app/src/prove.js");
    assert_eq!(report["contexts"][0]["frames"][0]["line"], 41);
    assert!(report["abstentions"][0]["reason"].as_str().is_some_and(|it| it.contains("image")));
    // As from a pipe.
    let mut command = seepage();
    command.args(["analyze", "-f", "json", "-"]);
    command.stdin(fs::File::open(&path).expect("the log"));
    let piped: Value = serde_json::from_str(&finish(&mut command).stdout).expect("JSON");
    assert_eq!(piped["types"], report["types"]);
}

#[test]
fn damage_is_counted_and_told() {
    let (_folder, path) = log("@ALLOCATE A many a.js:1 1\n@ALLOCATE A 8 a.js:1 2\n@DROP A 8 1\n");
    let ran = say(&format!("analyze {path}"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("1 line with fields that make no sense, left out"));
    assert!(ran.stdout.contains("1 record could not be taken from the guest"), "{}", ran.stdout);
    assert!(ran.stdout.starts_with("INCONCLUSIVE"), "{}", ran.stdout);
}

#[test]
fn rules_and_comparisons_work_on_logs() {
    let (folder, path) = log(LOG);
    let rules = folder.path().join("known.supp");
    fs::write(&rules, "leak:WasmProof\n").expect("it can be written");
    let ran = say(&format!("analyze --suppressions {} -f json {path}", rules.display()));
    let report: Value = serde_json::from_str(&ran.stdout).expect("stdout is JSON");
    assert_eq!(report["contexts"][0]["suppressed_by"], "leak:WasmProof", "{}", ran.stderr);

    let (_other, later) = log(&format!("{LOG}@ALLOCATE Gate 64 /app/src/gate.js:3 9\n"));
    let ran = say(&format!("diff --fail-on-new {path} {later}"));
    assert_eq!(ran.code, 27, "{}", ran.stderr);
    assert!(ran.stdout.contains("Gate"), "{}", ran.stdout);
    assert_eq!(say(&format!("diff --fail-on-new {later} {path}")).code, 0);
}

#[test]
fn what_is_no_log_is_refused() {
    let (_folder, path) = log("nothing here\n");
    let reason = refused(say(&format!("analyze --format-in alloc-log {path}")));
    assert!(reason.contains("no line of it is `@ALLOCATE"), "{reason}");
    let reason = refused(say(&format!("analyze {path}")));
    assert!(reason.contains("not a seepage trace"), "{reason}");
    let (_folder, path) = log(LOG);
    let reason = refused(say(&format!("analyze --format-in trace {path}")));
    assert!(reason.contains("not a seepage trace"), "{reason}");
    assert_eq!(say(&format!("analyze --format-in csv {path}")).code, 2);
}
