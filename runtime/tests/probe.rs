//! The probe on an allocator of this test's own, whose functions are right or wrong in one thing.

use seepage_runtime::probe::{
    Argument::{self, *},
    Probe, Probed, Reading, Service, Suspect, Suspects,
};

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

fn reading(service: Service, arguments: &[Argument]) -> Reading {
    Reading { service, arguments: arguments.to_vec() }
}

/// What of a function of two parameters passes, of all that it could be.
fn others(exports: &[(&str, Service, &[Argument])]) -> Probed {
    let suspect = |export: &str, service, arguments: &[Argument]| Suspect {
        export: export.into(),
        readings: vec![reading(service, arguments)],
    };
    let suspects = Suspects {
        malloc: suspect("malloc", Service::Allocate, &[Size]),
        frees: vec![suspect("free", Service::Free, &[Pointer])],
        others: exports
            .iter()
            .map(|&(export, service, list)| suspect(export, service, list))
            .collect(),
    };
    let probe = Probe {
        wasm: wat::parse_str(HEAP).expect("the text is a module"),
        memory: "memory".into(),
        grow_imports: Vec::new(),
    };
    let probed = probe.run(&suspects).expect("the module can be probed");
    assert_eq!((probed.malloc, probed.free), (Some(0), Some((0, 0))), "{:?}", probed.checks);
    probed
}

#[test]
fn what_serves_passes() {
    let all: &[(&str, Service, &[Argument])] = &[
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
    let resize: &[Argument] = &[Pointer, Size];
    let wrong: &[(&str, Service, &[Argument])] = &[
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
    let endless: [(&str, Service, &[Argument]); 40] =
        [("never ends", Service::Resize, &[Pointer, Size]); 40];
    let began = std::time::Instant::now();
    let probed = others(&endless);
    assert!(probed.others.is_empty());
    let last = probed.checks.last().expect("there are checks");
    assert!(!last.passed && last.detail.contains("not tried"), "{last:?}");
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}
