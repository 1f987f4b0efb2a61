//! What is claimed of lost blocks when locals may hold some of them: no more than is certain.

mod guest;

use guest::{Guest, analyze};
use seepage_analysis::{Config, LeakKind, Outcome};
use seepage_trace::{End, MemoryPart, Message, Outcome as Ending, State};

/// Ten blocks of one context, the first the largest, another one hanging on each of the first two,
/// and one block of a second context: nothing else points to any. The guest exits where `hidden`
/// addresses are in its locals.
fn outcome(hidden: u32) -> Outcome {
    let mut guest = Guest::new();
    let [many, hanging, one] = [["many"], ["hanging"], ["one"]].map(|it| guest.at(&it));
    let mut parts = Vec::new();
    for block in 0..10 {
        let addr = 0x1_0000 + block * 0x100;
        guest.alloc(many, addr, 100 - block);
        if block < 2 {
            let child = 0x2_0000 + block * 0x100;
            guest.alloc(hanging, child, 16);
            parts.push((addr, (child as u32).to_le_bytes().to_vec()));
        }
    }
    guest.alloc(one, 0x3_0000, 40).flush();
    let module = guest.module;
    let state = State { module, hidden, memory_bytes: 1 << 20, ..State::default() };
    guest.messages.push(Message::State(state));
    for (addr, bytes) in parts {
        let part = MemoryPart { module, memory: 0, addr, bytes: bytes.into() };
        guest.messages.push(Message::Memory(part));
    }
    guest.end_with(End { outcome: Ending::Exited, exit_code: Some(0), ..End::default() });
    analyze(&guest.messages, Config::default())
}

/// Blocks that are definitely, indirectly and possibly lost, and bytes that definitely are.
fn lost(hidden: u32) -> ([u64; 3], u64) {
    let reachability = outcome(hidden).profile.reachability.expect("there is an image");
    let of = |kind| reachability.kinds.of(kind);
    let kinds = [LeakKind::DefinitelyLost, LeakKind::IndirectlyLost, LeakKind::PossiblyLost];
    (kinds.map(|kind| of(kind).blocks), of(LeakKind::DefinitelyLost).bytes)
}

#[test]
fn as_many_blocks_of_each_context_are_in_doubt_as_locals_can_hold() {
    assert_eq!(lost(0), ([11, 2, 0], 955 + 40));
    // The largest, what hangs on it, and the only one of its context.
    assert_eq!(lost(1), ([9, 1, 3], 955 - 100));
    assert_eq!(lost(2), ([8, 0, 5], 955 - 100 - 99));
    assert_eq!(lost(9), ([1, 0, 12], 91));
    assert_eq!(lost(10), ([0, 0, 13], 0));
}

#[test]
fn without_a_bound_all_are_in_doubt() {
    assert_eq!(lost(State::UNBOUNDED), ([0, 0, 13], 0));
}
