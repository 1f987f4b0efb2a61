//! Suppressions: the user's files, the rules that are generated, the list, and the notes.

use crate::{HEAP, finish, module, refused, say, seepage, support::program};
use serde_json::Value;
use std::{fs, path::PathBuf};

/// A file of rules, for as long as the folder lives.
fn rules(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("my.supp");
    fs::write(&path, text).expect("written");
    let path = path.to_str().expect("temporary paths are text").to_owned();
    (folder, path)
}

const LEAKY: &str = "tests/programs/c/ends.O0.wasm";

#[test]
fn what_a_rule_hides_is_no_leak() {
    for text in [
        "leak:leak_three",
        "# known\nleak:^leak_*$\n",
        "leak:ends.c",
        "leak:ends.O0.wasm",
        "leak:leak_three < ... < ^_start$ max=300 blocks=3",
        "{\n n\n Memcheck:Leak\n match-leak-kinds: definite\n fun:malloc\n fun:leak_three\n ...\n}",
        "{\n n\n Memcheck:Leak\n src:ends.c\n}",
    ] {
        let (_folder, file) = rules(text);
        let ran = say(&format!("check --suppressions {file} {LEAKY}"));
        assert_eq!(ran.code, 0, "{text}: {}", ran.stderr);
        assert!(ran.stderr.contains("suppressed, not in the verdict"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("note:"), "{}", ran.stderr);
    }
    let (_folder, file) = rules("leak:leak_three max=299B");
    let ran = say(&format!("check --suppressions {file} {LEAKY}"));
    assert_eq!(ran.code, 23);
    assert!(ran.stderr.contains("0 blocks, 0 B: listed in "), "{}", ran.stderr);
    assert!(ran.stderr.contains("; 3 blocks, 300 B beyond its limit"), "{}", ran.stderr);
}

#[test]
fn unused_rules_are_noted() {
    let (_one, one) = rules("leak:leak_three\nleak:nothing");
    let (_other, other) = rules("\nleak:nobody");
    let ran = say(&format!("check --suppressions {one} --suppressions {other} {LEAKY}"));
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.contains(&format!("note: unused suppression leak:nothing ({one}:2)")));
    assert!(ran.stderr.contains(&format!("note: unused suppression leak:nobody ({other}:2)")));
    assert_eq!(ran.stderr.matches("unused suppression").count(), 2, "{}", ran.stderr);
    let ran = say(&format!("run -f json --suppressions {one} {LEAKY}"));
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let blocks = |rule: &str| {
        let list = report["suppressions"].as_array().expect("a list");
        list.iter().find(|it| it["rule"] == rule).map(|it| it["blocks"].clone())
    };
    assert_eq!(blocks("leak:nothing"), Some(0.into()));
    assert_eq!(blocks("leak:leak_three"), Some(3.into()));
    // A guest that did not come to its end had no chance to need them.
    let ran = say(&format!("run --suppressions {one} {LEAKY} trap"));
    assert!(!ran.stderr.contains("unused"), "{}", ran.stderr);
}

#[test]
fn a_wrong_file_is_refused_before_the_run() {
    for (text, says) in [
        ("leak:a\nfun:b", ":2: `fun:b` is no rule"),
        ("{\n", ":1: the block that begins here does not end"),
        ("leak:a max=much", ":1: `much` is no size"),
    ] {
        let (_folder, file) = rules(text);
        for verb in ["run", "check", "analyze", "suppressions"] {
            let module = if verb == "suppressions" { "" } else { LEAKY };
            let stderr = refused(say(&format!("{verb} --suppressions {file} {module}")));
            assert!(stderr.contains(&format!("{file}{says}")), "{verb}: {stderr}");
            assert_eq!(stderr.lines().count(), 1, "{stderr}");
        }
    }
    let stderr = refused(say(&format!("run --suppressions no-such.supp {LEAKY}")));
    assert!(stderr.contains("failed to read `no-such.supp`"), "{stderr}");
    let stderr = refused(say(&format!("run --gen-suppressions=/nowhere/x {LEAKY}")));
    assert!(stderr.contains("failed to write the suppressions to `/nowhere/x`"), "{stderr}");
}

/// Fed back, the rules leave nothing of what they were made of.
#[test]
fn generated_rules_make_a_check_pass() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("generated.supp").display().to_string();
    let trace = folder.path().join("t.trace").display().to_string();
    for guest in [
        "c/truth.O0",
        "c/leak_list.O2.stripped",
        "cpp/truth.O0",
        "cpp/truth.O2",
        "rust/truth_wasi.release",
        "rust/truth_wasi_counting.v0",
        "zig/truth_wasm_allocator.safe",
    ] {
        let guest = program(guest).display().to_string();
        let ran = say(&format!("check --trace {trace} --gen-suppressions={file} {guest}"));
        assert_eq!(ran.code, 23, "{guest}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("the suppressions are in {file}")), "{}", ran.stderr);
        let ran = say(&format!("check --suppressions {file} {guest}"));
        assert_eq!(ran.code, 0, "{guest}: {}", ran.stderr);
        assert!(!ran.stderr.contains("unused"), "{guest}: {}", ran.stderr);
        // The trace gives the same rules.
        let live = fs::read_to_string(&file).expect("the rules were written");
        let ran = say(&format!("analyze --gen-suppressions=- -o {file}.txt {trace}"));
        assert_eq!(ran.stdout, live, "{guest}");
    }
}

#[test]
fn generated_rules_go_where_they_are_asked_for() {
    let ran = say(&format!("check --gen-suppressions {LEAKY}"));
    assert_eq!(ran.code, 23);
    let rule = " bytes\n{\n   leak 1 in leak_three\n   Memcheck:Leak\n   fun:leak_three\n";
    assert!(ran.stderr.contains(rule), "{}", ran.stderr);
    assert_eq!(say("check --gen-suppressions=- tests/programs/c/noargs.O2.wasm").code, 0);
    let ran = say(&format!("run --no-context --gen-suppressions {LEAKY}"));
    assert!(ran.stderr.contains("so no rule can name it"), "{}", ran.stderr);
}

#[test]
fn without_the_built_in_rules() {
    // Its main has arguments, so libc keeps a copy of them: two blocks.
    let leak = |options: &str| {
        let ran = say(&format!("run -f json {options} {LEAKY}"));
        let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        report["totals"]["suppressed"]["blocks"].as_u64()
    };
    assert_eq!(leak(""), Some(2));
    assert_eq!(leak("--no-suppressions"), Some(0));
    let (_folder, file) = rules("leak:leak_three");
    assert_eq!(leak(&format!("--no-suppressions --suppressions {file}")), Some(3));
}

#[test]
fn names_cannot_break_a_rule_or_a_terminal() {
    let text =
        HEAP.replace("(func (export \"leak\")", "(func $\"a\\1b[2J\\n} *\" (export \"leak\")");
    let (_folder, path) = module(&text);
    let (_rules, file) = rules("");
    let run = |options: &str| {
        let mut command = seepage();
        finish(
            command
                .args(options.split(' '))
                .args(["--repeat", "3", "--invoke", "leak"])
                .args([&path, "100"]),
        )
    };
    let ran = run("check --gen-suppressions");
    assert!(ran.stderr.contains("fun:a?[2J?} *"), "{}", ran.stderr);
    assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    assert_eq!(run(&format!("check --gen-suppressions={file}")).code, 23);
    assert_eq!(run(&format!("check --suppressions {file}")).code, 0);
}

#[test]
fn the_list() {
    let ran = say("suppressions");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("wasi-libc-start (built in, at most 4 blocks)\n"));
    assert!(ran.stdout.contains("\nwasi-libc-argv (built in, at most 2 blocks)\n"));
    let (_folder, file) =
        rules("leak:a < b max=1K\n{\nn\nMemcheck:Leak\nmatch-leak-kinds:possible\nfun:c\n}");
    let ran = say(&format!("suppressions --no-suppressions --suppressions {file}"));
    let expected = format!(
        "leak:a < b ({file}:1, at most 1024 bytes)\n    a < b\nn ({file}:2, of possible)\n    fun:c\n"
    );
    assert_eq!(ran.stdout, expected);
    let folder = tempfile::tempdir().expect("a folder");
    let path: PathBuf = folder.path().join("list.json");
    let ran = say(&format!("suppressions -f json -o {} --suppressions {file}", path.display()));
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    let text = fs::read_to_string(&path).expect("written");
    let list: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(list["schema"], "seepage-suppressions/1");
    let rules = list["rules"].as_array().expect("a list");
    assert_eq!(rules[0]["rule"], "wasi-libc-start");
    assert_eq!(rules[0]["max_blocks"], 4);
    assert_eq!(rules.last().expect("one")["kinds"], serde_json::json!(["possible"]));
}
