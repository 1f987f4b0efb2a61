//! Any sequence of messages and records makes a report: whatever the guest did is data.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use seepage_analysis::{Config, Session};
use seepage_report::{Context as ReportContext, Options, assemble, formats};
use seepage_trace::{
    Context, End, Frame, Frees, Memory, Message, ModuleId, ModuleInfo, Outcome, RecordLayout,
    Records, Role, Stack, ThreadId, Tracepoint, abi::Record,
};

/// Numbers are few, so that they meet again; and sometimes they are anything.
fn number(input: &mut Unstructured<'_>) -> arbitrary::Result<u64> {
    Ok(match input.int_in_range(0..=9u8)? {
        0 => u64::arbitrary(input)?,
        1 => u64::MAX - u64::from(u8::arbitrary(input)?),
        _ => u64::from(u8::arbitrary(input)?) * 8,
    })
}

fn layout(input: &mut Unstructured<'_>) -> arbitrary::Result<RecordLayout> {
    Ok(if bool::arbitrary(input)? { RecordLayout::Wide } else { RecordLayout::Narrow })
}

fn frame(input: &mut Unstructured<'_>) -> arbitrary::Result<Frame> {
    Ok(Frame {
        file: Option::<&str>::arbitrary(input)?.map(Into::into),
        line: Option::arbitrary(input)?,
        column: Option::arbitrary(input)?,
        inlined: Arbitrary::arbitrary(input)?,
        recursion: Arbitrary::arbitrary(input)?,
        ..Frame::function(<&str>::arbitrary(input)?)
    })
}

fn frames(input: &mut Unstructured<'_>) -> arbitrary::Result<Vec<Frame>> {
    (0..input.int_in_range(0..=4)?).map(|_| frame(input)).collect()
}

fn module(input: &mut Unstructured<'_>) -> arbitrary::Result<ModuleInfo> {
    let tracepoint = |input: &mut Unstructured<'_>| {
        arbitrary::Result::Ok(Tracepoint {
            index: Arbitrary::arbitrary(input)?,
            function: Arbitrary::arbitrary(input)?,
            role: *input.choose(&Role::ALL)?,
            family: Arbitrary::arbitrary(input)?,
            how: Arbitrary::arbitrary(input)?,
        })
    };
    let memory = |input: &mut Unstructured<'_>| {
        arbitrary::Result::Ok(Memory {
            initial_pages: number(input)?,
            maximum_pages: Arbitrary::arbitrary(input)?,
            page_size: number(input)?,
            is_64: Arbitrary::arbitrary(input)?,
            imported: Arbitrary::arbitrary(input)?,
        })
    };
    let tracepoints = input.int_in_range(0..=6)?;
    let memories = input.int_in_range(0..=3)?;
    Ok(ModuleInfo {
        id: ModuleId(input.int_in_range(0..=3)?),
        name: Arbitrary::arbitrary(input)?,
        bytes: number(input)?,
        tracepoints: (0..tracepoints).map(|_| tracepoint(input)).collect::<Result<_, _>>()?,
        memories: (0..memories).map(|_| memory(input)).collect::<Result<_, _>>()?,
        contexts: Arbitrary::arbitrary(input)?,
        frees: *input.choose(&[Frees::Explicit, Frees::Collected, Frees::Unseen])?,
        heap_before: Arbitrary::arbitrary(input)?,
        blind_spots: Arbitrary::arbitrary(input)?,
    })
}

fn records(input: &mut Unstructured<'_>) -> arbitrary::Result<Records<'static>> {
    let layout = layout(input)?;
    let mut raw = Vec::new();
    for _ in 0..input.int_in_range(0..=60)? {
        Record {
            head: u32::from(u8::arbitrary(input)? % 7) << 24
                | u32::from(u8::arbitrary(input)? % 8) << 8
                | u32::from(u8::arbitrary(input)?),
            size: number(input)?,
            context: Context(number(input)? % 128),
            addr: number(input)?,
            old: number(input)?,
        }
        .write(layout, &mut raw);
    }
    Ok(Records {
        module: ModuleId(input.int_in_range(0..=3)?),
        thread: ThreadId(input.int_in_range(0..=2)?),
        time_ns: number(input)?,
        memories: (0..input.int_in_range(0..=3)?)
            .map(|_| number(input))
            .collect::<Result<_, _>>()?,
        layout,
        raw: raw.into(),
    })
}

fn message(input: &mut Unstructured<'_>) -> arbitrary::Result<Message<'static>> {
    Ok(match input.int_in_range(0..=9u8)? {
        0 => Message::Module(module(input)?),
        1 => Message::Stack(Stack {
            module: ModuleId(input.int_in_range(0..=3)?),
            context: Context(number(input)? % 128),
            frames: frames(input)?,
            truncated: Arbitrary::arbitrary(input)?,
        }),
        2 => Message::Mark { name: Arbitrary::arbitrary(input)? },
        3 => Message::End(End {
            outcome: *input.choose(&Outcome::ALL)?,
            exit_code: Arbitrary::arbitrary(input)?,
            message: Arbitrary::arbitrary(input)?,
            trap_stack: frames(input)?,
            time_ns: number(input)?,
            refused_growths: number(input)?,
            lost_records: number(input)?,
        }),
        _ => Message::Records(records(input)?),
    })
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Unstructured::new(bytes);
    let mut session = Session::new(Config::default());
    while !input.is_empty()
        && let Ok(message) = message(&mut input)
    {
        session.feed(&message);
    }
    let report = assemble(&session.finish(), &ReportContext::new("0"));
    for format in formats::LIST {
        let mut text = String::new();
        (format.render)(&report, &Options::default(), &mut text);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
    }
});
