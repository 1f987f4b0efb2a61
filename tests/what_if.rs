//! `seepage analyze --what-if` on guests that grow for known reasons: what the memory would be
//! without their leaks, and how far the model is from what happened.

mod support;

use support::{Ran, finish, program, report, seepage};

const MEMORY: &[&str] = &["O0", "O2", "O0.stripped", "O2.stripped"];

/// Pages now, by the model, and without what is taken away; and how many blocks that are.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    now: u64,
    modelled: u64,
    then: u64,
    removed: u64,
}

/// Runs a guest, and asks its trace.
fn ask(module: &str, options: &[&str], args: &[&str], what: &str) -> (Answer, Ran) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let trace = folder.path().join("x.trace");
    let trace_option = ["--trace", trace.to_str().expect("a name in UTF-8")];
    report("run", &[&trace_option, options].concat(), &program(module), args);
    let ran = report("analyze", &["--what-if", what], &trace, &[]);
    let number = |name: &str| ran.number(&format!("/what_if/{name}"));
    let answer = Answer {
        now: number("pages_now"),
        modelled: number("pages_modelled"),
        then: number("pages_then"),
        removed: number("removed/blocks"),
    };
    let error = answer.now.abs_diff(answer.modelled);
    assert_eq!(number("error_pages"), error);
    assert!(error <= 2 || error * 20 <= answer.now, "{module} {args:?}: {answer:?}");
    (answer, ran)
}

/// A scenario of c/memory, of which all builds must give the same.
fn memory(scenario: &str, expected: Answer) {
    for variant in MEMORY {
        let (answer, _) = ask(&format!("kinds/c/memory.{variant}"), &[], &[scenario], "leaks");
        assert_eq!(answer, expected, "{scenario}, {variant}");
    }
}

#[test]
fn without_a_leak_the_memory_would_not_have_grown() {
    memory("leak", Answer { now: 33, modelled: 33, then: 2, removed: 2000 });
    memory("tiny", Answer { now: 7, modelled: 7, then: 2, removed: 20_000 });
}

#[test]
fn fragmentation_is_left_when_the_leak_beside_it_is_gone() {
    memory("fragmented", Answer { now: 56, modelled: 56, then: 56, removed: 0 });
    memory("leak_and_fragmented", Answer { now: 65, modelled: 65, then: 56, removed: 600 });
}

#[test]
fn without_what_lies_between_them_free_pieces_would_be_of_use() {
    // What the large blocks took at once, and not a page for those that came after them.
    memory("leak_between", Answer { now: 36, modelled: 36, then: 20, removed: 400 });
    for what in ["1", "2"] {
        let (answer, ran) = ask("kinds/c/memory.O2", &[], &["leak_between"], what);
        assert_eq!(answer, Answer { now: 36, modelled: 36, then: 20, removed: 400 }, "{what}");
        assert_eq!(ran.report["findings"][1]["kind"], "fragmentation");
    }
}

#[test]
fn what_is_no_leak_is_not_taken_away() {
    for (scenario, pages) in [
        ("peak", 48),
        ("one_large", 78),
        ("cache", 8),
        ("cache_of_sizes", 8),
        ("aligned", 8),
        ("direct", 12),
        ("direct_and_demand", 26),
        ("no_growth", 2),
    ] {
        memory(scenario, Answer { now: pages, modelled: pages, then: pages, removed: 0 });
    }
}

#[test]
fn other_allocators_have_models_that_come_near() {
    for (module, options, args, model) in [
        ("c/truth.O2", &[][..], &[][..], "dlmalloc"),
        ("c/grow.O2", &[], &[], "dlmalloc"),
        ("c/leak_list.O2", &[], &[], "dlmalloc"),
        ("cpp/truth.O2", &[], &[], "dlmalloc"),
        ("rust/truth_wasi_counting.release", &[], &[], "dlmalloc"),
        (
            "rust/truth_unknown.release",
            &["--invoke", "leak", "--repeat", "100"],
            &["100", "3"],
            "dlmalloc",
        ),
        ("rust/truth_unknown.release", &["--invoke", "churn"], &["50000"], "dlmalloc"),
        ("zig/truth_c_allocator.small", &[], &[], "emmalloc"),
        ("zig/truth_wasm_allocator.small", &[], &[], "size classes"),
        ("kinds/assemblyscript/collected.incremental", &["--invoke", "held"], &[], "TLSF"),
        ("kinds/assemblyscript/collected.minimal.release", &["--invoke", "garbage"], &[], "TLSF"),
        ("allocators/first_fit.O2", &[], &[], "best fit"),
        ("allocators/buddy.O2", &[], &[], "best fit"),
    ] {
        let (answer, ran) = ask(module, options, args, "leaks");
        assert_eq!(ran.report["what_if"]["model"], model, "{module}: {answer:?}");
    }
}

#[test]
fn findings_and_patterns() {
    let leak = "kinds/c/memory.O2";
    let (all, _) = ask(leak, &[], &["leak"], "leaks");
    assert_eq!(ask(leak, &[], &["leak"], "1").0, all);
    assert_eq!(ask(leak, &[], &["leak"], "leak:main").0.then, all.then);
    // A cache may be asked about as well: without it nothing would be gained here.
    let (cache, _) = ask(leak, &[], &["cache"], "filled");
    assert_eq!(cache, Answer { now: 8, modelled: 8, then: 8, removed: 500 });
}

/// Records a scenario, and says what the text of a report on it says.
fn text(scenario: &str, what: &str) -> Ran {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let trace = folder.path().join("x.trace");
    let module = program("kinds/c/memory.O2");
    finish(seepage().arg("run").arg("--trace").arg(&trace).arg(module).arg(scenario));
    finish(seepage().args(["analyze", "--what-if", what]).arg(&trace))
}

#[test]
fn a_person_is_told_in_a_sentence() {
    for (scenario, sentences) in [
        (
            "leak",
            [
                "without the leaks the memory would have grown to 2 pages instead of 33",
                "2,000 blocks, 1.91 MiB; the model of dlmalloc is right about the run as it was",
            ],
        ),
        ("peak", ["there is nothing to take away", "0 blocks, 0 B"]),
    ] {
        let ran = text(scenario, "leaks");
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        for sentence in sentences {
            assert!(ran.stdout.contains(sentence), "{sentence}: {}", ran.stdout);
        }
    }
}

#[test]
fn a_question_without_an_answer_is_refused() {
    for (what, reason) in [
        ("7", "there is no finding 7; the report has 1"),
        ("nowhere", "no context that holds live blocks matches"),
        ("0", "findings are counted from 1"),
    ] {
        let ran = text("leak", what);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{what}");
        assert!(ran.stderr.contains(reason), "{what}: {}", ran.stderr);
    }
    let ran = finish(seepage().args(["analyze", "--what-if", "leaks", "-"]));
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("cannot be standard input"), "{}", ran.stderr);
}

#[test]
fn unasked_there_is_no_answer() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let trace = folder.path().join("x.trace");
    let option = ["--trace", trace.to_str().expect("a name in UTF-8")];
    let module = program("kinds/c/memory.O2");
    report("run", &option, &module, &["leak"]);
    assert!(report("analyze", &[], &trace, &[]).report.get("what_if").is_none());
}
