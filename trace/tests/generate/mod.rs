//! Random messages, of every kind and with every field at its extremes.
#![allow(dead_code)] // each test file uses a part of it

use proptest::{collection::vec, option, prelude::*};
use seepage_trace::{
    Context, End, Event, Frame, Frees, HostMemory, Layout, Memory, MemoryPart, Message, ModuleId,
    ModuleInfo, OpenFile, Outcome, RecordLayout, Records, Role, SiteTable, Stack, State, ThreadId,
    Tracepoint, TracepointId,
    abi::{Record, RingLayout},
    sites::{Function, Site, Transport},
};
use std::sync::Arc;

/// A number whose encoding has any length.
pub fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => (any::<u64>(), 0..64u32).prop_map(|(value, shift)| value >> shift),
        1 => Just(0),
        1 => Just(u64::MAX),
    ]
}

fn small() -> impl Strategy<Value = u32> {
    number().prop_map(|value| value as u32)
}

/// Any text: also control characters, other scripts, and nothing at all.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z:<>]{0,12}", 2 => ".{0,20}", 1 => "\\PC{0,3}\n\u{202e}\u{0}"]
}

fn shared() -> impl Strategy<Value = Arc<str>> {
    text().prop_map(Arc::from)
}

pub fn layout() -> impl Strategy<Value = RecordLayout> {
    prop_oneof![Just(RecordLayout::Narrow), Just(RecordLayout::Wide)]
}

pub fn frame() -> impl Strategy<Value = Frame> {
    let place = (option::of(shared()), option::of(small()), option::of(small()));
    (shared(), place, any::<bool>(), any::<bool>()).prop_map(
        |(function, (file, line, column), inlined, recursion)| Frame {
            function,
            file,
            line,
            column,
            inlined,
            recursion,
        },
    )
}

fn tracepoint() -> impl Strategy<Value = Tracepoint> {
    (small(), text(), 0..Role::ALL.len(), text(), text()).prop_map(
        |(index, function, role, family, how)| Tracepoint {
            index,
            function,
            role: Role::ALL[role],
            family,
            how,
        },
    )
}

fn memory() -> impl Strategy<Value = Memory> {
    (number(), option::of(number()), number(), any::<bool>(), any::<bool>()).prop_map(
        |(initial_pages, maximum_pages, page_size, is_64, imported)| Memory {
            initial_pages,
            maximum_pages,
            page_size,
            is_64,
            imported,
        },
    )
}

fn memory_layout() -> impl Strategy<Value = Layout> {
    let stack = option::of((number(), number()).prop_map(|(start, end)| start..end));
    (option::of(small()), stack, option::of(number()))
        .prop_map(|(stack_pointer, stack, static_end)| Layout { stack_pointer, stack, static_end })
}

fn state() -> impl Strategy<Value = State> {
    let hidden = any::<u32>();
    let unchanged = vec((number(), number()).prop_map(|(start, end)| start..end), 0..4);
    let values = (vec(number(), 0..4), vec(number(), 0..4), number(), unchanged);
    (small(), hidden, values).prop_map(
        |(module, hidden, (globals, roots, memory_bytes, unchanged))| State {
            unchanged,
            module: ModuleId(module),
            hidden,
            globals,
            roots,
            memory_bytes,
        },
    )
}

/// Stretches of zeros, of other bytes, and of both.
fn memory_part() -> impl Strategy<Value = MemoryPart<'static>> {
    let run = prop_oneof![
        (0..300usize).prop_map(|length| vec![0; length]),
        vec(any::<u8>(), 0..50),
        vec(0..2u8, 0..50),
    ];
    let bytes = vec(run, 1..6).prop_map(|runs| runs.concat());
    let some = bytes.prop_filter("a part without bytes is none", |bytes| !bytes.is_empty());
    (small(), small(), number(), some).prop_map(|(module, memory, addr, bytes)| MemoryPart {
        module: ModuleId(module),
        memory,
        addr,
        bytes: bytes.into(),
    })
}

fn open_file() -> impl Strategy<Value = OpenFile> {
    (small(), small(), text(), text(), vec(frame(), 0..6)).prop_map(
        |(module, descriptor, kind, path, frames)| OpenFile {
            module: ModuleId(module),
            descriptor,
            kind,
            path,
            frames,
        },
    )
}

fn host() -> impl Strategy<Value = HostMemory> {
    let known = (option::of(number()), option::of(number()));
    (number(), number(), known, number()).prop_map(
        |(time_ns, heap, (buffers, resident), tracer)| HostMemory {
            time_ns,
            heap,
            buffers,
            resident,
            tracer,
        },
    )
}

pub fn module() -> impl Strategy<Value = ModuleInfo> {
    let frees = prop_oneof![Just(Frees::Explicit), Just(Frees::Collected), Just(Frees::Unseen)];
    let flags = (any::<bool>(), frees, any::<bool>());
    let lists = (vec(tracepoint(), 0..5), vec(memory(), 0..4), vec(text(), 0..3));
    let held = (vec(small(), 0..4), memory_layout());
    (small(), text(), number(), (lists, held), flags).prop_map(
        |(id, name, bytes, (lists, (globals, layout)), (contexts, frees, before))| {
            let (tracepoints, memories, blind_spots) = lists;
            ModuleInfo {
                globals,
                layout,
                id: ModuleId(id),
                name,
                bytes,
                tracepoints,
                memories,
                contexts,
                frees,
                heap_before: before,
                blind_spots,
            }
        },
    )
}

/// A record as no guest would write it: each field is anything.
fn record() -> impl Strategy<Value = Record> {
    let head = prop_oneof![
        4 => (0..7u32, 0..3u32, 0..70u32)
            .prop_map(|(kind, tracepoint, align)| kind << 24 | tracepoint << 8 | align),
        1 => any::<u32>(),
    ];
    (head, number(), number(), number(), number()).prop_map(|(head, size, context, addr, old)| {
        Record { head, size, context: Context(context), addr, old }
    })
}

/// Raw records. Those without an earlier address have none, as the injected code writes them.
pub fn raw(layout: RecordLayout) -> impl Strategy<Value = Vec<u8>> {
    vec(record(), 0..40).prop_map(move |records| {
        let mut raw = Vec::new();
        for record in records {
            let has_old = matches!(record.head >> 24, 4 | 5);
            Record { old: if has_old { record.old } else { 0 }, ..record }.write(layout, &mut raw);
        }
        raw
    })
}

/// An event that a record of that form can hold.
pub fn event(layout: RecordLayout) -> impl Strategy<Value = Event> {
    let limit = match layout {
        RecordLayout::Narrow => u64::from(u32::MAX),
        RecordLayout::Wide => u64::MAX,
    };
    let field = move || number().prop_map(move |value| value & limit);
    let by = || (any::<u16>().prop_map(TracepointId), number().prop_map(Context));
    let align = || option::of((0..64u32).prop_map(|log2| 1u64 << log2));
    prop_oneof![
        (by(), field(), field(), align()).prop_map(|((tracepoint, context), addr, size, align)| {
            Event::Alloc { tracepoint, context, addr, size, align }
        }),
        (by(), field(), option::of(field()), align()).prop_map(
            |((tracepoint, context), addr, size, align)| {
                Event::Free { tracepoint, context, addr, size, align }
            }
        ),
        (by(), field(), field()).prop_map(|((tracepoint, context), addr, size)| {
            Event::Claim { tracepoint, context, addr, size }
        }),
        (by(), field(), field()).prop_map(|((tracepoint, context), addr, size)| {
            Event::Usable { tracepoint, context, addr, size }
        }),
        (by(), [field(), field(), field()], align()).prop_map(
            |((tracepoint, context), [old, addr, size], align)| {
                Event::Realloc { tracepoint, context, old, addr, size, align }
            }
        ),
        (by(), any::<u32>(), option::of(field()), field()).prop_map(
            move |((tracepoint, context), memory, before, delta)| {
                // All ones mean a refusal, and no memory is that large.
                let before = before.filter(|&before| before != limit);
                Event::Grow { tracepoint, context, memory, before, delta }
            }
        ),
        (by(), field(), field()).prop_map(|((tracepoint, context), addr, size)| {
            Event::Annotation { tracepoint, context, addr, size }
        }),
    ]
}

fn records() -> impl Strategy<Value = Records<'static>> {
    let raw = layout().prop_flat_map(|layout| raw(layout).prop_map(move |raw| (layout, raw)));
    (small(), small(), number(), vec(number(), 0..4), raw).prop_map(
        |(module, thread, time_ns, memories, (layout, raw))| Records {
            module: ModuleId(module),
            thread: ThreadId(thread),
            time_ns,
            memories,
            layout,
            raw: raw.into(),
        },
    )
}

fn end() -> impl Strategy<Value = End> {
    let code = option::of(any::<i32>());
    let numbers = [number(), number(), number()];
    (0..Outcome::ALL.len(), code, option::of(text()), vec(frame(), 0..6), numbers).prop_map(
        |(outcome, exit_code, message, trap_stack, [time_ns, refused_growths, lost_records])| End {
            outcome: Outcome::ALL[outcome],
            exit_code,
            message,
            trap_stack,
            time_ns,
            refused_growths,
            lost_records,
        },
    )
}

fn stack() -> impl Strategy<Value = Stack> {
    (small(), number(), vec(frame(), 0..8), any::<bool>()).prop_map(
        |(module, context, frames, truncated)| Stack {
            module: ModuleId(module),
            context: Context(context),
            frames,
            truncated,
        },
    )
}

pub fn message() -> impl Strategy<Value = Message<'static>> {
    prop_oneof![
        module().prop_map(Message::Module),
        stack().prop_map(Message::Stack),
        records().prop_map(Message::Records),
        state().prop_map(Message::State),
        memory_part().prop_map(Message::Memory),
        open_file().prop_map(Message::OpenFile),
        (text(), text()).prop_map(|(origin, text)| Message::Suppressions { origin, text }),
        host().prop_map(Message::Host),
        text().prop_map(|name| Message::Mark { name }),
        end().prop_map(Message::End),
    ]
}

/// A table whose sites are in order, as the instrumenter makes it.
pub fn table() -> impl Strategy<Value = SiteTable> {
    // A recursion shows in a stack, not in the frames of one call.
    let frames = vec(frame().prop_map(|frame| Frame { recursion: false, ..frame }), 0..8);
    let site = (any::<u32>(), any::<u32>(), any::<bool>(), 0..8u32, 0..8u32);
    let function = option::of((small(), option::of(shared())));
    let ring = [small(), small(), small(), small()]
        .prop_map(|[pages, cache_slots, start, end]| RingLayout { pages, cache_slots, start, end });
    let transport = prop_oneof![Just(Transport::Call), ring.prop_map(Transport::Ring)];
    let lists = (frames, vec(site, 0..12), vec(function, 0..8));
    (module(), transport, layout(), lists).prop_map(
        |(module, transport, layout, (frames, sites, functions))| {
            let mut sites: Vec<Site> = sites
                .into_iter()
                .map(|(offset, original, recursive, start, length)| Site {
                    offset,
                    original,
                    recursive,
                    frames: start..start + length,
                })
                .collect();
            sites.sort_by_key(|site| site.offset);
            let functions = functions
                .into_iter()
                .map(|function| function.map(|(original, name)| Function { original, name }))
                .collect();
            SiteTable { module, transport, layout, sites, frames, functions }
        },
    )
}
