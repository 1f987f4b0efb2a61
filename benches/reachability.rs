//! How fast leak kinds and retained sizes are told, and how much memory that takes.
//!
//! Heaps are made by hand and go through [`Session`] as messages, like those of a guest. Marking is
//! what a mark with an image costs; criterion measures it in bytes of image. Dominators are the
//! difference between two ends of the same run, with and without retained sizes: these tables come
//! first, each row from one run. Nothing here passes or fails.
//!
//! ```sh
//! cargo bench --bench reachability                       # all
//! SEEPAGE_BLOCKS=1000000 cargo bench --bench reachability
//! SEEPAGE_BLOCKS=0 cargo bench --bench reachability      # scan speed only
//! ```
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

#[path = "support/counting.rs"]
mod counting;
#[path = "support/tracepoints.rs"]
mod tracepoints;

use criterion::{Criterion, Throughput};
use seepage_analysis::{Caps, Config, LeakKind, Session};
use seepage_trace::{
    Context, End, Event, Memory, MemoryPart, Message, ModuleId, ModuleInfo, Outcome, RecordLayout,
    Records, Role, State, ThreadId, TracepointId,
};
use std::time::{Duration, Instant};
use tracepoints::tracepoints;

/// Where the first block is: below are static variables.
const HEAP: u64 = 65_536;
const PAGE: u64 = 65_536;
const BATCH: usize = 5461;

/// Xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Blocks of one size, one behind the other, and what their words hold.
struct Heap {
    name: &'static str,
    blocks: u64,
    size: u64,
    pitch: u64,
    memory: Vec<u8>,
}

impl Heap {
    fn new(name: &'static str, blocks: u64, size: u64, pitch: u64) -> Heap {
        let bytes = (HEAP + blocks * pitch).next_multiple_of(PAGE);
        Heap { name, blocks, size, pitch, memory: vec![0; bytes as usize] }
    }

    fn addr(&self, block: u64) -> u64 {
        HEAP + block * self.pitch
    }

    fn set(&mut self, block: u64, word: u64, value: u64) {
        let at = (self.addr(block) + 4 * word) as usize;
        self.memory[at..at + 4].copy_from_slice(&(value as u32).to_le_bytes());
    }

    fn point(&mut self, from: u64, word: u64, to: u64) {
        if to < self.blocks {
            let addr = self.addr(to);
            self.set(from, word, addr);
        }
    }

    fn session(&self, retained: bool) -> Session {
        let caps = Caps::default();
        let retained = if retained { caps.retained } else { 0 };
        let caps = Caps { retained, ..caps };
        let mut session = Session::new(Config { caps, ..Config::default() });
        session.feed(&Message::Module(ModuleInfo {
            tracepoints: tracepoints([Role::Malloc]),
            memories: vec![Memory {
                initial_pages: self.memory.len() as u64 / PAGE,
                maximum_pages: None,
                page_size: PAGE,
                is_64: false,
                imported: false,
            }],
            globals: vec![0],
            ..ModuleInfo::default()
        }));
        let mut raw = Vec::new();
        for block in 0..self.blocks {
            let (addr, size) = (self.addr(block), self.size);
            let (tracepoint, context) = (TracepointId(0), Context(0));
            Event::Alloc { tracepoint, context, addr, size, align: None }
                .write(RecordLayout::Narrow, &mut raw);
            if raw.len() >= BATCH * RecordLayout::Narrow.size() || block + 1 == self.blocks {
                session.feed(&Message::Records(Records {
                    module: ModuleId(0),
                    thread: ThreadId(0),
                    time_ns: 0,
                    memories: vec![self.memory.len() as u64 / PAGE],
                    layout: RecordLayout::Narrow,
                    raw: (&raw[..]).into(),
                }));
                raw.clear();
            }
        }
        session
    }

    /// An image in which a global holds the first block.
    fn image(&self, session: &mut Session) {
        session.feed(&Message::State(State {
            globals: vec![HEAP],
            memory_bytes: self.memory.len() as u64,
            ..State::default()
        }));
        for (number, part) in self.memory.chunks(MemoryPart::MAX).enumerate() {
            session.feed(&Message::Memory(MemoryPart {
                module: ModuleId(0),
                memory: 0,
                addr: (number * MemoryPart::MAX) as u64,
                bytes: part.into(),
            }));
        }
    }
}

/// 256 MiB in blocks of 1 MiB, each of which points to the next; the rest of each is `filler`.
fn large(name: &'static str, mut filler: impl FnMut() -> u64) -> Heap {
    let mut heap = Heap::new(name, 256, 1 << 20, 1 << 20);
    for block in 0..heap.blocks {
        (1..heap.size / 4).for_each(|word| heap.set(block, word, filler()));
        heap.point(block, 0, block + 1);
    }
    heap
}

/// A tree of small nodes, as many programs keep it, with a third reference to any node. In the
/// order in which they are made, or with the nodes strewn over the heap.
fn tree(name: &'static str, blocks: u64, is_strewn: bool) -> Heap {
    let mut heap = Heap::new(name, blocks, 24, 32);
    let mut place: Vec<u32> = (0..blocks as u32).collect();
    let mut random = Random(88_172_645_463_325_252);
    if is_strewn {
        (2..place.len()).rev().for_each(|last| {
            place.swap(last, 1 + random.next() as usize % last);
        });
    }
    let at = |node: u64| place.get(node as usize).map_or(u64::MAX, |&place| place.into());
    for node in 0..blocks {
        heap.set(at(node), 0, node % 1000);
        heap.point(at(node), 1, at(2 * node + 1));
        heap.point(at(node), 2, at(2 * node + 2));
        heap.point(at(node), 3, random.next() % blocks);
    }
    heap
}

/// A list, the deepest of all graphs.
fn list(blocks: u64) -> Heap {
    let mut heap = Heap::new("list", blocks, 24, 32);
    (0..blocks).for_each(|node| heap.point(node, 1, node + 1));
    heap
}

/// CPU time of this process: others on the machine shall not count.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("this is Linux");
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // utime and stime, in ticks of 10 ms.
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap_or(0.0) / 100.0).sum()
}

/// One end of a run: seconds of CPU time, and the most bytes that it needed beyond the model and
/// the image.
fn end(heap: &Heap, retained: bool) -> (f64, usize) {
    let mut session = heap.session(retained);
    heap.image(&mut session);
    session.feed(&Message::End(End { outcome: Outcome::Returned, ..End::default() }));
    counting::reset_peak();
    let (before, start) = (counting::live(), cpu_seconds());
    let outcome = session.finish();
    let seconds = cpu_seconds() - start;
    let found = outcome.profile.reachability.expect("there is an image");
    assert_eq!(found.kinds.of(LeakKind::StillReachable).blocks, heap.blocks, "{}", heap.name);
    let whole = found.records.first().and_then(|record| record.retained);
    assert_eq!(whole, retained.then_some(heap.blocks * heap.size), "{}", heap.name);
    (seconds, counting::peak() - before)
}

fn dominators(blocks: u64) {
    println!("{blocks} blocks of 24 bytes, 32 apart; bytes are per live block");
    println!(
        "| heap | model | kinds | dominators | at the end, beyond the model | without dominators |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    let heaps: [&dyn Fn() -> Heap; 3] =
        [&|| tree("tree", blocks, false), &|| tree("strewn tree", blocks, true), &|| list(blocks)];
    for heap in heaps {
        let heap = heap();
        let before = counting::live();
        let model = {
            let _session = heap.session(true);
            counting::live() - before
        };
        let (kinds, kinds_bytes) = end(&heap, false);
        let (all, all_bytes) = end(&heap, true);
        let per_block = |bytes: usize| bytes as f64 / blocks as f64;
        println!(
            "| {} | {:.0} B | {kinds:.2} s | {:.2} s | {:.0} B | {:.0} B |",
            heap.name,
            per_block(model),
            all - kinds,
            per_block(all_bytes),
            per_block(kinds_bytes),
        );
    }
}

fn main() {
    let blocks = std::env::var("SEEPAGE_BLOCKS").ok().and_then(|text| text.parse().ok());
    match blocks.unwrap_or(10_000_000) {
        0 => {}
        blocks => dominators(blocks),
    }
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sample_size(10)
        .configure_from_args();
    let mut random = Random(88_172_645_463_325_252);
    let heaps = [
        // Pixels, text, sums: what lies beyond the heap is no address.
        large("numbers beyond the heap", || u64::from(u32::MAX) - random.next() % (1 << 30)),
        large("any numbers", {
            let mut random = Random(362_436_069);
            move || random.next()
        }),
        tree("tree of 1,000,000", 1_000_000, false),
        tree("strewn tree of 1,000,000", 1_000_000, true),
    ];
    let mut group = criterion.benchmark_group("mark");
    for heap in &heaps {
        let mut session = heap.session(false);
        group.throughput(Throughput::Bytes(heap.blocks * heap.size));
        group.bench_function(heap.name, |bench| {
            // Only the mark is timed: bringing the image costs more.
            bench.iter_custom(|rounds| {
                let mut sum = Duration::ZERO;
                for _ in 0..rounds {
                    heap.image(&mut session);
                    let start = Instant::now();
                    session.feed(&Message::Mark { name: String::new() });
                    sum += start.elapsed();
                }
                sum
            });
        });
    }
    group.finish();
    criterion.final_summary();
}
