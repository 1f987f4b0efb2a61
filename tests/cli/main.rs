//! The command line, as somebody uses it who has read `--help`: every verb, every option, what goes
//! to which stream, and every exit code.

#[path = "../support/mod.rs"]
mod support;

mod alloc_log;
mod check;
mod diff;
mod inspect;
mod instrument;
mod report;
mod run;
mod streams;
mod suppressions;

use support::{Ran, finish, seepage};

/// A guest whose exports do whatever a test wants of a heap. Its allocator only counts upwards.
const HEAP: &str = r#"(module
    (memory (export "memory") 1 10)
    (global $top (mut i32) (i32.const 1024))
    (func $malloc (export "malloc") (param $size i32) (result i32)
        (global.get $top)
        (global.set $top (i32.add (global.get $top) (local.get $size))))
    (func $free (export "free") (param i32))
    (func (export "leak") (param $size i32) (drop (call $malloc (local.get $size))))
    (func (export "clean") (param $size i32) (call $free (call $malloc (local.get $size))))
    (func (export "twice") (param $size i32) (local $block i32)
        (local.set $block (call $malloc (local.get $size)))
        (drop (call $malloc (local.get $size)))
        (call $free (local.get $block))
        (call $free (local.get $block)))
    (func (export "grow") (param $pages i32) (result i32) (memory.grow (local.get $pages)))
    (func (export "trap") (param $size i32)
        (call $free (call $malloc (local.get $size)))
        unreachable))"#;

/// `seepage` with the words of a line as its arguments.
fn say(line: &str) -> Ran {
    finish(seepage().args(line.split_whitespace()))
}

/// A file with the bytes of a module, for as long as the folder lives.
fn module(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("guest.wasm");
    std::fs::write(&path, wat::parse_str(text).expect("the text is a module")).expect("written");
    let path = path.to_str().expect("temporary paths are text").to_owned();
    (folder, path)
}

/// A failure of seepage's own: code 2, nothing on stdout, and the reason, which is handed back.
fn refused(ran: Ran) -> String {
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran.stderr
}

#[test]
fn help_names_every_verb_and_every_code() {
    let ran = say("--help");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    for verb in ["run", "check", "analyze", "diff", "instrument", "inspect", "suppressions"] {
        assert!(ran.stdout.contains(&format!("\n  {verb} ")), "{}", ran.stdout);
        let own = say(&format!("{verb} --help"));
        assert_eq!((own.code, own.stderr.as_str()), (0, ""), "{verb}");
        assert!(own.stdout.contains("Usage: seepage"), "{}", own.stdout);
        assert!(own.stdout.lines().all(|line| line.chars().count() <= 100), "{verb}");
        assert_eq!(say(&format!("{verb} -h")).code, 0);
    }
    let check = say("check --help").stdout;
    for code in [" 0  ", "23  ", "24  ", "25  ", "26  ", " 2  "] {
        assert!(check.contains(code), "{check}");
    }
}

#[test]
fn the_version() {
    for flag in ["--version", "-V"] {
        let ran = say(flag);
        assert_eq!(ran.stdout, concat!("seepage ", env!("CARGO_PKG_VERSION"), "\n"));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }
}

#[test]
fn a_wrong_line_is_code_2() {
    for (line, says) in [
        ("", "Usage: seepage"),
        ("frobnicate", "unrecognized subcommand"),
        ("run", "required arguments"),
        ("run --tiemout 3s app.wasm", "--timeout"),
        ("run --timeout 1y app.wasm", "no unit of time"),
        ("run --max-memory lots app.wasm", "no unit of size"),
        ("run --repeat 0 app.wasm", "--repeat"),
        ("run --format yaml app.wasm", "possible values: text, json"),
        ("check --error-exitcode 256 app.wasm", "--error-exitcode"),
        ("run --max-leak 3 app.wasm", "--max-leak"),
        ("instrument app.wasm", "--output <FILE>"),
        ("instrument --transport pigeon -o x app.wasm", "possible values: ring, call"),
        ("run no-such-file.wasm", "failed to read `no-such-file.wasm`"),
        ("check no-such-file.wasm", "failed to read `no-such-file.wasm`"),
        ("inspect no-such-file.wasm", "failed to read `no-such-file.wasm`"),
        ("instrument -o x no-such-file.wasm", "failed to read `no-such-file.wasm`"),
        ("analyze no-such-file.trace", "failed to read `no-such-file.trace`"),
        ("analyze tests", "failed to read `tests`"),
        ("analyze Cargo.toml", "not a seepage trace"),
        ("analyze -", "it holds nothing"),
    ] {
        let stderr = refused(say(line));
        assert!(stderr.contains(says), "{line}: {stderr}");
    }
}
