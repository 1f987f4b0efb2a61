//! What instrumenting does to the rest of a module: its custom sections, its names, and memories of
//! every kind.

mod support;

use seepage_analysis::{GrownBy, Session};
use seepage_instrumenter::{Certainty, Config, Error, inspect, instrument};
use seepage_runtime::{TracedModule, Tracer, configure};
use std::fs;
use support::program;
use wasmtime::{Engine, Linker, Memory, MemoryType, Store};

/// Name and content of every custom section.
fn customs(wasm: &[u8]) -> Vec<(String, Vec<u8>)> {
    wasmparser::Parser::new(0)
        .parse_all(wasm)
        .filter_map(|payload| match payload.expect("it is valid") {
            wasmparser::Payload::CustomSection(section) => {
                Some((section.name().to_owned(), section.data().to_vec()))
            }
            _ => None,
        })
        .collect()
}

/// The module without its custom sections, as `wasm-strip` leaves it.
fn stripped(wasm: &[u8]) -> Vec<u8> {
    let (mut out, mut end) = (wasm[..8].to_vec(), 8);
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        let payload = payload.expect("it is valid");
        let Some((id, range)) = payload.as_section() else { continue };
        if id != 0 {
            out.extend(&wasm[end..range.end]);
        }
        end = range.end;
    }
    out
}

fn with_custom(mut wasm: Vec<u8>, name: &str, data: &[u8]) -> Vec<u8> {
    wasm.push(0);
    wasm.push((1 + name.len() + data.len()) as u8);
    wasm.push(name.len() as u8);
    wasm.extend(name.as_bytes());
    wasm.extend(data);
    wasm
}

const MALLOC: &str = r#"
    (func $malloc (param $size i32) (result i32)
        (local $block i32)
        (local.set $block (i32.load (i32.const 8)))
        (i32.store (i32.const 8) (i32.add (local.get $block) (i32.const 16)))
        (local.get $block))
    (func $free (param i32))"#;

#[test]
fn what_goes_stale_is_left_out_and_the_rest_is_kept() {
    let mut wasm = wat::parse_str(format!("(module (memory 1) {MALLOC})")).unwrap();
    let stale = ["sourceMappingURL", "external_debug_info", "linking", "reloc.CODE", ".debug_line"];
    for name in stale {
        wasm = with_custom(wasm, name, b"\x02x");
    }
    wasm = with_custom(wasm, "my-own", b"kept");
    let instrumented = instrument(&wasm, &Config::default()).unwrap();
    let sections = customs(&instrumented.wasm);
    let names: Vec<_> = sections.iter().map(|(name, _)| name.as_str()).collect();
    assert!(stale.iter().all(|name| !names.contains(name)), "{names:?}");
    assert!(sections.contains(&("my-own".into(), b"kept".to_vec())));
    let producers = sections.iter().find(|(name, _)| name == "producers").expect("it is there");
    assert!(String::from_utf8_lossy(&producers.1).contains("seepage"));
    assert_eq!(names.last(), Some(&"seepage"));
}

#[test]
fn the_linking_of_side_modules_stays_true() {
    let dylink = b"\x01\x04\x10\x02\x00\x00";
    let mut wasm = b"\0asm\x01\0\0\0".to_vec();
    wasm = with_custom(wasm, "dylink.0", dylink);
    wasm.extend(&wat::parse_str(format!("(module (memory 1) {MALLOC})")).unwrap()[8..]);
    let instrumented = instrument(&wasm, &Config::default()).unwrap();
    // It must stand first, and says how much memory and table the module wants: neither has changed.
    assert_eq!(customs(&instrumented.wasm)[0], ("dylink.0".into(), dylink.to_vec()));
}

#[test]
fn names_are_kept_and_the_added_functions_have_some() {
    let wasm = fs::read(program("c/leak_list.O2")).unwrap();
    let instrumented = instrument(&wasm, &Config::default()).unwrap();
    let names = |wasm: &[u8]| {
        let module = walrus::Module::from_buffer(wasm).unwrap();
        module.funcs.iter().filter_map(|function| function.name.clone()).collect::<Vec<_>>()
    };
    let (before, after) = (names(&wasm), names(&instrumented.wasm));
    assert!(before.iter().all(|name| after.contains(name)));
    assert!(after.iter().any(|name| name == "seepage:malloc"));
}

/// Lines come from the original's DWARF: every call on the way to the allocator has the line that
/// the compiler gave it, wherever the call has moved to.
#[test]
fn lines_are_the_originals() {
    let wasm = fs::read(program("c/truth.O0")).unwrap();
    let source = fs::read_to_string(program("c/truth.O0").with_file_name("truth.c")).unwrap();
    let lines: Vec<&str> = source.lines().collect();
    let table = instrument(&wasm, &Config::default()).unwrap().table;
    let mut checked = 0;
    for site in &table.sites {
        let frame = &table.frames(u32::MAX, Some(site.offset))[0];
        let (Some(file), Some(line)) = (&frame.file, frame.line) else { continue };
        if file.ends_with("truth.c") && frame.function.starts_with("by_") {
            let text = lines[line as usize - 1];
            assert!(
                ["alloc(", "memalign(", "by_"].iter().any(|it| text.contains(it)),
                "{line}: {text}"
            );
            checked += 1;
        }
    }
    assert!(checked >= 5, "only {checked} calls have lines");
}

#[test]
fn a_companion_lends_its_names() {
    let companion = fs::read(program("c/leak_list.O2")).unwrap();
    let stripped = stripped(&companion);
    assert_eq!(inspect(&stripped, &Config::default()).unwrap().module.named_functions, 0);
    let config = Config { companion: Some(companion), ..Config::default() };
    let instrumented = instrument(&stripped, &config).unwrap();
    let found = &instrumented.inspection.allocators;
    assert!(found.iter().any(|it| it.name == "malloc" && it.how.contains("name")));
    let frames = &instrumented.table.frames;
    assert!(frames.iter().any(|it| it.file.as_ref().is_some_and(|f| f.ends_with("leak_list.c"))));
    // Another link of the same source is another module.
    let other = fs::read(program("c/leak_list.O2.stripped")).unwrap();
    assert!(matches!(inspect(&other, &config), Err(Error::Companion(_))));
    let other = fs::read(program("c/truth.O2")).unwrap();
    let config = Config { companion: Some(other), ..Config::default() };
    assert!(matches!(inspect(&stripped, &config), Err(Error::Companion(_))));
}

#[test]
fn glue_tells_minified_exports_apart() {
    let text = format!(
        r#"(module (memory 1) {MALLOC}
        (export "k" (func $malloc)) (export "l" (func $free)))"#
    );
    let mut module = walrus::Module::from_buffer(&wat::parse_str(text).unwrap()).unwrap();
    module.funcs.iter_mut().for_each(|function| function.name = None);
    let wasm = module.emit_wasm();
    assert_eq!(inspect(&wasm, &Config::default()).unwrap().verdict, Certainty::Abstain);
    let glue = r#"var _malloc=wasmExports["k"],_free=wasmExports["l"];"#.to_string();
    let inspection = inspect(&wasm, &Config { glue: Some(glue), ..Config::default() }).unwrap();
    assert_eq!(inspection.verdict, Certainty::Confirmed);
    let roles: Vec<_> = inspection.allocators.iter().map(|it| it.role.name()).collect();
    assert_eq!(roles, ["malloc", "free"]);
}

#[test]
fn what_registers_for_embind_is_told() {
    let frames = |import: &str, glue: Option<&str>| {
        let text = format!(
            r#"(module (import "env" "{import}" (func $register (param i32))) (memory 1) {MALLOC}
            (func $bind (call $register (call $malloc (i32.const 4))))
            (func (export "run") (call $bind)))"#
        );
        let config = Config { glue: glue.map(Into::into), ..Config::default() };
        let instrumented = instrument(&wat::parse_str(text).unwrap(), &config).unwrap();
        let sites = instrumented.table.sites.iter();
        let frames = sites.map(|site| instrumented.table.frames(u32::MAX, Some(site.offset)));
        frames.map(|frames| frames[0].function.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(frames("_embind_register_class", None), ["bind (embind_register)", "run"]);
    assert_eq!(frames("_embind_finalize_class", None), ["bind", "run"]);
    assert_eq!(frames("h", None), ["bind", "run"]);
    let glue = "var wasmImports={g:_abort,h:__embind_register_class_function,i:_exit};";
    assert_eq!(frames("h", Some(glue)), ["bind (embind_register)", "run"]);
    assert_eq!(frames("g", Some(glue)), ["bind", "run"]);
}

/// Runs an instrumented module's `run` export and judges the trace.
fn run(wat: &str, link: impl FnOnce(&mut Store<()>, &mut Linker<()>)) -> seepage_analysis::Outcome {
    let wasm = wat::parse_str(wat).unwrap();
    let instrumented = instrument(&wasm, &Config::default()).unwrap();
    let engine = Engine::new(configure(&mut wasmtime::Config::new())).unwrap();
    let module = TracedModule::new(&engine, &instrumented.wasm).unwrap();
    let tracer = Tracer::new(Session::new(Default::default())).unwrap();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    link(&mut store, &mut linker);
    let instance = tracer.instantiate(&mut store, &linker, &module).unwrap();
    let run = instance.get_typed_func::<(), ()>(&mut store, "run").unwrap();
    let result = run.call(&mut store, ());
    tracer.finish(&mut store, &result).unwrap().sink.finish()
}

#[test]
fn addresses_of_64_bits() {
    let outcome = run(
        r#"(module (memory i64 1)
            (func $malloc (param i64) (result i64) (i64.add (i64.const 0x1_0000_0000) (local.get 0)))
            (func $free (param i64))
            (func (export "run")
                (drop (call $malloc (i64.const 0x2_0000_0008)))
                (call $free (call $malloc (i64.const 16)))))"#,
        |_, _| {},
    );
    let totals = outcome.profile.totals;
    assert_eq!((totals.live.blocks, totals.live.bytes), (1, 0x2_0000_0008));
    assert_eq!(totals.freed.bytes, 16);
}

/// `core` is no part of `realloc` alone: the host calls it too.
#[test]
fn what_a_reallocation_does_by_others_is_booked_once() {
    let wat = format!(
        r#"(module (memory 1) {MALLOC}
            (data (i32.const 8) "\\40\\00\\00\\00")
            (func $core (export "core") (param $block i32) (param $size i32) (result i32)
                (call $free (local.get $block))
                (call $malloc (local.get $size)))
            (func $realloc (param $block i32) (param $size i32) (result i32)
                (call $core (local.get $block) (local.get $size)))
            (func (export "run")
                (call $free (call $core
                    (call $realloc (call $malloc (i32.const 8)) (i32.const 12)) (i32.const 16)))
                (drop (call $realloc (call $malloc (i32.const 8)) (i32.const 12)))))"#
    );
    let outcome = run(&wat, |_, _| {});
    assert_eq!(outcome.heap_errors(), 0, "{:?}", outcome.reasons());
    let totals = outcome.profile.totals;
    assert_eq!((totals.live.blocks, totals.live.bytes), (1, 12));
}

#[test]
fn every_memory_of_several_is_watched() {
    let outcome = run(
        r#"(module (memory $a 1) (memory $b 2)
            (func (export "run")
                (drop (memory.grow $b (i32.const 3)))
                (drop (memory.grow $a (i32.const 1)))))"#,
        |_, _| {},
    );
    let grows: Vec<_> =
        outcome.profile.grows.iter().map(|it| (it.memory, it.from_pages, it.to_pages)).collect();
    assert_eq!(grows, [(1, 2, 5), (0, 1, 2)]);
}

#[test]
fn growth_by_the_host_is_seen() {
    let wat = format!(
        r#"(module (import "host" "memory" (memory 1)) (import "host" "grow" (func $grow)) {MALLOC}
            (data (i32.const 8) "\\40\\00\\00\\00")
            (func (export "run")
                (drop (call $malloc (i32.const 8)))
                (call $grow)
                (drop (call $malloc (i32.const 8)))))"#
    );
    let outcome = run(&wat, |store, linker| {
        let memory = Memory::new(&mut *store, MemoryType::new(1, None)).unwrap();
        linker.define(&*store, "host", "memory", memory).unwrap();
        let grow = move |mut caller: wasmtime::Caller<'_, ()>| {
            memory.grow(&mut caller, 4).unwrap();
        };
        linker.func_wrap("host", "grow", grow).unwrap();
    });
    let grow = &outcome.profile.grows[0];
    assert_eq!((grow.from_pages, grow.to_pages), (1, 5));
    assert!(matches!(grow.by, GrownBy::Host));
    assert_eq!(outcome.profile.totals.live.blocks, 2);
}

#[test]
fn what_cannot_be_rewritten_is_inspected_all_the_same() {
    let wasm = wat::parse_str("(module (memory 1 2 shared) (func (export \"malloc\") (param i32) (result i32) i32.const 64))").unwrap();
    assert!(matches!(instrument(&wasm, &Config::default()), Err(Error::Unsupported { .. })));
    let inspection = inspect(&wasm, &Config::default()).unwrap();
    assert!(inspection.blind_spots[0].contains("shared memory"), "{:?}", inspection.blind_spots);
}
