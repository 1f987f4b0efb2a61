//! Known noise is taken out of the verdict, and nothing else is.

mod guest;

use guest::{Guest, analyze};
use proptest::prelude::*;
use seepage_analysis::{
    Config, Count, LeakKinds, Outcome, Session, Verdict,
    suppressions::{self, RULES, Rule},
};
use seepage_trace::{End, Frame, MemoryPart, Message, Outcome as Ending, State};

/// There is no image of these guests' memories, so everything live is a leak.
fn live() -> Config {
    Config { leak_kinds: LeakKinds::ALL, ..Config::default() }
}

fn judged(guest: &mut Guest) -> Outcome {
    guest.end(Ending::Returned);
    analyze(&guest.messages, live())
}

/// The outcome of a program that leaks one block in each of these contexts.
fn leaking(stacks: &[&[&str]]) -> Outcome {
    let mut guest = Guest::new();
    for (addr, stack) in (1u64..).zip(stacks) {
        let context = guest.at(stack);
        guest.alloc(context, addr * 64, 10);
    }
    judged(&mut guest)
}

#[test]
fn runtimes_are_no_leak() {
    for (stack, rule) in [
        (&["__main_void", "_start"][..], "wasi-libc-argv"),
        (&["wasm-function[9] (args_get)", "_start"], "wasi-libc-argv"),
        (&["_start (args_get)"], "wasi-libc-start"),
        (&["__wasilibc_initialize_environ", "_start"], "wasi-libc-environ"),
        (&["__wasilibc_ensure_environ", "getenv", "user"], "wasi-libc-environ"),
        (&["__emscripten_environ_constructor", "__wasm_call_ctors"], "wasi-libc-environ"),
        (&["emscripten::internal::getContext<int A::*>", "main"], "embind-registration"),
        (
            &["operator new(unsigned long)", "embind_init_a() (embind_register)"],
            "embind-registration",
        ),
        (&["wasm-function[8]", "wasm-function[9] (embind_register)", "x"], "embind-registration"),
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
        &["operator new(unsigned long)", "Widget::create()", "init() (embind_register)"],
        &["wasm-function[6]", "wasm-function[7]", "f8", "wasm-function[9] (embind_register)"],
        &["wasm-function[6]", "f7", "wasm-function[9] (embind_register)"],
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
    let outcome = judged(&mut guest);
    assert_eq!(outcome.verdict(), Verdict::Leak, "the program was inlined into __main_void");
    assert_eq!(outcome.suppressed, []);

    // The same frames at different lines are contexts of their own; the first come first.
    let mut guest = Guest::new();
    for line in 1..=3 {
        let context = guest.lines(&[("__main_void", "crt.c", line)]);
        guest.alloc(context, u64::from(line) * 64, 10);
    }
    let outcome = judged(&mut guest);
    assert_eq!(outcome.suppressed[0].live.blocks, 2);
    assert_eq!(outcome.leaked().blocks, 1);
}

#[test]
fn what_embind_keeps_is_small() {
    let of_size = |size| {
        let mut guest = Guest::new();
        let context = guest.at(&["wasm-function[9] (embind_register)", "__wasm_call_ctors"]);
        guest.alloc(context, 64, 4).alloc(context, 128, size);
        judged(&mut guest).verdict()
    };
    assert_eq!(of_size(28), Verdict::Clean);
    assert_eq!(of_size(29), Verdict::Leak);
}

#[test]
fn they_can_be_switched_off() {
    let mut guest = Guest::new();
    let context = guest.at(&["__main_void"]);
    guest.alloc(context, 64, 10).end(Ending::Returned);
    let config = Config { builtin_suppressions: false, ..live() };
    assert_eq!(analyze(&guest.messages, config).verdict(), Verdict::Leak);
}

#[test]
fn every_rule_can_be_listed() {
    for rule in RULES {
        assert!(!rule.name.is_empty() && !rule.reason.is_empty() && rule.max_blocks > 0);
        assert_eq!(RULES.iter().filter(|other| other.name == rule.name).count(), 1);
        assert!(rule.stacks.iter().all(|stack| !stack.is_empty() && stack[0] != "*"));
        assert_eq!(Rule::from(rule).patterns.len(), rule.stacks.len());
    }
}

/// The outcome of the same program under the user's rules.
fn under(rules: &str, stacks: &[&[&str]]) -> Outcome {
    let mut guest = Guest::new();
    for (addr, stack) in (1u64..).zip(stacks) {
        let context = guest.at(stack);
        guest.alloc(context, addr * 64, 10);
    }
    guest.end(Ending::Returned);
    analyze(&guest.messages, config(rules))
}

fn config(rules: &str) -> Config {
    let suppressions = suppressions::parse(rules, "my.supp").expect("the rules are right");
    Config { suppressions, ..live() }
}

fn block(body: &str) -> String {
    format!("{{\n name\n Memcheck:Leak\n {}\n}}", body.replace("; ", "\n"))
}

#[test]
fn the_users_rules() {
    let stack: &[&str] = &["make", "List<int>::push(int const&)", "load", "main"];
    for rule in [
        "leak:push",
        "leak:^load$",
        "leak:L*t<*>::push",
        "leak:make < List",
        "leak:make < ... < main",
        "leak:push(int const&) < load < main$",
        "leak:app.wasm",
        "leak:^app",
        "leak:load max=10 blocks=1",
        &block("fun:make"),
        &block("fun:malloc; fun:make"),
        &block("fun:?alloc; ...; fun:load; obj:*"),
        &block("...; fun:main"),
        &block("match-leak-kinds: definite; fun:make"),
        &block("obj:*/app.wasm"),
    ] {
        let outcome = under(rule, &[stack]);
        assert_eq!(outcome.verdict(), Verdict::Clean, "{rule}");
        assert_eq!(outcome.suppressed.len(), 1);
        assert_eq!(outcome.suppressed[0].live, Count { blocks: 1, bytes: 10 });
        assert_eq!(outcome.suppressed[0].rule.origin.place().as_deref(), Some("my.supp:1"));
        assert!(!outcome.suppressed[0].is_unused());
    }
    for rule in [
        "leak:pull",
        "leak:^push",
        "leak:load < make",
        "leak:make < main",
        "leak:main < ... < make",
        "leak:malloc",
        &block("fun:push"),
        &block("fun:load"),
        &block("fun:free; fun:make"),
        &block("match-leak-kinds: none; fun:make"),
        &block("obj:/lib/libc.so"),
        &block("src:make.c"),
    ] {
        let outcome = under(rule, &[stack]);
        assert_eq!(outcome.verdict(), Verdict::Leak, "{rule}");
        assert!(outcome.suppressed[0].is_unused(), "{rule}");
    }
}

#[test]
fn files_and_lines() {
    let mut guest = Guest::new();
    let context = guest.lines(&[("make", "/src/lib/make.c", 7), ("main", "/src/main.c", 9)]);
    guest.alloc(context, 64, 10).end(Ending::Returned);
    let verdict = |rule: &str| analyze(&guest.messages, config(rule)).verdict();
    for rule in ["leak:lib/", "leak:^/src/main.c$", &block("src:make.c"), &block("src:make.c:7")] {
        assert_eq!(verdict(rule), Verdict::Clean, "{rule}");
    }
    for rule in ["leak:^lib/", &block("src:make.c:8"), &block("src:main.c")] {
        assert_eq!(verdict(rule), Verdict::Leak, "{rule}");
    }
}

#[test]
fn a_limit_holds_over_all_contexts() {
    let stacks: &[&[&str]] = &[&["a", "main"], &["b", "main"], &["c", "main"]];
    for (rule, hidden) in [
        ("leak:main max=29", 2),
        ("leak:main max=30", 3),
        ("leak:main blocks=1", 1),
        ("leak:main max=1KiB blocks=0", 0),
    ] {
        let outcome = under(rule, stacks);
        assert_eq!(outcome.suppressed[0].live.blocks, hidden, "{rule}");
        assert_eq!(outcome.suppressed[0].beyond.blocks, 3 - hidden, "{rule}");
        assert_eq!(outcome.leaked().blocks, 3 - hidden, "{rule}");
        assert!(!outcome.suppressed[0].is_unused(), "it matches");
    }
}

#[test]
fn the_first_rule_takes_a_context() {
    let stacks: &[&[&str]] = &[&["__main_void"], &["a", "main"], &["b", "main"]];
    let outcome = under("leak:^a$\nleak:main\nleak:__main_void\nleak:b", stacks);
    let counts: Vec<(&str, u64)> = outcome
        .suppressed
        .iter()
        .map(|suppressed| (suppressed.rule.name.as_str(), suppressed.live.blocks))
        .collect();
    let expected = [
        ("wasi-libc-argv", 1),
        ("leak:^a$", 1),
        ("leak:main", 1),
        ("leak:__main_void", 0),
        ("leak:b", 0),
    ];
    assert_eq!(counts, expected);
    assert_eq!(outcome.profile.contexts[2].suppressed_by, Some(2));
}

#[test]
fn a_module_brings_its_own() {
    let mut guest = Guest::new();
    let context = guest.at(&["keep", "main"]);
    guest.alloc(context, 64, 10).end(Ending::Returned);
    let outcome = |text: &str, config: Config| {
        let mut session = Session::new(config);
        guest.messages.iter().for_each(|message| session.feed(message));
        session.suppressions(text, "app.wasm");
        session.finish()
    };
    let clean = outcome("leak:unused\nleak:keep\n", live());
    assert_eq!(clean.verdict(), Verdict::Clean);
    assert_eq!(clean.suppressed.len(), 1, "what a module does not need is nobody's concern");
    assert_eq!(clean.suppressed[0].rule.origin.place().as_deref(), Some("app.wasm:2"));

    let off = Config { module_suppressions: false, ..live() };
    assert_eq!(outcome("leak:keep", off).verdict(), Verdict::Leak);

    let wrong = outcome("keep\nfoo\nleak:keep", live());
    assert_eq!(wrong.verdict(), Verdict::Clean);
    assert!(wrong.remarks[0].contains("app.wasm:1: `keep` is no rule"), "{:?}", wrong.remarks);
    assert!(wrong.remarks[0].ends_with(", and 1 more"), "{:?}", wrong.remarks);

    let many = outcome(&("leak:x\n".repeat(2000) + "leak:keep"), live());
    assert_eq!(many.verdict(), Verdict::Leak);
    assert_eq!(many.remarks, ["977 suppressions of the module are too many"]);
    let long = outcome(&("#é".repeat(1 << 20) + "\nleak:keep"), live());
    assert_eq!(long.remarks, ["the module's suppressions are cut off at 1 MiB"]);
}

#[test]
fn a_module_brings_its_own_in_the_trace() {
    let mut guest = Guest::new();
    let context = guest.at(&["keep", "main"]);
    guest.alloc(context, 64, 10).flush();
    let (origin, text) = ("app.wasm".into(), "leak:keep\n".into());
    guest.messages.push(Message::Suppressions { origin, text });
    assert_eq!(judged(&mut guest).verdict(), Verdict::Clean);
}

/// `head` holds `tail`, nothing holds `head`, the host holds `kept`, and of `both` it holds one.
#[test]
fn kinds_are_asked_for() {
    let (head, tail, kept, both) = (1 << 16, 2 << 16, 3 << 16, 4 << 16);
    let mut guest = Guest::new();
    for (function, addrs) in [
        ("head", &[head][..]),
        ("tail", &[tail]),
        ("kept", &[kept]),
        ("both", &[both, both + 64]),
        ("list", &[5 << 16, (5 << 16) + 64]),
    ] {
        let context = guest.at(&[function, "main"]);
        for &addr in addrs {
            guest.alloc(context, addr, 16);
        }
    }
    guest.flush();
    let module = guest.module;
    let roots = vec![kept, both];
    guest.messages.push(Message::State(State {
        module,
        roots,
        memory_bytes: 10 << 16,
        ..State::default()
    }));
    for (addr, to) in [(head, tail), (5 << 16, (5 << 16) + 64)] {
        let bytes = (to as u32).to_le_bytes().to_vec().into();
        guest.messages.push(Message::Memory(MemoryPart { module, memory: 0, addr, bytes }));
    }
    guest.messages.push(Message::End(End { outcome: Ending::Returned, ..End::default() }));
    let hidden = |kinds: &str, function: &str| {
        let rule = block(&format!("match-leak-kinds: {kinds}; fun:{function}"));
        let suppressions = suppressions::parse(&rule, "my.supp").expect("the rule is right");
        let config = Config { suppressions, ..Config::default() };
        analyze(&guest.messages, config).suppressed[0].live.blocks
    };
    assert_eq!(hidden("definite", "head"), 1);
    assert_eq!(hidden("possible,reachable", "head"), 0);
    assert_eq!(hidden("indirect", "tail"), 1);
    assert_eq!(hidden("definite", "tail"), 0);
    assert_eq!(hidden("reachable", "kept"), 1);
    assert_eq!(hidden("definite,indirect,possible", "kept"), 0);
    assert_eq!(hidden("definite", "both"), 2, "the other one would not be reported");
    assert_eq!(hidden("reachable", "both"), 0, "a lost block must not hide behind it");
    assert_eq!(hidden("definite", "list"), 2, "what hangs on it goes with it");
    assert_eq!(hidden("all", "list"), 2);
}

#[test]
fn generated_rules_name_each_place_once() {
    let mut guest = Guest::new();
    for line in 1..=3 {
        let context = guest.lines(&[("make", "a.c", line), ("main", "a.c", 9)]);
        guest.alloc(context, u64::from(line) * 64, 10);
    }
    let context = guest.at(&["f(char*)", "main"]);
    guest.alloc(context, 640, 50);
    let nameless = guest.stack(Vec::new());
    guest.alloc(nameless, 1280, 5);
    assert_eq!(
        suppressions::generate(&judged(&mut guest)),
        "# 1 block, 50 bytes\n{\n   leak 1 in f(char*)\n   Memcheck:Leak\n   fun:f(char*)\n   \
         fun:main\n}\n# 3 blocks, 30 bytes\n{\n   leak 2 in make\n   Memcheck:Leak\n   fun:make\n   \
         fun:main\n}\n# 1 block, 5 bytes: the stack is not known, so no rule can name it\n"
    );
    let clean = judged(&mut Guest::new());
    assert_eq!(suppressions::generate(&clean), "");
}

proptest! {
    /// Fed back, generated rules leave nothing, whatever the functions are called.
    #[test]
    fn generated_rules_suppress_what_they_were_made_of(
        stacks in prop::collection::vec(prop::collection::vec(".{0,6}|[{}#.*? \n]{1,3}", 1..30), 1..8),
    ) {
        let mut guest = Guest::new();
        for (addr, stack) in (1u64..).zip(&stacks) {
            let frames = stack.iter().map(|name| Frame::function(name.as_str())).collect();
            let context = guest.stack(frames);
            guest.alloc(context, addr * 64, 10);
        }
        let first = judged(&mut guest);
        let rules = suppressions::parse(&suppressions::generate(&first), "generated")?;
        let config = Config { suppressions: rules, ..live() };
        let second = analyze(&guest.messages, config);
        prop_assert_eq!(second.verdict(), Verdict::Clean);
    }

    /// No text makes the reader panic, and what it reads has a place.
    #[test]
    fn any_text_is_rules_or_an_error(text in "(leak:|fun:|\\{|\\}|\\.\\.\\.|<| |\n|max=|Memcheck:Leak|a|\\*|\\?|\\^|.){0,40}") {
        match suppressions::parse(&text, "x") {
            Ok(rules) => prop_assert!(rules.iter().all(|rule| rule.origin.place().is_some())),
            Err(error) => prop_assert!(error.place.line > 0 && !error.message.is_empty()),
        }
    }
}
