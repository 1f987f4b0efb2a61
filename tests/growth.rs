//! What the memory grew for, and what was free when it did, of programs that were written for one
//! answer each: a leak alone, fragmentation alone, both, a peak that is over, a cache.

mod support;

use serde_json::Value;
use support::{Ran, program, report};

const PAGE: u64 = 65_536;
const VARIANTS: [&str; 4] = ["O0", "O2", "O0.stripped", "O2.stripped"];

/// Runs a scenario in each variant.
fn each(name: &str, scenario: &str, check: impl Fn(&Ran)) {
    for variant in VARIANTS {
        let module = program(&format!("kinds/{name}.{variant}"));
        let ran = report("run", &[], &module, &[scenario]);
        check(&ran);
    }
}

fn shares<'a>(ran: &'a Ran, what: &'a str) -> impl Iterator<Item = &'a Value> {
    ran.list("/memory/growth_shares").iter().filter(move |share| share["what"] == what)
}

fn bytes(ran: &Ran, what: &str) -> u64 {
    shares(ran, what).filter_map(|share| share["bytes"].as_u64()).sum()
}

fn grown(ran: &Ran) -> u64 {
    ran.number("/memory/growth/bytes")
}

/// The finding that the largest share of a kind points to.
fn finding<'a>(ran: &'a Ran, what: &'a str) -> &'a Value {
    let index = shares(ran, what).next().and_then(|share| share["finding"].as_u64());
    &ran.report["findings"][index.expect("it points to a finding") as usize]
}

#[test]
fn a_leak_alone() {
    each("c/memory", "leak", |ran| {
        // 2,000 blocks of 1,000 bytes, which take 1,008; a few were there before the first growth.
        let lost = bytes(ran, "lost");
        assert!((2_000 * 1_008 - PAGE..=2_000 * 1_008).contains(&lost), "{lost}");
        assert!(grown(ran) - lost < PAGE, "the rest is not used yet");
        assert_eq!((bytes(ran, "fragmentation"), bytes(ran, "unexplained")), (0, 0));
        assert_eq!(finding(ran, "lost")["kind"], "leak");
        let frames = shares(ran, "lost").map(|share| &share["frames"]);
        assert!(frames.eq([&finding(ran, "lost")["frames"]]));
    });
}

#[test]
fn fragmentation_alone() {
    each("c/memory", "fragmented", |ran| {
        assert_eq!(bytes(ran, "fragmentation"), ran.number("/memory/growth/fragmentation"));
        assert!(bytes(ran, "fragmentation") * 2 > grown(ran));
        assert_eq!((bytes(ran, "lost"), bytes(ran, "unexplained")), (0, 0));
        let grows = ran.list("/memory/grows");
        let fragmented = || grows.iter().filter(|grow| grow["cause"] == "fragmentation");
        assert!(fragmented().count() > 20);
        for grow in fragmented() {
            let of = |name: &str| grow["free"][name].as_u64().expect("a number");
            let request = grow["request"].as_u64().expect("the allocator was asked");
            // Enough, and in no piece. 1,200 holes were made before the first of these.
            assert!(of("bytes") > request && of("largest") < request, "{grow:#}");
            assert!((1_100..2_100).contains(&of("runs")), "{grow:#}");
        }
        for grow in grows.iter().filter(|grow| grow["cause"] == "demand") {
            let free = grow["free"]["bytes"].as_u64().unwrap_or(0);
            assert!(free < 2 * grow["request"].as_u64().expect("a request"), "{grow:#}");
        }
    });
}

/// The only pin of a run in which the memory is fragmented.
fn pin(ran: &Ran) -> &Value {
    let finding = finding(ran, "fragmentation");
    assert_eq!(finding["kind"], "fragmentation");
    let found = &ran.report["memory"]["fragmentation"];
    let mut grows = ran.list("/memory/grows").iter();
    let last = grows.rfind(|grow| grow["cause"] == "fragmentation").expect("it grew so");
    assert_eq!(found["wanted"], last["request"]);
    assert!(found["largest"].as_u64() < found["wanted"].as_u64());
    let pins = found["pins"].as_array().expect("a list");
    let whole = found["bytes"].as_u64().expect("a number");
    let pin = &pins[0];
    assert!(pin["bytes"].as_u64().expect("a number") * 100 > whole * 99, "{pins:#?}");
    assert_eq!(finding["frames"], pin["frames"], "who keeps the pieces apart");
    pin
}

#[test]
fn what_keeps_the_pieces_apart() {
    each("c/memory", "fragmented", |ran| {
        assert_eq!(ran.report["verdict"]["kind"], "clean");
        let pin = pin(ran);
        // The 2,070 blocks that shrank, but for where a larger hole is of use.
        assert_eq!(pin["what"], "held");
        let blocks = pin["blocks"].as_u64().expect("a number");
        assert!((2_060..=2_070).contains(&blocks), "{pin:#}");
        assert_eq!(pin["block_bytes"], blocks * 16);
    });
    each("c/memory", "leak_between", |ran| {
        assert_eq!(ran.report["verdict"]["kind"], "leak");
        let pin = pin(ran);
        assert_eq!(pin["what"], "lost");
        assert_eq!(pin["frames"], finding(ran, "lost")["frames"], "the leak is to blame");
        assert_eq!((&pin["blocks"], &pin["block_bytes"]), (&400.into(), &6_400.into()));
        let askers = &finding(ran, "fragmentation")["related"];
        let asker = shares(ran, "fragmentation").map(|share| &share["frames"]).next();
        assert_eq!(askers.as_array().and_then(|list| list.first()), asker);
    });
}

#[test]
fn a_leak_and_fragmentation() {
    each("c/memory", "leak_and_fragmented", |ran| {
        let (lost, all) = (bytes(ran, "lost"), 600 * 1_008);
        assert!((all - PAGE..=all).contains(&lost), "{lost}");
        assert_eq!(bytes(ran, "fragmentation"), ran.number("/memory/growth/fragmentation"));
        assert!(bytes(ran, "fragmentation") > 20 * PAGE);
    });
}

#[test]
fn a_peak_that_is_over() {
    each("c/memory", "peak", |ran| {
        assert!(bytes(ran, "free") * 100 >= grown(ran) * 99);
        assert_eq!((bytes(ran, "lost"), bytes(ran, "held")), (0, 0));
        let frames = shares(ran, "free").next().and_then(|share| share["frames"].as_array());
        assert!(frames.is_some_and(|frames| !frames.is_empty()), "who asked for it is told");
    });
}

#[test]
fn a_cache_that_is_full() {
    each("c/memory", "cache", |ran| {
        let (held, all) = (bytes(ran, "held"), 500 * 808);
        assert!((all - PAGE..=all).contains(&held), "{held}");
        assert_eq!((bytes(ran, "lost"), bytes(ran, "fragmentation")), (0, 0));
    });
}

#[test]
fn growth_by_the_program_itself() {
    each("c/memory", "direct_and_demand", |ran| {
        assert_eq!(bytes(ran, "direct"), 8 * PAGE);
        // Between the blocks are pieces that are too small for the next, and after some of them enough.
        assert!(bytes(ran, "held") > 4 * 100_000);
        assert!(bytes(ran, "fragmentation") > 0);
        let direct = ran.list("/memory/grows").iter().filter(|grow| grow["cause"] == "direct");
        assert!(
            direct.clone().count() == 8 && direct.clone().all(|grow| grow["request"].is_null())
        );
    });
}

#[test]
fn a_container_without_a_bound() {
    each("c/containers", "list_forever", |ran| {
        assert!(bytes(ran, "container") > 0, "{:#?}", ran.list("/memory/growth_shares"));
        let finding = finding(ran, "container");
        assert_eq!(finding["analysis"], "containers");
        // 28 bytes for each three events.
        let rate = &finding["rate"];
        assert_eq!(rate["operation"], "1000-events");
        let each = rate["bytes_per_operation"].as_u64().expect("a number");
        assert!(each.abs_diff(28_000 / 3) < 28_000 / 3 / 50, "{rate}");
    });
}
