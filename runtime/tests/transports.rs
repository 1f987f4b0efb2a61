//! What the guest writes arrives: all of it, in order, each stack before its records.

mod support;

use seepage_trace::{Context, Event, Message};
use std::collections::HashSet;
use support::{
    Kind, MEMORY, Marked, allocate, command, events, guest, names, options, records, run, stacks,
};

/// `_start` calls `outer`, which recurses to a depth of its argument and then calls `inner`, which
/// allocates. All allocations have the same context, whatever the depth.
fn nested(kind: Kind) -> Vec<u8> {
    let memory = if kind == Kind::WideCall {
        r#"(memory $own i64 1) (export "seepage:memory:0" (memory $own))"#
    } else {
        MEMORY
    };
    let body = format!(
        r#"{memory}
        (func $inner
            (global.set $ctx (i64.const 77))
            (drop (i32.const 1001)) (drop (call $alloc (i32.const 40))))
        (func $outer (param $depth i32)
            (if (local.get $depth)
                (then (drop (i32.const 1002)) (call $outer (i32.sub (local.get $depth) (i32.const 1))))
                (else (drop (i32.const 1003)) (call $inner))))
        (func $start (export "_start")
            (drop (i32.const 1004)) (call $outer (i32.const 0))
            (drop (i32.const 1005)) (call $outer (i32.const 5)))"#
    );
    let mark = |marker, function, recursive| Marked { marker, function, recursive };
    let marked = [
        mark(1001, "inner", false),
        mark(1002, "outer", true),
        mark(1003, "outer", false),
        mark(1004, "start", false),
        mark(1005, "start", false),
    ];
    guest(kind, &[], &body, &["inner", "outer", "start"], &marked)
}

#[test]
fn both_transports_say_the_same() {
    for kind in [Kind::Ring, Kind::Call, Kind::WideCall] {
        let ran = run(&nested(kind), options());
        let messages = &ran.trace.sink;
        assert!(matches!(messages[0], Message::Module(_)));
        let stacks = stacks(messages);
        assert_eq!(stacks.len(), 1, "a context is captured once");
        assert_eq!(stacks[0].context, Context(77));
        assert_eq!(names(&stacks[0].frames), ["inner", "outer", "start"]);
        let lines: Vec<_> = stacks[0].frames.iter().map(|frame| frame.line).collect();
        assert_eq!(lines, [Some(1001), Some(1003), Some(1004)]);
        assert!(!stacks[0].truncated);
        let events = events(messages);
        assert_eq!(events.len(), 2);
        assert!(matches!(events[0], Event::Alloc { size: 40, context: Context(77), .. }));
        assert_eq!(records(messages)[0].memories, [1]);
        assert_eq!(ran.trace.end.exit_code, Some(0));
    }
}

#[test]
fn recursion_is_left_out_and_said() {
    let text = format!(
        r#"{MEMORY}
        (func $outer (param $depth i32)
            (if (local.get $depth)
                (then (drop (i32.const 1002)) (call $outer (i32.sub (local.get $depth) (i32.const 1))))
                (else (global.set $ctx (i64.const 5))
                    (drop (i32.const 1003)) (drop (call $alloc (i32.const 8))))))
        (func $start (export "_start") (drop (i32.const 1004)) (call $outer (i32.const 300)))"#
    );
    let mark = |marker, function, recursive| Marked { marker, function, recursive };
    let marked =
        [mark(1002, "outer", true), mark(1003, "outer", false), mark(1004, "start", false)];
    let wasm = guest(Kind::Ring, &[], &text, &["outer", "start"], &marked);
    let ran = run(&wasm, options());
    let stacks = stacks(&ran.trace.sink);
    assert_eq!(names(&stacks[0].frames), ["outer", "start"]);
    assert_eq!(stacks[0].frames.iter().map(|f| f.recursion).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_full_ring_is_emptied_and_nothing_is_lost() {
    let ran = run(&command(&allocate(100_003)), options());
    let events = events(&ran.trace.sink);
    assert_eq!(events.len(), 100_003);
    for (index, event) in events.iter().enumerate() {
        let &Event::Alloc { addr, size, .. } = event else { panic!("only allocations") };
        assert_eq!((addr, size), (1024 + 16 * index as u64, 100_003 - index as u64));
    }
    assert_eq!(ran.trace.end.lost_records, 0);
}

#[test]
fn stacks_come_before_the_records_that_use_them() {
    let body = "(local.set $i (i32.const 20000))
        (loop $again
            (global.set $ctx (i64.extend_i32_u (i32.rem_u (local.get $i) (i32.const 701))))
            (drop (call $alloc (i32.const 1)))
            (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))";
    let ran = run(&command(body), options());
    let mut known = HashSet::new();
    for message in &ran.trace.sink {
        match message {
            Message::Stack(stack) => assert!(known.insert(stack.context), "a stack comes once"),
            Message::Records(records) => {
                assert!(records.events().all(|event| known.contains(&event.context())));
            }
            _ => {}
        }
    }
    assert_eq!(known.len(), 701);
}

#[test]
fn too_many_contexts_get_short_stacks_and_then_none() {
    let body = "(local.set $i (i32.const 100))
        (loop $again
            (global.set $ctx (i64.extend_i32_u (local.get $i)))
            (drop (call $alloc (i32.const 1)))
            (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))";
    let mut options = options();
    options.stacks = 10;
    let ran = run(&command(body), options);
    assert_eq!(stacks(&ran.trace.sink).len(), 40);
    assert_eq!(ran.trace.refused_stacks, 60);
    assert_eq!(events(&ran.trace.sink).len(), 100);
}

#[test]
fn records_of_a_start_function_are_there() {
    let text = format!(
        r#"{MEMORY} (func $init (drop (call $alloc (i32.const 3)))) (start $init)
        (func (export "_start"))"#
    );
    let ran = run(&guest(Kind::Ring, &[], &text, &["init", "_start"], &[]), options());
    assert_eq!(events(&ran.trace.sink).len(), 1);
}

#[test]
fn sizes_of_memories_come_with_the_records() {
    let ran = run(&command("(drop (memory.grow $own (i32.const 4)))"), options());
    assert_eq!(records(&ran.trace.sink).last().unwrap().memories, [5]);
}
