//! However a guest ends, its records are there, and the end is named.

mod support;

use seepage_runtime::{Error, Interrupt, Ran};
use seepage_trace::{End, Outcome};
use std::time::{Duration, Instant};
use support::{
    Kind, MEMORY, Messages, allocate, command, command_with, end, events, guest, names, options,
    refused, run,
};

const EXIT: &str = r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))"#;
const POLL: &str = r#"(import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))"#;
/// Sleeps for a minute.
const SLEEP: &str = "(i32.store $own offset=16 (i32.const 0) (i32.const 1))
    (i64.store $own offset=24 (i32.const 0) (i64.const 60000000000))
    (drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))";

fn after_five(imports: &[&str], body: &str) -> End {
    let ran = run(&command_with(imports, &format!("{} {body}", allocate(5))), options());
    assert_eq!(events(&ran.trace.sink).len(), 5);
    assert_eq!(end(&ran.trace.sink), &ran.trace.end);
    assert_eq!(ran.trace.end.lost_records, 0);
    ran.trace.end
}

#[test]
fn it_returns() {
    let end = after_five(&[], "");
    assert_eq!((end.outcome, end.exit_code, end.message), (Outcome::Returned, Some(0), None));
    assert!(end.time_ns > 0);
}

#[test]
fn it_exits() {
    for code in [0, 3, 126, 255, -1] {
        let end = after_five(&[EXIT], &format!("(call $exit (i32.const {code}))"));
        assert_eq!((end.outcome, end.exit_code), (Outcome::Exited, Some(code)));
    }
}

#[test]
fn it_traps() {
    let end = after_five(&[], "unreachable");
    assert_eq!((end.outcome, end.exit_code), (Outcome::Trapped, None));
    assert_eq!(end.message.unwrap(), "wasm trap: wasm `unreachable` instruction executed");
    assert_eq!(names(&end.trap_stack), ["start"]);
}

#[test]
fn a_traps_own_frame_gets_its_line_from_the_symbolizer() {
    let mut options = options();
    options.symbolize = Some(Box::new(|offset| {
        assert!(offset > 8);
        vec![seepage_trace::Frame { line: Some(42), ..seepage_trace::Frame::function("start") }]
    }));
    let end = run(&command("unreachable"), options).trace.end;
    assert_eq!(end.trap_stack[0].line, Some(42));
}

#[test]
fn it_overflows_the_stack() {
    let text = format!(
        r#"{MEMORY} (func $deep (call $deep) (drop (i32.const 1)))
        (func $start (export "_start") (drop (call $alloc (i32.const 1))) (call $deep))"#
    );
    let ran = run(&guest(Kind::Ring, &[], &text, &["deep", "start"], &[]), options());
    assert_eq!(events(&ran.trace.sink).len(), 1);
    let end = ran.trace.end;
    assert_eq!(end.message.unwrap(), "wasm trap: call stack exhausted");
    assert_eq!(end.outcome, Outcome::Trapped);
    assert!(end.trap_stack.len() <= 80 && end.trap_stack[63].recursion);
}

#[test]
fn a_host_function_fails() {
    let imports = [r#"(import "env" "secret" (func $secret))"#];
    let wasm = command_with(&imports, &format!("{} (call $secret)", allocate(5)));
    let Error::MissingImports { names } = refused(&wasm, options()) else { panic!() };
    assert_eq!(names, ["env::secret"]);

    let mut options = options();
    options.unknown_imports_trap = true;
    let ran = run(&wasm, options);
    assert_eq!(events(&ran.trace.sink).len(), 5);
    assert_eq!(ran.trace.end.outcome, Outcome::Failed);
    let message = ran.trace.end.message.unwrap();
    assert!(message.contains("env::secret") && !message.contains('\n'), "{message}");
}

#[test]
fn its_time_is_up() {
    for (imports, body) in [(vec![], "(loop $l (br $l))"), (vec![POLL], SLEEP)] {
        let wasm = command_with(&imports, &format!("{} {body}", allocate(5)));
        let mut options = options();
        options.timeout = Some(Duration::from_millis(200));
        let start = Instant::now();
        let ran = run(&wasm, options);
        assert!(start.elapsed() < Duration::from_secs(20));
        assert_eq!(ran.trace.end.outcome, Outcome::TimedOut);
        assert_eq!(events(&ran.trace.sink).len(), 5, "{body}");
        assert_eq!(ran.abandoned, !imports.is_empty());
    }
}

/// Interrupts the guest after a while, with its loops checked or not.
fn interrupted(imports: &[&str], body: &str, checked_loops: bool) -> Ran<Messages> {
    let interrupt = Interrupt::new();
    let mut options = options();
    options.interrupt = Some(interrupt.clone());
    options.checked_loops = checked_loops;
    let trigger = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        assert!(!interrupt.trigger());
        assert!(interrupt.trigger());
    });
    let ran = run(&command_with(imports, body), options);
    trigger.join().unwrap();
    assert_eq!(ran.trace.end.outcome, Outcome::Interrupted);
    assert_eq!(end(&ran.trace.sink), &ran.trace.end);
    ran
}

#[test]
fn somebody_interrupts_it() {
    let compute = format!("{} (loop $l (br $l))", allocate(5));
    let ran = interrupted(&[], &compute, true);
    assert_eq!(events(&ran.trace.sink).len(), 5);
    assert_eq!(names(&ran.trace.end.trap_stack), ["start"]);
    assert!(!ran.abandoned);

    let ran = interrupted(&[], "(loop $l (drop (call $alloc (i32.const 1))) (br $l))", false);
    assert!(!ran.abandoned, "it came by");
    assert_eq!(names(&ran.trace.end.trap_stack), ["start"]);

    let sleep = format!("{} {SLEEP}", allocate(5));
    let ran = interrupted(&[POLL], &sleep, false);
    assert!(ran.abandoned);
    assert_eq!(events(&ran.trace.sink).len(), 5, "taken before the call");
    assert_eq!(ran.trace.end.message.unwrap(), "stopped by an interrupt, and did not answer");
}

#[test]
fn one_that_only_computes_is_given_up_on() {
    // The loop ends some day, or the thread would outlive the test.
    let long = "(local.set $i (i32.const 0))
        (loop $l (br_if $l (local.tee $i (i32.add (local.get $i) (i32.const 1)))))
        (loop $l (br_if $l (local.tee $i (i32.add (local.get $i) (i32.const 1)))))
        (loop $l (br_if $l (local.tee $i (i32.add (local.get $i) (i32.const 1)))))";
    let ran = interrupted(&[], &format!("{} {long}", allocate(25)), false);
    assert!(ran.abandoned);
    assert_eq!(events(&ran.trace.sink).len(), 24, "the last came after the last call of the host");
    assert!(ran.trace.end.message.unwrap().ends_with("is missing"));
}

#[test]
fn an_interrupt_before_the_start_counts() {
    let interrupt = Interrupt::new();
    interrupt.trigger();
    let mut options = options();
    options.interrupt = Some(interrupt);
    options.checked_loops = true;
    let ran = run(&command("(loop $l (br $l))"), options);
    assert_eq!(ran.trace.end.outcome, Outcome::Interrupted);
}

#[test]
fn it_is_refused_memory() {
    let grow = "(if (i32.eq (memory.grow $own (i32.const 3)) (i32.const -1)) (then unreachable))";
    let wasm = command(&format!("{} {grow}", allocate(5)));
    let limited = |pages: u64| {
        let mut options = options();
        options.max_memory = Some(pages << 16);
        options
    };
    let ran = run(&wasm, limited(3));
    assert_eq!(ran.trace.end.outcome, Outcome::MemoryLimit);
    assert_eq!(ran.trace.end.refused_growths, 1);
    assert_eq!(events(&ran.trace.sink).len(), 5);
    assert_eq!(run(&wasm, limited(4)).trace.end.outcome, Outcome::Returned, "the ring is exempt");
    assert!(matches!(
        refused(&wasm, limited(0)),
        Error::InitialMemory { initial: 65536, limit: 0 }
    ));
}
