//! A host of the tests' own, in which time and chance are the same in every run: a module and its
//! instrumented self can be compared down to the last byte of memory.
#![allow(dead_code)] // each test file uses a part of it

use seepage_analysis::{Outcome, Session};
use seepage_runtime::{TracedModule, Tracer, configure};
use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use wasmtime::{Config, Engine, Instance, Linker, Module, OptLevel, Store, Val};
use wasmtime_wasi::{
    FsPerms, HostMonotonicClock, HostWallClock, I32Exit, WasiCtxBuilder,
    p1::WasiP1Ctx,
    p2::pipe::{MemoryInputPipe, MemoryOutputPipe},
    random::Deterministic,
};

/// How to run a module.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub args: Vec<String>,
    pub dir: Option<PathBuf>,
    pub stdin: Vec<u8>,
    /// Exports to call with 32-bit arguments, instead of `_start`.
    pub calls: Vec<(String, Vec<i32>)>,
}

/// All that can be seen of a run from outside.
#[derive(Debug, PartialEq)]
pub struct Seen {
    pub stdout: String,
    pub stderr: String,
    /// What each call answered, or how it ended.
    pub answers: Vec<String>,
    /// Size of the first memory, and a checksum of its bytes.
    pub memory: Option<(u64, u64)>,
}

#[derive(Default)]
struct Ticks(AtomicU64);

impl HostWallClock for Ticks {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }
    fn now(&self) -> Duration {
        Duration::from_micros(1_700_000_000_000_000 + self.0.fetch_add(1, Ordering::Relaxed))
    }
}

impl HostMonotonicClock for Ticks {
    fn resolution(&self) -> u64 {
        1
    }
    fn now(&self) -> u64 {
        self.0.fetch_add(1000, Ordering::Relaxed)
    }
}

/// Runs a module as it is.
pub fn plain(wasm: &[u8], script: &Script) -> Seen {
    let engine = Engine::new(Config::new().cranelift_opt_level(OptLevel::None)).expect("engine");
    let module = Module::new(&engine, wasm).expect("the module compiles");
    let (mut store, linker, pipes) = host(&engine, script);
    let instance = linker.instantiate(&mut store, &module);
    drive(store, instance, script, pipes).0
}

/// Runs an instrumented module, and analyses its trace.
pub fn traced(wasm: &[u8], script: &Script) -> (Seen, Outcome) {
    let mut config = Config::new();
    configure(config.cranelift_opt_level(OptLevel::None));
    let engine = Engine::new(&config).expect("engine");
    let module = TracedModule::new(&engine, wasm).expect("the module compiles");
    let tracer = Tracer::new(Session::new(Default::default())).expect("a thread");
    let (mut store, linker, pipes) = host(&engine, script);
    let instance = tracer.instantiate(&mut store, &linker, &module);
    let (seen, mut store) = drive(store, instance, script, pipes);
    let finished = tracer.finish(&mut store, &Ok(())).expect("the tracer ends");
    assert!(finished.sink_error.is_none());
    assert_eq!(finished.end.lost_records, 0);
    (seen, finished.sink.finish())
}

type Pipes = [MemoryOutputPipe; 2];

fn host(engine: &Engine, script: &Script) -> (Store<WasiP1Ctx>, Linker<WasiP1Ctx>, Pipes) {
    let pipes = [MemoryOutputPipe::new(1 << 24), MemoryOutputPipe::new(1 << 24)];
    let mut builder = WasiCtxBuilder::new();
    builder
        .allow_blocking_current_thread(true)
        .args(&script.args)
        .stdin(MemoryInputPipe::new(script.stdin.clone()))
        .stdout(pipes[0].clone())
        .stderr(pipes[1].clone())
        .secure_random(Deterministic::new((0..=255).collect()))
        .insecure_random(Deterministic::new((0..=255).rev().collect()))
        .insecure_random_seed(7)
        .wall_clock(Ticks::default())
        .monotonic_clock(Ticks::default());
    if let Some(dir) = &script.dir {
        builder.preopened_dir(dir, "/in", FsPerms::ReadOnly).expect("the folder is there");
    }
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p1::add_to_linker_sync(&mut linker, |wasi| wasi).expect("WASI");
    wasmtime_wasi::p0::add_to_linker_sync(&mut linker, |wasi| wasi).expect("WASI");
    (Store::new(engine, builder.build_p1()), linker, pipes)
}

fn drive(
    mut store: Store<WasiP1Ctx>,
    instance: wasmtime::Result<Instance>,
    script: &Script,
    [stdout, stderr]: Pipes,
) -> (Seen, Store<WasiP1Ctx>) {
    let mut answers = Vec::new();
    let mut memory = None;
    match instance {
        Err(error) => answers.push(format!("no instance: {}", error.root_cause())),
        Ok(instance) => {
            let start = vec![("_start".to_string(), Vec::new())];
            let calls = if script.calls.is_empty() { &start } else { &script.calls };
            if !script.calls.is_empty() && instance.get_func(&mut store, "_initialize").is_some() {
                answers.push(call(&mut store, &instance, "_initialize", &[]));
            }
            for (name, args) in calls {
                answers.push(call(&mut store, &instance, name, args));
            }
            let found = instance
                .get_memory(&mut store, "memory")
                .or_else(|| instance.get_memory(&mut store, "seepage:memory:0"));
            memory = found.map(|memory| (memory.size(&store), checksum(memory.data(&store))));
        }
    }
    let text = |pipe: MemoryOutputPipe| String::from_utf8_lossy(&pipe.contents()).into_owned();
    (Seen { stdout: text(stdout), stderr: text(stderr), answers, memory }, store)
}

fn call(store: &mut Store<WasiP1Ctx>, instance: &Instance, name: &str, args: &[i32]) -> String {
    let Some(function) = instance.get_func(&mut *store, name) else {
        return format!("no export {name}");
    };
    let args: Vec<Val> = args.iter().copied().map(Val::I32).collect();
    let mut results = vec![Val::I32(0); function.ty(&*store).results().len()];
    match function.call(store, &args, &mut results) {
        Ok(()) => format!("{results:?}"),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(exit) => format!("exit {}", exit.0),
            None => error.root_cause().to_string(),
        },
    }
}

/// FNV-1a over words: enough to tell two memories apart.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(0xcbf2_9ce4_8422_2325, |hash, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x100_0000_01b3)
    })
}
