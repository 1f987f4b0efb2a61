//! What goes into a trace comes out of it, however the bytes are cut into pieces.

mod generate;

use generate::{event, layout, message, table};
use proptest::{collection::vec, prelude::*};
use seepage_trace::{
    Context, Decoder, Encoder, End, Event, Message, ModuleId, ModuleInfo, RecordLayout, Records,
    Role, SiteTable, Stack, ThreadId, Tracepoint, TracepointId, message::Frame,
};

fn encoded(messages: &[Message<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes);
    messages.iter().for_each(|message| encoder.message(message, &mut bytes));
    bytes
}

/// All messages, with the bytes pushed in pieces of these lengths, over and over.
fn decoded(bytes: &[u8], pieces: &[usize]) -> (Vec<Message<'static>>, Decoder) {
    let mut decoder = Decoder::new();
    let mut messages = Vec::new();
    let mut rest = bytes;
    for &piece in pieces.iter().cycle() {
        let (front, back) = rest.split_at(piece.min(rest.len()));
        decoder.push(front);
        while let Some(message) = decoder.next().expect("what was written can be read") {
            messages.push(message);
        }
        rest = back;
        if rest.is_empty() {
            break;
        }
    }
    (messages, decoder)
}

fn records(layout: RecordLayout, events: &[Event]) -> Records<'static> {
    let mut raw = Vec::new();
    events.iter().for_each(|event| event.write(layout, &mut raw));
    Records {
        module: ModuleId(0),
        thread: ThreadId(0),
        time_ns: 0,
        memories: Vec::new(),
        layout,
        raw: raw.into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_message(messages in vec(message(), 0..8), pieces in vec(1..60usize, 1..5)) {
        let bytes = encoded(&messages);
        let (out, decoder) = decoded(&bytes, &pieces);
        prop_assert_eq!(&out, &messages);
        prop_assert_eq!((decoder.left_over(), decoder.unknown_chunks()), (0, 0));
        // The same messages are the same bytes.
        prop_assert_eq!(encoded(&out), bytes);
    }

    #[test]
    fn every_event(
        (layout, events) in
            layout().prop_flat_map(|layout| (Just(layout), vec(event(layout), 0..60)))
    ) {
        let records = records(layout, &events);
        prop_assert_eq!(records.len(), events.len());
        prop_assert_eq!(records.events().collect::<Vec<_>>(), events.clone());
        let (out, _) = decoded(&encoded(&[Message::Records(records)]), &[usize::MAX]);
        let Some(Message::Records(out)) = out.first() else { panic!("{out:?}") };
        prop_assert_eq!(out.events().collect::<Vec<_>>(), events);
    }

    #[test]
    fn every_site_table(table in table()) {
        let bytes = table.encode();
        prop_assert_eq!(SiteTable::decode(&bytes), Ok(table.clone()));
        for site in &table.sites {
            let found = table.site(site.offset).map(|found| found.offset);
            prop_assert_eq!(found, Some(site.offset));
        }
        // No question has no answer, also about sites whose frames are not there.
        for offset in table.sites.iter().map(|site| site.offset).chain([0, u32::MAX]) {
            let _ = table.frames(0, Some(offset));
            let _ = table.frames(u32::MAX, None);
        }
    }

    /// A trace that was cut off gives every message that is whole, and says what is left over.
    #[test]
    fn a_cut_trace(messages in vec(message(), 1..6), cut in any::<prop::sample::Index>()) {
        let bytes = encoded(&messages);
        let cut = cut.index(bytes.len());
        let (out, decoder) = decoded(&bytes[..cut], &[usize::MAX]);
        prop_assert!(out.len() < messages.len());
        prop_assert_eq!(&out[..], &messages[..out.len()]);
        let whole = if cut < 12 { 0 } else { encoded(&messages[..out.len()]).len() };
        prop_assert_eq!(decoder.left_over(), cut - whole);
    }
}

#[test]
fn the_pieces_may_be_single_bytes() {
    let messages: Vec<Message<'static>> = (0..50u64)
        .map(|n| {
            Message::Stack(Stack {
                module: ModuleId(n as u32),
                context: Context(n),
                frames: vec![Frame::function("main"), Frame::function(format!("f{}", n % 7))],
                truncated: n % 2 == 0,
            })
        })
        .collect();
    let bytes = encoded(&messages);
    for piece in [1, 2, 3, 8, 9, 12, 13, bytes.len()] {
        assert_eq!(decoded(&bytes, &[piece]).0, messages, "in pieces of {piece}");
    }
}

/// From one end of the address space to the other and back, with the sizes and contexts to match.
#[test]
fn extremes_of_packing() {
    for (layout, max) in
        [(RecordLayout::Narrow, u64::from(u32::MAX)), (RecordLayout::Wide, u64::MAX)]
    {
        let ends = [0, 1, 2, 3, 4, 7, 8, max / 2, max / 2 + 1, max - 4, max - 1, max];
        let mut events = Vec::new();
        for addr in ends {
            for old in ends {
                let (tracepoint, context) = (TracepointId(u16::MAX), Context(u64::MAX - addr));
                let size = old;
                events.push(Event::Alloc { tracepoint, context, addr, size, align: None });
                events.push(Event::Free {
                    tracepoint,
                    context,
                    addr: old,
                    size: Some(addr),
                    align: None,
                });
                events.push(Event::Realloc {
                    tracepoint,
                    context,
                    old,
                    addr,
                    size,
                    align: Some(1 << 63),
                });
                let before = Some(addr).filter(|&addr| addr != max);
                events.push(Event::Grow {
                    tracepoint,
                    context,
                    memory: u32::MAX,
                    before,
                    delta: old,
                });
            }
        }
        let (out, _) = decoded(&encoded(&[Message::Records(records(layout, &events))]), &[4096]);
        let Some(Message::Records(out)) = out.first() else { panic!("{out:?}") };
        assert_eq!(out.events().collect::<Vec<_>>(), events, "{layout:?}");
    }
}

#[test]
fn no_records_at_all_are_records() {
    for layout in [RecordLayout::Narrow, RecordLayout::Wide] {
        let message = Message::Records(records(layout, &[]));
        assert_eq!(decoded(&encoded(std::slice::from_ref(&message)), &[1]).0, [message]);
    }
}

/// Much more than a host collects at once.
#[test]
fn a_long_stretch_of_records() {
    let alloc = |n: u64| Event::Alloc {
        tracepoint: TracepointId(0),
        context: Context(n % 5),
        addr: n * 16,
        size: n % 100,
        align: None,
    };
    for count in [1 << 18, 1 << 20, (1 << 20) + 1, 3 << 20] {
        let events: Vec<_> = (0..count).map(alloc).collect();
        let (out, _) = decoded(
            &encoded(&[Message::Records(records(RecordLayout::Wide, &events))]),
            &[1 << 20],
        );
        let lengths = out.iter().map(|message| match message {
            Message::Records(records) => records.len() as u64,
            other => panic!("{other:?}"),
        });
        assert_eq!(lengths.sum::<u64>(), count);
    }
}

/// The longest form that a record can be packed to, as many times as fit into one chunk.
#[test]
fn the_worst_records_still_fit() {
    let ends = |n: u64| if n & 1 == 0 { 0 } else { u64::MAX / 3 };
    let events: Vec<_> = (0..1u64 << 19)
        .map(|n| Event::Realloc {
            tracepoint: TracepointId(n as u16),
            context: Context(n),
            old: ends(n + 1),
            addr: ends(n),
            size: u64::MAX - n,
            align: Some(1 << (n >> 16)),
        })
        .collect();
    let (out, _) =
        decoded(&encoded(&[Message::Records(records(RecordLayout::Wide, &events))]), &[1 << 20]);
    let all = out.iter().flat_map(|message| match message {
        Message::Records(records) => records.events(),
        other => panic!("{other:?}"),
    });
    assert!(all.eq(events));
}

/// Names may be of any length: what does not fit is left out, and said.
#[test]
fn what_is_too_long_is_shortened() {
    let long = "é".repeat(9 << 20);
    let frame = |n: usize| Frame::function(format!("{n}{}", "x".repeat(100_000)));
    let frames: Vec<_> = (0..400).map(frame).collect();
    let (module, context) = (ModuleId(0), Context(1));
    let stack = |frames| Message::Stack(Stack { module, context, frames, truncated: false });
    let tracepoint = Tracepoint {
        index: 1,
        function: "f".repeat(500),
        role: Role::Malloc,
        family: "g".repeat(500),
        how: "h".repeat(500),
    };
    let info = ModuleInfo {
        name: long.clone(),
        tracepoints: vec![tracepoint; 1 << 16],
        blind_spots: vec![long.clone(); 20],
        ..ModuleInfo::default()
    };
    let end = End { message: Some(long.clone()), trap_stack: frames.clone(), ..End::default() };
    let messages = [
        Message::Module(info.clone()),
        stack(frames),
        stack(vec![Frame::function(long.clone())]),
        stack(vec![frame(1)]),
        Message::Mark { name: long },
        Message::End(end),
    ];
    let (out, decoder) = decoded(&encoded(&messages), &[1 << 20]);
    assert_eq!((out.len(), decoder.left_over()), (messages.len(), 0));
    let Message::Module(module) = &out[0] else { panic!("{:?}", out[0]) };
    assert_eq!(module.tracepoints.len(), info.tracepoints.len(), "records name them by index");
    assert_eq!(module.tracepoints[0].function, format!("{}…", "f".repeat(128)));
    assert_eq!(module.blind_spots.len(), 17);
    assert!(module.blind_spots[16].starts_with("4 more"), "{}", module.blind_spots[16]);
    let stacks: Vec<_> = out
        .iter()
        .filter_map(|message| match message {
            Message::Stack(stack) => Some((stack.frames.len(), stack.truncated)),
            _ => None,
        })
        .collect();
    assert!(stacks[0].0 > 100 && stacks[0].0 < 400 && stacks[0].1, "{stacks:?}");
    assert_eq!(stacks[1..], [(0, true), (1, false)]);
    let Message::End(end) = &out[5] else { panic!("{:?}", out[5]) };
    assert!(end.message.as_ref().is_some_and(|message| message.ends_with("é…")));
    assert_eq!(end.trap_stack.len(), stacks[0].0);
}
