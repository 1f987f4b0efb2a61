//! Blocks that go by another door than they came, or with another layout, and who had allocated
//! what is freed twice.

use seepage_analysis::{AnomalyKind, Config, Outcome, Session, StackId, Verdict};
use seepage_trace::{
    Context, End, Event, Frame, Message, ModuleId, ModuleInfo, Outcome as Ending, RecordLayout,
    Records, Role, Stack, ThreadId, Tracepoint, TracepointId,
};

const NEW: u16 = 0;
const FREE: u16 = 1;
const REALLOC: u16 = 2;
const DELETE: u16 = 3;
const ALLOCATE: Context = Context(1);
const RELEASE: Context = Context(2);

/// What is found in some events of a module with C's doors and C++'s of that family.
fn judged(family: &str, inlined: bool, events: &[Event]) -> Outcome {
    let tracepoint = |role: Role, family: &str| Tracepoint {
        index: 0,
        function: role.name().into(),
        role,
        family: family.into(),
        how: String::new(),
    };
    let tracepoints = vec![
        tracepoint(Role::Malloc, family),
        tracepoint(Role::Free, "libc"),
        tracepoint(Role::Realloc, family),
        tracepoint(Role::Free, family),
    ];
    let mut session = Session::new(Config::default());
    session.feed(&Message::Module(ModuleInfo {
        tracepoints,
        contexts: true,
        ..Default::default()
    }));
    for context in [ALLOCATE, RELEASE] {
        let frame = Frame { inlined, ..Frame::function("operator delete(void*)") };
        let frames = vec![frame, Frame::function(format!("f{}", context.0))];
        let stack = Stack { module: ModuleId(0), context, frames, truncated: false };
        session.feed(&Message::Stack(stack));
    }
    let mut raw = Vec::new();
    events.iter().for_each(|event| event.write(RecordLayout::Narrow, &mut raw));
    session.feed(&Message::Records(Records {
        module: ModuleId(0),
        thread: ThreadId(0),
        time_ns: 0,
        memories: vec![1],
        layout: RecordLayout::Narrow,
        raw: raw.into(),
    }));
    session.feed(&Message::End(End { outcome: Ending::Returned, ..End::default() }));
    session.finish()
}

fn alloc(addr: u64) -> Event {
    let tracepoint = TracepointId(NEW);
    Event::Alloc { tracepoint, context: ALLOCATE, addr, size: 40, align: Some(8) }
}

fn free(tracepoint: u16, addr: u64, size: Option<u64>, align: Option<u64>) -> Event {
    let tracepoint = TracepointId(tracepoint);
    Event::Free { tracepoint, context: RELEASE, addr, size, align }
}

fn kinds(outcome: &Outcome) -> Vec<AnomalyKind> {
    outcome.anomalies.iter().map(|anomaly| anomaly.kind).collect()
}

#[test]
fn a_block_goes_by_the_door_by_which_it_came() {
    let events = [alloc(64), free(FREE, 64, None, None)];
    let outcome = judged("c++ new", false, &events);
    assert_eq!(kinds(&outcome), [AnomalyKind::MismatchedFree]);
    assert_eq!(outcome.verdict(), Verdict::HeapError);
    let error = &outcome.anomalies[0];
    assert_eq!((error.stack, error.allocation), (StackId(1), Some(StackId(0))));
    assert!(outcome.findings[0].summary.ends_with("came from `malloc` and went to `free`"));

    assert_eq!(kinds(&judged("c++", false, &events)), [], "not known to be apart");
    assert_eq!(kinds(&judged("c++ new", true, &events)), [], "the door is inlined");
    assert_eq!(kinds(&judged("c++ new", false, &[alloc(64), free(DELETE, 64, None, None)])), []);
}

#[test]
fn layouts_are_compared_where_both_are_known() {
    let freed =
        |size, align| kinds(&judged("rust", false, &[alloc(64), free(DELETE, 64, size, align)]));
    assert_eq!(freed(Some(40), Some(8)), []);
    assert_eq!(freed(None, None), []);
    assert_eq!(freed(Some(41), Some(8)), [AnomalyKind::SizeMismatch]);
    assert_eq!(freed(Some(40), Some(16)), [AnomalyKind::AlignmentMismatch]);
    assert_eq!(freed(Some(41), Some(16)), [AnomalyKind::SizeMismatch], "one error is enough");
}

#[test]
fn a_claim_before_a_reallocation_is_compared_and_is_no_event() {
    let resized = |old_size| {
        let (tracepoint, context) = (TracepointId(REALLOC), RELEASE);
        let claim = Event::Claim { tracepoint, context, addr: 64, size: old_size };
        let (old, addr, align) = (64, 128, Some(8));
        let realloc = Event::Realloc { tracepoint, context, old, addr, size: 80, align };
        let events = [alloc(64), claim, realloc, free(DELETE, 128, Some(80), Some(8))];
        judged("rust", false, &events)
    };
    assert_eq!(kinds(&resized(40)), []);
    let outcome = resized(39);
    assert_eq!(kinds(&outcome), [AnomalyKind::SizeMismatch]);
    assert_eq!((outcome.profile.totals.events, outcome.drops.unknown_records), (3, 0));
}

#[test]
fn a_double_free_knows_who_had_allocated() {
    let again = free(DELETE, 64, None, None);
    let outcome = judged("rust", false, &[alloc(64), again, again]);
    let error = &outcome.anomalies[0];
    assert_eq!(error.kind, AnomalyKind::DoubleFree);
    assert_eq!((error.allocation, error.first_free), (Some(StackId(0)), Some(StackId(1))));
}
