//! Tracing in a host of one's own: another linker, another store, several instances.

mod support;

use seepage_runtime::{TracedModule, Tracer, configure, wasmtime};
use seepage_trace::{Event, Message, ModuleId, Outcome};
use support::{Kind, MEMORY, Messages, end, guest, names, records};
use wasmtime::{Caller, Config, Engine, Linker, Store};

/// What such a host keeps in its store; the tracer does not care.
struct Mine {
    called: u32,
}

fn plugin(kind: Kind) -> Vec<u8> {
    let text = format!(
        r#"{MEMORY}
        (func $work (export "work") (param $size i32)
            (drop (call $alloc (local.get $size)))
            (call $log)
            (if (i32.eqz (local.get $size)) (then unreachable)))"#
    );
    guest(kind, &[r#"(import "host" "log" (func $log))"#], &text, &["work"], &[])
}

fn host() -> (Engine, Linker<Mine>, Store<Mine>) {
    let engine = Engine::new(configure(&mut Config::new())).unwrap();
    let mut linker = Linker::new(&engine);
    let log = |mut caller: Caller<'_, Mine>| caller.data_mut().called += 1;
    linker.func_wrap("host", "log", log).unwrap();
    let store = Store::new(&engine, Mine { called: 0 });
    (engine, linker, store)
}

#[test]
fn several_instances_in_one_store_are_told_apart() {
    let (engine, linker, mut store) = host();
    let tracer = Tracer::new(Messages::new()).unwrap();
    tracer.flush_before_host_calls(&mut store);
    let ring = TracedModule::new(&engine, &plugin(Kind::Ring)).unwrap();
    let call = TracedModule::new(&engine, &plugin(Kind::Call)).unwrap();
    let work = [&ring, &ring, &call].map(|module| {
        let instance = tracer.instantiate(&mut store, &linker, module).unwrap();
        instance.get_typed_func::<i32, ()>(&mut store, "work").unwrap()
    });
    for (index, size) in [(0, 10), (1, 11), (2, 12), (0, 20), (2, 22)] {
        work[index].call(&mut store, size).unwrap();
    }
    tracer.mark(&mut store, "warm");
    let result = work[1].call(&mut store, 0);
    let finished = tracer.finish(&mut store, &result).unwrap();
    assert_eq!(store.data().called, 6);

    let sizes = |id: u32| -> Vec<u64> {
        let own = records(&finished.sink).into_iter().filter(|r| r.module == ModuleId(id));
        let events = own.flat_map(|records| records.events().collect::<Vec<_>>());
        events
            .map(|event| match event {
                Event::Alloc { size, .. } => size,
                other => panic!("{other:?}"),
            })
            .collect()
    };
    assert_eq!([sizes(0), sizes(1), sizes(2)], [vec![10, 20], vec![11, 0], vec![12, 22]]);
    let modules = finished.sink.iter().filter_map(|message| match message {
        Message::Module(module) => Some(module.id.0),
        _ => None,
    });
    assert_eq!(modules.collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(finished.end.outcome, Outcome::Trapped);
    assert_eq!(names(&finished.end.trap_stack), ["work"]);
    assert_eq!(end(&finished.sink), &finished.end);
}

#[test]
fn a_store_that_is_dropped_early_spoils_nothing() {
    let (engine, linker, mut store) = host();
    let tracer = Tracer::new(Messages::new()).unwrap();
    let module = TracedModule::new(&engine, &plugin(Kind::Ring)).unwrap();
    tracer.instantiate(&mut store, &linker, &module).unwrap();
    drop(tracer);
    drop(store);
}

#[test]
fn an_instance_of_another_module_is_refused() {
    let (engine, mut linker, mut store) = host();
    let tracer = Tracer::new(Messages::new()).unwrap();
    let module = TracedModule::new(&engine, &plugin(Kind::Ring)).unwrap();
    let link = tracer.link(&mut linker, &module).unwrap();
    let other = wasmtime::Module::new(&engine, b"\0asm\x01\0\0\0").unwrap();
    let instance = linker.instantiate(&mut store, &other).unwrap();
    assert!(link.attach(&mut store, &instance).is_err());
}
