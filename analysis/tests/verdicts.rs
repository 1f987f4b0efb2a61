//! What a run comes down to, and with which words.

mod guest;

use guest::{Guest, NEW, analyze, module_info};
use seepage_analysis::{
    AnomalyKind, Budget, Config, Count, Finding, GrownBy, Operation, Outcome, Session, StackId,
    Verdict,
};
use seepage_trace::{Context, End, Event, Frees, Message, ModuleInfo, Outcome as Ending, Role};

fn kinds(outcome: &Outcome) -> Vec<AnomalyKind> {
    outcome.anomalies.iter().map(|anomaly| anomaly.kind).collect()
}

#[test]
fn a_program_that_frees_everything_is_clean() {
    let mut guest = Guest::new();
    let main = guest.at(&["main"]);
    guest.alloc(main, 64, 10).free(main, 64);
    let outcome = guest.judged();
    assert_eq!(outcome.verdict(), Verdict::Clean);
    assert_eq!(outcome.reasons(), Vec::<String>::new());
    assert_eq!(outcome.profile.totals.temporary, Count { blocks: 1, bytes: 10 });
}

#[test]
fn a_leak_names_who_holds_most_first() {
    let mut guest = Guest::new();
    let small = guest.at(&["small", "main"]);
    let large = guest.at(&["large", "main"]);
    guest.alloc(small, 64, 10).alloc(large, 128, 50).alloc(small, 256, 10);
    let outcome = guest.judged();
    assert_eq!(outcome.verdict(), Verdict::Leak);
    assert_eq!(outcome.findings[0].stack, Some(StackId(1)));
    assert_eq!(
        outcome.findings[0].summary,
        "50 bytes in 1 block definitely lost, of 1 allocated here"
    );
    assert_eq!(outcome.reasons(), ["70 bytes in 3 blocks definitely lost"]);
}

#[test]
fn nothing_is_a_leak_when_the_guest_had_no_exit() {
    for ending in Ending::ALL {
        let mut guest = Guest::new();
        let main = guest.at(&["main"]);
        guest.alloc(main, 64, 10).end(ending);
        let outcome = analyze(&guest.messages, Config::default());
        let exit = matches!(ending, Ending::Returned | Ending::Exited);
        let expected = if exit { Verdict::Leak } else { Verdict::Inconclusive };
        assert_eq!(outcome.verdict(), expected, "{ending:?}");
        assert_eq!(outcome.reasons().len(), 1);
    }
}

#[test]
fn a_trace_without_an_end_can_be_judged() {
    let mut guest = Guest::new();
    let main = guest.at(&["main"]);
    guest.alloc(main, 64, 10).flush();
    let outcome = analyze(&guest.messages, Config::default());
    assert_eq!(outcome.end.outcome, Ending::Unknown);
    assert_eq!(
        outcome.reasons(),
        ["the trace has no end: 1 block that was live then may have been in use"]
    );
}

#[test]
fn no_allocator_is_never_clean() {
    let mut info = module_info("app.wasm", "");
    info.tracepoints.retain(|tracepoint| tracepoint.role == Role::Grow);
    let mut guest = Guest::of(info);
    let main = guest.at(&["main"]);
    guest.grow(main, Some(2), 3);
    let outcome = guest.judged();
    assert_eq!(outcome.verdict(), Verdict::Blind);
    assert_eq!(outcome.reasons(), ["no allocator found: only memory growth was seen"]);
    assert_eq!(analyze(&[], Config::default()).verdict(), Verdict::Blind);
}

#[test]
fn heaps_whose_frees_are_not_the_programs_are_not_judged_by_what_is_live() {
    for frees in [Frees::Collected, Frees::Unseen] {
        let mut guest = Guest::of(ModuleInfo { frees, ..module_info("app.wasm", "tinygo") });
        let main = guest.at(&["main"]);
        for round in 1..6 {
            guest.alloc(main, round * 64, 10).mark("round");
        }
        let outcome = guest.judged();
        let grows = if frees == Frees::Collected { Verdict::Growth } else { Verdict::Inconclusive };
        assert_eq!(outcome.verdict(), grows, "{:?}", outcome.reasons());
        assert!(!outcome.abstentions.is_empty());
    }
}

#[test]
fn a_leak_within_the_budget_is_allowed_and_said() {
    let mut guest = Guest::new();
    let main = guest.at(&["main"]);
    guest.alloc(main, 64, 10).end(Ending::Returned);
    let judge = |max_leak| {
        let budget = Budget { max_leak: Some(max_leak), ..Budget::default() };
        analyze(&guest.messages, Config { budget, ..Config::default() })
    };
    assert_eq!(judge(10).verdict(), Verdict::Clean);
    assert_eq!(judge(10).reasons(), ["10 bytes in 1 block lost, within the 10 allowed"]);
    assert_eq!(judge(9).verdict(), Verdict::Leak);
    assert_eq!(judge(9).findings.len(), 2);
}

#[test]
fn every_misuse_has_its_kind_and_its_stacks() {
    let mut guest = Guest::new();
    let [make, drop, again] = ["make", "drop", "again"].map(|name| guest.at(&[name]));
    guest.alloc(make, 64, 40).free(make, 72); // inside
    guest.free(drop, 64).free(again, 64); // twice
    guest.free(again, 4096); // never a block
    guest.realloc(make, 64, 128, 10); // after it was freed
    guest.alloc(drop, 128, 20); // over a live one
    guest.free_sized(drop, 128, 24); // of another size
    guest.alloc(make, 0, 99); // refused
    let outcome = guest.judged();
    use AnomalyKind::*;
    assert_eq!(
        kinds(&outcome),
        [
            InteriorFree,
            DoubleFree,
            UnknownFree,
            UnknownRealloc,
            Overlap,
            SizeMismatch,
            FailedAllocation
        ]
    );
    let double = &outcome.anomalies[1];
    assert_eq!((double.stack, double.first_free), (StackId(2), Some(StackId(1))));
    assert_eq!(outcome.anomalies[0].allocation, Some(StackId(0)));
    assert_eq!(outcome.anomalies[5].block_size, Some(20));
    assert_eq!(outcome.verdict(), Verdict::HeapError);
    assert_eq!(outcome.heap_errors(), 6);
    assert_eq!(outcome.findings.len(), 6, "a refusal is no error: {:?}", outcome.findings);
    assert_eq!(outcome.profile.totals.failed, 1);
}

#[test]
fn sizes_are_compared_within_a_family_only() {
    let mut guest = Guest::new();
    let main = guest.at(&["main"]);
    guest.event(Event::Alloc { tracepoint: NEW, context: main, addr: 64, size: 5, align: None });
    guest.free_sized(main, 64, 8);
    assert_eq!(guest.judged().verdict(), Verdict::Clean);
}

#[test]
fn lost_records_make_no_errors() {
    let mut guest = Guest::new();
    let main = guest.at(&["main"]);
    guest.free(main, 64);
    guest.end_with(End { outcome: Ending::Returned, lost_records: 1, ..End::default() });
    let outcome = analyze(&guest.messages, Config::default());
    assert_eq!(outcome.verdict(), Verdict::Inconclusive);
    assert_eq!(
        outcome.reasons(),
        ["1 record of the guest was lost: 1 heap error may be missing events and not errors"]
    );
}

#[test]
fn growth_needs_marks_and_names_who_grew() {
    let mut guest = Guest::new();
    let cache = guest.at(&["cache", "main"]);
    let work = guest.at(&["work", "main"]);
    guest.alloc(work, 64, 1000);
    for round in 0..6u64 {
        guest.alloc(cache, 4096 + round * 64, 32).mark("round");
    }
    for round in 0..6u64 {
        guest.free(cache, 4096 + round * 64);
    }
    guest.free(work, 64);
    let outcome = guest.judged();
    assert_eq!(outcome.verdict(), Verdict::Growth);
    let finding = &outcome.findings[0];
    assert_eq!(finding.summary, "live bytes rose at each of the last 5 marks, from 1,032 to 1,192");
    assert_eq!((finding.stack, finding.contexts.len()), (Some(StackId(0)), 1));
    assert_eq!(finding.count, Count { blocks: 5, bytes: 160 });
}

#[test]
fn a_warm_up_is_no_growth() {
    let mut guest = Guest::new();
    let main = guest.at(&["main"]);
    for round in 0..8u64 {
        if round < 4 {
            guest.alloc(main, 4096 + round * 64, 32);
        }
        guest.mark("round");
    }
    assert_eq!(guest.judged().profile.bytes_rise.steps, 0);
}

#[test]
fn pages_that_rise_are_growth_too() {
    let mut guest = Guest::new();
    let main = guest.at(&["main"]);
    for round in 0..4u64 {
        guest.grow(main, Some(2 + round), 1).mark("round");
    }
    let outcome = guest.judged();
    assert_eq!(outcome.verdict(), Verdict::Growth);
    assert_eq!(
        outcome.findings[0].summary,
        "pages of memory rose at each of the last 3 marks, from 3 to 6"
    );
}

#[test]
fn budgets_are_limits_and_not_more() {
    let mut guest = Guest::new();
    let main = guest.at(&["main"]);
    guest.alloc(main, 64, 100).free(main, 64).grow(main, Some(2), 1);
    guest.end(Ending::Returned);
    let judge = |budget| analyze(&guest.messages, Config { budget, ..Config::default() });
    let at = Budget { max_leak: Some(0), max_peak: Some(100), max_pages: Some(3) };
    assert_eq!(judge(at).verdict(), Verdict::Clean);
    let below = Budget { max_leak: None, max_peak: Some(99), max_pages: Some(2) };
    let outcome = judge(below);
    assert_eq!(outcome.verdict(), Verdict::Budget);
    assert_eq!(
        outcome.reasons(),
        [
            "100 bytes live at once, 1 more than the 99 allowed",
            "3 pages of memory, 1 more than the 2 allowed"
        ]
    );
}

#[test]
fn the_host_grows_memory_too() {
    let mut guest = Guest::new();
    let main = guest.at(&["main"]);
    guest.grow(main, Some(2), 1).host_grow(9).grow(main, None, 5);
    let outcome = guest.judged();
    let told: Vec<_> =
        outcome.profile.grows.iter().map(|g| (g.by, g.from_pages, g.to_pages, g.refused)).collect();
    let expected =
        [(GrownBy::Guest, 2, 3, false), (GrownBy::Host, 3, 9, false), (GrownBy::Guest, 9, 9, true)];
    assert_eq!(told, expected);
    assert_eq!(outcome.profile.final_pages, 9);
}

#[test]
fn what_the_caps_cut_off_is_counted_and_no_error() {
    let mut config = Config::default();
    config.caps.blocks = 2;
    config.caps.stacks = 1;
    config.caps.modules = 1;
    let mut guest = Guest::new();
    let main = guest.at(&["main"]);
    let other = guest.at(&["other"]);
    guest.alloc(main, 64, 1).alloc(other, 128, 2).alloc(main, 256, 4).free(main, 256);
    guest.end(Ending::Returned);
    let mut second =
        Guest::of(ModuleInfo { id: seepage_trace::ModuleId(1), ..module_info("b", "c") });
    second.alloc(main, 64, 1).flush();
    let messages = [guest.messages, second.messages].concat();
    let outcome = analyze(&messages, config);
    let drops = outcome.drops;
    assert_eq!((drops.blocks, drops.frees, drops.stacks, drops.modules), (1, 1, 1, 1));
    assert_eq!((drops.unknown_contexts, drops.unknown_records), (1, 1));
    assert_eq!(outcome.profile.totals.live, Count { blocks: 2, bytes: 3 });
    assert_eq!(kinds(&outcome), []);
}

#[test]
fn without_contexts_there_is_one_context_and_nothing_is_missing() {
    let mut guest = Guest::of(ModuleInfo { contexts: false, ..module_info("app.wasm", "c") });
    guest.alloc(Context(0), 64, 10).alloc(Context(0), 128, 10);
    let outcome = guest.judged();
    assert_eq!(outcome.profile.contexts.len(), 1);
    assert!(!outcome.profile.contexts[0].known);
    assert_eq!(outcome.drops.unknown_contexts, 0);
    assert_eq!(outcome.verdict(), Verdict::Leak);
}

#[test]
fn a_short_rise_among_many_marks_is_no_growth() {
    let rising = |flat: u64| {
        let mut guest = Guest::new();
        let main = guest.at(&["main"]);
        for _ in 0..flat {
            guest.mark("flat");
        }
        for round in 0..3 {
            guest.alloc(main, 4096 + round * 64, 32).mark("rise");
        }
        let findings = guest.judged().findings;
        findings.iter().any(|finding| finding.analysis == "growth")
    };
    assert!(rising(4));
    assert!(!rising(5), "the later half of eight marks begins before the rise");
}

/// An allocator that was found by its code and gives back what it never handed out was not found.
#[test]
fn a_wrong_discovery_withdraws_the_verdicts() {
    let run = |how: &str| {
        let mut guest = found_by(how);
        let main = guest.at(&["main"]);
        for block in 1..=100u64 {
            guest.alloc(main, block * 64, 8);
            if block % 2 == 0 {
                guest.free(main, block * 64);
            } else if block < 50 {
                guest.free(main, (1 << 20) | (block * 64));
            }
        }
        guest.judged()
    };
    let guessed = run("structure");
    assert_eq!(guessed.verdict(), Verdict::Inconclusive);
    assert_eq!(guessed.heap_errors(), 0);
    assert!(guessed.reasons()[0].contains("never handed out"), "{:?}", guessed.reasons());
    // By name there is no doubt about the function, so it is the program's error.
    assert_eq!(run("name `free`").verdict(), Verdict::HeapError);
}

fn found_by(how: &str) -> Guest {
    let mut info = module_info("app.wasm", "wasi-libc");
    info.tracepoints.iter_mut().for_each(|tracepoint| tracepoint.how = how.into());
    Guest::of(info)
}

/// What goes wrong at the start is wrong for good, though it drowns in what follows; and who watches
/// the run is told when it happens. A name outweighs an early burst.
#[test]
fn an_early_doubt_stays() {
    let run = |how| {
        let mut guest = found_by(how);
        let main = guest.at(&["main"]);
        for block in 1..=100 {
            guest.alloc(main, block * 64, 8).free(main, block * 64);
            guest.free(main, (1 << 20) | (block * 64));
        }
        for block in 1..=20_000 {
            guest.alloc(main, block * 64, 8).free(main, block * 64);
        }
        guest.judged();
        guest
    };
    let guest = run("structure");
    let outcome = analyze(&guest.messages, Config::default());
    assert_eq!(outcome.verdict(), Verdict::Inconclusive);
    let reason = "in the first 256 events, 85 frees of 170 frees were of addresses that were never";
    assert!(outcome.reasons()[0].starts_with(reason), "{:?}", outcome.reasons());

    let mut session = Session::new(Config::default());
    let alarms: Vec<_> = guest
        .messages
        .iter()
        .filter_map(|message| {
            session.feed(message);
            session.alarm()
        })
        .collect();
    assert_eq!(alarms, outcome.abstentions, "once, and the same");

    let named = analyze(&run("name `malloc`").messages, Config::default());
    assert_eq!(named.verdict(), Verdict::HeapError);
    assert_eq!(named.heap_errors(), 100);
}

/// Blocks that begin elsewhere may share bytes as well.
#[test]
fn blocks_within_others_withdraw_the_verdicts() {
    let run = |step: u64, frees| {
        let mut info = module_info("app.wasm", "wasi-libc");
        info.tracepoints.iter_mut().for_each(|tracepoint| tracepoint.how = "structure".into());
        info.frees = frees;
        let mut guest = Guest::of(info);
        let main = guest.at(&["main"]);
        for block in 1..=100 {
            guest.alloc(main, block * step, 64);
        }
        guest.judged()
    };
    for step in [24, 56] {
        let outcome = run(step, Frees::Explicit);
        assert_eq!(outcome.verdict(), Verdict::Inconclusive, "{step}");
        assert!(outcome.reasons()[0].contains("reach into others"), "{:?}", outcome.reasons());
    }
    assert_eq!(run(64, Frees::Explicit).verdict(), Verdict::Leak);
    // Where a collector frees unseen, others lie where its blocks were.
    let reasons = run(24, Frees::Collected).reasons();
    assert!(!reasons.iter().any(|reason| reason.contains("reach into")), "{reasons:?}");
}

/// A memory that grows for nothing that was seen: another allocator, if this one was guessed.
#[test]
fn growth_without_allocations_withdraws_the_verdicts() {
    let run = |how, freed| {
        let mut guest = found_by(how);
        let (main, arena) = (guest.at(&["main"]), guest.at(&["arena_new", "main"]));
        guest.alloc(main, 4096, 64).grow(arena, Some(2), 80);
        if freed {
            guest.free(main, 4096);
        }
        guest.end(Ending::Returned);
        let budget = Budget { max_pages: Some(10), ..Budget::default() };
        let config = Config { budget, ..Config::default() };
        (analyze(&guest.messages, Config::default()), analyze(&guest.messages, config))
    };
    let (guessed, over) = run("structure and probe", false);
    assert_eq!(guessed.verdict(), Verdict::Inconclusive);
    assert!(guessed.reasons()[0].contains("another allocator"), "{:?}", guessed.reasons());
    // Pages are counted without any allocator.
    assert_eq!(over.verdict(), Verdict::Budget);
    // What a known allocator's leaks are does not change, but nobody calls such a run clean.
    let (leaking, _) = run("name `malloc`", false);
    assert_eq!(leaking.verdict(), Verdict::Leak);
    let (named, _) = run("name `malloc`", true);
    assert_eq!(named.verdict(), Verdict::Inconclusive);
    let reason = "5,242,880 bytes of the memory grew outside of the allocator, most of them by \
                  `arena_new`: what is in there is not seen (a further allocator can be named with \
                  --alloc-fn)";
    assert_eq!(named.reasons(), [reason]);
}

/// Beside an allocator that was seen to use most of the memory, the rest is a remark; so it is
/// where the allocator itself uses what was grown for it beforehand.
#[test]
fn growth_with_allocations_is_believed() {
    let run = |how, used: u64, pages: u64| {
        let mut guest = found_by(how);
        let (main, arena) = (guest.at(&["main"]), guest.at(&["arena_new", "main"]));
        guest.grow(arena, Some(2), pages);
        let start = (2 + pages) * 65536;
        guest.grow(main, Some(2 + pages), 80).alloc(main, start, 80 * 65536 - 64);
        guest.free(main, start);
        if used > 0 {
            guest.alloc(main, 2 * 65536 + 64, used).free(main, 2 * 65536 + 64);
        }
        guest.end(Ending::Returned);
        analyze(&guest.messages, Config::default())
    };
    for how in ["structure and probe", "name `malloc`"] {
        let little = run(how, 0, 16);
        assert_eq!((little.verdict(), little.remarks.len()), (Verdict::Clean, 1), "{how}");
        let less = run(how, 0, 15);
        assert_eq!((less.verdict(), less.remarks.len()), (Verdict::Clean, 0), "{how}");
        assert_eq!(run(how, 0, 40).verdict(), Verdict::Inconclusive, "{how}");
        let used = run(how, 100, 40);
        assert_eq!((used.verdict(), used.remarks.len()), (Verdict::Clean, 0), "{how}");
    }
}

/// Rust's own way of saying "nothing": an address that is only an alignment.
#[test]
fn what_has_no_bytes_is_no_block() {
    let mut guest = Guest::new();
    let main = guest.at(&["main"]);
    guest.alloc(main, 8, 0).alloc(main, 8, 0).realloc(main, 8, 128, 40).free(main, 128);
    let outcome = guest.judged();
    assert_eq!(outcome.verdict(), Verdict::Clean);
    assert_eq!(outcome.profile.totals.allocated, Count { blocks: 1, bytes: 40 });
}

#[test]
fn a_container_without_a_bound_says_how_fast_it_grows() {
    for (marks, operation, operations, each) in
        [(true, Operation::Mark, 512..=1024, 96), (false, Operation::ThousandEvents, 1..=3, 32_000)]
    {
        let mut guest = Guest::new();
        let push = guest.at(&["push", "main"]);
        let work = guest.at(&["work", "main"]);
        // Three events a time: a node of 96 bytes that stays, and a buffer that goes.
        for round in 0..1024u64 {
            guest.alloc(push, 8192 + round * 112, 96).alloc(work, 4096, 500).free(work, 4096);
            if marks {
                guest.mark("round");
            }
        }
        let is_container = |of: &&Finding| of.analysis == "containers";
        // Nothing points to the nodes, so that they are no container but lost.
        assert_eq!(guest.judged().findings.iter().find(is_container), None);
        guest.messages.retain(|message| !matches!(message, Message::State(_)));
        let outcome = analyze(&guest.messages, Config::default());
        let of = outcome.findings.iter().find(is_container);
        let rate = of.and_then(|finding| finding.rate).expect("a suspect with a rate");
        // It is looked at in stretches, which do not begin with a mark.
        assert_eq!(rate.operation, operation);
        assert!(rate.bytes_per_operation.abs_diff(each) <= each / 50, "{rate:?}");
        assert!(operations.contains(&rate.operations), "{rate:?}");
        assert!(rate.bytes >= rate.operations * rate.bytes_per_operation, "{rate:?}");
    }
}

/// What a function that is not hooked has handed out looks like a free of what is no block.
#[test]
fn unseen_work_on_the_heap_withdraws_heap_errors() {
    let run = |spot: &str, misuse: fn(&mut Guest, Context)| {
        let mut info = module_info("app.wasm", "wasi-libc");
        info.blind_spots = vec![spot.into()];
        let mut guest = Guest::of(info);
        let main = guest.at(&["main"]);
        guest.alloc(main, 4096, 64);
        misuse(&mut guest, main);
        guest.judged()
    };
    let works = format!("f7{}", seepage_trace::WORKS_UNSEEN);
    let errors: [fn(&mut Guest, Context); 4] = [
        |guest, main| _ = guest.free(main, 4096 + 16),
        |guest, main| _ = guest.free(main, 8192),
        |guest, main| _ = guest.alloc(main, 4096, 64),
        |guest, main| _ = guest.free(main, 4096).free(main, 4096),
    ];
    for error in errors {
        let outcome = run(&works, error);
        assert_eq!(outcome.verdict(), Verdict::Inconclusive, "{:?}", outcome.reasons());
        assert!(
            outcome.reasons()[0].starts_with("f7, which is not hooked, works on the same heap: ")
        );
        assert_eq!(run("it is stripped", error).verdict(), Verdict::HeapError);
    }
    // What is live is said as long as nothing speaks against it.
    assert_eq!(run(&works, |_, _| ()).verdict(), Verdict::Leak);
}
