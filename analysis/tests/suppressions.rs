//! Known noise is taken out of the verdict, and nothing else is.

mod guest;

use guest::{Guest, analyze};
use seepage_analysis::{Config, Count, Outcome, Verdict, suppressions::RULES};
use seepage_trace::Outcome as Ending;

/// The outcome of a program that leaks one block in each of these contexts.
fn leaking(stacks: &[&[&str]]) -> Outcome {
    let mut guest = Guest::new();
    for (addr, stack) in (1u64..).zip(stacks) {
        let context = guest.at(stack);
        guest.alloc(context, addr * 64, 10);
    }
    guest.judged()
}

#[test]
fn runtimes_are_no_leak() {
    for (stack, rule) in [
        (&["__main_void", "_start"][..], "wasi-libc-argv"),
        (&["wasm-function[9] (args_get)", "_start"], "wasi-libc-argv"),
        (&["__wasilibc_initialize_environ", "_start"], "wasi-libc-environ"),
        (&["__wasilibc_ensure_environ", "getenv", "user"], "wasi-libc-environ"),
        (&["strdup", "internal_register_preopened_fd_unlocked", "x"], "wasi-libc-preopens"),
        (&["wasm-function[7] (fd_prestat_get)"], "wasi-libc-preopens"),
        (&["__cxa_atexit", "__wasm_call_ctors"], "libc-atexit"),
        (
            &[
                "alloc::alloc::alloc",
                "<alloc::vec::Vec<T,A> as core::clone::Clone>::clone",
                "std::io::buffered::linewriter::LineWriter<W>::new",
                "std::io::stdio::stdout::{{closure}}",
                "std::sync::once_lock::OnceLock<T>::initialize",
                "std::io::stdio::_print",
                "main",
            ],
            "rust-stdio",
        ),
        (&["alloc::sync::Arc<T>::new", "std::thread::Thread::new_main", "main"], "rust-runtime"),
        (&["operator new(unsigned long)", "std::__1::ios_base::Init::Init()"], "c++-runtime"),
    ] {
        let outcome = leaking(&[stack]);
        assert_eq!(outcome.verdict(), Verdict::Clean, "{stack:?}");
        assert_eq!(outcome.suppressed[0].rule.name, rule);
        assert_eq!(outcome.suppressed[0].live, Count { blocks: 1, bytes: 10 });
        assert_eq!(outcome.profile.totals.live.blocks, 1, "it still counts");
    }
}

#[test]
fn programs_are() {
    for stack in [
        &["user", "main", "__main_void", "_start"][..],
        &["strdup", "user", "__main_void", "_start"],
        &["main", "__main_void"],
        &["__main_argc_argv", "__main_void"],
        &["fopen", "main"],
        &["getline", "main"],
        &["setenv", "main"],
        &["my__wasilibc_ensure_environ", "main"],
        &["args_get", "main"],
        &["alloc::vec::Vec<T>::push", "app::run", "std::rt::lang_start::{{closure}}", "main"],
        // Inlined without debug information: the program's own allocation shows in std's frame.
        &["std::rt::lang_start::{{closure}}", "std::rt::lang_start_internal", "main"],
        &[
            "core::ops::function::FnOnce::call_once",
            "std::sys::backtrace::__rust_begin_short_backtrace",
        ],
        &["std::thread::local::LocalKey<T>::with", "main"],
        &["std::sys::thread_local::native::lazy::Storage<T,D>::initialize", "main"],
        &["std::sync::once_lock::OnceLock<T>::initialize", "app::CONFIG", "std::io::stdio::_print"],
        &["operator new(unsigned long)", "Widget::create()", "__wasm_call_ctors"],
        &["std::__1::locale::locale(char const*)", "main"],
        &[],
    ] {
        assert_eq!(leaking(&[stack]).verdict(), Verdict::Leak, "{stack:?}");
    }
}

#[test]
fn a_rule_covers_so_many_blocks_and_no_more() {
    let argv: &[&str] = &["__main_void", "_start"];
    let mut guest = Guest::new();
    let context = guest.at(argv);
    guest.alloc(context, 64, 10).alloc(context, 128, 10).alloc(context, 256, 10);
    let outcome = guest.judged();
    assert_eq!(outcome.verdict(), Verdict::Leak, "the program was inlined into __main_void");
    assert_eq!(outcome.suppressed, []);

    // The same frames at different lines are contexts of their own; the first come first.
    let mut guest = Guest::new();
    for line in 1..=3 {
        let context = guest.lines(&[("__main_void", "crt.c", line)]);
        guest.alloc(context, u64::from(line) * 64, 10);
    }
    let outcome = guest.judged();
    assert_eq!(outcome.suppressed[0].live.blocks, 2);
    assert_eq!(outcome.leaked().blocks, 1);
}

#[test]
fn they_can_be_switched_off() {
    let mut guest = Guest::new();
    let context = guest.at(&["__main_void"]);
    guest.alloc(context, 64, 10).end(Ending::Returned);
    let config = Config { builtin_suppressions: false, ..Config::default() };
    assert_eq!(analyze(&guest.messages, config).verdict(), Verdict::Leak);
}

#[test]
fn every_rule_can_be_listed() {
    for rule in RULES {
        assert!(!rule.name.is_empty() && !rule.reason.is_empty() && rule.max_blocks > 0);
        assert_eq!(RULES.iter().filter(|other| other.name == rule.name).count(), 1);
        assert!(rule.stacks.iter().all(|stack| !stack.is_empty() && stack[0] != "*"));
    }
}
