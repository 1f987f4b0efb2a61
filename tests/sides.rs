//! Blocks that the host and a module hand to each other: what of it is an error, and that each call
//! is reported with the side it was made on, live and from a stored trace.

mod support;

use seepage_analysis::{CallSide, Config, Outcome, Session};
use seepage_instrumenter::{Config as Instrumenting, instrument};
use seepage_runtime::{Tee, TraceWriter, TracedModule, Tracer, configure, wasmtime};
use serde_json::Value;
use std::fs::{self, File};
use support::{program, seepage};
use wasmtime::{Engine, Instance, Linker, Store};

const WHOLE: [&str; 2] = ["O0", "O2"];
const ALL: [&str; 3] = ["O0", "O2", "lto"];

/// Two instances of the guest, and what a host does with them.
struct Host {
    store: Store<()>,
    instances: [Instance; 2],
}

impl Host {
    fn call(&mut self, instance: usize, export: &str, args: &[i32]) -> i32 {
        let function = self.instances[instance].get_func(&mut self.store, export);
        let function = function.expect("the guest has that export");
        let args: Vec<_> = args.iter().map(|&arg| arg.into()).collect();
        let mut results = vec![0.into(); function.ty(&self.store).results().len()];
        function.call(&mut self.store, &args, &mut results).expect("it returns");
        results.first().map_or(0, |result| result.unwrap_i32())
    }

    fn malloc(&mut self, size: i32) -> i32 {
        self.call(0, "__wbindgen_malloc", &[size, 1])
    }

    fn free(&mut self, block: i32, size: i32, align: i32) {
        self.call(0, "__wbindgen_free", &[block, size, align]);
    }

    fn give(&mut self, size: i32) -> i32 {
        self.call(0, "give", &[size])
    }

    fn take(&mut self, block: i32, size: i32) {
        self.call(0, "take", &[block, size]);
    }
}

/// A session, and a trace of the same.
type Both = Tee<Session, TraceWriter<File>>;

/// What is found, and what `seepage analyze` finds in the trace, as JSON and as text.
struct Found {
    live: Outcome,
    stored: Value,
    text: String,
}

fn found(variant: &str, crossing_frees: bool, script: impl Fn(&mut Host)) -> Found {
    let wasm = fs::read(program(&format!("kinds/rust/sides_unknown.{variant}"))).expect("a guest");
    let engine = Engine::new(configure(&mut wasmtime::Config::new())).expect("an engine");
    let modules = ["one", "two"].map(|name| {
        let config = Instrumenting { module_name: name.into(), ..Instrumenting::default() };
        let instrumented = instrument(&wasm, &config).expect("it can be instrumented");
        TracedModule::new(&engine, &instrumented.wasm).expect("it compiles")
    });
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let trace = folder.path().join("x.trace");
    let writer = TraceWriter::new(File::create(&trace).expect("a file can be made"));
    let session = Session::new(Config { crossing_frees, ..Config::default() });
    let tracer: Tracer<Both> = Tracer::new(Tee::new(session, writer)).expect("a thread");
    let mut store = Store::new(&engine, ());
    let instances = modules.map(|module| {
        tracer.instantiate(&mut store, &Linker::new(&engine), &module).expect("an instance")
    });
    let mut host = Host { store, instances };
    script(&mut host);
    let finished = tracer.finish(&mut host.store, &Ok(())).expect("the tracer ends");
    let live = finished.sink.first.sink.finish();

    let analyze = |format: &str| {
        let mut command = seepage();
        command.args(["analyze", "--format", format]);
        command.args(crossing_frees.then_some("--crossing-frees")).arg(&trace);
        support::finish(&mut command).stdout
    };
    let stored = serde_json::from_str(&analyze("json")).expect("a report");
    Found { live, stored, text: analyze("text") }
}

impl Found {
    /// Kind, side of the call, and of the allocation, of each error.
    fn errors(&self) -> Vec<(&str, &str, &str)> {
        let text = |error: &Value, name: &str| match error[name].as_str() {
            Some("double-free") => "double-free",
            Some("unknown-free") => "unknown-free",
            Some("size-mismatch") => "size-mismatch",
            Some("alignment-mismatch") => "alignment-mismatch",
            Some("crossing-free") => "crossing-free",
            Some("host") => "host",
            Some("module") => "module",
            None => "",
            Some(other) => panic!("{other}"),
        };
        let errors = self.stored["heap_errors"].as_array().expect("a list");
        let stored: Vec<_> = errors
            .iter()
            .map(|error| (text(error, "kind"), text(error, "side"), text(error, "allocation_side")))
            .collect();
        let side = |side: Option<CallSide>| side.map_or("", CallSide::name);
        let live = self.live.anomalies.iter().map(|anomaly| {
            let allocation = anomaly.allocation.and_then(|stack| self.live.side(stack));
            (anomaly.kind.name(), side(self.live.side(anomaly.stack)), side(allocation))
        });
        assert_eq!(live.collect::<Vec<_>>(), stored);
        stored
    }

    #[track_caller]
    fn says(&self, lines: &[&str]) {
        for line in lines {
            assert!(self.text.contains(line), "{line}\n{}", self.text);
        }
    }
}

/// As wasm-bindgen does it both ways.
fn hand_over(host: &mut Host) {
    let argument = host.malloc(24);
    host.take(argument, 24);
    let result = host.give(40);
    host.free(result, 40, 1);
    let own = host.malloc(10);
    let own = host.call(0, "__wbindgen_realloc", &[own, 10, 30, 1]);
    host.free(own, 30, 1);
    let inner = host.give(8);
    host.take(inner, 8);
}

#[test]
fn handing_over_is_no_error_unless_that_is_the_rule() {
    for variant in ALL {
        assert_eq!(found(variant, false, hand_over).errors(), []);
        let found = found(variant, true, hand_over);
        assert_eq!(
            found.errors(),
            [("crossing-free", "module", "host"), ("crossing-free", "host", "module")]
        );
        found.says(&[
            "24 bytes at ",
            "allocated by the host, freed by the module",
            "allocated by the module, freed by the host",
            "by the host, which called __wbindgen_free",
            "allocated by the host, which called __wbindgen_malloc",
        ]);
    }
}

#[test]
fn a_second_free_names_both_sides() {
    for variant in ALL {
        let host_first = found(variant, false, |host| {
            let block = host.give(40);
            host.give(40);
            host.free(block, 40, 1);
            host.take(block, 40);
        });
        assert_eq!(host_first.errors(), [("double-free", "module", "module")], "{variant}");
        assert_eq!(host_first.stored["heap_errors"][0]["first_free_side"], "host");
        host_first.says(&["in the module, at", "freed before by the host"]);
        let module_first = found(variant, false, |host| {
            let block = host.give(40);
            host.give(40);
            host.take(block, 40);
            host.free(block, 40, 1);
        });
        assert_eq!(module_first.errors(), [("double-free", "host", "module")], "{variant}");
        assert_eq!(module_first.stored["heap_errors"][0]["first_free_side"], "module");
        module_first
            .says(&["by the host, which called __wbindgen_free", "freed before in the module"]);
    }
}

#[test]
fn what_the_host_gives_back_must_have_its_length() {
    for variant in WHOLE {
        let wrong = |size: i32, align: i32| {
            found(variant, false, move |host| {
                let block = host.give(40);
                host.free(block, size, align);
            })
        };
        assert_eq!(wrong(40, 1).errors(), []);
        let shorter = wrong(39, 1);
        assert_eq!(shorter.errors(), [("size-mismatch", "host", "module")]);
        shorter.says(&["40 bytes at ", "freed as 39 bytes"]);
        assert_eq!(wrong(40, 4).errors(), [("alignment-mismatch", "host", "module")]);
    }
    // What old glue hands over is shorter than it was allocated.
    for variant in ALL {
        let found = found(variant, false, |host| {
            let argument = host.malloc(30);
            host.take(argument, 20);
        });
        assert_eq!(found.errors(), [], "{variant}");
    }
    // What the host has allocated itself.
    for variant in ALL {
        let found = found(variant, false, |host| {
            let block = host.malloc(40);
            host.free(block, 44, 1);
        });
        assert_eq!(found.errors(), [("size-mismatch", "host", "host")], "{variant}");
    }
}

#[test]
fn a_block_of_another_instance_is_known_for_what_it_is() {
    for variant in ALL {
        let found = found(variant, false, |host| {
            let blocks: Vec<i32> = (0..50).map(|_| host.malloc(4000)).collect();
            host.call(1, "__wbindgen_malloc", &[8, 1]);
            // dlmalloc looks at the word before a block, which must say that it has been allocated.
            let memory = host.instances[1].get_memory(&mut host.store, "memory").expect("memory");
            memory.grow(&mut host.store, 8).expect("it grows");
            let own = host.instances[0].get_memory(&mut host.store, "memory").expect("memory");
            let at = blocks[40] as usize - 8;
            let mut bytes = vec![0; 8192];
            own.read(&host.store, at, &mut bytes).expect("it is there");
            memory.write(&mut host.store, at, &bytes).expect("it is there");
            host.call(1, "__wbindgen_free", &[blocks[40], 4000, 1]);
        });
        assert_eq!(found.errors(), [("unknown-free", "host", "host")], "{variant}");
        assert_eq!(found.stored["heap_errors"][0]["allocation_module"], 0);
        found.says(&["where no block had been allocated; one has a live one there"]);
        let summary = &found.live.findings[0].summary;
        assert!(summary.ends_with("it is the address of a live block of `one`"), "{summary}");
    }
}
