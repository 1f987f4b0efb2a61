//! However a guest ends, its three leaked blocks of 100 bytes are reported, the end is named, and a
//! trap has its stack.

mod support;

use serde_json::Value;
use support::{Ran, finish, program, report, seepage};

/// How a mode of `tests/programs/c/ends.c` is to end.
struct Ending {
    mode: &'static [&'static str],
    options: &'static [&'static str],
    code: i32,
    outcome: &'static str,
    exit_code: Option<i64>,
    /// One of these is in the message.
    message: &'static [&'static str],
    /// A line of `main`, or of what it calls, that is on the trap's stack, in the builds whose
    /// compiler keeps it apart.
    line: Option<u64>,
}

const UNREACHABLE: &[&str] = &["`unreachable` instruction executed"];

const ENDINGS: &[Ending] = &[
    ends(&["return", "0"], 0, "returned", Some(0)),
    ends(&["return", "5"], 5, "exited", Some(5)),
    ends(&["exit", "0"], 0, "exited", Some(0)),
    ends(&["exit", "7"], 7, "exited", Some(7)),
    ends(&["exit", "125"], 125, "exited", Some(125)),
    ends(&["exit", "126"], 126, "exited", Some(126)),
    ends(&["exit", "255"], 255, "exited", Some(255)),
    // A shell sees eight bits, and a failure must stay one.
    ends(&["exit", "256"], 1, "exited", Some(256)),
    ends(&["exit", "-1"], 255, "exited", Some(-1)),
    Ending { message: UNREACHABLE, line: Some(56), ..ends(&["trap"], 134, "trapped", None) },
    Ending { message: UNREACHABLE, line: Some(57), ..ends(&["abort"], 134, "trapped", None) },
    Ending {
        message: &["integer divide by zero"],
        line: Some(60),
        ..ends(&["div-zero"], 134, "trapped", None)
    },
    Ending {
        // Whichever is used up first, the stack in memory or the engine's own.
        message: &["call stack exhausted", "out of bounds memory access"],
        ..ends(&["stack-overflow"], 134, "trapped", None)
    },
    Ending {
        options: &["--timeout", "700ms"],
        message: &["its time was up"],
        ..ends(&["loop"], 124, "timed-out", None)
    },
];

const fn ends(
    mode: &'static [&'static str],
    code: i32,
    outcome: &'static str,
    exit_code: Option<i64>,
) -> Ending {
    Ending { mode, options: &[], code, outcome, exit_code, message: &[], line: None }
}

fn check(ending: &Ending, variant: &str, options: &[&str]) {
    let options = [ending.options, options].concat();
    let ran = report("run", &options, &program(&format!("c/ends.{variant}")), ending.mode);
    let what = format!("{:?} of {variant}: {}{}", ending.mode, ran.stderr, ran.report["guest"]);
    assert_eq!(ran.code, ending.code, "{what}");
    let guest = &ran.report["guest"];
    assert_eq!(guest["outcome"], ending.outcome, "{what}");
    assert_eq!(guest["exit_code"].as_i64(), ending.exit_code, "{what}");
    let message = guest["message"].as_str().unwrap_or_default();
    let expected = ending.message;
    assert_eq!(message.is_empty(), expected.is_empty(), "{what}");
    assert!(expected.is_empty() || expected.iter().any(|it| message.contains(it)), "{what}");
    assert!(!message.contains('\n'), "{what}");
    if options.contains(&"--no-context") {
        // Without a stack nothing tells libc's two blocks of arguments from the program's.
        assert_eq!(ran.live().0, 5, "{what}");
    } else {
        assert_eq!(ran.live(), (3, 300), "{what}");
    }
    assert_eq!(ran.truth("live_blocks"), Some(3), "{what}");
    assert_eq!(ran.number("/dropped/records"), 0, "{what}");
    if !options.contains(&"--no-context") {
        leaked_by_leak_three(&ran, variant);
    }
    stack(&ran, ending, variant, &what);
}

/// The blocks' stack is there, with the line where there is DWARF.
fn leaked_by_leak_three(ran: &Ran, variant: &str) {
    let contexts = ran.list("/contexts").iter();
    let three: Vec<_> = contexts.filter(|context| context["live"]["bytes"] == 300).collect();
    assert_eq!(three.len(), 1, "{}", ran.stderr);
    let frame = &three[0]["frames"][0];
    if !variant.contains("stripped") {
        assert_eq!((&frame["function"], &frame["line"]), (&"leak_three".into(), &16.into()));
    }
}

fn stack(ran: &Ran, ending: &Ending, variant: &str, what: &str) {
    let stack = ran.list("/guest/trap_stack");
    assert_eq!(stack.is_empty(), matches!(ending.outcome, "returned" | "exited"), "{what}");
    let function = |frame: &Value| frame["function"].as_str().unwrap_or_default().to_owned();
    for frame in stack {
        assert!(!function(frame).is_empty() && !function(frame).contains("seepage"), "{what}");
    }
    if stack.is_empty() || variant.contains("stripped") {
        return;
    }
    let names: Vec<_> = stack.iter().map(function).collect();
    assert!(names.iter().any(|name| name.starts_with("_start")), "{what}");
    match ending.mode[0] {
        "stack-overflow" => {
            assert!(names.iter().filter(|name| *name == "fall").count() > 10, "{what}");
            assert!(stack.iter().any(|frame| frame["recursion"] == true), "{what}");
            assert!(stack.len() < 200, "{what}");
        }
        "loop" => assert!(names.iter().any(|name| name == "loop_for_ever"), "{what}"),
        "abort" => assert_eq!(names[0], "abort", "{what}"),
        _ => {}
    }
    if let Some(line) = ending.line {
        let own = stack.iter().find(|frame| {
            frame["file"].as_str().is_some_and(|file| file.ends_with("tests/programs/c/ends.c"))
        });
        let found = own.map(|frame| frame["line"].clone()).unwrap_or_default();
        // The optimiser shares one `unreachable` among those that end in it.
        let shared = variant == "O2" && matches!(ending.mode[0], "trap" | "abort");
        assert!(found == line || shared && found.is_u64(), "{found}: {what}");
    }
}

#[test]
fn every_ending_unoptimised() {
    ENDINGS.iter().for_each(|ending| check(ending, "O0", &[]));
}

#[test]
fn every_ending_optimised() {
    ENDINGS.iter().for_each(|ending| check(ending, "O2", &[]));
}

#[test]
fn every_ending_stripped() {
    for ending in ENDINGS {
        check(ending, "O0.stripped", &[]);
        check(ending, "O2.stripped", &[]);
    }
}

#[test]
fn every_ending_over_calls_and_without_contexts() {
    for ending in ENDINGS {
        check(ending, "O2", &["--transport", "call"]);
        check(ending, "O0", &["--no-context"]);
    }
}

/// It eats what it gets: at most the 64 MiB that it declares, or what it is allowed.
#[test]
fn out_of_memory() {
    let mib = |count: u64| count << 20;
    for (options, most) in [(vec![], mib(64)), (vec!["--max-memory", "20MiB"], mib(20))] {
        for variant in ["O0", "O2.stripped"] {
            let guest = program(&format!("c/ends.{variant}"));
            for (mode, code, outcome) in [
                ("oom", 3, "exited"),
                ("oom-trap", 134, if options.is_empty() { "trapped" } else { "memory-limit" }),
            ] {
                let ran = report("run", &options, &guest, &[mode]);
                let what = format!("{mode} {options:?} {variant}: {}", ran.stderr);
                assert_eq!(
                    (ran.code, ran.report["guest"]["outcome"].as_str()),
                    (code, Some(outcome)),
                    "{what}"
                );
                let live = ran.live();
                assert_eq!(Some(live.0), ran.truth("live_blocks"), "{what}");
                assert_eq!(Some(live.1), ran.truth("live_bytes"), "{what}");
                assert!(live.1 <= most && live.1 > most - mib(3), "{live:?} {what}");
                assert_eq!(ran.number("/totals/failed"), 1, "{what}");
                let refused = ran.number("/guest/refused_growths");
                assert_eq!(refused > 0, !options.is_empty(), "{what}");
                assert!(ran.number("/memory/final_pages") * 65536 <= most, "{what}");
            }
        }
    }
}

/// What a person reads of a trap, besides the leak.
#[test]
fn the_text_shows_the_trap() {
    let ran = finish(seepage().arg("run").arg(program("c/ends.O0")).arg("trap"));
    assert_eq!(ran.code, 134);
    for part in [
        "guest       trapped after ",
        "\ntrap\n  wasm trap: wasm `unreachable` instruction executed\n",
        "tests/programs/c/ends.c:56",
        "tests/programs/c/ends.c:16",
        "live_blocks=3 live_bytes=300",
    ] {
        assert!(ran.stderr.contains(part), "no `{part}`: {}", ran.stderr);
    }
}
