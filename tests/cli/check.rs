//! `seepage check`: the verdict as an exit code, which of several, and what budgets let pass.

use crate::{HEAP, module, refused, say};

/// The exit code of `check OPTIONS --invoke EXPORT guest 100`.
fn code(options: &str, export: &str) -> i32 {
    let (_folder, path) = module(HEAP);
    let ran = say(&format!("check {options} --invoke {export} {path} 100"));
    assert!(ran.stderr.contains("SUMMARY seepage: "), "{}", ran.stderr);
    ran.code
}

#[test]
fn one_code_for_each_finding() {
    assert_eq!(code("", "clean"), 0);
    assert_eq!(code("", "leak"), 23);
    assert_eq!(code("--max-leak 1M --repeat 40", "leak"), 24);
    assert_eq!(code("--max-peak 99", "clean"), 25);
    assert_eq!(code("", "twice"), 26);
}

#[test]
fn of_several_the_first() {
    // All four hold: heap error, leak, growth, budget.
    assert_eq!(code("--max-peak 99 --repeat 40", "twice"), 26);
    assert_eq!(code("--max-peak 99 --repeat 40", "leak"), 23);
    assert_eq!(code("--max-peak 99 --repeat 40 --max-leak 1M", "leak"), 24);
    assert_eq!(code("--max-peak 99 --max-leak 1M", "leak"), 25);
}

/// Memory that the program takes by itself is no leak, and nobody knows what is in it. What malloc has
/// lost is lost all the same.
#[test]
fn what_grows_beside_the_allocator() {
    let path = "tests/programs/c/beside.O2.wasm";
    let quiet = say(&format!("check {path}"));
    assert_eq!(quiet.code, 0, "{}", quiet.stderr);
    let verdict = "INCONCLUSIVE: 4,194,304 bytes of the memory grew outside of the allocator, most of \
                   them by `take_pages`";
    assert!(quiet.stderr.contains(verdict), "{}", quiet.stderr);
    assert!(quiet.stderr.contains("--alloc-fn"), "{}", quiet.stderr);
    let leaking = say(&format!("check {path} leak"));
    assert_eq!(leaking.code, 23, "{}", leaking.stderr);
    assert!(leaking.stderr.contains("LEAK: 50 bytes in 1 block"), "{}", leaking.stderr);
}

#[test]
fn one_code_for_all() {
    for (options, export) in [
        ("", "leak"),
        ("--max-leak 1M --repeat 40", "leak"),
        ("--max-peak 99", "clean"),
        ("", "twice"),
    ] {
        assert_eq!(code(&format!("{options} --error-exitcode 77"), export), 77);
        assert_eq!(code(&format!("{options} --error-exitcode 0"), export), 0);
    }
    assert_eq!(code("--error-exitcode 77", "clean"), 0);
    let stderr = refused(say("check --error-exitcode 77 no-such-file.wasm"));
    assert!(stderr.contains("no-such-file"), "a failure of seepage's is no finding");
}

#[test]
fn budgets_hold_to_the_byte() {
    assert_eq!(code("--max-leak 99", "leak"), 23);
    assert_eq!(code("--max-leak 100", "leak"), 0);
    assert_eq!(code("--max-peak 99", "clean"), 25);
    assert_eq!(code("--max-peak 100", "clean"), 0);
    let (_folder, path) = module(HEAP);
    for (pages, expected) in [(4, 25), (5, 0)] {
        let ran = say(&format!("check --max-pages {pages} --invoke grow {path} 4"));
        assert_eq!(ran.code, expected, "{}", ran.stderr);
    }
    let ran = say(&format!("check --max-leak 10 --max-peak 20 --invoke leak {path} 100"));
    assert!(ran.stderr.contains("80 more than the 20 allowed"), "{}", ran.stderr);
    assert!(ran.stderr.contains("90 more than the 10 allowed"), "{}", ran.stderr);
}

/// A failing test never turns green by being checked, and a finding outranks its code.
#[test]
fn the_guests_own_failure() {
    assert_eq!(code("", "trap"), 134);
    let leaky = "tests/programs/c/ends.O2.wasm";
    assert_eq!(say(&format!("check {leaky}")).code, 23);
    // `exit` in the middle of `main`, whose locals hold none of it.
    assert_eq!(say(&format!("check {leaky} exit 7")).code, 23);
    assert_eq!(say(&format!("check --max-leak 300 {leaky} exit 7")).code, 7);
    assert_eq!(say(&format!("check --max-leak 300 {leaky} exit 0")).code, 0);
    assert_eq!(say(&format!("check --max-leak 300 {leaky} abort")).code, 134);
}

#[test]
fn real_programs() {
    for (guest, expected) in [
        ("noargs.O2", 0),
        ("leak_list.O0", 23),
        ("leak_list.O2.stripped", 23),
        ("double_free.O0", 26),
        ("unknown_free.O2", 26),
        // It holds its block in a static.
        ("grow.O2", 0),
    ] {
        assert_eq!(say(&format!("check tests/programs/c/{guest}.wasm")).code, expected, "{guest}");
    }
}

#[test]
fn without_an_allocator_there_is_no_verdict() {
    let (_folder, path) = module("(module (memory 1) (func (export \"_start\")))");
    let ran = say(&format!("check {path}"));
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("hint: name the allocator's functions"), "{}", ran.stderr);
    assert_eq!(say(&format!("run {path}")).code, 0);
    assert_eq!(say(&format!("check --max-pages 1 {path}")).code, 0, "pages can be judged");
}
