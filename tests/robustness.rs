//! Whatever the bytes are, seepage answers with a module that validates or with one clean error and
//! code 2: no panic, no flood of memory, and nothing of the input reaches a terminal raw.

#[path = "support/hostile.rs"]
mod hostile;
mod support;

use hostile::{SEEDS, change, changes, flipped, outcome, seed};
use proptest::{collection::vec, prelude::*};
use seepage_analysis::Session;
use seepage_instrumenter::{Config, Contexts, TransportKind, inspect, instrument};
use seepage_report::{Context, Options, assemble, formats};
use seepage_trace::{Decoder, SiteTable};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use support::{Ran, finish, seepage};

/// A file of these bytes, given to every verb that reads a module.
fn every_verb(bytes: &[u8]) -> Vec<(&'static str, Ran)> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("input.wasm");
    std::fs::write(&file, bytes).expect("written");
    let out = folder.path().join("out.wasm");
    let run = |verb: &'static str, options: &[&str], out: Option<&Path>| {
        let mut command = seepage();
        command.arg(verb).args(options);
        if let Some(out) = out {
            command.arg("-o").arg(out);
        }
        (verb, finish(command.arg(&file)))
    };
    vec![
        run("inspect", &[], None),
        run("inspect", &["-f", "json"], None),
        run("instrument", &[], Some(&out)),
        run("run", &["--timeout", "10s"], None),
        run("check", &["--timeout", "10s"], None),
    ]
}

/// Refused by all verbs, in a few words that contain these.
fn all_refuse(bytes: &[u8], says: &str) {
    for (verb, ran) in every_verb(bytes) {
        let what = format!("{verb}: {}", ran.stderr);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{what}");
        assert!(ran.stderr.starts_with("seepage: error: failed to "), "{what}");
        assert!(ran.stderr.contains(says), "{what}");
        assert!(ran.stderr.len() < 600 && !ran.stderr.contains("panicked"), "{what}");
        let more = ran.stderr.lines().skip(1);
        assert!(
            more.clone().count() <= 1 && more.clone().all(|l| l.starts_with("hint: ")),
            "{what}"
        );
    }
}

#[test]
fn what_is_no_module() {
    all_refuse(b"", "not a WebAssembly module");
    all_refuse(b"\0", "not a WebAssembly module");
    all_refuse(b"\0asm", "not a WebAssembly module");
    all_refuse(b"\x7fELF\x02\x01\x01\0 and so on", "not a WebAssembly module");
    all_refuse(b"(module)", "not a WebAssembly module");
    all_refuse("#!/bin/sh\necho \u{1b}[31m\n".as_bytes(), "not a WebAssembly module");
    all_refuse(b"\0asm\x02\0\0\0", "");
    all_refuse(&[0xff; 4096], "not a WebAssembly module");
}

#[test]
fn what_is_a_module_of_another_kind() {
    all_refuse(b"\0asm\x0d\0\x01\0", "component");
    let component = wat::parse_str("(component (core module (func)))").expect("a component");
    all_refuse(&component, "component");
    let shared = wat::parse_str(
        r#"(module (memory (export "memory") 1 2 shared)
            (func $malloc (export "malloc") (param i32) (result i32) (i32.const 8))
            (func (export "_start") (drop (call $malloc (i32.const 1)))))"#,
    )
    .expect("a module");
    let relocatable = [
        &wat::parse_str("(module (import \"env\" \"__linear_memory\" (memory 0)) (func))")
            .expect("a module")[..],
        // Two custom sections that only what is to be linked has.
        b"\0\x09\x07linking\x02",
        b"\0\x0c\x0areloc.CODE\0",
    ]
    .concat();
    for (bytes, word) in [(shared, "shared"), (relocatable, "object")] {
        for (verb, ran) in every_verb(&bytes).into_iter().filter(|(verb, _)| *verb != "inspect") {
            assert_eq!(ran.code, 2, "{verb}: {}", ran.stderr);
            assert!(ran.stderr.contains(word), "{verb}: {}", ran.stderr);
        }
    }
}

#[test]
fn cut_off_at_many_places() {
    for name in ["c/noargs.O2", "rust/truth_unknown.release"] {
        let wasm = seed(name);
        // The first bytes one by one, then such steps that every section is cut somewhere.
        for length in (0..40).chain((40..wasm.len()).step_by(131)) {
            outcome(&wasm[..length]);
        }
    }
    let wasm = seed("c/noargs.O2");
    for length in [9, 30, wasm.len() / 3, wasm.len() - 1] {
        for (verb, ran) in every_verb(&wasm[..length]) {
            assert!(!ran.stderr.contains("panicked"), "{verb} {length}: {}", ran.stderr);
            assert!(ran.code == 2 || ran.code == 0, "{verb} {length}: {}", ran.stderr);
        }
    }
}

/// Many times the size of anything that is instrumented; 500 MB were tried by hand.
#[test]
fn a_large_file_of_noise() {
    let mut state = 1u64;
    let mut noise = vec![0; 50 << 20];
    for chunk in noise.chunks_exact_mut(8) {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        chunk.copy_from_slice(&state.to_le_bytes());
    }
    let begin = Instant::now();
    all_refuse(&noise, "not a WebAssembly module");
    noise[..8].copy_from_slice(b"\0asm\x01\0\0\0");
    all_refuse(&noise, "");
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
}

/// What is no module is not read to its end, which a device does not have.
#[cfg(unix)]
#[test]
fn a_file_without_end() {
    let begin = Instant::now();
    for verb in [&["inspect"][..], &["run"], &["instrument", "-o", "/dev/null"]] {
        let ran = finish(seepage().args(verb).arg("/dev/zero"));
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.contains("not a WebAssembly module"), "{}", ran.stderr);
    }
    assert!(begin.elapsed() < Duration::from_secs(20));
}

/// Every region of small modules, and many bytes of larger ones.
#[test]
fn flipped_bits() {
    let (mut fine, mut refused) = (0, 0);
    for (name, step) in SEEDS {
        let wasm = seed(name);
        for at in (0..wasm.len()).step_by(*step) {
            match outcome(&flipped(&wasm, at)) {
                true => fine += 1,
                false => refused += 1,
            }
        }
    }
    println!("{fine} instrumented, {refused} refused");
    assert!(fine > 100 && refused > 100, "{fine} fine, {refused} refused: nothing was tried");
}

/// What became of a flipped guest runs as well as it can: it may trap, and is reported.
#[test]
fn flipped_guests_run() {
    let wasm = seed("c/noargs.O2");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("flipped.wasm");
    for at in (8..wasm.len()).step_by(wasm.len() / 40) {
        std::fs::write(&file, flipped(&wasm, at)).expect("written");
        let ran = finish(seepage().args(["run", "--timeout", "5s"]).arg(&file));
        assert!(!ran.stderr.contains("panicked"), "{at}: {}", ran.stderr);
        assert!([0, 1, 2, 124, 134].contains(&ran.code), "{at}: {} {}", ran.code, ran.stderr);
        let reported = ran.stderr.contains("SUMMARY seepage: ");
        assert_eq!(
            reported,
            ran.code != 2 || ran.stderr.contains("failed after"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_section_of_ours_that_is_not() {
    for section in [&b""[..], b"\x01", b"\x63", b"\x01\xff\xff\xff\xff\x0f", &[0xff; 100]] {
        let mut wasm = wat::parse_str("(module (func (export \"_start\")))").expect("a module");
        wasm.extend([0, 8 + section.len() as u8, 7]);
        wasm.extend(b"seepage");
        wasm.extend(section);
        for (verb, ran) in every_verb(&wasm).into_iter().filter(|(verb, _)| *verb != "inspect") {
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{verb}: {}", ran.stderr);
            assert!(!ran.stderr.contains("panicked"), "{verb}: {}", ran.stderr);
        }
    }
}

fn session_of(bytes: &[u8]) {
    let mut decoder = Decoder::new();
    decoder.push(bytes);
    let mut session = Session::new(Default::default());
    while let Ok(Some(message)) = decoder.next() {
        session.feed(&message);
    }
    let report = assemble(&session.finish(), &Context::new("0"));
    for format in formats::LIST {
        let mut text = String::new();
        (format.render)(&report, &Options::default(), &mut text);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{}", format.name);
    }
}

fn config() -> impl Strategy<Value = Config> {
    let transport = prop_oneof![Just(TransportKind::Ring), Just(TransportKind::Call)];
    let contexts = prop_oneof![Just(Contexts::On), Just(Contexts::Off)];
    (transport, contexts).prop_map(|(transport, contexts)| Config {
        module_name: "hostile".into(),
        transport,
        contexts,
        ..Config::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..300), config in config()) {
        for bytes in [bytes.clone(), [b"\0asm\x01\0\0\0", &bytes[..]].concat()] {
            let _ = inspect(&bytes, &config);
            let _ = instrument(&bytes, &config);
            outcome(&bytes);
        }
        let _ = SiteTable::decode(&bytes);
        session_of(&bytes);
    }

    #[test]
    fn a_mutated_module(which in 0..SEEDS.len(), changes in changes(), config in config()) {
        let mut wasm = seed(SEEDS[which].0);
        change(&mut wasm, &changes);
        let _ = inspect(&wasm, &config);
        if let Ok(instrumented) = instrument(&wasm, &config) {
            hostile::validates(&instrumented.wasm);
        }
    }

    #[test]
    fn a_mutated_trace(which in 0..3usize, changes in changes()) {
        let name = ["leak", "misuse", "growth"][which];
        let path = support::root().join(format!("report/tests/goldens/{name}.trace"));
        let mut bytes = std::fs::read(path).expect("the goldens are part of the checkout");
        change(&mut bytes, &changes);
        session_of(&bytes);
        // The same with checksums that hold, so that the damage is not noticed at once.
        session_of(&hostile::with_checksums(&bytes));
    }
}

/// Everything that a module can name, with what does things to a terminal in it.
#[test]
fn hostile_names() {
    for name in ["\u{1b}[31mred\u{1b}]0;title\u{7}", "\u{202e}gnihton", "a\rb\nc", "\u{9b}2J"] {
        let escaped: String = name.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        let text = format!(
            r#"(module $"{escaped}" (import "{escaped}" "{escaped}" (func))
            (memory 1)
            (func $malloc (export "malloc") (param i32) (result i32) (i32.const 64))
            (func $free (export "free") (param i32))
            (func $"{escaped}" (export "{escaped}")
                (drop (call $malloc (i32.const 4)))
                (call $free (i32.const 5))
                unreachable)
            (@producers (language "{escaped}" "{escaped}"))
            (@custom "{escaped}" "x"))"#
        );
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("hostile.wasm");
        std::fs::write(&file, wat::parse_str(&text).expect("a module")).expect("written");
        let trap = ["--unknown-imports-trap"];
        for (verb, options) in [
            ("inspect", vec![]),
            ("inspect", vec!["-f", "json"]),
            ("instrument", vec!["--dry-run"]),
            ("instrument", vec!["--dry-run", "--alloc-fn", "nobody=malloc"]),
            ("run", vec![]),
            ("run", vec!["--invoke", "nobody"]),
            ("run", vec!["--invoke", name]),
            ("run", [&trap[..], &["--invoke", "nobody"]].concat()),
            ("run", [&trap[..], &["--invoke", name]].concat()),
            ("run", [&trap[..], &["-f", "json", "--invoke", name]].concat()),
            ("check", [&trap[..], &["--invoke", name]].concat()),
        ] {
            let ran = finish(seepage().arg(verb).args(&options).arg(&file));
            assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
            for shown in [&ran.stdout, &ran.stderr] {
                let raw = shown
                    .chars()
                    .find(|&c| c.is_control() && c != '\n' || matches!(c, '\u{200e}'..='\u{202e}'));
                assert_eq!(raw, None, "{name:?} {verb} {options:?}: {shown}");
                assert!(!shown.lines().any(|line| line.starts_with('c')), "{name:?}: {shown}");
            }
        }
    }
}

/// A name of a megabyte is cut, in the module, the report and on the way there.
#[test]
fn endless_names() {
    let long = "x".repeat(1 << 20);
    // The text format takes names that the binary format's limits refuse.
    for length in [1 << 20, 99_000] {
        let name = &long[..length];
        let text = format!(
            r#"(module (memory 1)
            (func $malloc (export "malloc") (param i32) (result i32) (i32.const 64))
            (func ${name} (export "_start") (drop (call $malloc (i32.const 4))) unreachable))"#
        );
        let everywhere = text
            .replace("(memory 1)", &format!(r#"(import "{name}" "{name}" (func)) (memory 1)"#))
            .replace("\"_start\"", &format!("\"{name}\""));
        let begin = Instant::now();
        let ran =
            [&text, &everywhere].map(|text| every_verb(&wat::parse_str(text).expect("a module")));
        for (verb, ran) in ran.into_iter().flatten() {
            assert!(!ran.stderr.contains("panicked"), "{verb}");
            let room = if ran.stdout.starts_with('{') { 2 << 20 } else { 10_000 };
            assert!(ran.stdout.len() < room, "{verb}: {} bytes", ran.stdout.len());
            assert!(ran.stderr.len() < 10_000, "{verb}: {} bytes", ran.stderr.len());
        }
        assert!(begin.elapsed() < Duration::from_secs(20));
    }
}
