//! The account and the growth of random and of chosen runs: that they add up, and are of their moment.

mod guest;

use guest::{Guest, analyze, module_info};
use proptest::{collection::vec, prelude::*};
use seepage_analysis::{
    Config, FreeRuns, FreeSpace, GrownBy, GrownFor, NotJudged, Outcome, Overhead,
};
use seepage_trace::{
    Context, End, Event, Frees, Memory, MemoryPart, Message, ModuleInfo, Outcome as Ending, State,
};
use std::{collections::BTreeMap, ops::Range};

const PAGE: u64 = 65_536;
/// All sizes and addresses are multiples of it, and one more is what the allocator takes.
const UNIT: u64 = 16;

/// What a random guest does next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Alloc {
        by: usize,
        slot: u64,
        size: u64,
    },
    Free {
        slot: u64,
    },
    /// An allocation for which the allocator grows.
    GrowAlloc {
        by: usize,
        slot: u64,
        size: u64,
        pages: u64,
    },
    Grow {
        pages: u64,
    },
    HostGrow {
        pages: u64,
    },
    Mark,
}

fn step() -> impl Strategy<Value = Step> {
    let (by, slot) = (|| 0..3usize, || 0..60u64);
    prop_oneof![
        5 => (by(), slot(), 1..560u64)
            .prop_map(|(by, slot, units)| Step::Alloc { by, slot, size: units * UNIT }),
        3 => slot().prop_map(|slot| Step::Free { slot }),
        3 => (by(), slot(), 1..5600u64, 1..4u64).prop_map(|(by, slot, units, pages)| {
            Step::GrowAlloc { by, slot, size: units * UNIT, pages }
        }),
        1 => (1..3u64).prop_map(|pages| Step::Grow { pages }),
        1 => (1..3u64).prop_map(|pages| Step::HostGrow { pages }),
        1 => Just(Step::Mark),
    ]
}

fn image(guest: &mut Guest, bytes: u64) {
    guest.flush();
    let state = State { module: guest.module, memory_bytes: bytes, ..State::default() };
    guest.messages.push(Message::State(state));
}

/// What is free, without any cleverness: a flag for each unit of memory.
#[derive(Default)]
struct Naive {
    blocks: BTreeMap<u64, u64>,
    low: Option<u64>,
    top: u64,
    /// What others grew.
    foreign: Vec<Range<u64>>,
}

impl Naive {
    fn alloc(&mut self, addr: u64, size: u64) {
        self.blocks.insert(addr, size);
        let end = addr + size;
        // What a block reaches into for the first time was the allocator's after all.
        if end > self.top {
            self.foreign.retain(|range| range.end <= addr || range.start >= end);
        }
        self.low = Some(self.low.unwrap_or(addr).min(addr));
        self.top = self.top.max(addr + size);
    }

    /// The host grows the memory for the allocator too: then a block lies there by now.
    fn host_grows(&mut self, range: Range<u64>) {
        if self.top <= range.start {
            self.foreign.push(range);
        }
    }

    /// What a growth must say.
    fn free_space(&self, bytes: u64) -> Option<FreeSpace> {
        let low = self.low? / UNIT;
        let top = self.top / UNIT;
        let mut is_free = vec![true; top as usize];
        let mut take = |range: Range<u64>| {
            range.filter(|&unit| unit < top).for_each(|unit| is_free[unit as usize] = false);
        };
        take(0..low);
        for (&addr, &size) in &self.blocks {
            take(addr / UNIT..(addr + size) / UNIT + 1);
        }
        for range in &self.foreign {
            take(range.start / UNIT..range.end / UNIT);
        }
        let runs = is_free.chunk_by(|one, next| one == next).filter(|run| run[0]);
        let lengths: Vec<u64> = runs.map(|run| run.len() as u64 * UNIT).collect();
        Some(FreeSpace {
            bytes: lengths.iter().sum(),
            tail: bytes
                - self.foreign.iter().map(|range| range.end).fold(self.top, u64::max).min(bytes),
            runs: Some(FreeRuns {
                count: lengths.len() as u64,
                largest: lengths.into_iter().max().unwrap_or(0),
            }),
        })
    }
}

/// Runs the steps in a memory of 2 pages, beside a second one that never grows. Gives what was free
/// at each growth by the guest as well.
fn run(steps: &[Step]) -> (Outcome, Vec<Option<FreeSpace>>) {
    let (mut naive, mut free) = (Naive::default(), Vec::new());
    let memory = Memory {
        initial_pages: 2,
        maximum_pages: None,
        page_size: PAGE,
        is_64: false,
        imported: false,
    };
    let info = ModuleInfo { memories: vec![memory; 2], ..module_info("app.wasm", "dlmalloc") };
    let mut guest = Guest::of(info);
    let by: Vec<Context> = (0..3).map(|n| guest.at(&[&format!("f{n}"), "main"])).collect();
    let grower: Vec<Context> =
        (0..3).map(|n| guest.at(&["sbrk", "malloc", &format!("f{n}"), "main"])).collect();
    let own = guest.at(&["init", "main"]);
    let mut pages = 2;
    // A slot is a place for a block of up to 4 KiB; a larger one reaches over the next.
    let addr = |slot: u64| 1024 + slot * 4096;
    for &step in steps {
        match step {
            Step::Alloc { by: of, slot, size } => {
                guest.alloc(by[of], addr(slot), size);
                naive.alloc(addr(slot), size);
            }
            Step::Free { slot } => {
                guest.free(by[0], addr(slot));
                naive.blocks.remove(&addr(slot));
            }
            Step::GrowAlloc { by: of, slot, size, pages: more } => {
                free.push(naive.free_space(pages * PAGE));
                guest.grow(grower[of], Some(pages), more).alloc(by[of], addr(slot), size);
                naive.alloc(addr(slot), size);
                pages += more;
            }
            Step::Grow { pages: more } => {
                free.push(naive.free_space(pages * PAGE));
                // What it was for is known when something else is asked for.
                guest.grow(own, Some(pages), more).alloc(by[0], addr(0), UNIT);
                naive.foreign.push(pages * PAGE..(pages + more) * PAGE);
                naive.alloc(addr(0), UNIT);
                pages += more;
            }
            Step::HostGrow { pages: more } => {
                guest.flush();
                naive.host_grows(pages * PAGE..(pages + more) * PAGE);
                pages += more;
                guest.host_grow(pages);
            }
            Step::Mark => {
                image(&mut guest, pages * PAGE);
                guest.mark("m");
            }
        }
    }
    guest.end_with(End { outcome: Ending::Returned, ..End::default() });
    (analyze(&guest.messages, Config { heap_map: true, ..Config::default() }), free)
}

proptest! {
    #[test]
    fn every_account_is_the_memory_of_its_moment(steps in vec(step(), 1..120)) {
        let (outcome, free) = run(&steps);
        let profile = outcome.profile;
        prop_assert_eq!(profile.account.expect("one").total(), profile.final_pages * PAGE);
        if profile.peak.clock > 0 {
            prop_assert_eq!(profile.peak_account.expect("one").total(), profile.peak.pages * PAGE);
        }
        for mark in &profile.marks {
            let found = mark.found.expect("there is an image of each");
            prop_assert_eq!(found.account.total(), mark.pages * PAGE);
            prop_assert!(found.account.live.total() <= mark.live.bytes);
        }
        let fragmentation = &profile.fragmentation;
        let account = profile.account.expect("one");
        prop_assert!(fragmentation.bytes <= account.free_fragmented + account.free_fitting);
        prop_assert_eq!(fragmentation.wanted > 0, profile.growth.fragmentation > 0);
        prop_assert!(fragmentation.largest < fragmentation.wanted.max(1));
        let pinned: u64 = fragmentation.pins.iter().map(|pin| pin.bytes).sum();
        prop_assert!(pinned <= fragmentation.bytes);
        let pins: u64 = fragmentation.pins.iter().map(|pin| pin.blocks.blocks).sum();
        prop_assert!(pins <= profile.totals.live.blocks && pins <= 2 * fragmentation.pieces);
        let grown = (profile.final_pages - profile.initial_pages) * PAGE;
        prop_assert_eq!(profile.growth.total(), grown);
        let shares = &profile.growth_shares;
        prop_assert_eq!(shares.iter().map(|share| share.bytes).sum::<u64>(), grown);
        let of = |what: GrownFor| -> u64 {
            shares.iter().filter(|share| share.what == what).map(|share| share.bytes).sum()
        };
        let growth = &profile.growth;
        prop_assert_eq!(of(GrownFor::Fragmentation), growth.fragmentation);
        prop_assert_eq!(of(GrownFor::Policy), growth.policy);
        prop_assert_eq!(of(GrownFor::Direct), growth.direct);
        prop_assert_eq!(of(GrownFor::Unexplained), growth.unexplained);
        let by_guest = profile.grows.iter().filter(|grow| grow.by == GrownBy::Guest);
        prop_assert_eq!(by_guest.map(|grow| grow.free).collect::<Vec<_>>(), free);
    }
}

#[test]
fn a_piece_is_kept_half_by_each_neighbour() {
    let mut guest = Guest::new();
    let [one, other, main] = ["one", "other", "main"].map(|name| guest.at(&[name]));
    let grower = guest.at(&["sbrk", "malloc", "main"]);
    // A chunk begins 4 bytes in front of its block and is a multiple of 16: the last two touch.
    guest.alloc(one, 2_000, 28).alloc(other, 66_000, 28).alloc(one, 130_000, 92);
    guest.grow(grower, Some(2), 2).alloc(main, 130_096, 100_000);
    let profile = guest.judged().profile;
    assert_eq!(profile.growth.fragmentation, 2 * PAGE);
    let found = profile.fragmentation;
    let piece = 65_996 - 2_028;
    let second = 129_996 - 66_028;
    assert_eq!((found.wanted, found.pieces, found.bytes), (100_000, 2, piece + second));
    let pins: Vec<(GrownFor, u64, u64, u64)> = (found.pins.iter())
        .map(|pin| (pin.what, pin.blocks.blocks, pin.blocks.bytes, pin.bytes))
        .collect();
    let half = (piece + second) / 2;
    assert_eq!(pins, [(GrownFor::Lost, 2, 120, half), (GrownFor::Lost, 1, 28, half)]);
}

#[test]
fn the_high_water_mark_knows_no_block_that_came_later() {
    let mut guest = Guest::new();
    let main = guest.at(&["main"]);
    guest.alloc(main, 1024, 50_000).free(main, 1024);
    // Fewer bytes, but further up than anything before.
    guest.alloc(main, 100_000, 2_000).free(main, 100_000);
    let profile = guest.judged().profile;
    let peak = profile.peak_account.expect("one");
    assert_eq!((peak.tail, peak.free_runs), (2 * PAGE - 51_024, 0));
    let end = profile.account.expect("one");
    assert_eq!((end.tail, end.free_runs), (2 * PAGE - 102_000, 1));
}

#[test]
fn the_high_water_mark_knows_no_memory_that_grew_later() {
    let mut guest = Guest::new();
    let main = guest.at(&["main"]);
    guest.alloc(main, 1024, 50_000).free(main, 1024).flush();
    let mut other =
        Guest::of(ModuleInfo { id: seepage_trace::ModuleId(1), ..module_info("b", "") });
    other.flush();
    guest.messages.extend(other.messages);
    guest.grow(main, Some(2), 3);
    let profile = guest.judged().profile;
    assert_eq!((profile.peak.pages, profile.final_pages), (2, 7));
    assert_eq!(profile.peak_account.expect("one").total(), 2 * PAGE);
    assert_eq!(profile.account.expect("one").total(), 7 * PAGE);
}

#[test]
fn of_a_collected_heap_a_mark_says_that_nothing_is_judged() {
    for (frees, why) in
        [(Frees::Collected, NotJudged::Collected), (Frees::Unseen, NotJudged::FreesUnseen)]
    {
        let mut guest = Guest::of(ModuleInfo { frees, ..module_info("go.wasm", "tinygo") });
        let main = guest.at(&["main"]);
        guest.alloc(main, 4096, 100);
        image(&mut guest, 2 * PAGE);
        guest.mark("seen");
        guest.mark("unseen");
        let marks = guest.judged().profile.marks;
        assert_eq!([marks[0].not_judged, marks[1].not_judged], [Some(why); 2]);
        let seen = marks[0].found.expect("what the memory is for is known all the same");
        assert_eq!((seen.kinds, seen.account.live.unknown), (None, 100));
        assert_eq!(marks[1].found, None);
    }
}

#[test]
fn what_is_known_noise_is_so_in_the_map_of_a_mark_as_well() {
    let mut guest = Guest::new();
    let argv = guest.at(&["__main_void", "_start"]);
    guest.alloc(argv, 4096, 64);
    image(&mut guest, 2 * PAGE);
    guest.mark("m");
    image(&mut guest, 2 * PAGE);
    guest.end(Ending::Returned);
    let outcome = analyze(&guest.messages, Config { heap_map: true, ..Config::default() });
    let found = outcome.profile.marks[0].found.expect("there is an image");
    assert_eq!((found.suppressed.bytes, found.account.live.suppressed), (64, 64));
    let cells = outcome.heap_maps.iter().map(|map| map.cells.iter().map(|run| run.what));
    let noise = cells.map(|mut cells| {
        cells.any(|what| {
            matches!(what, seepage_analysis::Use::Live { kind, .. }
                if kind == seepage_analysis::BlockKind::Suppressed)
        })
    });
    assert_eq!(noise.collect::<Vec<_>>(), [true, true, false], "mark, end, and peak");
}

#[test]
fn what_an_allocator_tells_is_no_event_and_its_overhead() {
    let mut guest = Guest::of(module_info("pool.wasm", "libc"));
    let main = guest.at(&["main"]);
    let usable = |addr: u64, size: u64| Event::Usable {
        tracepoint: guest::MALLOC,
        context: main,
        addr,
        size,
    };
    guest.alloc(main, 4096, 100).event(usable(4096, 112));
    guest.alloc(main, 4208, 100).event(usable(4208, 112));
    // Of what is no block, and of less than was asked for.
    guest.event(usable(9999, 100)).event(usable(4208, 99));
    guest.realloc(main, 4208, 4208, 60).event(usable(4208, 112));
    let outcome = guest.judged();
    assert_eq!((outcome.profile.totals.events, outcome.drops.unknown_records), (3, 0));
    let account = outcome.profile.account.expect("one");
    assert_eq!((account.overhead, account.how), (12 + 52, Some(Overhead::Measured)));
    // More was live before the second became smaller; by the sizes it is known what that took.
    let at_peak = outcome.profile.peak_account.expect("one");
    assert_eq!((at_peak.overhead, at_peak.how), (12 + 12, Some(Overhead::Computed)));
}

/// As TinyGo's collector up to 0.39 keeps its books: two bits for each 16 bytes, at the memory's end.
fn collector_books(guest: &mut Guest, start: u64, bytes: u64, objects: &[(u64, u64)]) {
    let from = bytes - (bytes - start).div_ceil(65);
    let mut states = vec![0u8; (bytes - from) as usize];
    for &(addr, size) in objects {
        let head = (addr - start) / 16;
        for block in head..head + size.div_ceil(16) {
            states[(block / 4) as usize] |=
                (if block == head { 1 } else { 2 }) << (2 * (block % 4));
        }
    }
    image(guest, bytes);
    let module = guest.module;
    let part = MemoryPart { module, memory: 0, addr: from, bytes: states.into() };
    guest.messages.push(Message::Memory(part));
}

#[test]
fn what_a_collector_took_back_is_no_longer_live() {
    let info = ModuleInfo { frees: Frees::Unseen, ..module_info("go.wasm", "tinygo") };
    let mut guest = Guest::of(info);
    let main = guest.at(&["main"]);
    let blocks: Vec<(u64, u64)> = (0..40).map(|it| (70_000 + 32 * it, 20)).collect();
    for &(addr, size) in &blocks {
        guest.alloc(main, addr, size);
    }
    // Every fourth is left; in the place of the first that went, and of the one behind it, is another.
    let left: Vec<(u64, u64)> = blocks.iter().copied().step_by(4).collect();
    collector_books(&mut guest, 70_000, 2 * PAGE, &left);
    guest.mark("collected");
    guest.alloc(main, 70_032, 60);
    let objects: Vec<(u64, u64)> =
        left[..1].iter().chain(&[(70_032, 60)]).chain(&left[1..]).copied().collect();
    collector_books(&mut guest, 70_000, 2 * PAGE, &objects);
    guest.end(Ending::Returned);
    let outcome = analyze(&guest.messages, Config::default());
    let profile = outcome.profile;
    let count = |count: seepage_analysis::Count| (count.blocks, count.bytes);
    assert_eq!(count(profile.totals.collected), (30, 600));
    assert_eq!(count(profile.totals.freed), (30, 600));
    assert_eq!(count(profile.totals.live), (11, 10 * 20 + 60));
    assert_eq!(count(profile.marks[0].live), (10, 200));
    assert_eq!(count(profile.peak.live), (40, 800), "when they went nobody saw");
    let account = profile.account.expect("one");
    assert_eq!((account.overhead, account.how), (10 * 12 + 4, Some(Overhead::Measured)));
    assert!(outcome.anomalies.is_empty() && outcome.findings.is_empty());

    // What is handed out in the place of another shows that this one went, without any image.
    let info = ModuleInfo { frees: Frees::Unseen, ..module_info("go.wasm", "tinygo") };
    let mut again = Guest::of(info);
    let main = again.at(&["main"]);
    let outcome = again.alloc(main, 70_000, 20).alloc(main, 70_000, 30).judged();
    assert_eq!(count(outcome.profile.totals.collected), (1, 20));
    assert!(outcome.anomalies.is_empty() && outcome.findings.is_empty());

    // Of books that do not fit nothing is believed: only the block whose place was given away went.
    let mut other = guest.messages.clone();
    other.retain(|message| !matches!(message, Message::Mark { .. }));
    for message in &mut other {
        if let Message::Memory(part) = message {
            part.addr -= 7;
        }
    }
    assert_eq!(analyze(&other, Config::default()).profile.totals.collected.blocks, 1);
}
