//! Maps of the memory: when they are drawn, and that they agree with the account.

use seepage_analysis::{Config, HeapMap, MapMoment, Outcome, Session, Use};
use seepage_trace::{
    Context, End, Event, Memory, MemoryPart, Message, ModuleId, ModuleInfo, Outcome as Ending,
    RecordLayout, Records, Role, State, ThreadId, Tracepoint, TracepointId,
};

/// A run with one block, a mark with an image, one without, and an image at the end.
fn outcome(heap_map: bool) -> Outcome {
    let malloc = Tracepoint {
        index: 0,
        function: "malloc".into(),
        role: Role::Malloc,
        family: "libc".into(),
        how: String::new(),
    };
    let memory = Memory {
        initial_pages: 1,
        maximum_pages: None,
        page_size: 65_536,
        is_64: false,
        imported: false,
    };
    let mut session = Session::new(Config { heap_map, ..Config::default() });
    let info =
        ModuleInfo { tracepoints: vec![malloc], memories: vec![memory], ..Default::default() };
    session.feed(&Message::Module(info));
    let mut raw = Vec::new();
    let (tracepoint, context) = (TracepointId(0), Context(0));
    Event::Alloc { tracepoint, context, addr: 4096, size: 1024, align: None }
        .write(RecordLayout::Narrow, &mut raw);
    session.feed(&Message::Records(Records {
        module: ModuleId(0),
        thread: ThreadId(0),
        time_ns: 0,
        memories: vec![1],
        layout: RecordLayout::Narrow,
        raw: raw.into(),
    }));
    let image = |session: &mut Session| {
        session.feed(&Message::State(State { memory_bytes: 65_536, ..State::default() }));
        // The only reference to the block.
        let (module, bytes) = (ModuleId(0), vec![0, 16, 0, 0].into());
        session.feed(&Message::Memory(MemoryPart { module, memory: 0, addr: 512, bytes }));
    };
    image(&mut session);
    session.feed(&Message::Mark { name: "seen".into() });
    session.feed(&Message::Mark { name: "unseen".into() });
    image(&mut session);
    session.feed(&Message::End(End { outcome: Ending::Returned, ..End::default() }));
    session.finish()
}

#[test]
fn maps_are_drawn_when_they_are_asked_for() {
    assert_eq!(outcome(false).heap_maps, []);
    let moments: Vec<_> = outcome(true).heap_maps.into_iter().map(|map| map.moment).collect();
    assert_eq!(moments, [MapMoment::Mark("seen".into()), MapMoment::End, MapMoment::Peak]);
}

#[test]
fn a_map_agrees_with_the_account() {
    let outcome = outcome(true);
    let account = outcome.profile.account.expect("there is one");
    let of = |map: &HeapMap, is: fn(Use) -> bool| {
        let runs = map.cells.iter().filter(|run| is(run.what));
        runs.map(|run| run.count * map.cell_bytes).sum::<u64>()
    };
    let end = outcome.heap_maps.iter().find(|map| map.moment == MapMoment::End).expect("a map");
    assert_eq!(of(end, |_| true), account.total());
    assert_eq!(of(end, |what| matches!(what, Use::Live { .. })), account.live.total());
    let mark = &outcome.heap_maps[0];
    assert_eq!((mark.cell_bytes, &mark.cells), (end.cell_bytes, &end.cells));
}
