//! What if: which blocks go, when they go, and what that makes of the memory.

mod guest;

use guest::{Guest, module_info};
use proptest::{collection::vec, prelude::*};
use seepage_analysis::{
    Caps, Config, LeakKinds, NothingToRemove, Outcome, Plan, Replay, Selection, Session, WhatIf,
    suppressions,
};
use seepage_trace::{Context, Event, Message, Outcome as Ending, RecordLayout};

const PAGE: u64 = 65_536;

#[derive(Clone, Copy)]
struct Place {
    context: Context,
    growing: Context,
}

/// A guest whose allocator only counts upwards, in chunks as dlmalloc has them.
struct Bump {
    guest: Guest,
    top: u64,
    pages: u64,
}

impl Bump {
    fn new() -> Bump {
        Bump { guest: Guest::of(module_info("app.wasm", "libc")), top: 1024, pages: 2 }
    }

    /// A calling context, and that in which `malloc` grows the memory for it.
    fn at(&mut self, function: &str) -> Place {
        let context = self.guest.at(&[function, "main"]);
        Place { context, growing: self.guest.at(&["malloc", function, "main"]) }
    }

    fn alloc(&mut self, Place { context, growing }: Place, size: u64) -> u64 {
        let addr = self.top;
        self.top += (size + 4).next_multiple_of(16).max(16);
        while self.top + 64 > self.pages * PAGE {
            self.guest.grow(growing, Some(self.pages), 1);
            self.pages += 1;
        }
        self.guest.alloc(context, addr, size);
        addr
    }

    fn ask(&mut self, selection: &Selection) -> Result<WhatIf, NothingToRemove> {
        self.guest.end(Ending::Returned);
        without_images(&mut self.guest.messages);
        ask(&self.guest.messages, selection, LeakKinds::ALL).map(|(_, what_if)| what_if)
    }
}

fn without_images(messages: &mut Vec<Message<'_>>) {
    messages.retain(|message| !matches!(message, Message::State(_)));
}

/// Every live block is a leak here: images and roots are for others to test.
fn ask(
    messages: &[Message<'_>],
    selection: &Selection,
    leak_kinds: LeakKinds,
) -> Result<(Outcome, WhatIf), NothingToRemove> {
    let mut session = Session::new(Config { leak_kinds, ..Config::default() });
    messages.iter().for_each(|message| session.feed(message));
    let (outcome, remaining) = session.finish_for_what_if();
    let plan = Plan::new(&outcome, remaining, selection)?;
    let mut replay = Replay::new(plan, &outcome, &Caps::default());
    messages.iter().for_each(|message| replay.feed(message));
    Ok((outcome, replay.finish()))
}

fn matching(pattern: &str) -> Selection {
    let rule = suppressions::parse(&format!("leak:{pattern}"), "test").expect("it is a rule").pop();
    Selection::Matching(Box::new(rule.expect("there is one")))
}

#[test]
fn of_a_context_that_never_frees_one_block_lives_at_a_time() {
    let mut bump = Bump::new();
    let leak = bump.at("leak");
    (0..100).for_each(|_| _ = bump.alloc(leak, 60_000));
    let answer = bump.ask(&Selection::Leaks).expect("there is an answer");
    assert_eq!((answer.removed.blocks, answer.removed.bytes), (100, 6_000_000));
    assert_eq!((answer.pages_now, answer.pages_modelled, answer.pages_then), (92, 92, 2));
    assert_eq!((answer.error_pages(), answer.is_beyond_error()), (0, true));
    assert_eq!((answer.model.as_str(), answer.without.as_str()), ("dlmalloc", "the leaks"));
}

#[test]
fn what_has_no_siblings_goes_at_the_next_mark() {
    let pages = |marks: bool| {
        let mut bump = Bump::new();
        for number in 0..50 {
            let context = bump.at(&format!("leak{number}"));
            bump.alloc(context, 60_000);
            if marks {
                bump.guest.mark("request");
            }
        }
        let answer = bump.ask(&Selection::Leaks).expect("there is an answer");
        assert_eq!(answer.pages_modelled, answer.pages_now);
        answer.pages_then
    };
    assert_eq!(pages(true), 2);
    assert_eq!(pages(false), 46, "nobody knows when they would have been freed");
}

#[test]
fn a_context_that_frees_shows_how_long_its_blocks_live() {
    let mut bump = Bump::new();
    let context = bump.at("work");
    let mut queue = std::collections::VecDeque::new();
    for _ in 0..40 {
        bump.alloc(context, 60_000);
        queue.push_back(bump.alloc(context, 60_000));
        if queue.len() > 5 {
            bump.guest.free(context.context, queue.pop_front().expect("there are five"));
        }
    }
    for addr in queue {
        bump.guest.free(context.context, addr);
    }
    let answer = bump.ask(&Selection::Finding(1)).expect("there is an answer");
    assert_eq!((answer.removed.blocks, answer.pages_modelled), (40, 43));
    // Five in the queue, and as many lost ones, which live as long.
    assert_eq!(answer.pages_then, 12);
}

#[test]
fn one_finding_or_pattern_at_a_time() {
    let answer = |selection: &Selection| {
        let mut bump = Bump::new();
        let [large, small] = ["large", "small"].map(|name| bump.at(name));
        for _ in 0..100 {
            bump.alloc(large, 10_000);
            bump.alloc(small, 1000);
        }
        bump.ask(selection)
    };
    let pages = |selection| answer(&selection).expect("there is an answer").pages_then;
    let (both, large, small) =
        (pages(Selection::Leaks), pages(Selection::Finding(1)), pages(Selection::Finding(2)));
    assert_eq!((both, large, small), (2, 2, 16));
    assert_eq!((pages(matching("sma")), pages(matching("main"))), (small, both));
    assert_eq!(answer(&Selection::Finding(3)), Err(NothingToRemove::NoFinding(3, 2)));
    assert_eq!(answer(&matching("medium")), Err(NothingToRemove::NoMatch));
    let mut nothing = Guest::new();
    nothing.end(Ending::Returned);
    let nothing = ask(&nothing.messages, &Selection::Leaks, LeakKinds::ALL).map(|_| ());
    assert_eq!(nothing, Err(NothingToRemove::NoHeap));
}

#[test]
fn a_difference_within_the_models_error_is_no_claim() {
    let answer = |now, modelled, then| WhatIf {
        pages_now: now,
        pages_modelled: modelled,
        pages_then: then,
        ..WhatIf::default()
    };
    assert!(answer(33, 33, 12).is_beyond_error());
    assert!(answer(33, 30, 12).is_beyond_error());
    for (now, modelled, then) in [(33, 33, 33), (33, 22, 12), (12, 33, 10), (33, 34, 33)] {
        assert!(!answer(now, modelled, then).is_beyond_error(), "{now} {modelled} {then}");
    }
}

fn hostile() -> impl Strategy<Value = Event> {
    let number = || prop_oneof![3 => 0..3000u64, 1 => any::<u64>()];
    let align = || (0..64u32).prop_map(|log2| Some(1 << log2));
    let (tracepoint, context) = (guest::MALLOC, Context(1));
    prop_oneof![
        4 => (number(), number(), align()).prop_map(move |(addr, size, align)| {
            Event::Alloc { tracepoint, context, addr, size, align }
        }),
        2 => number().prop_map(move |addr| Event::Free { tracepoint, context, addr, size: None, align: None }),
        2 => (number(), number(), number(), align()).prop_map(move |(old, addr, size, align)| {
            Event::Realloc { tracepoint, context, old, addr, size, align }
        }),
        1 => (number(), number()).prop_map(move |(before, delta)| {
            Event::Grow { tracepoint: guest::GROW, context, memory: 0, before: Some(before), delta }
        }),
    ]
}

proptest! {
    #[test]
    fn hostile_traces_get_some_answer(events in vec(hostile(), 1..100), family in "libc|zig|x") {
        let mut guest = Guest::of(module_info("app.wasm", &family));
        guest.layout = RecordLayout::Wide;
        events.into_iter().for_each(|event| _ = guest.event(event));
        guest.mark("m").end(Ending::Returned);
        for kinds in [LeakKinds::ALL, LeakKinds::default()] {
            let _ = ask(&guest.messages, &Selection::Leaks, kinds);
        }
    }

    #[test]
    fn without_nothing_all_stays_as_it_was(steps in vec((0..3usize, 0..4u8, 0..9000u64), 1..200)) {
        let mut bump = Bump::new();
        let contexts = [0, 1, 2].map(|n| bump.at(&format!("f{n}")));
        let mut live = Vec::new();
        for (by, what, size) in steps {
            match what {
                0 if !live.is_empty() => {
                    bump.guest.free(contexts[by].context, live.swap_remove(size as usize % live.len()));
                }
                1 if !live.is_empty() => {
                    let old = live.swap_remove(size as usize % live.len());
                    let addr = bump.top;
                    bump.top += (size + 4).next_multiple_of(16).max(16);
                    bump.guest.realloc(contexts[by].context, old, addr, size + 1);
                    live.push(addr);
                }
                _ => live.push(bump.alloc(contexts[by], size + 1)),
            }
        }
        bump.guest.end(Ending::Returned);
        without_images(&mut bump.guest.messages);
        // Without an image nobody can say that anything is lost.
        let nothing = ask(&bump.guest.messages, &Selection::Leaks, LeakKinds::default());
        if let Ok((_, nothing)) = nothing {
            prop_assert_eq!(nothing.removed.blocks, 0);
            prop_assert_eq!(nothing.pages_then, nothing.pages_modelled);
        }
        let all = ask(&bump.guest.messages, &matching("main"), LeakKinds::ALL);
        if let Ok((outcome, all)) = all {
            prop_assert_eq!(all.removed, outcome.profile.totals.live);
        }
    }
}
