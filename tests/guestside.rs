//! What instrumentation does to a guest on request, seen from the outside: blocks that are filled,
//! moments that are marked, descriptors that are left open, suppressions that it brings with it.

mod support;

use seepage_instrumenter::{Config, TransportKind, instrument};
use seepage_runtime::{Images, Invoke, RunOptions, Runner};
use seepage_trace::{Event, Message, Role, State};

use support::{program, report};

/// Runs an export of a module; gives its results and the trace.
fn run(wat: &str, config: &Config, export: &str) -> (Vec<String>, Vec<Message<'static>>) {
    let wasm = wat::parse_str(wat).expect("the text is a module");
    let instrumented = instrument(&wasm, config).expect("it can be instrumented");
    let mut options = RunOptions::default();
    options.images = Images::All;
    options.invoke = Some(Invoke { export: export.into(), args: Vec::new(), repeat: 1 });
    let runner = Runner::new(&instrumented.wasm, options).expect("it can be run");
    let ran = runner.run(Vec::new()).expect("it runs");
    (ran.values, ran.trace.sink)
}

/// A heap that only grows, with 16 bytes in front of each block and at least as many behind.
const HEAP: &str = r#"(module
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 1024))
    (func $malloc (param i32) (result i32) (local i32)
        (local.set 1 (global.get $top))
        (global.set $top (i32.add (i32.add (local.get 1) (local.get 0)) (i32.const 32)))
        (if (i32.gt_u (local.get 0) (i32.const 4096)) (then (return (i32.const 0))))
        (i32.add (local.get 1) (i32.const 16)))
    (func $calloc (param i32 i32) (result i32)
        (call $malloc (i32.mul (local.get 0) (local.get 1))))
    (func $realloc (param $ptr i32) (param $old i32) (param $align i32) (param $new i32)
        (result i32) (local.get $ptr))
    (func $free (param $ptr i32) (param $size i32))
    (func $look (param $at i32) (result i64) (i64.load (i32.sub (local.get $at) (i32.const 1))))
    (func (export "new") (result i64) (call $look (call $malloc (i32.const 6))))
    (func (export "none") (result i32) (call $malloc (i32.const 5000)))
    (func (export "zeroed") (result i64) (call $look (call $calloc (i32.const 2) (i32.const 3))))
    (func (export "grown") (result i64)
        (call $look (call $realloc (call $malloc (i32.const 2))
            (i32.const 2) (i32.const 1) (i32.const 5))))
    (func (export "shrunk") (result i64)
        (call $look (call $realloc (call $malloc (i32.const 2))
            (i32.const 2) (i32.const 1) (i32.const 1))))
    (func (export "freed") (result i64) (local i32)
        (local.set 0 (call $malloc (i32.const 6)))
        (call $free (local.get 0) (i32.const 5))
        (call $look (local.get 0)))
    (func (export "nothing_freed") (call $free (i32.const 0) (i32.const 5)))
    (func (export "far_freed") (call $free (i32.const 65530) (i32.const 100))))"#;

#[test]
fn blocks_are_filled_and_nothing_else() {
    for transport in [TransportKind::Ring, TransportKind::Call] {
        let alloc_fns =
            ["malloc=malloc", "realloc=realloc(ptr,old,align,size)", "free=free(ptr,size)"];
        let config = Config {
            transport,
            fill: Some("0xaa,0xdd".parse().expect("two bytes")),
            alloc_fns: alloc_fns.map(|it| it.parse().expect("a function")).to_vec(),
            ..Config::default()
        };
        // From the byte before the block on, the lowest first.
        for (export, expected) in [
            ("new", 0x00aa_aaaa_aaaa_aa00_u64),
            ("zeroed", 0),
            ("grown", 0x0000_aaaa_aaaa_aa00),
            ("shrunk", 0x0000_0000_00aa_aa00),
            ("freed", 0x00aa_dddd_dddd_dd00),
        ] {
            let (values, _) = run(HEAP, &config, export);
            let value: i64 = values[0].parse().expect("a number");
            assert_eq!(format!("{value:016x}"), format!("{expected:016x}"), "{export}");
        }
        for export in ["none", "nothing_freed", "far_freed"] {
            let (_, trace) = run(HEAP, &config, export);
            let Some(Message::End(end)) = trace.last() else { panic!("no end") };
            assert_eq!(end.message, None, "{export}");
        }
    }
}

/// The program's own functions, and imports that nobody provides.
const SAYING: &str = r#"(module
    (import "anywhere" "seepage_mark" (func $mark (param i32 f64) (result i64)))
    (import "env" "__lsan_disable" (func $disable))
    (import "env" "__lsan_do_leak_check" (func $check))
    (memory (export "memory") 1)
    (table 1 funcref)
    (elem (i32.const 0) $mark)
    (type $marks (func (param i32 f64) (result i64)))
    (func $malloc (param i32) (result i32) (i32.const 64))
    (func $free (param i32))
    (func $__lsan_ignore_object (param i32))
    (func (export "__lsan_register_root_region") (param i32 i32))
    (func $request (export "request") (result i64)
        (call $disable)
        (call $__lsan_ignore_object (call $malloc (i32.const 8)))
        (drop (call $mark (i32.const 1) (f64.const 2)))
        (call_indirect (type $marks) (i32.const 1) (f64.const 2) (i32.const 0))
        (call $check)))"#;

#[test]
fn what_the_program_says_is_in_the_trace() {
    for transport in [TransportKind::Ring, TransportKind::Call] {
        let mark_exports = vec!["request".to_owned()];
        let config = Config { transport, mark_exports, ..Config::default() };
        let (values, trace) = run(SAYING, &config, "request");
        assert_eq!(values, ["0"]);
        let (mut said, mut marks, mut hidden) = (Vec::new(), Vec::new(), Vec::new());
        let mut tracepoints = Vec::new();
        for message in &trace {
            match message {
                Message::Module(module) => tracepoints = module.tracepoints.clone(),
                Message::Mark { name } => marks.push(name.as_str()),
                Message::State(state) => hidden.push(state.hidden),
                Message::Records(records) => said.extend(records.events().filter_map(|event| {
                    let Event::Annotation { tracepoint, addr, .. } = event else { return None };
                    Some((tracepoints[usize::from(tracepoint.0)].role, addr))
                })),
                _ => {}
            }
        }
        assert_eq!(said, [(Role::Disable, 0), (Role::IgnoreObject, 64)]);
        let names = ["seepage_mark #1", "seepage_mark #2", "__lsan_do_leak_check #1", "request #1"];
        assert_eq!(marks, names);
        // When an export has returned no call of the guest is under way.
        let any = State::UNBOUNDED;
        assert_eq!(hidden[..4], [any, any, any, 0]);
    }
}

#[test]
fn an_export_that_is_not_there_cannot_mark() {
    let wasm = wat::parse_str(SAYING).expect("the text is a module");
    let config = Config { mark_exports: vec!["respond".into()], ..Config::default() };
    let error = instrument(&wasm, &config).expect_err("there is no such export").to_string();
    assert!(error.starts_with("--mark-export respond: "), "{error}");
}

#[test]
fn open_files_are_a_leak_only_if_that_is_wanted() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let directory = format!("{}::.", folder.path().display());
    let module = program("kinds/c/files.O2.stripped");
    let options = ["--dir", &directory];
    assert_eq!(report("check", &options, &module, &["both"]).code, 0);
    let options = ["--dir", &directory, "--track-fds"];
    let ran = report("check", &options, &module, &["both"]);
    assert_eq!((ran.code, ran.list("/open_files").len()), (23, 2));
    assert_eq!(ran.list("/findings")[0]["analysis"], "open-files");
    assert_eq!(report("check", &options, &module, &["all_closed"]).code, 0);
}

#[test]
fn a_programs_own_suppressions_are_in_the_trace() {
    let wasm = std::fs::read(program("kinds/c/suppressions.O2")).expect("the guest is there");
    let instrumented = instrument(&wasm, &Config::default()).expect("it can be instrumented");
    let runner = Runner::new(&instrumented.wasm, RunOptions::default()).expect("it can be run");
    let trace: Vec<Message<'static>> = runner.run(Vec::new()).expect("it runs").trace.sink;
    let place = trace.iter().position(|it| matches!(it, Message::Suppressions { .. }));
    let Some(Message::Suppressions { origin, text }) = place.map(|at| &trace[at]) else {
        panic!("it told none")
    };
    assert_eq!(origin, "__lsan_default_suppressions");
    assert!(text.ends_with("leak:forgiven_*\nleak:never_called\n"), "{text}");
    // What the call does to the heap is no part of the run.
    let records = trace.iter().rposition(|it| matches!(it, Message::Records(_)));
    assert!(records < place);
}
