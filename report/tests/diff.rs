//! What has changed between two reports: the schema, matching, the limits, and what must hold of
//! any two.

#[path = "../../analysis/tests/guest/mod.rs"]
mod guest;
mod validator;

use expect_test::{expect, expect_file};
use guest::Guest;
use proptest::prelude::*;
use seepage_analysis::{Config, LeakKinds, suppressions};
use seepage_report::{
    Change, Context, CountChange, DIFF_SCHEMA, DIFF_VERSION, Diff, DiffOptions, DiffVerdict,
    Increase, MatchedBy, ReadError, Report, Status, TextOptions, assemble, diff, diff_json_schema,
    formats,
};
use seepage_trace::{End, Message, Outcome, RecordLayout, State};

#[test]
fn the_schema_file_is_what_the_code_says() {
    let schema =
        serde_json::to_string_pretty(&diff_json_schema()).expect("a schema is JSON") + "\n";
    expect_file!["../../docs/diff.schema.json"].assert_eq(&schema);
    assert_eq!(DIFF_SCHEMA, format!("seepage-diff/{DIFF_VERSION}"));
}

/// One block: its stack of `function:line`s, its bytes, and whether it is freed.
type Block<'a> = (&'a [(&'a str, u32)], u64, bool);

fn report(blocks: &[Block<'_>]) -> Report {
    report_under("", blocks)
}

fn report_under(rules: &str, blocks: &[Block<'_>]) -> Report {
    let mut guest = Guest::new();
    guest.layout = RecordLayout::Wide;
    for (addr, (stack, bytes, freed)) in (1u64..).zip(blocks) {
        let frames: Vec<_> = stack.iter().map(|&(name, line)| (name, "src/a.c", line)).collect();
        let context = guest.lines(&frames);
        guest.alloc(context, addr << 32, *bytes);
        if *freed {
            guest.free(context, addr << 32);
        }
    }
    guest.end(Outcome::Returned);
    // As from a host that takes no images.
    guest.messages.retain(|message| !matches!(message, Message::State(_)));
    let suppressions = suppressions::parse(rules, "my.supp").expect("the rules are right");
    let config = Config { suppressions, leak_kinds: LeakKinds::ALL, ..Config::default() };
    assemble(&guest::analyze(&guest.messages, config), &Context::new("0.0.0"))
}

fn compare(old: &Report, new: &Report) -> Diff {
    diff(old, new, &DiffOptions::new("0.0.0"))
}

fn text(diff: &Diff) -> String {
    formats::diff_text(diff, &TextOptions::default())
}

#[test]
fn new_gone_and_changed() {
    let old = report(&[
        (&[("parse", 3), ("main", 9)], 100, false),
        (&[("load", 5), ("main", 8)], 40, false),
        (&[("keep", 1), ("main", 2)], 7, false),
    ]);
    let new = report(&[
        (&[("parse", 3), ("main", 9)], 100, false),
        (&[("parse", 3), ("main", 9)], 100, false),
        (&[("keep", 1), ("main", 2)], 7, false),
        (&[("cache", 5), ("main", 8)], 60, true),
    ]);
    let diff = compare(&old, &new);
    let listed: Vec<_> = diff
        .contexts
        .iter()
        .map(|it| (it.frames[0].function.as_str(), it.status, it.lost.bytes.change))
        .collect();
    let expected = [("parse", Status::Changed, 100), ("load", Status::Gone, -40)];
    assert_eq!(listed[..2], expected);
    assert_eq!(listed[2], ("cache", Status::New, 0));
    assert_eq!((diff.counts.new, diff.counts.gone, diff.counts.changed), (1, 1, 1));
    assert_eq!((diff.counts.same, diff.counts.newly_lost), (1, 0));
    assert_eq!(diff.verdict, DiffVerdict::Changed);
    expect![[r#"
        CHANGED: 1 context new, 1 gone, 1 changed, 1 as before

          old         app.wasm, returned, leak
          new         app.wasm, returned, leak
          lost        3 blocks, 147 B → 207 B (+60 B, +40.8 %)
          live        3 blocks, 147 B → 207 B (+60 B, +40.8 %)
          high water  3 → 4 blocks (+1), 147 B → 267 B (+120 B, +81.6 %)
          allocated   3 → 4 blocks (+1), 147 B → 267 B (+120 B, +81.6 %)
          memory      2 pages, as before

        what is not as before
          more    +100 B in +1 block: lost, high water, allocated
            parse  src/a.c:3
            main   src/a.c:9
          gone    -40 B in -1 block: lost, high water, allocated
            load  src/a.c:5
            main  src/a.c:8
          new     +60 B in +1 block: high water, allocated
            cache  src/a.c:5
            main   src/a.c:8

        SUMMARY seepage-diff: changed new=1 gone=1 changed=1 same=1 newly_lost=0 lost_blocks=+0 lost_bytes=+60 peak_bytes=+120 pages=+0
    "#]]
    .assert_eq(&text(&diff));
    let schema = diff_json_schema().to_value();
    let value = serde_json::to_value(&diff).expect("it is JSON");
    assert_eq!(validator::errors(&schema, &value), Vec::<String>::new());
    assert_eq!(serde_json::from_value::<Diff>(value).expect("it reads back"), diff);
}

/// With an image of the memory, what something still points to is live and not lost.
#[test]
fn what_is_still_reachable_is_not_lost() {
    let report = |held: &[u64]| {
        let mut guest = Guest::new();
        for (name, addr) in [("f", 70_000), ("g", 80_000)] {
            let context = guest.lines(&[(name, "src/a.c", 1)]);
            guest.alloc(context, addr, 16);
        }
        guest.flush();
        let (roots, memory_bytes) = (held.to_vec(), 2 << 16);
        let state = State { module: guest.module, roots, memory_bytes, ..State::default() };
        guest.messages.push(Message::State(state));
        guest.messages.push(Message::End(End { outcome: Outcome::Returned, ..End::default() }));
        assemble(&guest::analyze(&guest.messages, Config::default()), &Context::new("0.0.0"))
    };
    let diff = compare(&report(&[70_000, 80_000]), &report(&[70_000]));
    assert_eq!((diff.totals.live.bytes.change, diff.totals.lost.bytes.change), (0, 16));
    assert_eq!((diff.counts.changed, diff.counts.same, diff.counts.newly_lost), (1, 1, 1));
    assert_eq!(diff.contexts[0].frames[0].function, "g");
    assert_eq!((diff.contexts[0].lost.bytes.change, diff.contexts[0].live.bytes.change), (16, 0));
    assert_eq!((diff.contexts[0].old_contexts, diff.contexts[0].new_contexts), (1, 1));
    let account = |part: &str| {
        let found = diff.memory.account.iter().find(|it| it.part == part);
        found.map(|it| it.bytes.change)
    };
    assert_eq!(account("live.definitely_lost"), Some(16));
    assert_eq!(account("live.still_reachable"), Some(-16));
    let live = report_under("", &[(&[("f", 1)], 16, false)]);
    let notes = compare(&live, &live).notes;
    let says = |note: &String| note.starts_with("the old report does not say what still points");
    assert!(!notes.iter().any(says), "neither does: {notes:?}");
    let notes = compare(&live, &report(&[])).notes;
    assert!(notes.iter().any(says), "{notes:?}");
}

#[test]
fn moved_lines_are_matched_by_functions_and_that_is_said() {
    let old = report(&[
        (&[("f", 10), ("main", 1)], 10, false),
        (&[("f", 20), ("main", 1)], 20, false),
        (&[("g", 30), ("main", 1)], 30, false),
    ]);
    // Two of `f` moved and stay in their order; of `g` there are two now.
    let new = report(&[
        (&[("f", 12), ("main", 1)], 10, false),
        (&[("f", 22), ("main", 1)], 25, false),
        (&[("g", 31), ("main", 1)], 16, false),
        (&[("g", 32), ("main", 1)], 16, false),
    ]);
    let diff = compare(&old, &new);
    assert_eq!((diff.counts.new, diff.counts.gone), (0, 0));
    assert_eq!((diff.counts.changed, diff.counts.same, diff.counts.by_functions), (2, 1, 3));
    assert!(diff.contexts.iter().all(|it| it.matched_by == MatchedBy::Functions));
    let changes: Vec<_> = diff
        .contexts
        .iter()
        .map(|it| (it.live.bytes.change, it.old_contexts, it.new_contexts))
        .collect();
    assert_eq!(changes, [(5, 1, 1), (2, 1, 2)]);
    assert!(text(&diff).contains("(matched by functions)"));
    assert!(diff.notes[0].ends_with("because files or lines differ: 3"), "{:?}", diff.notes);
}

#[test]
fn limits() {
    let leak: Block<'_> = (&[("f", 1)], 1000, false);
    let (old, same) = (report(&[leak]), report(&[leak]));
    let more = report(&[leak, (&[("g", 1)], 50, false)]);
    let none = report(&[]);
    let fails = |old: &Report, new: &Report, fail_on_new, fail_on_increase| {
        let options = DiffOptions { fail_on_new, fail_on_increase, ..DiffOptions::new("0.0.0") };
        let diff = diff(old, new, &options);
        assert_eq!(diff.verdict == DiffVerdict::Regression, !diff.regressions.is_empty());
        diff.regressions.into_iter().map(|regression| regression.what).collect::<Vec<_>>()
    };
    let (percent, bytes) = (Increase::Percent, Increase::Bytes);
    assert_eq!(fails(&old, &same, true, Some(percent(0.0))), [""; 0]);
    assert_eq!(fails(&old, &more, true, None), ["lost-contexts"]);
    assert_eq!(fails(&old, &more, false, Some(percent(5.0))), [""; 0]);
    assert_eq!(fails(&old, &more, false, Some(percent(4.9))), ["lost-bytes", "peak-bytes"]);
    assert_eq!(fails(&old, &more, false, Some(bytes(50))), [""; 0]);
    assert_eq!(fails(&old, &more, false, Some(bytes(49))), ["lost-bytes", "peak-bytes"]);
    assert_eq!(fails(&none, &old, true, Some(percent(1e9))).len(), 3, "any rise from nothing");
    assert_eq!(fails(&old, &none, true, Some(percent(0.0))), [""; 0], "less is no regression");
    let hidden = report_under("leak:^g$", &[leak, (&[("g", 1)], 50, false)]);
    assert_eq!(fails(&old, &hidden, true, None), [""; 0], "what is suppressed is not lost");
    assert_eq!(fails(&hidden, &more, true, None), ["lost-contexts"]);
    let once = report(&[(&[("f", 1)], 1000, true)]);
    assert_eq!(fails(&once, &old, true, None), ["lost-contexts"], "known, and not lost before");
}

#[test]
fn what_is_not_listed_is_said() {
    let names: Vec<String> = (0..30).map(|number| format!("f{number}")).collect();
    let stacks: Vec<[(&str, u32); 1]> = names.iter().map(|name| [(name.as_str(), 1)]).collect();
    let blocks: Vec<Block<'_>> = stacks.iter().map(|stack| (&stack[..], 10, false)).collect();
    let options = DiffOptions { max_contexts: 7, ..DiffOptions::new("0.0.0") };
    let mut full = report(&blocks);
    let diff = diff(&report(&[]), &full, &options);
    assert_eq!((diff.contexts.len(), diff.dropped_contexts, diff.counts.new), (7, 23, 30));
    assert!(text(&diff).contains("… and 25 contexts more"), "{}", text(&diff));
    full.dropped.contexts = 3;
    let notes = compare(&report(&[]), &full).notes;
    assert!(notes[0].starts_with("the new report does not list 3 contexts"), "{notes:?}");
}

#[test]
fn numbers_keep_within_64_bits() {
    for (old, new, change) in
        [(0, 5, 5), (5, 0, -5), (0, u64::MAX, i64::MAX), (u64::MAX, 0, -i64::MAX)]
    {
        assert_eq!(Change::new(old, new).change, change);
    }
}

#[test]
fn only_this_versions_reports_are_read() {
    let report = report(&[(&[("f", 1)], 10, false)]);
    let json = formats::printable_json(&report);
    assert_eq!(Report::from_json(&json), Ok(report));
    let other = json.replacen("seepage-report/", "seepage-report/9", 1);
    let error = Report::from_json(&other).expect_err("it is of another version").to_string();
    assert!(error.contains("another version, seepage-report/9") && !error.contains('\n'));
    for text in ["{}", "[]", "{\"schema\": \"seepage-inspection/1\"}", "{\"schema\": 1}"] {
        assert_eq!(Report::from_json(text), Err(ReadError::NoReport), "{text}");
    }
    for text in ["", "{", &json[..json.len() / 2]] {
        assert!(matches!(Report::from_json(text), Err(ReadError::Malformed(_))), "{text}");
    }
}

#[test]
fn nothing_reaches_the_terminal() {
    let hostile: &[Block<'_>] = &[(&[("f\u{1b}[2J\u{202e}\n", 1)], 10, false)];
    let diff = compare(&report(&[]), &report(hostile));
    for out in [text(&diff), formats::printable_json(&diff)] {
        assert!(out.chars().all(|c| c == '\n' || !c.is_control()) && !out.contains('\u{202e}'));
    }
    let narrow = TextOptions { unicode: false, ..TextOptions::default() };
    let plain: &[Block<'_>] = &[(&[("f", 1)], 10, false)];
    assert!(formats::diff_text(&compare(&report(&[]), &report(plain)), &narrow).is_ascii());
}

type Made = Vec<(Vec<(&'static str, u32)>, u64, bool)>;

fn made() -> impl Strategy<Value = Made> {
    let frame = (prop::sample::select(vec!["f", "g", "h", "main"]), 1..4u32);
    let stack = prop::collection::vec(frame, 1..4);
    let bytes = prop_oneof![1..100u64, 1u64..1 << 31];
    prop::collection::vec((stack, bytes, any::<bool>()), 0..12)
}

fn of(made: &Made) -> Report {
    let blocks = made.iter().map(|(stack, bytes, freed)| (&stack[..], *bytes, *freed));
    report_under("leak:^h$ blocks=2", &blocks.collect::<Vec<_>>())
}

fn reversed(change: Change) -> Change {
    Change { old: change.new, new: change.old, change: -change.change }
}

fn reversed_count(change: CountChange) -> CountChange {
    CountChange { blocks: reversed(change.blocks), bytes: reversed(change.bytes) }
}

/// Everything of a difference but the order of what is alike, and which lines are shown.
fn essence(diff: &Diff, is_reversed: bool) -> Vec<String> {
    let count = |change: CountChange| if is_reversed { reversed_count(change) } else { change };
    let number = |change: Change| if is_reversed { reversed(change) } else { change };
    let mut lines: Vec<String> = diff
        .contexts
        .iter()
        .map(|it| {
            let status = match (it.status, is_reversed) {
                (Status::New, true) => Status::Gone,
                (Status::Gone, true) => Status::New,
                (status, _) => status,
            };
            let mut contexts = [it.old_contexts, it.new_contexts];
            if is_reversed {
                contexts.reverse();
            }
            let names: Vec<&str> = it.frames.iter().map(|it| it.function.as_str()).collect();
            let figures = [it.lost, it.live, it.peak, it.allocated].map(count);
            format!("{names:?} {status:?} {:?} {contexts:?} {figures:?}", it.matched_by)
        })
        .collect();
    lines.sort();
    let totals = &diff.totals;
    let sums = [totals.lost, totals.live, totals.peak, totals.allocated].map(count);
    lines.push(format!("{sums:?} {:?}", number(diff.memory.final_pages)));
    lines.push(format!("{:?} {}", diff.verdict, diff.counts.same));
    lines
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_report_is_like_itself(made in made()) {
        let report = of(&made);
        let options = DiffOptions {
            fail_on_new: true,
            fail_on_increase: Some(Increase::Bytes(0)),
            ..DiffOptions::new("0.0.0")
        };
        let diff = diff(&report, &report, &options);
        prop_assert_eq!(diff.verdict, DiffVerdict::Same);
        prop_assert!(diff.contexts.is_empty() && diff.notes.is_empty());
        prop_assert_eq!((diff.counts.new, diff.counts.gone, diff.counts.changed), (0, 0, 0));
    }

    #[test]
    fn the_way_back_is_the_negation(one in made(), other in made()) {
        let (one, other) = (of(&one), of(&other));
        let (there, back) = (compare(&one, &other), compare(&other, &one));
        prop_assert_eq!(essence(&there, false), essence(&back, true));
        prop_assert_eq!(&there, &compare(&one, &other), "the same each time");
        let sizes: Vec<u64> =
            there.contexts.iter().map(|it| it.lost.bytes.change.unsigned_abs()).collect();
        prop_assert!(sizes.is_sorted_by(|one, other| one >= other));
    }

    /// No block is lost or counted twice by matching: the contexts' changes add up to the whole.
    #[test]
    fn the_changes_add_up(one in made(), other in made()) {
        let small = |made: Made| -> Made {
            made.into_iter().map(|(stack, bytes, freed)| (stack, bytes % 1000, freed)).collect()
        };
        let diff = compare(&of(&small(one)), &of(&small(other)));
        let sum = |figure: fn(&seepage_report::ContextChange) -> i64| -> i64 {
            diff.contexts.iter().map(figure).sum()
        };
        prop_assert_eq!(sum(|it| it.live.bytes.change), diff.totals.live.bytes.change);
        prop_assert_eq!(sum(|it| it.lost.bytes.change), diff.totals.lost.bytes.change);
        prop_assert_eq!(sum(|it| it.peak.bytes.change), diff.totals.peak.bytes.change);
        prop_assert_eq!(sum(|it| it.allocated.blocks.change), diff.totals.allocated.blocks.change);
    }
}
