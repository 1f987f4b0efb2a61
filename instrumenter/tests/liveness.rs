//! How many addresses a call under way keeps, on bodies written for it.

use seepage_instrumenter::Code;
use seepage_trace::{Layout, ModuleInfo};
use wasmparser::{Operator, Parser, Payload};

/// What each call of `$stop` keeps, in their order.
fn answers(body: &str) -> Vec<u32> {
    let text = format!(
        r#"(module
            (import "host" "stop" (func $stop))
            (memory 1)
            (global $sp (mut i32) (i32.const 1024))
            (global $kept (mut i32) (i32.const 0))
            (global $count (mut i32) (i32.const 0))
            (export "seepage:global:0" (global $sp))
            (export "seepage:global:1" (global $kept))
            (func $make (result i32) (i32.load (i32.const 8)))
            (func $use (param i32))
            (func (export "f") (param $given i32) (result i32)
                (local $a i32) (local $b i32) (local $float f64)
                {body}))"#
    );
    let wasm = wat::parse_str(&text).expect("the text is a module");
    let layout = Layout { stack_pointer: Some(0), ..Layout::default() };
    let info = ModuleInfo { layout, ..ModuleInfo::default() };
    let mut calls = Vec::new();
    for payload in Parser::new(0).parse_all(&wasm) {
        let Ok(Payload::CodeSectionEntry(body)) = payload else { continue };
        let operators = body.get_operators_reader().expect("the body can be read");
        for operator in operators.into_iter_with_offsets() {
            let (operator, offset) = operator.expect("the body is whole");
            if matches!(operator, Operator::Call { function_index: 0 }) {
                calls.push(offset as u32);
            }
        }
    }
    let code = Code::new(wasm.into(), &info);
    calls.iter().map(|&call| code.kept(&[call])).collect()
}

fn check(cases: &[(&str, u32)]) {
    for (body, kept) in cases {
        assert_eq!(answers(body), [*kept], "{body}");
    }
}

#[test]
fn what_is_not_read_again_is_not_kept() {
    check(&[
        ("call $stop  i32.const 0", 0),
        ("(local.set $a (call $make))  call $stop  i32.const 0", 0),
        ("(local.set $a (call $make))  call $stop  local.get $a", 1),
        ("(local.set $a (call $make))  call $stop  (local.set $a (i32.const 1))  local.get $a", 0),
        ("call $stop  local.get $given", 1),
        ("(local.set $a (call $make))  call $stop  unreachable", 0),
        // Not even what lies below is used then.
        ("call $make  call $stop  unreachable", 0),
        ("(local.set $a (call $make))  call $stop  (return (i32.const 0))  local.get $a", 0),
    ]);
}

#[test]
fn an_operand_below_a_call_is_kept() {
    check(&[
        ("call $make  call $stop", 1),
        ("i32.const 5  call $stop", 0),
        ("call $make  (block (call $stop))", 1),
        ("(i32.eqz (call $make))  call $stop", 0),
    ]);
}

#[test]
fn only_what_can_be_an_address_counts() {
    check(&[
        // The frame in the shadow stack.
        ("(local.set $a (i32.sub (global.get $sp) (i32.const 16)))  call $stop  local.get $a", 0),
        ("(local.set $a (global.get $kept))  call $stop  local.get $a", 1),
        // Of this global it is known that it holds none.
        ("(local.set $a (global.get $count))  call $stop  local.get $a", 0),
        ("(local.set $a (i32.load8_u (i32.const 3)))  call $stop  local.get $a", 0),
        ("(local.set $a (i32.load (i32.const 3)))  call $stop  local.get $a", 1),
        (
            "(local.set $float (f64.load (i32.const 3)))  call $stop
             (i32.trunc_f64_s (local.get $float))",
            0,
        ),
        (
            "(local.set $a (i32.const 3))  (local.set $b (local.get $a))  call $stop
             local.get $b",
            0,
        ),
        // It is enough that an address may have been put there.
        (
            "(if (local.get $given) (then (local.set $b (call $make))))
             (local.set $a (local.get $b))  call $stop  local.get $a",
            1,
        ),
        (
            "(local.set $a (select (call $make) (i32.const 1) (i32.const 1)))
             call $stop  local.get $a",
            1,
        ),
        (
            "(local.set $a (select (i32.const 2) (i32.const 1) (call $make)))
             call $stop  local.get $a",
            0,
        ),
        ("(local.set $a (i32.add (call $make) (i32.const 4)))  call $stop  local.get $a", 1),
        ("(local.set $a (block (result i32) (call $make)))  call $stop  local.get $a", 1),
    ]);
}

#[test]
fn branches_lead_to_where_it_is_read() {
    check(&[
        // Around the loop to where it is read, and not if it is written first.
        (
            "(local.set $a (call $make))
             (loop $again (call $use (local.get $a)) (call $stop) (br_if $again (i32.const 1)))
             i32.const 0",
            1,
        ),
        (
            "(loop $again (local.set $a (call $make)) (call $use (local.get $a)) (call $stop)
                (br_if $again (i32.const 1)))
             i32.const 0",
            0,
        ),
        // Two loops deep.
        (
            "(local.set $a (call $make))
             (loop $outer (call $use (local.get $a))
                (loop $inner (call $stop) (br_if $inner (i32.const 1)))
                (br_if $outer (i32.const 1)))
             i32.const 0",
            1,
        ),
        (
            "(local.set $a (call $make))
             (block $out (call $stop) (br $out) (call $use (local.get $a)))
             i32.const 0",
            0,
        ),
        (
            "(local.set $a (call $make))
             (block $out (call $stop) (br_if $out (i32.const 1)) (call $use (local.get $a)))
             i32.const 0",
            1,
        ),
        (
            "(local.set $a (call $make))
             (if (i32.const 1) (then (call $stop)) (else (call $use (local.get $a))))
             i32.const 0",
            0,
        ),
        (
            "(local.set $a (call $make))  call $stop
             (if (i32.const 1) (then) (else (call $use (local.get $a))))
             i32.const 0",
            1,
        ),
        (
            "(local.set $a (call $make))  call $stop
             (if (i32.const 1) (then (local.set $a (i32.const 0))))
             local.get $a",
            1,
        ),
        (
            "(local.set $a (call $make))  call $stop
             (block $x (block $y (block $z (br_table $x $y $z (i32.const 1)))
                (return (i32.const 0))) (call $use (local.get $a)))
             i32.const 0",
            1,
        ),
        (
            "(local.set $a (call $make))  call $stop
             (block $x (block $y (block $z (br_table $x $z (i32.const 1)))
                (return (i32.const 0))) (call $use (local.get $a)))
             i32.const 0",
            0,
        ),
    ]);
}

#[test]
fn where_exceptions_are_handled_everything_is_kept() {
    check(&[(
        "(local.set $a (call $make))
         (block $handler (try_table (catch_all $handler) (call $stop)))
         i32.const 0",
        // And what was given.
        2,
    )]);
}

#[test]
fn where_it_would_take_too_long_everything_may_be_an_address() {
    // Each local gets what the next one had: every walk over the code learns of one more.
    let chain = |length: usize| {
        let locals: String = (0..=length).map(|n| format!("(local $l{n} i32) ")).collect();
        let moves: String =
            (0..length).map(|n| format!("(local.set $l{n} (local.get $l{})) ", n + 1)).collect();
        answers(&format!(
            "{locals} {moves} (local.set $l{length} (call $make)) call $stop
             (i32.add (local.get $l0) (local.get $b))"
        ))
    };
    assert_eq!(chain(10), [1]);
    // Nothing was ever put into `$b`.
    assert_eq!(chain(200), [2]);
}

#[test]
fn all_that_is_kept_is_counted() {
    check(&[
        ("(local.set $a (call $make))  call $make  call $stop  local.get $a  i32.add", 2),
        ("(local.set $a (call $make))  local.get $a  call $stop  local.get $a  i32.add", 2),
        (
            "(local.set $a (call $make))  (local.set $b (local.get $a))  call $stop
             (i32.add (local.get $b) (i32.add (local.get $a) (local.get $given)))",
            3,
        ),
        // Two addresses fit there.
        ("(i64.load (i32.const 8))  call $stop  i32.wrap_i64", 2),
    ]);
    let recursion = "(local.set $a (call $make))  call $stop  call $stop  local.get $a";
    assert_eq!(answers(recursion), [1, 1]);
}

#[test]
fn of_what_is_no_call_or_no_module_nothing_is_known() {
    let code = Code::new(vec![0; 100].into(), &ModuleInfo::default());
    assert_eq!(code.kept(&[50]), u32::MAX);
    let wasm = wat::parse_str("(module (func (drop (i32.const 1))))").expect("it is a module");
    let code = Code::new(wasm.into(), &ModuleInfo::default());
    assert_eq!([code.kept(&[0]), code.kept(&[u32::MAX]), code.kept(&[])], [u32::MAX, u32::MAX, 0]);
}
