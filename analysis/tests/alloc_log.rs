//! Logs of allocations, from bytes to an outcome.

use proptest::{collection::vec, prelude::*};
use seepage_analysis::{
    AnomalyKind, Config, Count, Outcome, Session, Verdict,
    import::{AllocLog, LogCounts},
};
use std::collections::BTreeMap;

/// Reads a log in pieces of that many bytes.
fn read(log: &[u8], piece: usize) -> (Outcome, LogCounts) {
    let mut session = Session::new(Config::default());
    let mut reader = AllocLog::new("app.log");
    for bytes in log.chunks(piece) {
        reader.push(bytes, &mut |message| session.feed(message));
    }
    let counts = reader.finish(&mut |message| session.feed(message));
    (session.finish(), counts)
}

fn count(blocks: u64, bytes: u64) -> Count {
    Count { blocks, bytes }
}

#[test]
fn types_contexts_and_lifetimes() {
    let log = b"starting\n\
        @ALLOCATE Proof 5000 prove.js:41 1\n\
        @ALLOCATE Field 32 field.js:7:3 1\n\
        some output\n\
        @DROP Field 32 1\r\n\
        @ALLOCATE Proof 5000 verify.js:2 2\n\
        @DROP Proof 5000 1";
    for piece in [1, 7, 1000] {
        let (outcome, counts) = read(log, piece);
        assert_eq!((counts.lines, counts.events, counts.damaged), (7, 5, 0));
        let types = outcome.types();
        assert_eq!(types[0].name.as_deref(), Some("Proof"));
        assert_eq!((types[0].allocated, types[0].leaked), (count(2, 10_000), count(1, 5000)));
        assert_eq!(types[1].name.as_deref(), Some("Field"));
        assert_eq!((types[1].dropped, types[1].leaked), (count(1, 32), count(0, 0)));
        let profile = &outcome.profile;
        assert_eq!(profile.peak.live, count(2, 10_000));
        assert_eq!(profile.timeline.last().map(|point| point.live), Some(count(1, 5000)));
        assert_eq!(profile.lifetimes.iter().map(|bucket| bucket.freed.blocks).sum::<u64>(), 2);
        let held = profile.contexts.iter().find(|context| context.cost.live.blocks > 0);
        let frame = &held.expect("one object is left").frames[0];
        assert_eq!((&*frame.function, frame.line), ("Proof", Some(2)));
        assert_eq!(frame.file.as_deref(), Some("verify.js"));
        // What points to it nobody knows, and so nobody is accused.
        assert_eq!(outcome.verdict(), Verdict::Inconclusive);
        assert!(outcome.abstentions[0].reason.contains("without an image"));
    }
}

#[test]
fn all_dropped_is_clean() {
    let (outcome, _) = read(b"@ALLOCATE A 8 a.js:1 x\n@DROP A 8 x\n", 9);
    assert_eq!(outcome.verdict(), Verdict::Clean);
}

#[test]
fn second_drops_and_drops_of_nothing_name_their_line() {
    // Large objects: their addresses are names, and a wrong drop is inside none of them.
    let log = b"@ALLOCATE Proof 9000000 a.js:1 1\n@ALLOCATE Proof 9000000 a.js:1 2\n\
        @DROP Proof 9000000 1\n@DROP Proof 9000000 1\n@DROP Proof 9000000 1\n@DROP Gate 8 1\n";
    let (outcome, _) = read(log, 1000);
    assert_eq!(outcome.verdict(), Verdict::HeapError);
    let [again, nothing] = &outcome.anomalies[..] else { panic!("{:?}", outcome.anomalies) };
    assert_eq!((again.kind, again.count), (AnomalyKind::DoubleFree, 2));
    assert_eq!((nothing.kind, nothing.count), (AnomalyKind::UnknownFree, 1));
    let frames = &outcome.context(again.stack).expect("it has a stack").frames;
    assert_eq!((&*frames[0].function, &*frames[1].function), ("Proof", "@DROP of id 1"));
    assert_eq!((frames[1].file.as_deref(), frames[1].line), (Some("app.log"), Some(4)));
}

#[test]
fn an_id_that_is_given_twice_stands_for_two() {
    let log = b"@ALLOCATE A 8 a.js:1 0\n@ALLOCATE A 8 a.js:1 0\n@DROP A 9 0\n";
    let (outcome, counts) = read(log, 1000);
    assert_eq!((counts.same_ids, counts.other_sizes), (1, 1));
    assert_eq!(outcome.types()[0].leaked, count(1, 8));
    assert!(outcome.anomalies.is_empty());
}

#[test]
fn after_a_damaged_line_a_drop_of_nothing_is_no_error() {
    let (outcome, counts) = read(b"@ALLOCATE A ? a.js:1 1\n@DROP A 8 1\n", 1000);
    assert_eq!((counts.damaged, outcome.drops.lost_records), (1, 1));
    assert_eq!(outcome.heap_errors(), 0);
    assert_eq!(outcome.verdict(), Verdict::Inconclusive);
}

#[test]
fn a_line_without_end_does_not_fill_the_memory() {
    let mut log = b"@ALLOCATE A 8 ".to_vec();
    log.resize(1 << 20, b'x');
    log.extend(b" 1\n@ALLOCATE B 8 b.js:1 1\n");
    let (outcome, counts) = read(&log, 4096);
    assert_eq!((counts.lines, counts.events, counts.damaged), (2, 1, 1));
    assert_eq!(outcome.types().len(), 1);
}

#[test]
fn no_line_no_message() {
    let mut reader = AllocLog::new("x");
    let mut messages = 0;
    reader.push(b"nothing\nat all", &mut |_| messages += 1);
    assert_eq!(reader.finish(&mut |_| messages += 1).lines, 2);
    assert_eq!(messages, 0);
}

/// A log of a service that forgets some proofs, among other output, and what must come out.
#[test]
fn a_log_of_100_000_lines() {
    use std::fmt::Write as _;
    let mut log = String::new();
    let mut seed = 1u64;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let types = [("Field", 32), ("WasmProof", 5_242_880), ("Vec<Gate>", 4096), ("Map<K, V>", 640)];
    let mut truth: BTreeMap<&str, (Count, Count)> = BTreeMap::new();
    let mut live: Vec<(usize, u64)> = Vec::new();
    let (mut lines, mut events) = (0, 0);
    for id in 1_000_000.. {
        if lines >= 100_000 {
            break;
        }
        let kind = random(4) as usize;
        let (name, size) = types[kind];
        match random(10) {
            0 => writeln!(log, "[{id}] INFO request {} took {} ms", id, random(90)),
            1..6 => {
                let (allocated, _) = truth.entry(name).or_default();
                *allocated = count(allocated.blocks + 1, allocated.bytes + size);
                live.push((kind, id));
                events += 1;
                let line = 10 + random(5);
                writeln!(log, "@ALLOCATE {name} {size} /srv/app/src/{kind}.ts:{line} {id}")
            }
            _ if !live.is_empty() && random(50) > 0 => {
                let (kind, id) = live.swap_remove(random(live.len() as u64) as usize);
                let (name, size) = types[kind];
                let (_, dropped) = truth.entry(name).or_default();
                *dropped = count(dropped.blocks + 1, dropped.bytes + size);
                events += 1;
                writeln!(log, "2026-01-01 DEBUG @DROP {name} {size} {id}")
            }
            _ => writeln!(log, "-"),
        }
        .expect("a string takes it");
        lines += 1;
    }
    let (outcome, counts) = read(log.as_bytes(), 65_536);
    assert_eq!((counts.lines, counts.events, counts.damaged), (lines, events, 0));
    assert!(outcome.anomalies.is_empty());
    let types = outcome.types();
    assert_eq!(types.len(), 4);
    assert!(types.is_sorted_by_key(|it| std::cmp::Reverse(it.leaked.bytes)));
    for it in types {
        let (allocated, dropped) = truth[it.name.as_deref().expect("it has a name")];
        assert_eq!((it.allocated, it.dropped), (allocated, dropped));
    }
}

/// Words of which lines are made: few, so that they meet again.
fn word() -> impl Strategy<Value = String> {
    const WORDS: &[&str] =
        &["@ALLOCATE", "@DROP", "A", "B<x", "y>", "8", "-1", "99999999999999999999", "a.js:1"];
    prop_oneof![
        8 => proptest::sample::select(WORDS).prop_map(String::from),
        1 => "[0-3]",
        1 => "[\\x00-\\x7f]{0,3}",
    ]
}

fn line() -> impl Strategy<Value = String> {
    let good =
        (any::<bool>(), "[AB]", 0..5u64, 0..4u32).prop_map(
            |(is_drop, kind, size, id)| match is_drop {
                true => format!("@DROP {kind} {size} {id}"),
                false => format!("@ALLOCATE {kind} {size} a.js:{id} {id}"),
            },
        );
    prop_oneof![3 => good, 1 => vec(word(), 0..7).prop_map(|words| words.join(" "))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_bytes_are_a_log(bytes in vec(any::<u8>(), 0..600), piece in 1..99usize) {
        read(&bytes, piece);
    }

    #[test]
    fn what_is_allocated_is_dropped_or_leaked(lines in vec(line(), 0..80), piece in 1..99usize) {
        let log = lines.join("\n");
        let (outcome, counts) = read(log.as_bytes(), piece);
        prop_assert!(counts.events + counts.damaged <= counts.lines);
        let totals = &outcome.profile.totals;
        prop_assert_eq!(totals.events, counts.events);
        prop_assert_eq!(totals.allocated.blocks, totals.freed.blocks + totals.live.blocks);
        let mut leaked = count(0, 0);
        for it in outcome.types() {
            prop_assert_eq!(it.allocated.blocks, it.dropped.blocks + it.leaked.blocks);
            prop_assert_eq!(it.allocated.bytes, it.dropped.bytes + it.leaked.bytes);
            leaked = count(leaked.blocks + it.leaked.blocks, leaked.bytes + it.leaked.bytes);
        }
        prop_assert_eq!(leaked, totals.live);
        // The pieces in which a log comes do not matter.
        prop_assert_eq!((outcome, counts), read(log.as_bytes(), log.len().max(1)));
    }
}
