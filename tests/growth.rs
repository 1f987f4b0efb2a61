//! What the memory grew for, and what was free when it did, of programs that were written for one
//! answer each: a leak alone, fragmentation alone, both, a peak that is over, a cache.

mod support;

use seepage_analysis::{Grow, Session};
use seepage_instrumenter::{Config, TransportKind, instrument};
use seepage_runtime::{TracedModule, Tracer, configure};
use serde_json::Value;
use support::{Ran, program, report};
use wasmtime::{Caller, Engine, Extern, Instance, Linker, Module, Store};

const PAGE: u64 = 65_536;
const VARIANTS: [&str; 4] = ["O0", "O2", "O0.stripped", "O2.stripped"];

/// Runs a scenario in each variant.
fn each(name: &str, scenario: &str, check: impl Fn(&Ran)) {
    for variant in VARIANTS {
        let module = program(&format!("kinds/{name}.{variant}"));
        let ran = report("run", &[], &module, &[scenario]);
        check(&ran);
    }
}

fn shares<'a>(ran: &'a Ran, what: &'a str) -> impl Iterator<Item = &'a Value> {
    ran.list("/memory/growth_shares").iter().filter(move |share| share["what"] == what)
}

fn bytes(ran: &Ran, what: &str) -> u64 {
    shares(ran, what).filter_map(|share| share["bytes"].as_u64()).sum()
}

fn grown(ran: &Ran) -> u64 {
    ran.number("/memory/growth/bytes")
}

/// The finding that the largest share of a kind points to.
fn finding<'a>(ran: &'a Ran, what: &'a str) -> &'a Value {
    let index = shares(ran, what).next().and_then(|share| share["finding"].as_u64());
    &ran.report["findings"][index.expect("it points to a finding") as usize]
}

#[test]
fn a_leak_alone() {
    each("c/memory", "leak", |ran| {
        // 2,000 blocks of 1,000 bytes, which take 1,008; a few were there before the first growth.
        let lost = bytes(ran, "lost");
        assert!((2_000 * 1_008 - PAGE..=2_000 * 1_008).contains(&lost), "{lost}");
        assert!(grown(ran) - lost < PAGE, "the rest is not used yet");
        assert_eq!((bytes(ran, "fragmentation"), bytes(ran, "unexplained")), (0, 0));
        assert_eq!(finding(ran, "lost")["kind"], "leak");
        let frames = shares(ran, "lost").map(|share| &share["frames"]);
        assert!(frames.eq([&finding(ran, "lost")["frames"]]));
    });
}

#[test]
fn fragmentation_alone() {
    each("c/memory", "fragmented", |ran| {
        assert_eq!(bytes(ran, "fragmentation"), ran.number("/memory/growth/fragmentation"));
        assert!(bytes(ran, "fragmentation") * 2 > grown(ran));
        assert_eq!((bytes(ran, "lost"), bytes(ran, "unexplained")), (0, 0));
        let grows = ran.list("/memory/grows");
        let fragmented = || grows.iter().filter(|grow| grow["cause"] == "fragmentation");
        assert!(fragmented().count() > 20);
        for grow in fragmented() {
            let of = |name: &str| grow["free"][name].as_u64().expect("a number");
            let request = grow["request"].as_u64().expect("the allocator was asked");
            // Enough, and in no piece. 1,200 holes were made before the first of these.
            assert!(of("bytes") > request && of("largest") < request, "{grow:#}");
            assert!((1_100..2_100).contains(&of("runs")), "{grow:#}");
        }
        for grow in grows.iter().filter(|grow| grow["cause"] == "demand") {
            let free = grow["free"]["bytes"].as_u64().unwrap_or(0);
            assert!(free < 2 * grow["request"].as_u64().expect("a request"), "{grow:#}");
        }
    });
}

/// The only pin of a run in which the memory is fragmented.
fn pin(ran: &Ran) -> &Value {
    let finding = finding(ran, "fragmentation");
    assert_eq!(finding["kind"], "fragmentation");
    let found = &ran.report["memory"]["fragmentation"];
    let mut grows = ran.list("/memory/grows").iter();
    let last = grows.rfind(|grow| grow["cause"] == "fragmentation").expect("it grew so");
    assert_eq!(found["wanted"], last["request"]);
    assert!(found["largest"].as_u64() < found["wanted"].as_u64());
    let pins = found["pins"].as_array().expect("a list");
    let whole = found["bytes"].as_u64().expect("a number");
    let pin = &pins[0];
    assert!(pin["bytes"].as_u64().expect("a number") * 100 > whole * 99, "{pins:#?}");
    assert_eq!(finding["frames"], pin["frames"], "who keeps the pieces apart");
    pin
}

#[test]
fn what_keeps_the_pieces_apart() {
    each("c/memory", "fragmented", |ran| {
        assert_eq!(ran.report["verdict"]["kind"], "clean");
        let pin = pin(ran);
        // The 2,070 blocks that shrank, but for where a larger hole is of use.
        assert_eq!(pin["what"], "held");
        let blocks = pin["blocks"].as_u64().expect("a number");
        assert!((2_060..=2_070).contains(&blocks), "{pin:#}");
        assert_eq!(pin["block_bytes"], blocks * 16);
    });
    each("c/memory", "leak_between", |ran| {
        assert_eq!(ran.report["verdict"]["kind"], "leak");
        let pin = pin(ran);
        assert_eq!(pin["what"], "lost");
        assert_eq!(pin["frames"], finding(ran, "lost")["frames"], "the leak is to blame");
        assert_eq!((&pin["blocks"], &pin["block_bytes"]), (&400.into(), &6_400.into()));
        let askers = &finding(ran, "fragmentation")["related"];
        let asker = shares(ran, "fragmentation").map(|share| &share["frames"]).next();
        assert_eq!(askers.as_array().and_then(|list| list.first()), asker);
    });
}

#[test]
fn a_leak_and_fragmentation() {
    each("c/memory", "leak_and_fragmented", |ran| {
        let (lost, all) = (bytes(ran, "lost"), 600 * 1_008);
        assert!((all - PAGE..=all).contains(&lost), "{lost}");
        assert_eq!(bytes(ran, "fragmentation"), ran.number("/memory/growth/fragmentation"));
        assert!(bytes(ran, "fragmentation") > 20 * PAGE);
    });
}

#[test]
fn a_peak_that_is_over() {
    each("c/memory", "peak", |ran| {
        assert!(bytes(ran, "free") * 100 >= grown(ran) * 99);
        assert_eq!((bytes(ran, "lost"), bytes(ran, "held")), (0, 0));
        let frames = shares(ran, "free").next().and_then(|share| share["frames"].as_array());
        assert!(frames.is_some_and(|frames| !frames.is_empty()), "who asked for it is told");
    });
}

#[test]
fn a_cache_that_is_full() {
    each("c/memory", "cache", |ran| {
        let (held, all) = (bytes(ran, "held"), 500 * 808);
        assert!((all - PAGE..=all).contains(&held), "{held}");
        assert_eq!((bytes(ran, "lost"), bytes(ran, "fragmentation")), (0, 0));
    });
}

#[test]
fn growth_by_the_program_itself() {
    each("c/memory", "direct_and_demand", |ran| {
        assert_eq!(bytes(ran, "direct"), 8 * PAGE);
        // Between the blocks are pieces that are too small for the next, and after some of them enough.
        assert!(bytes(ran, "held") > 4 * 100_000);
        assert!(bytes(ran, "fragmentation") > 0);
        let direct = ran.list("/memory/grows").iter().filter(|grow| grow["cause"] == "direct");
        assert!(
            direct.clone().count() == 8 && direct.clone().all(|grow| grow["request"].is_null())
        );
    });
}

#[test]
fn a_container_without_a_bound() {
    each("c/containers", "list_forever", |ran| {
        assert!(bytes(ran, "container") > 0, "{:#?}", ran.list("/memory/growth_shares"));
        let finding = finding(ran, "container");
        assert_eq!(finding["analysis"], "containers");
        // 28 bytes for each three events.
        let rate = &finding["rate"];
        assert_eq!(rate["operation"], "1000-events");
        let each = rate["bytes_per_operation"].as_u64().expect("a number");
        assert!(each.abs_diff(28_000 / 3) < 28_000 / 3 / 50, "{rate}");
    });
}

/// An allocator as Emscripten's: it asks the host for what is missing, by an import that IMPORT
/// stands for.
const ASKS: &str = r#"(module
    (import IMPORT (func $ask (param i32) (result i32)))
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 1024))
    (func $sbrk (param $size i32) (result i32)
        (if (i32.gt_u (i32.add (global.get $top) (local.get $size))
                (i32.shl (memory.size) (i32.const 16)))
            (then (if (i32.eqz (call $ask (i32.add (global.get $top) (local.get $size))))
                (then (return (i32.const 0))))))
        (global.get $top)
        (global.set $top (i32.add (global.get $top) (local.get $size))))
    (func $malloc (param i32) (result i32)
        (call $sbrk (i32.and (i32.add (local.get 0) (i32.const 23)) (i32.const -16))))
    (func $free (param i32))
    (func $keep (param i32) (result i32) (call $malloc (local.get 0)))
    (func $first (export "first") (param i32) (result i32) (call $keep (local.get 0)))
    (func $second (export "second") (param i32) (result i32) (call $keep (local.get 0)))
    (func (export "pages") (result i32) (memory.size))
)"#;

/// What the host does that is asked: as Emscripten's JavaScript, with a limit of 40 pages.
fn resize(mut caller: Caller<'_, ()>, bytes: i32) -> i32 {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else { return 0 };
    let wanted = u64::from(bytes as u32).div_ceil(PAGE);
    let missing = wanted.saturating_sub(memory.size(&caller));
    i32::from(wanted <= 40 && memory.grow(&mut caller, missing).is_ok())
}

const CALLS: [(&str, i32); 6] = [
    ("first", 100),
    ("first", 300_000),
    ("second", 500_000),
    ("first", 4_000_000),
    ("second", 8),
    ("first", 70_000),
];

fn linker(engine: &Engine) -> Linker<()> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("env", "emscripten_resize_heap", resize).expect("it is new");
    linker.func_wrap("a", "b", resize).expect("it is new");
    linker
}

fn answers(store: &mut Store<()>, instance: Instance) -> Vec<i32> {
    let mut call = |name: &str, argument: i32| {
        let function = instance.get_typed_func::<i32, i32>(&mut *store, name).expect("an export");
        function.call(&mut *store, argument).expect("it returns")
    };
    let mut answers: Vec<i32> = CALLS.into_iter().map(|(name, size)| call(name, size)).collect();
    let pages = instance.get_typed_func::<(), i32>(&mut *store, "pages").expect("an export");
    answers.push(pages.call(store, ()).expect("it returns"));
    answers
}

#[test]
fn growth_that_the_host_is_asked_for() {
    for import in [r#""env" "emscripten_resize_heap""#, r#""a" "b""#] {
        for transport in [TransportKind::Ring, TransportKind::Call] {
            let wasm = wat::parse_str(ASKS.replace("IMPORT", import));
            let wasm = wasm.expect("it is well-formed");
            let engine = Engine::default();
            let mut store = Store::new(&engine, ());
            let module = Module::new(&engine, &wasm).expect("it compiles");
            let plain = linker(&engine).instantiate(&mut store, &module).expect("an instance");
            let plain = answers(&mut store, plain);

            let instrumented = instrument(&wasm, &Config { transport, ..Config::default() });
            let instrumented = instrumented.expect("it is instrumented");
            let mut settings = wasmtime::Config::new();
            let engine = Engine::new(configure(&mut settings)).expect("an engine");
            let module = TracedModule::new(&engine, &instrumented.wasm).expect("it compiles");
            let tracer = Tracer::new(Session::new(Default::default())).expect("a thread");
            let mut store = Store::new(&engine, ());
            let instance = tracer.instantiate(&mut store, &linker(&engine), &module);
            let instance = instance.expect("an instance");
            assert_eq!(answers(&mut store, instance), plain);
            let outcome = tracer.finish(&mut store, &Ok(())).expect("it ends").sink.finish();

            let profile = &outcome.profile;
            let growth = &profile.growth;
            assert_eq!((growth.unexplained, growth.direct), (0, 0));
            let pages = profile.memories[0].final_pages - 1;
            assert_eq!((plain[6] as u64, growth.total()), (pages + 1, pages * PAGE));
            let shares: u64 = profile.growth_shares.iter().map(|share| share.bytes).sum();
            assert_eq!(shares, growth.total());
            let who = |grow: &Grow| {
                let context = outcome.context(grow.stack.expect("the guest's own"));
                let frames = &context.expect("it is known").frames;
                frames.iter().map(|frame| &*frame.function).collect::<Vec<_>>().join(" < ")
            };
            let told: Vec<_> = profile.grows.iter().map(|it| (who(it), it.refused)).collect();
            let by = |name: &str| format!("sbrk < malloc < keep < {name}");
            let expected = [
                (by("first"), false),
                (by("second"), false),
                (by("first"), true),
                (by("first"), false),
            ];
            assert_eq!(told, expected);
            assert_eq!(profile.grows[0].request, Some(300_000));
        }
    }
}
