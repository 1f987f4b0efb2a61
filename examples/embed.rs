//! Tracing a plug-in in a host of one's own: own engine, own linker, own store, no WASI.
//!
//! ```sh
//! cargo run --release --example embed
//! ```
#![allow(clippy::print_stdout, reason = "an example shows what it found")]

use anyhow::{Context as _, Result};
use seepage_analysis::{Config, Session};
use seepage_instrumenter::{Config as InstrumenterConfig, instrument};
use seepage_report::{Context, Options, assemble, formats};
use seepage_runtime::{
    TracedModule, Tracer, configure,
    wasmtime::{self, Caller, Engine, Linker, Store},
};

/// A plug-in that keeps a copy of every third request.
const PLUGIN: &str = r#"
(module $plugin
    (import "host" "log" (func $log (param i32)))
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 1024))
    (func $malloc (export "malloc") (param $size i32) (result i32)
        (local $block i32)
        (local.set $block (global.get $top))
        (global.set $top (i32.add (local.get $block)
            (i32.and (i32.add (local.get $size) (i32.const 15)) (i32.const -16))))
        (local.get $block))
    (func $free (export "free") (param $block i32))
    (func $parse (param $length i32) (result i32)
        (call $malloc (local.get $length)))
    (func $handle (export "handle") (param $length i32)
        (local $request i32)
        (local.set $request (call $parse (local.get $length)))
        (call $log (local.get $request))
        (if (i32.rem_u (local.get $length) (i32.const 3))
            (then (call $free (local.get $request))))))
"#;

/// What this host keeps in its store. The tracer does not care.
#[derive(Default)]
struct State {
    handled: u32,
}

fn main() -> Result<()> {
    let plugin = wat::parse_str(PLUGIN)?;
    let config = InstrumenterConfig { module_name: "plugin.wasm".into(), ..Default::default() };
    let instrumented = instrument(&plugin, &config)?;

    // The host as it was, but for `configure`.
    let engine = Engine::new(configure(&mut wasmtime::Config::new()))?;
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "log", |mut caller: Caller<'_, State>, _request: u32| {
        caller.data_mut().handled += 1;
    })?;
    let mut store = Store::new(&engine, State::default());

    // The tracer stands in for `Module::new` and `Linker::instantiate`.
    let tracer = Tracer::new(Session::new(Config::default()))?;
    let module = TracedModule::new(&engine, &instrumented.wasm)?;
    let instance = tracer.instantiate(&mut store, &linker, &module)?;
    let handle = instance.get_typed_func::<u32, ()>(&mut store, "handle")?;

    let mut result = Ok(());
    for request in 0..30 {
        result = handle.call(&mut store, 100 + request);
        if result.is_err() {
            break;
        }
        tracer.mark(&mut store, format!("request {request}"));
    }
    let finished = tracer.finish(&mut store, &result)?;

    println!("{} requests handled\n", store.data().handled);
    let report = assemble(&finished.sink.finish(), &Context::new(env!("CARGO_PKG_VERSION")));
    let format = formats::find("text").context("there is a text format")?;
    let mut text = String::new();
    (format.render)(&report, &Options::default(), &mut text);
    print!("{text}");
    Ok(())
}
