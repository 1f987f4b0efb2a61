//! The heap model against a naive one, on random traces; and hostile bytes.

mod guest;

use guest::{Guest, analyze};
use proptest::{collection::vec, prelude::*};
use seepage_analysis::{Caps, Config, Count, Outcome};
use seepage_trace::{
    Context, Decoder, Encoder, Message, ModuleId, Outcome as Ending, RecordLayout, Records,
    ThreadId,
};
use std::collections::HashMap;

/// What a random guest does next; addresses are few, so that they collide.
#[derive(Clone, Copy, Debug)]
enum Step {
    Alloc { by: usize, addr: u64, size: u64 },
    Free { by: usize, addr: u64 },
    Realloc { by: usize, old: u64, addr: u64, size: u64 },
    Mark,
}

const CONTEXTS: usize = 5;

fn step() -> impl Strategy<Value = Step> {
    let by = || 0..CONTEXTS;
    // 0 is null; odd addresses and such beyond 32 bits take other ways through the table. Below 64
    // are the addresses of what has no bytes, of which there is a test of its own.
    let even = || (0..12u64).prop_map(|n| if n == 0 { 0 } else { 64 + n * 8 });
    let addr = || prop_oneof![8 => even(), 1 => 65..73u64, 1 => (1u64 << 33)..(1 << 33) + 3];
    let size = || prop_oneof![1 => Just(0), 9 => 1..1000u64];
    prop_oneof![
        4 => (by(), addr(), size()).prop_map(|(by, addr, size)| Step::Alloc { by, addr, size }),
        4 => (by(), addr()).prop_map(|(by, addr)| Step::Free { by, addr }),
        2 => (by(), addr(), addr(), size())
            .prop_map(|(by, old, addr, size)| Step::Realloc { by, old, addr, size }),
        1 => Just(Step::Mark),
    ]
}

#[derive(Clone, Copy, Debug)]
struct Block {
    size: u64,
    by: usize,
    birth: u64,
}

/// The same rules, without any cleverness.
#[derive(Default)]
struct Naive {
    clock: u64,
    live: HashMap<u64, Block>,
    was_block: HashMap<u64, usize>,
    newest: Option<u64>,
    allocated: Count,
    freed: Count,
    temporary: Count,
    failed: u64,
    reallocs: u64,
    double: u64,
    unknown: u64,
    unknown_realloc: u64,
    overlap: u64,
    lifetimes: u64,
    peak: (Count, u64, Vec<Count>),
    at_mark: Vec<Count>,
}

fn add(count: &mut Count, bytes: u64) {
    count.blocks += 1;
    count.bytes += bytes;
}

impl Naive {
    fn holdings(&self) -> Vec<Count> {
        let mut counts = vec![Count::default(); CONTEXTS];
        self.live.values().for_each(|block| add(&mut counts[block.by], block.size));
        counts
    }

    fn total(&self) -> Count {
        let mut count = Count::default();
        self.live.values().for_each(|block| add(&mut count, block.size));
        count
    }

    fn insert(&mut self, addr: u64, block: Block) {
        add(&mut self.allocated, block.size);
        if let Some(old) = self.live.insert(addr, block) {
            add(&mut self.freed, old.size);
            self.overlap += u64::from(old.size > 0 && block.size > 0);
        }
        self.was_block.remove(&addr);
        self.newest = Some(addr);
    }

    fn alloc(&mut self, by: usize, addr: u64, size: u64) {
        if addr == 0 {
            self.failed += u64::from(size > 0);
        } else {
            let birth = self.clock;
            self.insert(addr, Block { size, by, birth });
        }
    }

    fn free(&mut self, by: usize, addr: u64) {
        if addr == 0 {
            return;
        }
        let Some(block) = self.live.remove(&addr) else {
            // Which address a free of a non-block is inside of is not modelled.
            let slot = if self.was_block.contains_key(&addr) {
                &mut self.double
            } else {
                &mut self.unknown
            };
            *slot += 1;
            return;
        };
        self.was_block.insert(addr, by);
        add(&mut self.freed, block.size);
        self.lifetimes += self.clock - block.birth;
        if self.newest == Some(addr) {
            add(&mut self.temporary, block.size);
        }
    }

    fn step(&mut self, step: Step) {
        if let Step::Mark = step {
            self.at_mark = self.holdings();
            return;
        }
        self.clock += 1;
        match step {
            Step::Alloc { by, addr, size } => self.alloc(by, addr, size),
            Step::Free { by, addr } => self.free(by, addr),
            Step::Realloc { by, old: 0, addr, size } => self.alloc(by, addr, size),
            Step::Realloc { by, old, addr: 0, size: 0 } => self.free(by, old),
            Step::Realloc { addr: 0, .. } => self.failed += 1,
            Step::Realloc { by, old, addr, size } => {
                self.reallocs += 1;
                let mut birth = self.clock;
                match self.live.remove(&old) {
                    Some(block) => {
                        add(&mut self.freed, block.size);
                        self.was_block.insert(old, by);
                        birth = block.birth;
                    }
                    None => self.unknown_realloc += 1,
                }
                self.insert(addr, Block { size, by, birth });
            }
            Step::Mark => {}
        }
        let total = self.total();
        if total.bytes > self.peak.0.bytes {
            self.peak = (total, self.clock, self.holdings());
        }
    }
}

fn run(steps: &[Step], batch: usize) -> (Vec<Message<'static>>, Outcome) {
    let mut guest = Guest::new();
    guest.layout = RecordLayout::Wide;
    let contexts: Vec<Context> =
        (0..CONTEXTS).map(|number| guest.at(&[&format!("f{number}"), "main"])).collect();
    for (index, &step) in steps.iter().enumerate() {
        match step {
            Step::Alloc { by, addr, size } => guest.alloc(contexts[by], addr, size),
            Step::Free { by, addr } => guest.free(contexts[by], addr),
            Step::Realloc { by, old, addr, size } => guest.realloc(contexts[by], old, addr, size),
            Step::Mark => guest.mark("m"),
        };
        if index % batch == 0 {
            guest.flush();
        }
    }
    guest.end(Ending::Returned);
    let outcome = analyze(&guest.messages, Config::default());
    (guest.messages, outcome)
}

fn occurrences(outcome: &Outcome, names: &[&str]) -> u64 {
    let of = outcome.anomalies.iter().filter(|anomaly| names.contains(&anomaly.kind.name()));
    of.map(|anomaly| anomaly.count).sum()
}

proptest! {
    #[test]
    fn the_model_agrees_with_a_naive_one(steps in vec(step(), 0..300)) {
        let mut naive = Naive::default();
        steps.iter().for_each(|&step| naive.step(step));
        let (_, outcome) = run(&steps, 7);
        let profile = &outcome.profile;
        let totals = profile.totals;
        prop_assert_eq!(totals.events, naive.clock);
        prop_assert_eq!(totals.allocated, naive.allocated);
        prop_assert_eq!(totals.freed, naive.freed);
        prop_assert_eq!(totals.live, naive.total());
        prop_assert_eq!(totals.temporary, naive.temporary);
        prop_assert_eq!((totals.failed, totals.reallocs), (naive.failed, naive.reallocs));
        prop_assert_eq!((profile.peak.live, profile.peak.clock), (naive.peak.0, naive.peak.1));

        let costs = |part: fn(&seepage_analysis::ContextCost) -> Count| -> Vec<Count> {
            profile.contexts.iter().map(part).collect()
        };
        prop_assert_eq!(costs(|context| context.cost.live), naive.holdings());
        if naive.peak.1 > 0 {
            prop_assert_eq!(&costs(|context| context.cost.peak), &naive.peak.2);
        }
        if !naive.at_mark.is_empty() {
            prop_assert_eq!(&costs(|context| context.live_at_mark), &naive.at_mark);
        }
        let sum = |counts: Vec<Count>| counts.iter().fold((0, 0), |sum, c| (sum.0 + c.blocks, sum.1 + c.bytes));
        prop_assert_eq!(sum(costs(|c| c.cost.allocated)), (totals.allocated.blocks, totals.allocated.bytes));
        prop_assert_eq!(sum(costs(|c| c.cost.temporary)), (totals.temporary.blocks, totals.temporary.bytes));
        prop_assert_eq!(
            profile.contexts.iter().map(|context| context.lifetime_sum).sum::<u64>(),
            naive.lifetimes
        );
        prop_assert_eq!(profile.sizes.iter().map(|b| b.allocated.blocks).sum::<u64>(), totals.allocated.blocks);
        prop_assert_eq!(
            occurrences(&outcome, &["double-free", "unknown-free", "interior-free"]),
            naive.double + naive.unknown
        );
        prop_assert_eq!(occurrences(&outcome, &["unknown-realloc"]), naive.unknown_realloc);
        prop_assert_eq!(occurrences(&outcome, &["overlap"]), naive.overlap);
        prop_assert_eq!(profile.timeline.iter().map(|point| point.max_bytes).max().unwrap_or(0), naive.peak.0.bytes);
    }

    #[test]
    fn batches_and_files_make_no_difference(steps in vec(step(), 0..100)) {
        let (messages, outcome) = run(&steps, 7);
        let (_, other) = run(&steps, 1000);
        prop_assert_eq!(&outcome.findings, &other.findings);
        prop_assert_eq!(&outcome.anomalies, &other.anomalies);
        prop_assert_eq!(&outcome.profile.contexts, &other.profile.contexts);

        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file);
        messages.iter().for_each(|message| encoder.message(message, &mut file));
        let mut decoder = Decoder::new();
        decoder.push(&file);
        let mut decoded = Vec::new();
        while let Ok(Some(message)) = decoder.next() {
            decoded.push(message);
        }
        prop_assert_eq!(&analyze(&decoded, Config::default()), &outcome);
    }

    #[test]
    fn hostile_records_are_data(
        batches in vec((vec(any::<u8>(), 0..400), any::<bool>(), 0..3u32, vec(any::<u64>(), 0..3)), 0..6),
        kinds in vec(1..6u8, 40),
    ) {
        let mut guest = Guest::new();
        guest.at(&["main"]);
        for (mut raw, wide, module, memories) in batches {
            let layout = if wide { RecordLayout::Wide } else { RecordLayout::Narrow };
            // Random heads are mostly of no kind.
            for (record, kind) in raw.chunks_exact_mut(layout.size()).zip(&kinds) {
                record[3] = *kind;
            }
            guest.messages.push(Message::Records(Records {
                module: ModuleId(module), thread: ThreadId(module), time_ns: u64::MAX, memories, layout,
                raw: raw.into(),
            }));
            guest.mark("m");
        }
        guest.end(Ending::Returned);
        let caps = Caps { modules: 2, stacks: 1, blocks: 4, table_pages: 8, odd_blocks: 2, replayed: 4, grows: 2,
            anomalies: 2, timeline: 4, marks: 2, findings: 1, frames: 1, all_frames: 1,
            module_rules: 1, image_pages: 2, retained: 2, heap_maps: 1, open_files: 1 };
        for caps in [caps, Caps { table_pages: 1000, ..Caps::default() }] {
            let config = Config { caps, ..Config::default() };
            let outcome = analyze(&guest.messages, config.clone());
            prop_assert_eq!(&outcome, &analyze(&guest.messages, config));
            let _ = (outcome.verdict(), outcome.reasons());
        }
    }
}
