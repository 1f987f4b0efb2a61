//! What tracing costs the guest: the same guest with and without it, in turns, in one process.
//!
//! All configurations share one engine's settings, and each round runs every configuration once,
//! so that what disturbs the machine disturbs all of them. Figures are ratios to the plain guest.
//! Nothing here passes or fails.
//!
//! ```sh
//! cargo bench --bench overhead                                     # the table of benches/README.md
//! cargo bench --bench overhead -- --rounds 31 alloc_bound
//! cargo bench --bench overhead -- --only full --rounds 1 trees     # one line, for a profiler
//! ```
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use anyhow::{Context as _, Result, bail, ensure};
use seepage_analysis::{Config, Session};
use seepage_instrumenter::{Config as InstrumenterConfig, Contexts, TransportKind, instrument};
use seepage_runtime::{Discard, Sink, Tee, TraceWriter, TracedModule, Tracer, configure};
use seepage_trace::sites::Transport;
use std::{
    fs::File,
    path::Path,
    time::{Duration, Instant},
};
use wasmtime::{Engine, Linker, Module, Store};
use wasmtime_wasi::{
    WasiCtxBuilder,
    p1::{WasiP1Ctx, add_to_linker_sync},
};

/// A guest, and the argument that makes it run for a fitting time.
const GUESTS: [(&str, &str); 4] =
    [("alloc_bound", "10000000"), ("mixed", "40"), ("trees", "18"), ("numeric", "320")];

/// What is put behind the guest.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Nothing: the original module.
    Plain,
    /// A consumer that drops what it gets.
    Discard,
    /// The heap model.
    Full,
    /// The heap model and a trace file.
    Trace,
}

struct Setup {
    name: &'static str,
    way: Way,
    contexts: Contexts,
    transport: TransportKind,
}

const fn setup(name: &'static str, way: Way, contexts: Contexts) -> Setup {
    Setup { name, way, contexts, transport: TransportKind::Ring }
}

const SETUPS: [Setup; 7] = [
    setup("plain", Way::Plain, Contexts::Off),
    setup("ring", Way::Discard, Contexts::Off),
    setup("ring+contexts", Way::Discard, Contexts::On),
    setup("full-contexts", Way::Full, Contexts::Off),
    setup("full", Way::Full, Contexts::On),
    setup("full+trace", Way::Trace, Contexts::On),
    Setup {
        name: "full/call",
        way: Way::Full,
        contexts: Contexts::On,
        transport: TransportKind::Call,
    },
];

struct Options {
    rounds: usize,
    only: Option<String>,
    guests: Vec<String>,
    argument: Option<String>,
}

/// A module under one setup, compiled.
struct Prepared {
    setup: &'static Setup,
    module: Compiled,
    times: Vec<Times>,
}

enum Compiled {
    Plain(Module),
    Traced(TracedModule),
}

#[derive(Clone, Copy)]
struct Times {
    /// Until the guest returned.
    guest: Duration,
    /// Until everything was consumed as well.
    whole: Duration,
    /// Of both threads together.
    cpu: Duration,
    events: u64,
}

fn main() -> Result<()> {
    let options = Options::read(std::env::args().skip(1))?;
    let engine = Engine::new(configure(&mut wasmtime::Config::new()))?;
    for (guest, argument) in GUESTS {
        if options.guests.is_empty() || options.guests.iter().any(|name| name == guest) {
            measure(&engine, guest, options.argument.as_deref().unwrap_or(argument), &options)?;
        }
    }
    Ok(())
}

impl Options {
    fn read(mut args: impl Iterator<Item = String>) -> Result<Options> {
        let mut options = Options { rounds: 15, only: None, guests: Vec::new(), argument: None };
        while let Some(arg) = args.next() {
            let mut value = || args.next().with_context(|| format!("{arg} wants a value"));
            match arg.as_str() {
                // What cargo adds.
                "--bench" => {}
                "--rounds" => options.rounds = value()?.parse::<usize>()?.max(1),
                "--only" => options.only = Some(value()?),
                "--argument" => options.argument = Some(value()?),
                name if GUESTS.iter().any(|guest| guest.0 == name) => options.guests.push(arg),
                _ => bail!("what is {arg}?"),
            }
        }
        Ok(options)
    }
}

fn measure(engine: &Engine, guest: &str, argument: &str, options: &Options) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("benches/guests/{guest}.wasm"));
    let wasm = std::fs::read(&path).with_context(|| path.display().to_string())?;
    let mut linker = Linker::new(engine);
    add_to_linker_sync(&mut linker, |wasi: &mut WasiP1Ctx| wasi)?;
    let wanted = |setup: &&Setup| options.only.as_ref().is_none_or(|only| setup.name == only);
    let mut prepared = SETUPS
        .iter()
        .filter(wanted)
        .map(|setup| Prepared::new(engine, &wasm, setup))
        .collect::<Result<Vec<_>>>()?;
    ensure!(!prepared.is_empty(), "there is no such setup");
    for round in 0..=options.rounds {
        for prepared in &mut prepared {
            let times = prepared.run(engine, &linker, argument)?;
            // The first round warms up what there is to warm up.
            if round > 0 {
                prepared.times.push(times);
            }
        }
    }
    print(guest, &prepared);
    Ok(())
}

impl Prepared {
    fn new(engine: &Engine, wasm: &[u8], setup: &'static Setup) -> Result<Prepared> {
        let module = if setup.way == Way::Plain {
            Compiled::Plain(Module::from_binary(engine, wasm)?)
        } else {
            let config = InstrumenterConfig {
                transport: setup.transport,
                contexts: setup.contexts,
                ..InstrumenterConfig::default()
            };
            let instrumented = instrument(wasm, &config)?;
            Compiled::Traced(TracedModule::new(engine, &instrumented.wasm)?)
        };
        Ok(Prepared { setup, module, times: Vec::new() })
    }

    fn run(&self, engine: &Engine, linker: &Linker<WasiP1Ctx>, argument: &str) -> Result<Times> {
        let wasi = WasiCtxBuilder::new()
            .allow_blocking_current_thread(true)
            .args(&["guest", argument])
            .stdout(std::io::empty())
            .build_p1();
        let store = Store::new(engine, wasi);
        let module = match &self.module {
            Compiled::Plain(module) => return plain(store, linker, module),
            Compiled::Traced(module) => module,
        };
        match self.setup.way {
            Way::Plain | Way::Discard => {
                traced(store, linker, module, Discard).map(|(times, _)| times)
            }
            Way::Full => {
                let session = Session::new(Config::default());
                let (times, session) = traced(store, linker, module, session)?;
                Ok(Times { events: session.finish().profile.totals.events, ..times })
            }
            Way::Trace => {
                let path = std::env::temp_dir().join(format!("seepage-{}", std::process::id()));
                let writer = TraceWriter::new(File::create(&path)?);
                let sink = Tee::new(Session::new(Config::default()), writer);
                let (times, sink) = traced(store, linker, module, sink)?;
                std::fs::remove_file(&path)?;
                let outcome = sink.first.sink.finish();
                Ok(Times { events: outcome.profile.totals.events, ..times })
            }
        }
    }
}

fn plain(
    mut store: Store<WasiP1Ctx>,
    linker: &Linker<WasiP1Ctx>,
    module: &Module,
) -> Result<Times> {
    let (begin, cpu) = (Instant::now(), cpu_time()?);
    let instance = linker.instantiate(&mut store, module)?;
    instance.get_typed_func::<(), ()>(&mut store, "_start")?.call(&mut store, ())?;
    let guest = begin.elapsed();
    Ok(Times { guest, whole: guest, cpu: cpu_time()?.saturating_sub(cpu), events: 0 })
}

/// As `seepage run` does it, but in this thread.
fn traced<S: Sink>(
    mut store: Store<WasiP1Ctx>,
    linker: &Linker<WasiP1Ctx>,
    module: &TracedModule,
    sink: S,
) -> Result<(Times, S)> {
    let (begin, cpu) = (Instant::now(), cpu_time()?);
    let tracer = Tracer::new(sink)?;
    if matches!(module.table().transport, Transport::Ring(_)) {
        tracer.flush_before_host_calls(&mut store);
    }
    let instance = tracer.instantiate(&mut store, linker, module)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    let result = start.call(&mut store, ());
    let guest = begin.elapsed();
    let finished = tracer.finish(&mut store, &result)?;
    let whole = begin.elapsed();
    let cpu = cpu_time()?.saturating_sub(cpu);
    result?;
    ensure!(finished.end.lost_records == 0, "records were lost");
    if let Some(error) = finished.sink_error {
        bail!("the sink failed: {error}");
    }
    Ok((Times { guest, whole, cpu, events: 0 }, finished.sink))
}

/// What the process has used so far, in ticks of a hundredth of a second: good enough for the mean
/// of many rounds, and it does not count what other processes do.
fn cpu_time() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("only Linux tells")?;
    let (_, figures) = stat.rsplit_once(')').context("no figures")?;
    let used: u64 = figures.split_whitespace().skip(11).take(2).flat_map(str::parse::<u64>).sum();
    Ok(Duration::from_millis(used * 10))
}

fn print(guest: &str, prepared: &[Prepared]) {
    let events = prepared.iter().flat_map(|p| &p.times).map(|t| t.events).max().unwrap_or(0);
    let whole = |prepared: &Prepared| sorted(prepared, |times| times.whole);
    let cpu = |prepared: &Prepared| prepared.times.iter().map(|t| t.cpu).sum::<Duration>();
    let plain = prepared.iter().find(|p| p.setup.way == Way::Plain).map(|p| (whole(p), cpu(p)));
    let rounds = prepared.first().map_or(0, |prepared| prepared.times.len());
    println!("\n{guest}: {events} events, {rounds} rounds");
    println!("| | min ms | median | min | guest alone | CPU | ns/event |");
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for prepared in prepared {
        let times = whole(prepared);
        let alone = sorted(prepared, |times| times.guest);
        print!("| {} | {:.1} |", prepared.setup.name, millis(times[0]));
        if let Some((plain, plain_cpu)) = &plain {
            let ratio = |mine: Duration, its: Duration| mine.as_secs_f64() / its.as_secs_f64();
            let middle = ratio(median(&times), median(plain));
            print!(" {middle:.2}× | {:.2}× |", ratio(times[0], plain[0]));
            print!(" {:.2}× |", ratio(alone[0], plain[0]));
            print!(" {:.2}× |", ratio(cpu(prepared), *plain_cpu));
            let more = times[0].as_secs_f64() - plain[0].as_secs_f64();
            // With hardly an event there is nothing to divide by.
            if prepared.setup.way != Way::Plain && events > 1000 {
                print!(" {:.2} |", more * 1e9 / events as f64);
            } else {
                print!(" |");
            }
        }
        println!();
    }
}

fn sorted(prepared: &Prepared, of: impl Fn(&Times) -> Duration) -> Vec<Duration> {
    let mut times: Vec<Duration> = prepared.times.iter().map(of).collect();
    times.sort_unstable();
    times
}

fn median(sorted: &[Duration]) -> Duration {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
