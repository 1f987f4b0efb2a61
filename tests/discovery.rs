//! Allocators that were invented for this test, which no rule knows, in modules without names; and
//! decoys, which are none. What is hooked must be right, to the function and to the byte; where
//! seepage is not sure, it must abstain.
#![allow(clippy::print_stdout)] // the counts are for a person to read

mod support;

use libtest_mimic::{Arguments, Failed, Trial};
use seepage_instrumenter::{Config, inspect};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
};
use support::{Ran, finish, program, report, seepage};
use wasmparser::{KnownCustom, Name, Parser, Payload};

/// An allocator's functions by role, as a part of their names.
type Functions = &'static [(&'static str, &'static str)];

/// How a program tells the truth.
#[derive(Clone, Copy)]
enum Truth {
    /// It prints it.
    Printed,
    /// Its exports `blocks` and `bytes` answer it.
    Answered,
}

const ALLOCATORS: &[(&str, Truth, Functions)] = &[
    ("bump_lists", Truth::Printed, &[("malloc", "bump_get"), ("free", "bump_put")]),
    ("buddy", Truth::Printed, &[("malloc", "buddy_get"), ("free", "buddy_put")]),
    ("slab", Truth::Printed, &[("malloc", "slab_get"), ("free", "slab_put")]),
    (
        "first_fit",
        Truth::Printed,
        &[("malloc", "fit_get"), ("free", "fit_put"), ("realloc", "fit_resize")],
    ),
    // Rust's own doors are as right as what is behind them.
    (
        "cells_unknown",
        Truth::Answered,
        &[
            ("malloc", "Heap4take"),
            ("free", "Heap4give"),
            ("malloc", "__rust_alloc"),
            ("malloc", "5alloc17h"),
            ("free", "dealloc"),
            ("realloc", "realloc"),
        ],
    ),
    (
        "gaps_unknown",
        Truth::Answered,
        &[
            ("malloc", "4fill"),
            ("free", "4open"),
            ("malloc", "__rust_alloc"),
            ("malloc", "5alloc17h"),
            ("free", "dealloc"),
            ("realloc", "realloc"),
        ],
    ),
];

const LIBC: Functions = &[
    ("malloc", "malloc"),
    ("free", "free"),
    ("calloc", "calloc"),
    ("realloc", "realloc"),
    ("memalign", "memalign"),
];

/// What is no allocator, or stands above the one that is.
const DECOYS: &[(&str, Functions)] = &[
    ("decoy_pool", LIBC),
    ("decoy_arena", &[]),
    ("decoy_grow", &[]),
    ("decoy_interner", &[]),
    ("decoy_stack", &[]),
];

/// Allocators that are known by their code: they must be found, and called by their names.
const KNOWN: &[(&str, &str, Truth, Functions)] = &[
    ("talc_unknown.O2", "talc", Truth::Answered, TALC),
    ("talc_unknown.Oz", "talc", Truth::Answered, TALC),
    ("wee_unknown.Oz", "wee_alloc", Truth::Answered, WEE),
    ("mimalloc.O2", "mimalloc", Truth::Printed, MIMALLOC),
    ("mimalloc_aligned.O2", "mimalloc", Truth::Printed, MIMALLOC_ALIGNED),
];

/// The compiler has put parts of the allocator elsewhere: it must not be hooked.
const SCATTERED: &[(&str, Truth, Functions)] = &[("wee_unknown.Os", Truth::Answered, WEE)];

const TALC: Functions = &[
    ("malloc", "6malloc"),
    ("free", "4free"),
    ("realloc", "___rust_realloc"),
    ("calloc", "___rust_alloc_zeroed"),
];
const WEE: Functions = &[("malloc", "5alloc17h"), ("free", "7dealloc17h")];
const MIMALLOC: Functions = &[
    ("malloc", "mi_"),
    ("free", "mi_"),
    ("calloc", "mi_"),
    ("realloc", "mi_"),
    // libc's own, which the program does not call.
    ("malloc", "malloc"),
    ("calloc", "calloc"),
    ("free", "free"),
];

const MIMALLOC_ALIGNED: Functions = &[
    ("memalign", "aligned"),
    ("calloc", "zeroed"),
    ("realloc", "resized"),
    ("malloc", "plain"),
    ("free", "put"),
];

const LEVELS: [&str; 3] = ["O0", "O2", "Os"];

/// What is known to be found: it may become more, not less.
const FOUND: &[&str] = &[
    "buddy.O0",
    "buddy.O2",
    "buddy.Os",
    "bump_lists.O0",
    "cells_unknown.O0",
    "bump_lists.O2",
    "bump_lists.Os",
    "cells_unknown.O2",
    "cells_unknown.Os",
    "first_fit.O0",
    "first_fit.O2",
    "first_fit.Os",
    "gaps_unknown.O0",
    "slab.O0",
    "slab.O2",
    "slab.Os",
];

fn main() {
    let arguments = Arguments::from_args();
    let outcomes = Arc::new(Mutex::new(BTreeMap::new()));
    let mut trials = Vec::new();
    for level in LEVELS {
        for &(name, truth, functions) in ALLOCATORS {
            let outcomes = outcomes.clone();
            trials.push(Trial::test(format!("{name}.{level}"), move || {
                let name = format!("{name}.{level}");
                let is_found = allocator(&name, truth, functions)?;
                if let Ok(mut outcomes) = outcomes.lock() {
                    outcomes.insert(name.clone(), is_found);
                }
                match is_found || !FOUND.contains(&name.as_str()) {
                    true => Ok(()),
                    false => Err("it was found before, and is not any more".into()),
                }
            }));
        }
        for &(name, functions) in DECOYS {
            trials.push(Trial::test(format!("{name}.{level}"), move || {
                decoy(&format!("{name}.{level}"), functions)
            }));
        }
    }
    for &(name, family, truth, functions) in KNOWN {
        trials.push(Trial::test(name, move || match allocator(name, truth, functions)? {
            true => called(name, family),
            false => Err("it was not found".into()),
        }));
        // With its names, most of which say nothing to seepage, it comes to the same.
        trials.push(Trial::test(format!("{name}.named"), move || {
            let named = program(&format!("allocators/{name}"));
            counts(&named, truth)
        }));
    }
    for &(name, truth, functions) in SCATTERED {
        trials.push(Trial::test(name, move || match allocator(name, truth, functions)? {
            true => Err("it was hooked, though not all of it can be seen".into()),
            false => Ok(()),
        }));
    }
    for (name, test) in SMALL {
        trials.push(Trial::test(*name, test));
    }
    let is_list = arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let (false, Ok(outcomes)) = (is_list, outcomes.lock()) {
        let list = |found: bool| {
            let names = outcomes.iter().filter(|(_, is_found)| **is_found == found);
            names.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ")
        };
        println!("found: {}\nabstained: {}", list(true), list(false));
    }
    conclusion.exit();
}

/// Whether the allocator was found; an error if something else was.
fn allocator(name: &str, truth: Truth, functions: Functions) -> Result<bool, Failed> {
    let hooks = hooks(name, functions)?;
    let has = |role: &str| hooks.iter().any(|hook| hook == role);
    match truth {
        Truth::Printed => {
            let ran = run(name, &[], &[]);
            let expected = ran.truth("live_blocks").zip(ran.truth("live_bytes"));
            let expected = expected.ok_or_else(|| format!("no truth: {}", ran.stderr))?;
            if hooks.is_empty() { nothing_seen(&ran)? } else { same(ran.live(), expected)? }
        }
        Truth::Answered => {
            let [blocks, bytes] =
                ["blocks", "bytes"].map(|export| run(name, &["--invoke", export], &["12"]));
            let answer =
                |ran: &Ran| ran.stdout.trim().parse::<u64>().map_err(|_| ran.stderr.clone());
            let expected = (answer(&blocks)?, answer(&bytes)?);
            if hooks.is_empty() { nothing_seen(&bytes)? } else { same(bytes.live(), expected)? }
        }
    }
    let is_whole = has("malloc") && has("free");
    if !hooks.is_empty() && !is_whole {
        return Err(format!("half an allocator: {hooks:?}").into());
    }
    Ok(!hooks.is_empty())
}

/// Rules that small modules show.
type Small = (&'static str, fn() -> Result<(), Failed>);

const SMALL: &[Small] = &[
    ("tinygo.by_producers", || {
        let producers = r#"(@producers (processed-by "TinyGo" "0.40.1"))"#;
        small(&bump(producers), "confirmed", &["malloc f0 tinygo"])
    }),
    ("go.by_producers", || {
        let wat = bump(r#"(@producers (processed-by "Go cmd/compile" "go1.25.7"))"#);
        small(&wat, "abstain", &[])?;
        let inspection = inspect(&wat::parse_str(&wat)?, &Config::default())?;
        let go = |spot: &&String| spot.starts_with("Go's heap is garbage-collected");
        let is_said = inspection.blind_spots.iter().filter(go).count() == 1;
        let proposes = |spot: &String| spot.contains("--alloc-fn");
        match is_said && !inspection.blind_spots.iter().any(proposes) {
            true if inspection.candidates.is_empty() => Ok(()),
            _ => Err(format!("{inspection:?}").into()),
        }
    }),
    // Nothing says that a collector gives back what seems to be kept for good.
    ("tinygo.unsaid", || small(&bump(""), "likely", &[])),
    // The program's own code passes the export by.
    ("tinygo.behind_an_export", || {
        let export = r#"(func (export "malloc") (param i32) (result i32)
            (i32.add (call $alloc (i32.add (local.get 0) (i32.const 8))) (i32.const 8)))
            (func (export "free") (param i32))"#;
        small(&bump(export), "likely", &["malloc f10 libc", "free f11 libc"])
    }),
    // Compilers leave a shim of Rust's here and there; alone it would call a heap clean.
    ("rust.a_realloc_alone", || {
        let wat = r#"(module (memory 1)
            (func $__rust_realloc (param i32 i32 i32 i32) (result i32) (local.get 0))
            (func (export "run") (drop (call $__rust_realloc
                (i32.const 8) (i32.const 8) (i32.const 8) (i32.const 8)))))"#;
        small(wat, "abstain", &[])
    }),
    // `leak` and `churn` have copies of the allocation inlined.
    ("assemblyscript.stub", || {
        committed("assemblyscript/truth.stub.release", "likely", &["malloc f0 assemblyscript"])
    }),
    ("zig.wasm_allocator", || {
        let functions = ["malloc f27 zig", "realloc f29 zig", "realloc f30 zig", "free f31 zig"];
        committed("zig/truth_wasm_allocator.small.stripped", "confirmed", &functions)
    }),
    // Whoever frees an aligned block frees it inside of the one that the inner `malloc` handed out.
    ("dlmalloc.posix_memalign", || {
        let aligned = aligned("i32 i32 i32", "(local.get 2)", &[-64, -8, 11, 28, 48]);
        dlmalloc_with(false, &aligned, &["posix_memalign f3 dlmalloc"])
    }),
    ("dlmalloc.memalign_told_the_heap", || {
        let aligned = aligned("i32 i32 i32", "(local.get 2)", &[-65587, -8, 11]);
        dlmalloc_with(true, &aligned, &["memalign f3 dlmalloc"])
    }),
    ("dlmalloc.memalign_of_a_constant", || {
        let aligned = aligned("i32", "(local.get 0)", &[-128, -8, 11, 63]);
        dlmalloc_with(false, &aligned, &["malloc f3 dlmalloc"])
    }),
    // Without one of the numbers it is the program's own.
    ("dlmalloc.no_memalign", || {
        let aligned = aligned("i32", "(local.get 0)", &[-128, -8, 11]);
        dlmalloc_with(false, &aligned, &[])
    }),
    ("dlmalloc.no_memalign_told_the_heap", || {
        let aligned = aligned("i32 i32 i32", "(local.get 2)", &[-8, 11]);
        dlmalloc_with(true, &aligned, &[])
    }),
    // What has no name belongs to what has one, though nothing grows.
    ("dlmalloc.named_in_a_fixed_memory", || {
        let names = r#"(export "malloc" (func 0)) (export "free" (func 1))"#;
        let aligned = aligned("i32", "(local.get 0)", &[-128, -8, 11, 63]) + names;
        let module =
            dlmalloc(false, &aligned).replace("(memory.grow (i32.const 1))", "(i32.const 8)");
        small(&module, "confirmed", &["malloc f0 libc", "free f1 libc", "malloc f3 dlmalloc"])
    }),
    // Who has named the two says nothing of a third.
    ("dlmalloc.no_memalign_beside_names", || {
        let names = r#"(export "malloc" (func 0)) (export "free" (func 1))"#;
        let aligned = aligned("i32", "(local.get 0)", &[-8, 11]) + names;
        small(&dlmalloc(false, &aligned), "likely", &["malloc f0 libc", "free f1 libc"])
    }),
];

/// A function that asks the `malloc` of [`dlmalloc`] for 76 bytes more, gives a piece back, and has
/// those numbers.
fn aligned(parameters: &str, size: &str, numbers: &[i32]) -> String {
    let numbers = numbers.iter().map(|it| format!("(drop (i32.const {it}))"));
    let numbers: String = numbers.collect();
    format!(
        "(func $get_aligned (param {parameters}) (result i32) (local $block i32) {numbers}
            (local.set $block (call $get HEAP (i32.add {size} (i32.const 76))))
            (call $put_piece HEAP (local.get $block) (i32.const 16))
            (local.get $block))"
    )
}

/// An allocator with what tells dlmalloc's code, and another function of it.
fn dlmalloc_with(has_self: bool, aligned: &str, found: &[&str]) -> Result<(), Failed> {
    let mut functions = vec!["malloc f0 dlmalloc", "free f1 dlmalloc"];
    functions.extend(found);
    // What gives pieces back is then called by a stranger.
    let verdict = if found.is_empty() { "likely" } else { "confirmed" };
    small(&dlmalloc(has_self, aligned), verdict, &functions)
}

/// The heap's state is static, or behind the first parameter.
fn dlmalloc(has_self: bool, aligned: &str) -> String {
    let (heap, parameter) = match has_self {
        true => ("(local.get 0)", "(param $heap i32)"),
        false => ("", ""),
    };
    let store = |place: i32| match has_self {
        true => format!("(i32.store offset={} (local.get 0) ", place * 8),
        false => format!("(i32.store (i32.const {}) ", 5000 + place * 8),
    };
    let bins = (0..130).map(|bin| {
        let (place, number) = (store(bin % 9), [255, 31, -8, 11][bin as usize % 4]);
        format!(
            "{place} (i32.shr_u (i32.shl (local.get $size) (i32.const 3)) (i32.const {number})))"
        )
    });
    let bins: String = bins.collect();
    let touch: String = (0..4).map(|at| format!("{} (local.get $block))", store(at))).collect();
    let aligned = aligned.replace("HEAP", heap);
    let given = if has_self { "(i32.const 5000)" } else { "" };
    let rest =
        if aligned.contains("(param i32 i32 i32)") { "(i32.const 2) (i32.const 3)" } else { "" };
    format!(
        "(module (memory 1)
         (func $get {parameter} (param $size i32) (result i32)
            {bins} (call $unlink {heap} (i32.const 8)) (memory.grow (i32.const 1)))
         (func $put {parameter} (param $block i32)
            {touch} (call $unlink {heap} (local.get $block))
            (call $put_piece {heap} (local.get $block) (i32.const 8)))
         (func $put_piece {parameter} (param $block i32) (param $bytes i32) {touch})
         {aligned}
         (func $unlink {parameter} (param $block i32) {touch})
         (func (export \"a\") (result i32) (call $get {given} (i32.const 8)))
         (func (export \"b\") (param i32) (call $put {given} (local.get 0)))
         (func (export \"c\") (result i32) (call $get_aligned (i32.const 1) {rest})))"
    )
}

/// A pointer that only goes up, and nine functions that use it.
fn bump(extra: &str) -> String {
    let users = (0..9).map(|user| {
        format!("(func (export \"u{user}\") (result i32) (call $alloc (i32.const {user})))")
    });
    let users: Vec<String> = users.collect();
    format!(
        "(module (memory 1) (global $top (mut i32) (i32.const 1024))
         (func $alloc (param $size i32) (result i32)
            (if (i32.gt_u (global.get $top) (i32.const 60000))
                (then (drop (memory.grow (i32.const 1)))))
            (global.get $top)
            (global.set $top (i32.add (global.get $top) (local.get $size))))
         {} {extra})",
        users.join("\n")
    )
}

fn small(wat: &str, verdict: &str, functions: &[&str]) -> Result<(), Failed> {
    told(&wat::parse_str(wat)?, verdict, functions)
}

fn committed(name: &str, verdict: &str, functions: &[&str]) -> Result<(), Failed> {
    told(&fs::read(program(name))?, verdict, functions)
}

/// What the instrumenter says of a module, without a probe.
fn told(wasm: &[u8], verdict: &str, functions: &[&str]) -> Result<(), Failed> {
    let inspection = inspect(wasm, &Config::default())?;
    let hooked = inspection.allocators.iter();
    let hooked: Vec<String> =
        hooked.map(|it| format!("{} f{} {}", it.role.name(), it.index, it.family)).collect();
    match (inspection.verdict.name() == verdict, hooked == functions) {
        (true, true) => Ok(()),
        _ => Err(format!("{}: {hooked:?}", inspection.verdict.name()).into()),
    }
}

/// The family that is told.
fn called(name: &str, family: &str) -> Result<(), Failed> {
    let stripped = program(&format!("allocators/{name}.stripped"));
    let ran = finish(seepage().args(["inspect", "-f", "json"]).arg(&stripped));
    let inspection: Value = serde_json::from_str(&ran.stdout).map_err(|error| error.to_string())?;
    let hooked = inspection["allocators"].as_array().into_iter().flatten();
    match hooked.into_iter().any(|hook| hook["family"] == family) {
        true => Ok(()),
        false => Err(format!("not called {family}: {}", inspection["allocators"]).into()),
    }
}

/// What is live at the end is what the program says.
fn counts(module: &Path, truth: Truth) -> Result<(), Failed> {
    let run = |invoke: &[&str], args: &[&str]| report("run", invoke, module, args);
    match truth {
        Truth::Printed => {
            let ran = run(&[], &[]);
            let expected = ran.truth("live_blocks").zip(ran.truth("live_bytes"));
            same(ran.live(), expected.ok_or_else(|| format!("no truth: {}", ran.stderr))?)
        }
        Truth::Answered => {
            let bytes = run(&["--invoke", "bytes"], &["12"]);
            let answer = bytes.stdout.trim().parse::<u64>().map_err(|_| bytes.stderr.clone())?;
            let blocks = run(&["--invoke", "blocks"], &["12"]);
            let blocks = blocks.stdout.trim().parse::<u64>().map_err(|_| blocks.stderr.clone())?;
            same(bytes.live(), (blocks, answer))
        }
    }
}

fn decoy(name: &str, functions: Functions) -> Result<(), Failed> {
    let hooks = hooks(name, functions)?;
    let ran = run(name, &[], &[]);
    match ran.truth("live_blocks").zip(ran.truth("live_bytes")) {
        Some(expected) if !hooks.is_empty() => same(ran.live(), expected),
        _ if hooks.is_empty() => nothing_seen(&ran),
        _ => Err(format!("no truth: {}", ran.stderr).into()),
    }
}

/// The roles of what is hooked, each of which must be a function that has the role.
fn hooks(name: &str, functions: Functions) -> Result<Vec<String>, Failed> {
    let stripped = program(&format!("allocators/{name}.stripped"));
    let names = names(&program(&format!("allocators/{name}")))?;
    let ran = finish(seepage().args(["inspect", "-f", "json"]).arg(&stripped));
    let inspection: Value = serde_json::from_str(&ran.stdout)
        .map_err(|error| format!("{error}: {}{}", ran.stdout, ran.stderr))?;
    let hooked = inspection["allocators"].as_array().ok_or("no list of allocators")?;
    let mut roles = Vec::new();
    for hook in hooked {
        let index = hook["function"].as_u64().unwrap_or(u64::MAX) as u32;
        let role = hook["role"].as_str().unwrap_or_default();
        let name = names.get(&index).map_or("", String::as_str);
        let is_right = functions.iter().any(|(known, part)| *known == role && name.contains(part));
        if !is_right {
            return Err(format!("f{index}, which is `{name}`, is taken for a {role}").into());
        }
        roles.push(role.to_owned());
    }
    let is_confirmed = inspection["verdict"] == "confirmed";
    match is_confirmed == roles.is_empty() {
        false => Ok(roles),
        true => Err(format!("the verdict is {}, with {roles:?}", inspection["verdict"]).into()),
    }
}

fn run(name: &str, options: &[&str], args: &[&str]) -> Ran {
    report("run", options, &program(&format!("allocators/{name}.stripped")), args)
}

/// Where nothing is hooked nothing may be accused.
fn nothing_seen(ran: &Ran) -> Result<(), Failed> {
    match ran.number("/totals/allocated/blocks") {
        0 => Ok(()),
        blocks => Err(format!("{blocks} blocks without an allocator").into()),
    }
}

fn same(is: (u64, u64), should_be: (u64, u64)) -> Result<(), Failed> {
    match is == should_be {
        true => Ok(()),
        false => Err(format!("live blocks and bytes: {is:?}, not {should_be:?}").into()),
    }
}

/// The function names of the twin that has not been stripped.
fn names(path: &Path) -> Result<BTreeMap<u32, String>, Failed> {
    let wasm = fs::read(path)?;
    let mut names = BTreeMap::new();
    for payload in Parser::new(0).parse_all(&wasm) {
        let Payload::CustomSection(section) = payload? else { continue };
        let KnownCustom::Name(subsections) = section.as_known() else { continue };
        for subsection in subsections {
            if let Name::Function(functions) = subsection? {
                for naming in functions {
                    let naming = naming?;
                    names.insert(naming.index, naming.name.to_owned());
                }
            }
        }
    }
    Ok(names)
}
