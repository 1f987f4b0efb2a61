//! The probe on an allocator of this test's own, whose functions are right or wrong in one thing; and
//! what a module may do that is probed: it has no host, and bounds itself.

use seepage_instrumenter::{
    Config,
    probe::{self, Engine, sandbox},
};
use seepage_probe::{
    Meaning::{self, *},
    Probed, Reading, Service, Suspect, Suspects, engine,
};
use seepage_runtime::Wasmtime;
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
    time::Instant,
};
use wasmparser::{ExternalKind, Parser, Payload};
use wasmtime::{Val, ValType};

/// No import grows the memory.
const NONE: BTreeSet<u32> = BTreeSet::new();

/// Blocks of powers of two with eight bytes before them, in a list for each size; what was moved to
/// be aligned has a zero before it, and where it was.
const HEAP: &str = r#"(module
    (memory (export "memory") 2)
    (global $top (mut i32) (i32.const 65536))
    (func $head (param $class i32) (result i32)
        (i32.add (i32.const 1024) (i32.shl (local.get $class) (i32.const 2))))
    (func $room (param $block i32) (result i32)
        (i32.sub (i32.shl (i32.const 1) (i32.load (i32.sub (local.get $block) (i32.const 8))))
            (i32.const 8)))
    (func $malloc (export "malloc") (param $size i32) (result i32)
        (local $class i32) (local $base i32)
        (local.set $class (i32.sub (i32.const 32)
            (i32.clz (i32.or (i32.const 8) (i32.add (local.get $size) (i32.const 7))))))
        (local.set $base (i32.load (call $head (local.get $class))))
        (if (local.get $base)
            (then (i32.store (call $head (local.get $class))
                (i32.load offset=8 (local.get $base))))
            (else
                (local.set $base (global.get $top))
                (global.set $top (i32.add (global.get $top)
                    (i32.shl (i32.const 1) (local.get $class))))
                (loop $more
                    (if (i32.gt_u (global.get $top) (i32.shl (memory.size) (i32.const 16)))
                        (then
                            (if (i32.eq (memory.grow (i32.const 4)) (i32.const -1))
                                (then (return (i32.const 0))))
                            (br $more))))))
        (i32.store (local.get $base) (local.get $class))
        (i32.add (local.get $base) (i32.const 8)))
    (func $free (export "free") (param $block i32) (local $class i32)
        (if (i32.eqz (i32.load (i32.sub (local.get $block) (i32.const 8))))
            (then (local.set $block (i32.load (i32.sub (local.get $block) (i32.const 4))))))
        (local.set $class (i32.load (i32.sub (local.get $block) (i32.const 8))))
        (i32.store (local.get $block) (i32.load (call $head (local.get $class))))
        (i32.store (call $head (local.get $class)) (i32.sub (local.get $block) (i32.const 8))))
    (func $move (param $block i32) (param $kept i32) (param $size i32) (result i32)
        (local $other i32)
        (local.set $other (call $malloc (local.get $size)))
        (memory.copy (local.get $other) (local.get $block) (local.get $kept))
        (local.get $other))
    (func $realloc (export "realloc") (param $block i32) (param $size i32) (result i32)
        (local $other i32)
        (if (i32.ge_u (call $room (local.get $block)) (local.get $size))
            (then (return (local.get $block))))
        (local.set $other
            (call $move (local.get $block) (call $room (local.get $block)) (local.get $size)))
        (call $free (local.get $block))
        (local.get $other))
    (func (export "rust_realloc") (param $block i32) (param $old i32) (param i32) (param $size i32)
        (result i32)
        (call $realloc (local.get $block) (local.get $size)))
    (func $resize (export "resize") (param $block i32) (param $size i32) (result i32)
        (i32.ge_u (call $room (local.get $block)) (local.get $size)))
    (func (export "remap") (param $block i32) (param $size i32) (result i32)
        (select (local.get $block) (i32.const 0)
            (call $resize (local.get $block) (local.get $size))))
    (func $calloc (export "calloc") (param $count i32) (param $size i32) (result i32)
        (local $block i32)
        (local.set $size (i32.mul (local.get $count) (local.get $size)))
        (local.set $block (call $malloc (local.get $size)))
        (memory.fill (local.get $block) (i32.const 0) (local.get $size))
        (local.get $block))
    (func $memalign (export "memalign") (param $align i32) (param $size i32) (result i32)
        (local $block i32) (local $at i32)
        (if (i32.le_u (local.get $align) (i32.const 8))
            (then (return (call $malloc (local.get $size)))))
        (local.set $block (call $malloc
            (i32.add (i32.add (local.get $size) (local.get $align)) (i32.const 8))))
        (local.set $at (i32.and (i32.sub (i32.const 0) (local.get $align))
            (i32.add (local.get $block) (i32.add (local.get $align) (i32.const 7)))))
        (i32.store (i32.sub (local.get $at) (i32.const 8)) (i32.const 0))
        (i32.store (i32.sub (local.get $at) (i32.const 4)) (local.get $block))
        (local.get $at))

    (func (export "keeps the old block") (param $block i32) (param $size i32) (result i32)
        (call $move (local.get $block) (call $room (local.get $block)) (local.get $size)))
    (func (export "keeps a part") (param $block i32) (param $size i32) (result i32)
        (local $other i32)
        (local.set $other (call $move (local.get $block) (i32.const 4) (local.get $size)))
        (call $free (local.get $block))
        (local.get $other))
    (func (export "doubles") (param $block i32) (param $size i32) (result i32)
        (if (i32.ge_u (call $room (local.get $block)) (local.get $size))
            (then (return (local.get $block))))
        (call $realloc (local.get $block) (i32.mul (local.get $size) (i32.const 2))))
    (func (export "stays") (param $block i32) (param $size i32) (result i32) (local.get $block))
    (func (export "says yes") (param $block i32) (param $size i32) (result i32) (i32.const 1))
    (func (export "says no") (param $block i32) (param $size i32) (result i32) (i32.const 0))
    (func (export "leaves what was there") (param $count i32) (param $size i32) (result i32)
        (call $malloc (i32.mul (local.get $count) (local.get $size))))
    (func (export "adds a header") (param $count i32) (param $size i32) (result i32)
        (i32.add (i32.const 8) (call $calloc (i32.const 1) (i32.add (i32.const 8)
            (i32.mul (local.get $count) (local.get $size))))))
    (func (export "adds a trailer") (param $count i32) (param $size i32) (result i32)
        (call $calloc (i32.const 1) (i32.add (i32.const 24)
            (i32.mul (local.get $count) (local.get $size)))))
    (func (export "aligns a little") (param $align i32) (param $size i32) (result i32)
        (call $memalign (i32.and (local.get $align) (i32.const 240)) (local.get $size)))
    (func (export "aligns and adds") (param $align i32) (param $size i32) (result i32)
        (call $memalign (local.get $align) (i32.mul (local.get $size) (i32.const 2))))
    (func (export "never ends") (param i32 i32) (result i32) (loop $again (br $again)) unreachable))"#;

/// The functions of a module by their exports.
fn exports(wasm: &[u8]) -> BTreeMap<String, u32> {
    let mut exports = BTreeMap::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::ExportSection(section) = payload.expect("the module is read") else {
            continue;
        };
        for export in section {
            let export = export.expect("the export is read");
            if export.kind == ExternalKind::Func {
                exports.insert(export.name.to_owned(), export.index);
            }
        }
    }
    exports
}

/// What of a function of two parameters passes, of all that it could be.
fn others(tried: &[(&str, Service, &[Meaning])]) -> Probed {
    let wasm = wat::parse_str(HEAP).expect("the text is a module");
    let exports = exports(&wasm);
    let suspect = |name: &str, service, parameters: &[Meaning]| Suspect {
        export: exports.get(name).map_or(name.to_owned(), |&index| engine::export(index)),
        readings: vec![Reading { service, parameters: parameters.to_vec() }],
    };
    let suspects = Suspects {
        malloc: suspect("malloc", Service::Allocate, &[Size]),
        frees: vec![suspect("free", Service::Free, &[Pointer])],
        others: tried.iter().map(|&(name, service, list)| suspect(name, service, list)).collect(),
    };
    let wasm =
        sandbox(&wasm, &exports.into_values().collect(), &NONE).expect("it can be rewritten");
    let mut engine = Wasmtime::default();
    engine.compile(&wasm).expect("it compiles");
    let probed = seepage_probe::run(&mut engine, &suspects).expect("the module can be probed");
    assert_eq!((probed.malloc, probed.free), (Some(0), Some((0, 0))), "{:?}", probed.checks);
    probed
}

#[test]
fn what_serves_passes() {
    let all: &[(&str, Service, &[Meaning])] = &[
        ("realloc", Service::Resize, &[Pointer, Size]),
        ("rust_realloc", Service::Resize, &[Pointer, OldSize, Align, Size]),
        ("resize", Service::ResizeInPlace, &[Pointer, Size]),
        ("remap", Service::ResizeOrRefuse, &[Pointer, Size]),
        ("calloc", Service::AllocateZeroed, &[Count, Size]),
        ("memalign", Service::AllocateAligned, &[Align, Size]),
    ];
    let probed = others(all);
    let passed: Vec<_> = probed.others.iter().map(|&(index, _)| all[index].0).collect();
    assert_eq!(passed.len(), all.len(), "{passed:?} {:#?}", probed.checks);
    assert!(probed.checks.iter().all(|check| check.passed && check.export.is_some()));
}

#[test]
fn what_only_looks_alike_does_not() {
    let resize: &[Meaning] = &[Pointer, Size];
    let wrong: &[(&str, Service, &[Meaning])] = &[
        ("keeps the old block", Service::Resize, resize),
        ("keeps a part", Service::Resize, resize),
        ("doubles", Service::Resize, resize),
        ("stays", Service::Resize, resize),
        ("stays", Service::ResizeOrRefuse, resize),
        ("malloc", Service::Resize, &[Size]),
        ("remap", Service::Resize, resize),
        ("resize", Service::ResizeOrRefuse, resize),
        ("realloc", Service::ResizeInPlace, resize),
        ("says yes", Service::ResizeInPlace, resize),
        ("says no", Service::ResizeInPlace, resize),
        ("says no", Service::ResizeOrRefuse, resize),
        ("leaves what was there", Service::AllocateZeroed, &[Count, Size]),
        ("adds a header", Service::AllocateZeroed, &[Count, Size]),
        ("adds a trailer", Service::AllocateZeroed, &[Count, Size]),
        ("memalign", Service::AllocateZeroed, &[Count, Size]),
        ("calloc", Service::AllocateAligned, &[Align, Size]),
        ("aligns a little", Service::AllocateAligned, &[Align, Size]),
        ("memalign", Service::AllocateAligned, &[Size, Align]),
        ("aligns and adds", Service::AllocateAligned, &[Align, Size]),
        ("never ends", Service::Resize, resize),
        ("never ends", Service::AllocateZeroed, &[Count, Size]),
        ("no such export", Service::Resize, resize),
    ];
    let probed = others(wrong);
    let passed: Vec<_> = probed.others.iter().map(|&(index, _)| wrong[index]).collect();
    assert!(passed.is_empty(), "{passed:?} {:#?}", probed.checks);
}

/// All functions together have so much time and no more.
#[test]
fn what_never_ends_costs_little() {
    let endless: [(&str, Service, &[Meaning]); 40] =
        [("never ends", Service::Resize, &[Pointer, Size]); 40];
    let began = Instant::now();
    let probed = others(&endless);
    assert!(probed.others.is_empty());
    let last = probed.checks.last().expect("there are checks");
    assert!(!last.passed && last.detail.contains("not tried"), "{last:?}");
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

/// A sandboxed module, of whose function at an index one instance is to be called.
fn instance(wat: &str, function: u32, grow_imports: &BTreeSet<u32>) -> Box<dyn probe::Instance> {
    let wasm = wat::parse_str(wat).expect("the text is a module");
    let wasm = sandbox(&wasm, &[function].into(), grow_imports).expect("it can be rewritten");
    let imports = Parser::new(0)
        .parse_all(&wasm)
        .any(|payload| matches!(payload.expect("the module is read"), Payload::ImportSection(_)));
    assert!(!imports, "it needs no host");
    let mut engine = Wasmtime::default();
    engine.compile(&wasm).expect("it compiles");
    let mut instance = engine.instantiate().expect("it has an instance");
    instance.set_fuel(100_000_000);
    instance
}

/// Imports of every kind, and a start that traps: nothing of it keeps a function from being called.
#[test]
fn no_host_is_needed() {
    let module = r#"(module
        (import "env" "number" (func $number (param f64) (result i32)))
        (import "env" "two" (func $two (result i64 externref)))
        (import "env" "base" (global $base i32))
        (import "env" "memory" (memory 1 1))
        (import "env" "table" (table $table 4 funcref))
        (import "env" "tag" (tag (param i32)))
        (global $derived i32 (global.get $base))
        (data (global.get $base) "\2a")
        (elem (global.get $base) func $start)
        (func $start unreachable)
        (start $start)
        (func (param i32 f32 i64) (result i32)
            (drop (call $two)) (drop)
            (i32.add (i32.add (local.get 0) (i32.wrap_i64 (local.get 2)))
                (i32.add (i32.add (call $number (f64.const 1)) (global.get $derived))
                    (i32.load8_u (i32.const 0))))))"#;
    let mut instance = instance(module, 3, &NONE);
    assert_eq!(instance.call(&engine::export(3), &[1 << 32 | 3, 9, 5]), Ok(3 + 5 + 42));
    assert!(instance.call(&engine::export(2), &[]).is_err(), "it was not asked for");
    let mut bytes = [1; 2];
    assert!(instance.read(0, &mut bytes));
    assert_eq!(bytes, [42, 0]);
    assert!(instance.write(65535, &[7]) && !instance.write(65535, &[7, 7]));
    assert!(!instance.read(u64::MAX, &mut bytes));
}

/// An import that asks for a memory of so many bytes gets it, up to the bound.
#[test]
fn growth_by_a_host() {
    let module = r#"(module
        (import "env" "grow" (func $grow (param i32) (result i32)))
        (memory 2)
        (func (param i32) (result i32) (call $grow (local.get 0))))"#;
    let mut instance = instance(module, 1, &[0].into());
    let mut grow = |bytes: u64| instance.call(&engine::export(1), &[bytes]).map(|it| it != 0);
    assert_eq!(grow(3 * 65536 + 1), Ok(true));
    assert_eq!(grow(300 << 20), Ok(false));
    assert_eq!(instance.size(), 4 * 65536);
}

/// Whatever never ends is stopped, soon and at the same place each time.
#[test]
fn work_is_bounded() {
    let endless = [
        "(loop $again (br $again))",
        "(loop $again (block (br $again)))",
        "(loop $again (br_if $again (i32.eqz (memory.grow (i32.const 0)))) (br $again))",
        "(loop $again (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536)) (br $again))",
        "(loop $again (memory.copy (i32.const 0) (i32.const 9) (i32.const 65000)) (br $again))",
        "(loop $again (table.fill $table (i32.const 0) (ref.null func) (i32.const 1000)) (br $again))",
        "(call $other)",
        "(return_call $other)",
        "(try_table (catch_all 0) (loop $again (br $again)))",
    ];
    for body in endless {
        let module = format!(
            "(module (memory 1) (table $table 1000 funcref)
                (func $other (if (i32.eqz (global.get $left)) (then (loop $l (br $l))))
                    (global.set $left (i32.sub (global.get $left) (i32.const 1)))
                    (call $self))
                (global $left (mut i32) (i32.const 5000))
                (func $self {body}))"
        );
        let began = Instant::now();
        let left: Vec<i64> = (0..2)
            .map(|_| {
                let mut instance = instance(&module, 1, &NONE);
                instance.call(&engine::export(1), &[]).expect_err("it is stopped");
                assert!(instance.call(&engine::export(1), &[]).is_err(), "and stays so");
                instance.fuel()
            })
            .collect();
        assert!(left[0] < 0 && left[0] == left[1], "{body}: {left:?}");
        assert!(began.elapsed().as_secs() < 20, "{body}: {:?}", began.elapsed());
    }
}

/// A probe that cannot be made says why, and a looping candidate is no allocator.
#[test]
fn what_cannot_be_tried() {
    let told = |memory: u32, take: &str| {
        let module = format!(
            r#"(module (memory {memory})
            (func $take (param $size i32) (result i32) {take})
            (func $give (param $block i32)
                (i32.store (local.get $block) (i32.load (i32.const 1040)))
                (i32.store (i32.const 1040) (local.get $block)))
            (func (export "run") (call $give (call $take (i32.const 40)))))"#
        );
        let wasm = wat::parse_str(module).expect("the text is a module");
        let probed = probe::inspect(&wasm, &Config::default(), &mut Wasmtime::default());
        let (inspection, probing) = probed.expect("it can be inspected");
        assert!(inspection.allocators.is_empty());
        probing
    };
    let take = "(if (i32.load (i32.const 1040)) (then (i32.store (i32.const 1040) (i32.const 0))))
        (i32.shl (memory.grow (local.get $size)) (i32.const 16))";
    let huge = told(5000, take);
    assert_eq!((huge.outcome(), huge.checks().len()), ("could not run", 0), "{huge:?}");
    let endless = told(1, &format!("(loop $again (br $again)) {take}"));
    assert_eq!(endless.outcome(), "failed", "{endless:?}");
    let last = endless.checks().last().expect("there is a check");
    assert!(last.check.detail.contains("too long"), "{last:?}");
}

/// What is probed answers as the original does, whatever it is made of.
#[test]
fn generated_modules_answer_alike() {
    let (mut calls, mut compared) = (0, 0);
    for seed in 0..250u64 {
        let Some(wasm) = generated(seed) else { continue };
        let functions: Vec<(u32, Vec<ValType>, Vec<ValType>)> = {
            let module = wasmtime::Module::new(&wasmtime::Engine::default(), &wasm);
            let Ok(module) = module else { continue };
            let exports = exports(&wasm);
            let ty = |name: &str| module.get_export(name).and_then(|ty| ty.func().cloned());
            let functions = exports.into_iter().filter_map(|(name, index)| {
                let ty = ty(&name)?;
                Some((index, ty.params().collect(), ty.results().collect()))
            });
            functions.collect()
        };
        let is_number = |ty: &ValType| ty.is_i32() || ty.is_i64() || ty.is_f32() || ty.is_f64();
        let sandboxed = sandbox(&wasm, &functions.iter().map(|it| it.0).collect(), &NONE);
        let mut engine = Wasmtime::default();
        engine.compile(&sandboxed.expect("it can be rewritten")).expect("and compiles");
        let original = wasmtime::Module::new(&wasmtime::Engine::default(), &wasm);
        let original = original.expect("it compiles");
        let mut store = wasmtime::Store::new(original.engine(), ());
        let own = wasmtime::Instance::new(&mut store, &original, &[]);
        let (Ok(own), Ok(mut copy)) = (own, engine.instantiate()) else { continue };
        copy.set_fuel(i64::MAX);
        compared += 1;
        let names: BTreeMap<u32, String> =
            exports(&wasm).into_iter().map(|(name, index)| (index, name)).collect();
        for (index, parameters, results) in &functions {
            if !parameters.iter().all(is_number) {
                continue;
            }
            let passed: Vec<u64> = (0..parameters.len() as u64).map(|it| it * 77 + seed).collect();
            let function = own.get_func(&mut store, &names[index]).expect("it is exported");
            let values = passed.iter().zip(parameters).map(|(&value, ty)| match ty {
                ValType::I32 => Val::I32(value as i32),
                ValType::I64 => Val::I64(value as i64),
                ValType::F32 => Val::F32(0),
                _ => Val::F64(0),
            });
            let values: Vec<Val> = values.collect();
            let mut answers = vec![Val::I32(0); results.len()];
            let answer = function.call(&mut store, &values, &mut answers).ok().map(|()| {
                match answers.first() {
                    Some(Val::I32(answer)) => u64::from(*answer as u32),
                    Some(Val::I64(answer)) => *answer as u64,
                    // What is no integer is not told.
                    _ => 0,
                }
            });
            let other = copy.call(&engine::export(*index), &passed).ok();
            assert_eq!(other, answer, "seed {seed}, function {index}");
            calls += 1;
        }
    }
    assert!(compared >= 200 && calls >= 300, "{calls} calls in {compared} modules");
}

/// A module without imports or a start, whose loops end.
fn generated(seed: u64) -> Option<Vec<u8>> {
    let mut state = seed.wrapping_add(1);
    let bytes: Vec<u8> = (0..2048)
        .map(|_| {
            state =
                state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(0x1405_7b7e_f767_814f);
            (state >> 56) as u8
        })
        .collect();
    let shape = wasm_smith::Config {
        max_imports: 0,
        min_funcs: 4,
        export_everything: true,
        max_memory32_bytes: 16 * 65536,
        max_memory64_bytes: 16 * 65536,
        memory_max_size_required: true,
        max_table_elements: 1000,
        table_max_size_required: true,
        threads_enabled: false,
        custom_descriptors_enabled: false,
        wide_arithmetic_enabled: false,
        allow_start_export: false,
        ..wasm_smith::Config::default()
    };
    let module = wasm_smith::Module::new(shape, &mut arbitrary::Unstructured::new(&bytes));
    let mut module = module.ok()?;
    module.ensure_termination(100).ok()?;
    Some(module.to_bytes())
}

/// The guests of the npm package's tests are what their sources say; `UPDATE_EXPECT=1` builds them.
#[test]
fn guests_of_the_npm_package() {
    for name in ["host", "endless"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("js/test/fixtures/probe").join(name);
        let built = wat::parse_file(path.with_extension("wat")).expect("the text is a module");
        let path = path.with_extension("wasm");
        if env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&path, &built).expect("it can be written");
        }
        let is_built = fs::read(&path).expect("it is there") == built;
        assert!(is_built, "{name}: set UPDATE_EXPECT=1 to build it");
    }
}
