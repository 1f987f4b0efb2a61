//! How fast the heap model and the trace format take events, and what a live block costs.
//!
//! Each pattern of traffic is one stretch of records, as a guest would write them. The tables of
//! bytes come first; criterion measures the times. Nothing here passes or fails.
//!
//! ```sh
//! cargo bench --bench ingest                  # all
//! cargo bench --bench ingest -- feed          # the heap model only
//! ```
//!
//! With `--test` each pattern is taken once, and there are no tables: for counting instructions.
//!
//! ```sh
//! valgrind --tool=callgrind --toggle-collect='*Session::feed' target/release/deps/ingest-… \
//!     --bench --test 'feed/churn$'
//! ```
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

#[path = "support/counting.rs"]
mod counting;
#[path = "support/tracepoints.rs"]
mod tracepoints;

use criterion::{BatchSize, Criterion, Throughput};
use seepage_analysis::{Config, Session};
use seepage_trace::{
    Context, Decoder, Encoder, Event, Frame, Message, ModuleId, ModuleInfo, RecordLayout, Records,
    Role, Stack, ThreadId, TracepointId,
};
use std::{hint::black_box, time::Duration};
use tracepoints::tracepoints;

/// Records in one message, as the runtime sends them.
const BATCH: usize = 5461;
const MALLOC: TracepointId = TracepointId(0);
const FREE: TracepointId = TracepointId(1);
const REALLOC: TracepointId = TracepointId(2);

/// One pattern: its contexts and its events.
struct Traffic {
    name: &'static str,
    layout: RecordLayout,
    contexts: u64,
    events: Vec<Event>,
}

/// Xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// Context values as a guest has them: spread over 64 bits.
fn context(number: u64) -> Context {
    Context((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn alloc(number: u64, addr: u64, size: u64) -> Event {
    Event::Alloc { tracepoint: MALLOC, context: context(number), addr, size, align: None }
}

fn free(number: u64, addr: u64) -> Event {
    Event::Free { tracepoint: FREE, context: context(number), addr, size: None, align: None }
}

/// Blocks come and go at random among `slots` places, `pitch` bytes apart.
fn churn(
    name: &'static str,
    layout: RecordLayout,
    slots: u64,
    pitch: u64,
    contexts: u64,
) -> Traffic {
    let (mut random, mut live) = (Random(88_172_645_463_325_252), vec![false; slots as usize]);
    let events = (0..1_000_000)
        .map(|_| {
            let slot = random.below(slots);
            let (addr, by) = (4096 + slot * pitch, random.below(contexts));
            live[slot as usize] ^= true;
            if live[slot as usize] { alloc(by, addr, 8 + slot % 248) } else { free(by, addr) }
        })
        .collect();
    Traffic { name, layout, contexts, events }
}

/// Temporaries: each block is freed before the next comes, as strings are.
fn temporary() -> Traffic {
    let pair = |n: u64| {
        let (number, addr) = (n % 64, 4096 + n % 64 * 32);
        [alloc(number, addr, 24), free(number, addr)]
    };
    let events = (0..500_000).flat_map(pair).collect();
    Traffic { name: "temporary", layout: RecordLayout::Narrow, contexts: 64, events }
}

/// A heap that only grows, at an allocator's addresses.
fn growing(name: &'static str, layout: RecordLayout, base: u64) -> Traffic {
    let events = (0..1_000_000).map(|n| alloc(n % 64, base + n * 32, 24)).collect();
    Traffic { name, layout, contexts: 64, events }
}

/// Trees of small nodes beside a large one, built, and torn down from the leaves: the place that
/// was freed last is the first to be handed out.
fn trees() -> Traffic {
    let (mut events, mut vacant, mut top) = (Vec::new(), Vec::new(), 4096);
    let mut grow = |nodes: u64, vacant: &mut Vec<u64>, events: &mut Vec<Event>| -> Vec<u64> {
        let place = |_| {
            let addr = vacant.pop().unwrap_or_else(|| {
                top += 16;
                top
            });
            events.push(alloc(0, addr, 8));
            addr
        };
        (0..nodes).map(place).collect()
    };
    grow(1 << 16, &mut vacant, &mut events);
    for nodes in [31, 511, 8191, 131_071] {
        for _ in 0..131_072 / nodes {
            let mut nodes = grow(nodes, &mut vacant, &mut events);
            nodes.reverse();
            events.extend(nodes.iter().map(|&addr| free(1, addr)));
            vacant.append(&mut nodes);
        }
    }
    Traffic { name: "trees", layout: RecordLayout::Narrow, contexts: 2, events }
}

/// Vectors that double as they grow, and move each time.
fn moving() -> Traffic {
    let mut events = Vec::new();
    for vector in 0..100_000 {
        let at = |step: u64| 4096 + (vector * 9 + step) % 10_000 * 64;
        events.push(alloc(vector % 64, at(0), 16));
        events.extend((1..9).map(|step| Event::Realloc {
            tracepoint: REALLOC,
            context: context(64 + vector % 64),
            old: at(step - 1),
            addr: at(step),
            size: 16 << step,
            align: None,
        }));
        events.push(free(vector % 64, at(8)));
    }
    Traffic { name: "moving", layout: RecordLayout::Narrow, contexts: 128, events }
}

fn traffic() -> Vec<Traffic> {
    use RecordLayout::{Narrow, Wide};
    vec![
        churn("churn", Narrow, 4096, 256, 2),
        churn("churn, 1000 contexts", Narrow, 4096, 256, 1000),
        churn("churn, 100000 contexts", Narrow, 4096, 256, 100_000),
        churn("churn, large heap", Narrow, 400_000, 48, 64),
        temporary(),
        trees(),
        moving(),
        growing("growing", Narrow, 4096),
        churn("churn, odd addresses", Narrow, 4096, 257, 64),
        growing("growing, above 4 GiB", Wide, 1 << 40),
    ]
}

impl Traffic {
    fn session(&self) -> Session {
        let tracepoints = tracepoints([Role::Malloc, Role::Free, Role::Realloc]);
        let module = ModuleInfo { tracepoints, contexts: true, ..ModuleInfo::default() };
        let mut session = Session::new(Config::default());
        session.feed(&Message::Module(module));
        for number in 0..self.contexts {
            session.feed(&Message::Stack(Stack {
                module: ModuleId(0),
                context: context(number),
                frames: vec![Frame::function(format!("f{number}"))],
                truncated: false,
            }));
        }
        session
    }

    fn messages(&self) -> Vec<Message<'static>> {
        let records = |events: &[Event]| {
            let mut raw = Vec::new();
            events.iter().for_each(|event| event.write(self.layout, &mut raw));
            Message::Records(Records {
                module: ModuleId(0),
                thread: ThreadId(0),
                time_ns: 0,
                memories: vec![1],
                layout: self.layout,
                raw: raw.into(),
            })
        };
        self.events.chunks(BATCH).map(records).collect()
    }
}

fn encode(messages: &[Message<'_>]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file);
    messages.iter().for_each(|message| encoder.message(message, &mut file));
    file
}

fn decode(file: &[u8]) -> usize {
    let mut decoder = Decoder::new();
    decoder.push(file);
    let mut bytes = 0;
    while let Ok(Some(message)) = decoder.next() {
        if let Message::Records(records) = message {
            bytes += records.raw.len();
        }
    }
    bytes
}

fn feed(mut session: Session, messages: &[Message<'_>]) -> Session {
    messages.iter().for_each(|message| session.feed(message));
    session
}

/// What the model and the trace hold, counted.
fn bytes(traffic: &[Traffic]) {
    println!("| traffic | live blocks | model, bytes per live block | trace, bytes per event |");
    println!("|---|---:|---:|---:|");
    for traffic in traffic {
        let messages = traffic.messages();
        let session = traffic.session();
        let before = counting::live();
        let session = feed(session, &messages);
        let grown = counting::live().saturating_sub(before);
        let live = session.finish().profile.totals.live.blocks;
        let file = encode(&messages).len() as f64 / traffic.events.len() as f64;
        if live < 1000 {
            println!("| {} | {live} | | {file:.2} |", traffic.name);
        } else {
            println!(
                "| {} | {live} | {:.1} | {file:.2} |",
                traffic.name,
                grown as f64 / live as f64
            );
        }
    }
}

fn main() {
    let traffic = traffic();
    if !std::env::args().any(|arg| arg == "--test") {
        bytes(&traffic);
    }
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(20)
        .configure_from_args();
    for kind in ["feed", "encode", "decode"] {
        let mut group = criterion.benchmark_group(kind);
        for traffic in &traffic {
            group.throughput(Throughput::Elements(traffic.events.len() as u64));
            group.bench_function(traffic.name, |bench| {
                let messages = traffic.messages();
                match kind {
                    "feed" => bench.iter_batched(
                        || traffic.session(),
                        |session| feed(session, &messages),
                        BatchSize::PerIteration,
                    ),
                    "encode" => bench.iter(|| encode(black_box(&messages))),
                    _ => {
                        let file = encode(&messages);
                        bench.iter(|| decode(black_box(&file)));
                    }
                }
            });
        }
        group.finish();
    }
    criterion.final_summary();
}
