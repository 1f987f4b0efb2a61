//! What the largest heap that there can be costs: 50 million live blocks in a memory of 4 GiB.
//!
//! A made-up guest goes through [`Session`] as a trace does: every message is encoded and decoded
//! again. Nine tenths of its blocks are a tree that a global holds, the rest are lists of ten that
//! nothing holds. A tenth of all blocks is freed and allocated anew, at random. There is an image of
//! the whole memory at a mark and at the end, made as it is read, so that the guest takes no memory
//! of its own. Each phase is told with its CPU time and the most memory that was in use up to then.
//!
//! ```sh
//! cargo bench --bench scale                                           # needs 14 GB
//! SEEPAGE_BLOCKS=5000000 SEEPAGE_MIB=512 cargo bench --bench scale
//! SEEPAGE_RETAINED=0 cargo bench --bench scale                        # without dominators
//! SEEPAGE_MARK=0 cargo bench --bench scale                            # without the mark
//! ```
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

#[path = "support/tracepoints.rs"]
mod tracepoints;

use seepage_analysis::{Caps, Config, Drops, LeakKind, Session};
use seepage_report::{Context as ReportContext, Options, assemble, formats};
use seepage_trace::{
    Context, Decoder, Encoder, End, Event, Frame, Memory, MemoryPart, Message, ModuleId,
    ModuleInfo, Outcome, RecordLayout, Records, Role, Stack, State, ThreadId, TracepointId,
};
use std::time::Instant;
use tracepoints::tracepoints;

/// Where the first block is: below are static variables.
const HEAP: u64 = 65_536;
const PAGE: u64 = 65_536;
const BATCH: u64 = 5461;
const CONTEXTS: u64 = 10_000;
/// Blocks of a lost list.
const LIST: u64 = 10;
const MALLOC: TracepointId = TracepointId(0);
const FREE: TracepointId = TracepointId(1);

/// The made-up guest: where its blocks are, and what they hold.
struct Guest {
    blocks: u64,
    bytes: u64,
    pitch: u64,
}

impl Guest {
    fn new(blocks: u64, mebibytes: u64) -> Guest {
        // A memory of 4 GiB ends where addresses do; its last page is never grown.
        let bytes = (mebibytes << 20).min((1 << 32) - PAGE);
        Guest { blocks, bytes, pitch: ((bytes - HEAP) / blocks) & !7 }
    }

    fn addr(&self, block: u64) -> u64 {
        HEAP + block * self.pitch
    }

    fn size(&self, block: u64) -> u64 {
        self.pitch - 8 - 4 * (block % 4)
    }

    /// The blocks of the tree; those behind it are lost.
    fn held(&self) -> u64 {
        self.blocks - self.blocks / 10 / LIST * LIST
    }

    /// The addresses that a block holds, from its second word on; 0 for none.
    fn words(&self, block: u64) -> [u64; 3] {
        let addr = |to: u64| if to < self.held() { self.addr(to) } else { 0 };
        if block < self.held() {
            return [addr(2 * block + 1), addr(2 * block + 2), addr(mix(block) % self.held())];
        }
        let is_last = (block - self.held()) % LIST == LIST - 1;
        [if is_last { 0 } else { self.addr(block + 1) }, 0, 0]
    }

    fn module(&self) -> ModuleInfo {
        ModuleInfo {
            tracepoints: tracepoints([Role::Malloc, Role::Free]),
            memories: vec![Memory {
                initial_pages: self.bytes / PAGE,
                maximum_pages: None,
                page_size: PAGE,
                is_64: false,
                imported: false,
            }],
            contexts: true,
            globals: vec![0],
            ..ModuleInfo::default()
        }
    }

    fn alloc(&self, block: u64) -> Event {
        Event::Alloc {
            tracepoint: MALLOC,
            context: context(mix(block / 16)),
            addr: self.addr(block),
            size: self.size(block),
            align: None,
        }
    }

    fn free(&self, block: u64) -> Event {
        let addr = self.addr(block);
        Event::Free { tracepoint: FREE, context: context(0), addr, size: None, align: None }
    }

    /// All blocks, and then a tenth of them anew.
    fn events(&self) -> impl Iterator<Item = Event> {
        let anew = (0..self.blocks / 10).map(|number| mix(number) % self.blocks);
        let anew = anew.flat_map(|block| [self.free(block), self.alloc(block)]);
        (0..self.blocks).map(|block| self.alloc(block)).chain(anew)
    }

    /// A stretch of the memory: numbers, and in each block a few addresses.
    fn part(&self, addr: u64, bytes: &mut Vec<u8>) {
        let end = (addr + MemoryPart::MAX as u64).min(self.bytes);
        bytes.clear();
        bytes.extend((addr / 4..end / 4).flat_map(|word| (word as u32 % 60_000).to_le_bytes()));
        let first = addr.saturating_sub(HEAP + self.pitch) / self.pitch;
        for block in (first..self.blocks).take_while(|&block| self.addr(block) < end) {
            for (place, value) in (1u64..).zip(self.words(block)) {
                let at = self.addr(block) + 4 * place;
                if (addr..end).contains(&at) {
                    let at = (at - addr) as usize;
                    bytes[at..at + 4].copy_from_slice(&(value as u32).to_le_bytes());
                }
            }
        }
    }
}

/// A number as good as random.
fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 31).wrapping_mul(0x7fb5_d329_728e_a185);
    (number ^ number >> 27).wrapping_mul(0x81da_def4_bc2d_d44d) >> 16
}

fn context(number: u64) -> Context {
    Context((number % CONTEXTS + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// A session behind a trace file that is read as it is written.
struct Feed {
    session: Session,
    encoder: Encoder,
    decoder: Decoder,
    bytes: Vec<u8>,
}

impl Feed {
    fn new(session: Session) -> Feed {
        let mut bytes = Vec::new();
        let encoder = Encoder::new(&mut bytes);
        Feed { session, encoder, decoder: Decoder::new(), bytes }
    }

    fn message(&mut self, message: &Message<'_>) {
        self.encoder.message(message, &mut self.bytes);
        self.decoder.push(&self.bytes);
        self.bytes.clear();
        while let Some(message) = self.decoder.next().expect("it was just written") {
            self.session.feed(&message);
        }
    }

    fn events(&mut self, guest: &Guest) {
        let mut raw = Vec::new();
        let mut events = guest.events();
        loop {
            let batch = events.by_ref().take(BATCH as usize);
            batch.for_each(|event| event.write(RecordLayout::Narrow, &mut raw));
            if raw.is_empty() {
                return;
            }
            self.message(&Message::Records(Records {
                module: ModuleId(0),
                thread: ThreadId(0),
                time_ns: 0,
                memories: vec![guest.bytes / PAGE],
                layout: RecordLayout::Narrow,
                raw: (&raw[..]).into(),
            }));
            raw.clear();
        }
    }

    fn image(&mut self, guest: &Guest) {
        self.message(&Message::State(State {
            globals: vec![HEAP],
            memory_bytes: guest.bytes,
            ..State::default()
        }));
        let mut bytes = Vec::new();
        for addr in (0..guest.bytes).step_by(MemoryPart::MAX) {
            guest.part(addr, &mut bytes);
            let (module, memory) = (ModuleId(0), 0);
            self.message(&Message::Memory(MemoryPart {
                module,
                memory,
                addr,
                bytes: (&bytes[..]).into(),
            }));
        }
    }
}

/// What each phase takes.
struct Phases {
    blocks: u64,
    began: Instant,
    cpu: f64,
}

impl Phases {
    fn end(&mut self, phase: &str) {
        let cpu = cpu_seconds();
        let [now, most] = ["VmRSS:", "VmHWM:"].map(memory);
        println!(
            "| {phase} | {:.1} s | {:.1} s | {now} MB | {most} MB | {} B |",
            cpu - self.cpu,
            self.began.elapsed().as_secs_f64(),
            most * 1_000_000 / self.blocks
        );
        (self.began, self.cpu) = (Instant::now(), cpu_seconds());
    }
}

/// CPU time of this process: others on the machine shall not count.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("this is Linux");
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // utime and stime, in ticks of 10 ms.
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap_or(0.0) / 100.0).sum()
}

/// A line of this process' status, in megabytes.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let value = status.lines().find_map(|it| it.strip_prefix(line)?.trim().strip_suffix(" kB"));
    value.and_then(|it| it.parse::<u64>().ok()).unwrap_or(0) * 1024 / 1_000_000
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn main() {
    let blocks = setting("SEEPAGE_BLOCKS").unwrap_or(50_000_000);
    let guest = Guest::new(blocks, setting("SEEPAGE_MIB").unwrap_or(4096));
    let caps = Caps::default();
    let retained = setting("SEEPAGE_RETAINED").map_or(caps.retained, |count| count as usize);
    let mut feed =
        Feed::new(Session::new(Config { caps: Caps { retained, ..caps }, ..Config::default() }));
    println!(
        "{blocks} blocks, {} apart, in a memory of {} MB",
        guest.pitch,
        guest.bytes / 1_000_000
    );
    println!("| phase | CPU time | wall time | memory after it | most so far | per block |");
    println!("|---|---:|---:|---:|---:|---:|");
    let mut phases = Phases { blocks, began: Instant::now(), cpu: cpu_seconds() };
    feed.message(&Message::Module(guest.module()));
    for number in 0..CONTEXTS {
        let frames = vec![Frame::function(format!("f{number}")), Frame::function("main")];
        let (module, truncated) = (ModuleId(0), false);
        feed.message(&Message::Stack(Stack {
            module,
            context: context(number),
            frames,
            truncated,
        }));
    }
    feed.events(&guest);
    phases.end("events");
    if setting("SEEPAGE_MARK") != Some(0) {
        feed.image(&guest);
        phases.end("image at a mark");
        feed.message(&Message::Mark { name: "mark".into() });
        phases.end("mark: kinds, account");
    }
    feed.image(&guest);
    phases.end("image at the end");
    feed.message(&Message::End(End { outcome: Outcome::Returned, ..End::default() }));
    let outcome = feed.session.finish();
    phases.end("end: kinds, retained sizes, two accounts");
    let report = assemble(&outcome, &ReportContext::new("bench"));
    let bytes = ["text", "json"].map(|format| {
        let mut out = String::new();
        let format = formats::find(format).expect("there is one");
        (format.render)(&report, &Options::default(), &mut out);
        out.len()
    });
    phases.end("report, text and JSON");
    println!("the report has {} and {} bytes", bytes[0], bytes[1]);

    let reachability = outcome.profile.reachability.as_ref().expect("there is an image");
    let of = |kind: LeakKind| reachability.kinds.of(kind).blocks;
    let lists = (blocks - guest.held()) / LIST;
    assert_eq!(of(LeakKind::StillReachable), guest.held());
    assert_eq!(of(LeakKind::DefinitelyLost), lists);
    assert_eq!(of(LeakKind::IndirectlyLost), lists * (LIST - 1));
    // There are more contexts than findings are listed.
    assert_eq!(Drops { findings: 0, ..outcome.drops }, Drops::default());
    if retained as u64 >= blocks {
        let root = reachability.records.iter().filter(|it| it.kind == LeakKind::DefinitelyLost);
        let retained = root.filter_map(|record| record.retained).sum::<u64>();
        let lost = (guest.held()..blocks).map(|block| guest.size(block)).sum::<u64>();
        assert_eq!(retained, lost, "what is lost is retained by what is lost directly");
    }
}
