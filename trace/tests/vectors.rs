//! The bytes of each version of the formats are stored in `tests/vectors/`, and never change.
//!
//! When this fails, what is written has changed: raise `FORMAT_VERSION`, then run the test with
//! `UPDATE_EXPECT=1`, which adds the files of the new version and leaves the older ones alone.

use seepage_trace::{
    Context, DecodeError, Decoder, Encoder, End, Event, Frame, Frees, HostMemory, Layout, Memory,
    MemoryPart, Message, ModuleId, ModuleInfo, OpenFile, Outcome, RecordLayout, Records, Role,
    SiteTable, Stack, State, ThreadId, Tracepoint, TracepointId,
    abi::RingLayout,
    sites::{Function, Site, Transport},
    version::FORMAT_VERSION,
};
use std::{fs, path::PathBuf};

fn stored(version: u32, extension: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors")
        .join(format!("v{version}.{extension}"))
}

/// The stored bytes of this version, which must be these.
fn check(bytes: &[u8], extension: &str) {
    let path = stored(FORMAT_VERSION, extension);
    if !path.exists() && std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, bytes).expect("the folder is part of the checkout");
    }
    let expected = fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; UPDATE_EXPECT=1 adds a version's files", path.display())
    });
    let first = bytes.iter().zip(&expected).position(|(is, was)| is != was);
    assert!(
        bytes == expected,
        "{} has {} bytes, and now there are {}; they differ from byte {:?} on. Raise \
         FORMAT_VERSION if that is meant",
        path.display(),
        expected.len(),
        bytes.len(),
        first.unwrap_or(expected.len().min(bytes.len())),
    );
}

fn module() -> ModuleInfo {
    let roles = Role::ALL.into_iter().enumerate();
    ModuleInfo {
        id: ModuleId(2),
        name: "vector.wasm".into(),
        bytes: 123_456,
        tracepoints: roles
            .map(|(index, role)| Tracepoint {
                index: index as u32 * 100,
                function: format!("the_{}", role.name()),
                role,
                family: "libc".into(),
                how: "by name".into(),
            })
            .collect(),
        memories: vec![
            Memory {
                initial_pages: 17,
                maximum_pages: Some(65_536),
                page_size: 65_536,
                is_64: false,
                imported: true,
            },
            Memory {
                initial_pages: 0,
                maximum_pages: None,
                page_size: 1,
                is_64: true,
                imported: false,
            },
        ],
        contexts: true,
        frees: Frees::Collected,
        heap_before: true,
        globals: vec![0, 300],
        layout: Layout {
            stack_pointer: Some(0),
            stack: Some(1024..66_560),
            static_end: Some(70_000),
        },
        blind_spots: vec!["what a host function allocates".into(), "größer als π".into()],
    }
}

fn frames() -> Vec<Frame> {
    vec![
        Frame {
            file: Some("src/queue.rs".into()),
            line: Some(41),
            column: Some(9),
            inlined: true,
            ..Frame::function("queue::push")
        },
        Frame {
            file: Some("src/main.rs".into()),
            line: Some(300),
            ..Frame::function("app::run<T>")
        },
        Frame::function("wasm-function[7]"),
    ]
}

fn events() -> Vec<Event> {
    let (first, second) = (TracepointId(0), TracepointId(0x1234));
    let (a, b) = (Context(7), Context(0x0123_4567_89ab_cdef));
    let alloc =
        |addr, size| Event::Alloc { tracepoint: first, context: a, addr, size, align: None };
    vec![
        alloc(1024, 40),
        alloc(1072, 40),
        alloc(1120, 5000),
        Event::Alloc { tracepoint: second, context: b, addr: 4096, size: 64, align: Some(64) },
        alloc(0, 4_000_000_000),
        Event::Realloc {
            tracepoint: second,
            context: a,
            old: 1072,
            addr: 8192,
            size: 80,
            align: Some(8),
        },
        Event::Free { tracepoint: first, context: b, addr: 1024, size: None, align: None },
        Event::Free { tracepoint: first, context: b, addr: 8192, size: Some(80), align: None },
        Event::Grow { tracepoint: second, context: b, memory: 1, before: Some(17), delta: 3 },
        Event::Grow { tracepoint: second, context: b, memory: 0, before: None, delta: 60_000 },
        Event::Annotation { tracepoint: second, context: b, addr: 4096, size: 64 },
        Event::Claim { tracepoint: second, context: a, addr: 4096, size: 64 },
        Event::Usable { tracepoint: second, context: a, addr: 4096, size: 112 },
    ]
}

fn messages() -> Vec<Message<'static>> {
    let records = |layout, time_ns| {
        let mut raw = Vec::new();
        events().iter().for_each(|event| event.write(layout, &mut raw));
        Message::Records(Records {
            module: ModuleId(2),
            thread: ThreadId(1),
            time_ns,
            memories: vec![20, 3],
            layout,
            raw: raw.into(),
        })
    };
    let stack = |context, frames, truncated| {
        Message::Stack(Stack { module: ModuleId(2), context, frames, truncated })
    };
    let mut recursive = frames();
    recursive[1].recursion = true;
    let mut messages = vec![
        Message::Module(module()),
        stack(Context(7), frames(), false),
        records(RecordLayout::Narrow, 1_000_000),
        stack(Context(0x0123_4567_89ab_cdef), recursive, true),
        records(RecordLayout::Wide, u64::from(u32::MAX) * 10),
        Message::State(State {
            module: ModuleId(2),
            hidden: 3,
            globals: vec![66_000, u64::MAX],
            roots: vec![1024],
            memory_bytes: 20 << 16,
            unchanged: vec![1024..2048, 4096..4100],
        }),
        Message::Memory(MemoryPart {
            module: ModuleId(2),
            memory: 0,
            addr: 1024,
            bytes: [&[0; 100], &b"not zero"[..], &[0; 1000], &[1; 40], &[0; 7]].concat().into(),
        }),
        Message::Mark { name: "update #1".into() },
        Message::OpenFile(OpenFile {
            module: ModuleId(2),
            descriptor: 4,
            kind: "file".into(),
            path: "data/größe.txt".into(),
            frames: frames(),
        }),
        Message::Suppressions { origin: "module".into(), text: "leak:known\n".into() },
        Message::Host(HostMemory {
            time_ns: 5_000_000,
            heap: 12 << 20,
            buffers: Some(300),
            resident: None,
            tracer: 1 << 17,
        }),
    ];
    for (index, outcome) in Outcome::ALL.into_iter().enumerate() {
        messages.push(Message::End(End {
            outcome,
            exit_code: [None, Some(0), Some(-1), Some(i32::MIN)][index % 4],
            message: (index % 2 == 0).then(|| "wasm trap: integer divide by zero".into()),
            trap_stack: if index == 2 { frames() } else { Vec::new() },
            time_ns: 1 << (8 * index),
            refused_growths: index as u64,
            lost_records: 1000 * index as u64,
        }));
    }
    messages
}

fn table() -> SiteTable {
    let site = |offset, original, recursive, frames| Site { offset, original, recursive, frames };
    SiteTable {
        module: module(),
        transport: Transport::Ring(RingLayout::new(RecordLayout::Wide)),
        layout: RecordLayout::Wide,
        sites: vec![
            site(100, 60, false, 0..2),
            site(180, 40, true, 2..3),
            site(181, 400, false, 1..1),
        ],
        frames: frames(),
        functions: vec![
            None,
            Some(Function { original: 0, name: Some("queue::push".into()) }),
            Some(Function { original: 7, name: None }),
        ],
    }
}

#[test]
fn the_trace_file() {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes);
    messages().iter().for_each(|message| encoder.message(message, &mut bytes));
    check(&bytes, "trace");

    let mut decoder = Decoder::new();
    decoder.push(&fs::read(stored(FORMAT_VERSION, "trace")).expect("it was just compared"));
    for message in messages() {
        assert_eq!(decoder.next(), Ok(Some(message)));
    }
    assert_eq!((decoder.next(), decoder.left_over()), (Ok(None), 0));
}

#[test]
fn the_section() {
    check(&table().encode(), "section");
    let bytes = fs::read(stored(FORMAT_VERSION, "section")).expect("it was just compared");
    assert_eq!(SiteTable::decode(&bytes), Ok(table()));
}

/// Every version that ever was has its files, and this version says of the others what they are.
#[test]
fn older_versions_are_refused_by_name() {
    // As a range this would be an empty one in version 1, which clippy takes for a mistake.
    let versions: Vec<u32> = std::iter::successors(Some(1), |version| Some(version + 1))
        .take_while(|&version| version < FORMAT_VERSION)
        .collect();
    for version in versions {
        let mut decoder = Decoder::new();
        decoder.push(&fs::read(stored(version, "trace")).expect("old vectors are kept"));
        assert_eq!(decoder.next(), Err(DecodeError::Version(version)));
        let section = fs::read(stored(version, "section")).expect("old vectors are kept");
        let error = SiteTable::decode(&section).unwrap_err();
        assert!(error.contains(&format!("format version {version}")), "{error}");
    }
}
