//! The session of a realm: what its guests wrote goes in, reports come out.

use crate::{
    abi::{Address, FAILED, OK, answer, give, give_json},
    guests,
};
use rustc_hash::FxHashMap;
use seepage_analysis::{
    Caps, Config, LentMemory, RootGroup, Session, Snapshot, StackId, snapshot::rising,
};
use seepage_report::{
    Context as ReportContext, Invocation, Options as RenderOptions, Report, SCHEMA, TextOptions,
    Verb, assemble, formats, frames,
    schema::{Count, Frame, Objects},
};
use seepage_trace::{
    Decoder, Encoder, End, HostMemory, MemoryPart, Message, ModuleId, Outcome, SiteTable,
    State as GuestState, sites::Transport, stacks::Call,
};
use serde::{Deserialize, Serialize};
use std::{cell::RefCell, sync::Arc};

thread_local! {
    static STATE: RefCell<Option<State>> = const { RefCell::new(None) };
}

struct State {
    session: Session,
    /// The trace since JavaScript last took it, if it wants one.
    trace: Option<(Encoder, Vec<u8>)>,
    /// The trace that is being read.
    decoder: Decoder,
    snapshots: Vec<Option<Snapshot>>,
    /// How often guests have marked a moment of each name.
    marks: FxHashMap<String, u64>,
    /// The report that is to be rendered.
    report: Option<Report>,
}

/// Pages of the images in traces: with what the analysis makes of them they fit in a memory of 4 GiB.
const IMAGE_PAGES: usize = 1 << 15;
/// Bytes that the analysis takes for each live block where it judges them, about.
const JUDGED_BLOCK: u64 = 96;
/// Bytes of a guest's memory of which copies are kept while they are judged.
const KEPT: u64 = 1 << 29;

impl State {
    fn write(&mut self, message: &Message<'_>) {
        if let Some((encoder, out)) = &mut self.trace {
            encoder.message(message, out);
        }
    }

    fn feed(&mut self, message: &Message<'_>) {
        self.write(message);
        self.session.feed(message);
    }
}

fn session() -> Session {
    Session::new(Config {
        caps: Caps { image_pages: IMAGE_PAGES, ..Caps::default() },
        ..Config::default()
    })
}

fn with<R>(then: impl FnOnce(&mut State) -> R) -> R {
    STATE.with_borrow_mut(|state| {
        then(state.get_or_insert_with(|| State {
            session: session(),
            trace: None,
            decoder: Decoder::new(),
            snapshots: Vec::new(),
            marks: FxHashMap::default(),
            report: None,
        }))
    })
}

/// What JavaScript must know of a guest.
#[derive(Serialize)]
struct Guest {
    id: u32,
    wide: bool,
    memories: usize,
    /// Where the records of its ring begin and end, if it has one.
    ring: Option<[u32; 2]>,
    record: usize,
    /// It has an allocator of its own that is followed.
    allocates: bool,
    /// Its mutable globals that can hold an address, by index in the original.
    globals: Vec<u32>,
}

/// Adds a guest, with the section of its module.
#[unsafe(no_mangle)]
extern "C" fn seepage_guest(section: Address, length: usize) -> i32 {
    let added = SiteTable::decode(section.bytes(length)).map(|table| {
        let ring = match table.transport {
            Transport::Ring(ring) => Some([ring.start, ring.end]),
            Transport::Call => None,
        };
        let (wide, memories) = (table.layout.size() > 24, table.module.memories.len());
        let record = table.layout.size();
        let info = guests::add(table);
        let allocates = info.tracepoints.iter().any(|it| it.role.is_allocators());
        let globals = info.globals.clone();
        let guest = Guest { id: info.id.0, wide, memories, ring, record, allocates, globals };
        with(|state| state.feed(&Message::Module(info)));
        serde_json::to_vec(&guest).unwrap_or_default()
    });
    answer(added)
}

/// The stack of a context: pairs of a function's index and an offset in its module, the innermost
/// call first. All ones as an index stand for what is not the guest's.
#[unsafe(no_mangle)]
extern "C" fn seepage_stack(guest: u32, context: u64, calls: Address, count: usize, cut: i32) {
    let mut numbers = calls.numbers(count * 2);
    let calls = std::iter::from_fn(|| {
        let (index, offset) = (numbers.next()?, numbers.next()?);
        Some(if index == u32::MAX { Call::Other } else { Call::Own(index, Some(offset)) })
    });
    if let Some(stack) = guests::stack(guest, context, calls, cut != 0) {
        with(|state| state.feed(&Message::Stack(stack)));
    }
}

/// Hands what a guest has written to the session, with the sizes of its memories.
#[unsafe(no_mangle)]
extern "C" fn seepage_feed(guest: u32, time_ns: f64, pages: Address, count: usize) {
    let memories = pages.numbers(count).map(u64::from).collect();
    guests::take(guest, time_ns as u64, memories, |message| with(|state| state.feed(message)));
}

/// Marks a quiescent moment.
#[unsafe(no_mangle)]
extern "C" fn seepage_mark(name: Address, length: usize) {
    let name = String::from_utf8_lossy(name.bytes(length)).into_owned();
    with(|state| state.feed(&Message::Mark { name }));
}

/// Marks a moment that a guest has told of, by the number of the function that it called.
#[unsafe(no_mangle)]
extern "C" fn seepage_mark_at(guest: u32, tracepoint: u32) {
    let name = guests::with_table(guest, |table| {
        let tracepoint = table.module.tracepoints.get(tracepoint as usize);
        tracepoint.map(|tracepoint| tracepoint.function.clone())
    });
    let name = name.flatten().unwrap_or_else(|| "mark".to_owned());
    with(|state| {
        // As many as a module has such functions and exports.
        let count = state.marks.entry(name.clone()).or_default();
        *count += 1;
        let name = format!("{name} #{count}");
        state.feed(&Message::Mark { name });
    });
}

/// Makes this instance, which is a copy of another, one for a report: the images that follow are for
/// it. Addresses that JavaScript holds for one reason are a group; for each there are its guest, the
/// number of its addresses, and these.
#[unsafe(no_mangle)]
extern "C" fn seepage_draft(groups: Address, count: usize) {
    let mut numbers = groups.long_numbers(count);
    let groups = std::iter::from_fn(|| {
        let (guest, length) = (numbers.next()?, numbers.next()?);
        let roots = numbers.by_ref().take(length as usize).collect();
        Some(RootGroup { module: ModuleId(guest as u32), roots })
    });
    let groups = groups.collect();
    with(|state| {
        state.trace = None;
        state.snapshots.clear();
        state.session.group_roots(groups);
    });
}

/// A guest's memory, which JavaScript reads.
#[derive(Debug)]
struct GuestMemory(u32);

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// Copies what stands at an address of a guest's memory.
    fn read(guest: u32, addr: f64, into: *mut u8, length: usize);
}

impl LentMemory for GuestMemory {
    fn read(&self, addr: u64, into: &mut [u8]) {
        // SAFETY: JavaScript writes so many bytes and no more.
        unsafe { read(self.0, addr as f64, into.as_mut_ptr(), into.len()) }
    }
}

/// Whether so many blocks can be judged without running out of memory.
fn has_room(blocks: u64, memory_bytes: u64) -> bool {
    let bytes = blocks.saturating_mul(JUDGED_BLOCK).saturating_add(memory_bytes.min(KEPT));
    usize::try_from(bytes).is_ok_and(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok())
}

/// What holds addresses of a guest's blocks outside its memory: the values of its globals, those of
/// JavaScript, and then the bounds of the stretches of its memory that have not changed. If its memory
/// `is_lent`, this is the image of a report or a mark, and not for the trace alone.
#[unsafe(no_mangle)]
extern "C" fn seepage_state(
    guest: u32,
    hidden: u32,
    memory_bytes: f64,
    numbers: Address,
    globals: usize,
    roots: usize,
    bounds: usize,
    is_lent: i32,
) {
    let mut numbers = numbers.long_numbers(globals + roots + bounds);
    let globals = numbers.by_ref().take(globals).collect();
    let roots = numbers.by_ref().take(roots).collect();
    let unchanged = std::iter::from_fn(|| Some(numbers.next()?..numbers.next()?)).collect();
    let memory_bytes = memory_bytes as u64;
    let module = ModuleId(guest);
    let state = GuestState { module, hidden, globals, roots, memory_bytes, unchanged };
    with(|it| {
        it.write(&Message::State(state.clone()));
        let blocks = it.session.totals().live.blocks;
        match is_lent != 0 {
            true if has_room(blocks, memory_bytes) => {
                it.session.lend(&state, Arc::new(GuestMemory(guest)));
            }
            true => it.session.drop_image(),
            false => {}
        }
    });
}

/// Says that there was no room for the images of a report.
#[unsafe(no_mangle)]
extern "C" fn seepage_drop_image() {
    with(|state| state.session.drop_image());
}

/// A stretch of a guest's memory, for the trace.
#[unsafe(no_mangle)]
extern "C" fn seepage_memory(guest: u32, addr: f64, bytes: Address, length: usize) {
    let (module, addr) = (ModuleId(guest), addr as u64);
    let bytes = bytes.bytes(length).into();
    let part = MemoryPart { module, memory: 0, addr, bytes };
    with(|state| state.write(&Message::Memory(part)));
}

/// What the engine has in use of its own heap, in buffers and in RAM, and what this package has, all
/// in bytes. What is less than zero is not known.
#[unsafe(no_mangle)]
extern "C" fn seepage_host(time_ns: f64, heap: f64, buffers: f64, resident: f64, tracer: f64) {
    let known = |bytes: f64| (bytes >= 0.0).then_some(bytes as u64);
    with(|state| {
        state.feed(&Message::Host(HostMemory {
            time_ns: time_ns as u64,
            heap: heap as u64,
            buffers: known(buffers),
            resident: known(resident),
            tracer: tracer as u64,
        }));
    });
}

/// From now on the trace is kept for [`seepage_trace`].
#[unsafe(no_mangle)]
extern "C" fn seepage_trace_on() {
    with(|state| {
        let mut out = Vec::new();
        state.trace = Some((Encoder::new(&mut out), out));
    });
}

/// The trace since it was last taken.
#[unsafe(no_mangle)]
extern "C" fn seepage_trace() {
    give(with(|state| {
        state.trace.as_mut().map(|(_, out)| std::mem::take(out)).unwrap_or_default()
    }));
}

/// How the program ended, which the host says once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ended {
    outcome: String,
    exit_code: Option<i32>,
    message: Option<String>,
    time_ns: f64,
}

impl Ended {
    fn message(&self) -> Message<'static> {
        let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.name() == self.outcome);
        Message::End(End {
            outcome: outcome.unwrap_or(Outcome::Unknown),
            exit_code: self.exit_code,
            message: self.message.clone(),
            time_ns: self.time_ns as u64,
            lost_records: guests::lost(),
            ..End::default()
        })
    }
}

/// Ends the trace.
#[unsafe(no_mangle)]
extern "C" fn seepage_end(end: Address, length: usize) -> i32 {
    answer(end.json::<Ended>(length).map(|end| {
        with(|state| state.feed(&end.message()));
        Vec::new()
    }))
}

/// How to render a report.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RenderAs {
    format: String,
    #[serde(default)]
    text: Text,
    /// The trace that is reported on, so that the next command can be named.
    #[serde(default)]
    analyze: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    color: Option<bool>,
    width: Option<usize>,
    top: Option<usize>,
    unicode: Option<bool>,
}

/// Makes a report of what was seen so far, as if it ended like this if an end is given; then the
/// session is over. The result is what each group of [`seepage_draft`] retains, as JSON.
#[unsafe(no_mangle)]
extern "C" fn seepage_assemble(end: Address, length: usize) -> i32 {
    let end = (length > 0).then(|| end.json::<Ended>(length)).transpose();
    answer(end.map(|end| {
        let mut session = with(|state| std::mem::replace(&mut state.session, session()));
        if let Some(end) = &end {
            session.feed(&end.message());
        }
        let outcome = session.finish();
        let report = assemble(&outcome, &ReportContext::new(env!("CARGO_PKG_VERSION")));
        with(|state| state.report = Some(report));
        let found = outcome.profile.reachability.as_ref();
        let held = found.map(|found| found.held_by_group.as_slice()).unwrap_or_default();
        serde_json::to_vec(held).unwrap_or_default()
    }))
}

/// Adds the objects of JavaScript to the report.
#[unsafe(no_mangle)]
extern "C" fn seepage_objects(objects: Address, length: usize) -> i32 {
    answer(objects.json::<Objects>(length).map(|objects| {
        with(|state| {
            if let Some(report) = &mut state.report {
                report.objects = Some(objects);
            }
        });
        Vec::new()
    }))
}

/// Takes a report that was written as JSON before.
#[unsafe(no_mangle)]
extern "C" fn seepage_saved(report: Address, length: usize) -> i32 {
    answer(report.json::<Report>(length).and_then(|report| {
        if report.schema != SCHEMA {
            return Err(format!("it is of the form `{}`, and this is `{SCHEMA}`", report.schema));
        }
        with(|state| state.report = Some(report));
        Ok(Vec::new())
    }))
}

/// Renders the report.
#[unsafe(no_mangle)]
extern "C" fn seepage_render(options: Address, length: usize) -> i32 {
    answer(options.json(length).and_then(|options| {
        let report = with(|state| state.report.take()).ok_or("there is no report")?;
        render(&report, options)
    }))
}

fn render(report: &Report, options: RenderAs) -> Result<Vec<u8>, String> {
    let format = formats::find(&options.format)
        .ok_or_else(|| format!("`{}` is no format", options.format))?;
    let default = TextOptions::default();
    let options = RenderOptions {
        text: TextOptions {
            color: options.text.color.unwrap_or(default.color),
            width: options.text.width.unwrap_or(default.width),
            top: options.text.top.unwrap_or(default.top),
            unicode: options.text.unicode.unwrap_or(default.unicode),
        },
        invocation: options.analyze.map(|target| Invocation {
            verb: Verb::Analyze,
            target,
            trace: None,
        }),
    };
    let mut text = String::new();
    (format.render)(report, &options, &mut text);
    Ok(text.into_bytes())
}

/// Reads the next piece of a trace. Says how many messages it had and whether the last was an end,
/// or what damage there is; what came before the damage counts.
#[unsafe(no_mangle)]
extern "C" fn seepage_read(piece: Address, length: usize) -> i32 {
    #[derive(Serialize)]
    struct Read {
        messages: u64,
        ended: bool,
        left_over: usize,
        unknown_chunks: u64,
        damage: Option<String>,
    }
    with(|state| {
        state.decoder.push(piece.bytes(length));
        let (mut messages, mut ended) = (0, false);
        let damage = loop {
            match state.decoder.next() {
                Ok(None) => break None,
                Ok(Some(message)) => {
                    messages += 1;
                    ended |= matches!(message, Message::End(_));
                    state.session.feed(&message);
                }
                Err(damage) => break Some(damage.to_string()),
            }
        };
        let status = if damage.is_some() { FAILED } else { OK };
        let left_over = state.decoder.left_over();
        let unknown_chunks = state.decoder.unknown_chunks();
        give_json(&Read { messages, ended, left_over, unknown_chunks, damage });
        status
    })
}

/// The sums so far, as JSON.
#[unsafe(no_mangle)]
extern "C" fn seepage_stats() {
    #[derive(Serialize)]
    struct Stats {
        allocated: Count,
        freed: Count,
        live: Count,
        peak: Count,
        events: u64,
        pages: u64,
    }
    with(|state| {
        let (totals, pages) = (state.session.totals(), state.session.snapshot().pages);
        let sums = [totals.allocated, totals.freed, totals.live, state.session.peak()];
        let [allocated, freed, live, peak] = sums.map(count);
        give_json(&Stats { allocated, freed, live, peak, events: totals.events, pages });
    });
}

/// The serial number of the live block at an address of a guest, or around it; less than zero where
/// there is none.
#[unsafe(no_mangle)]
extern "C" fn seepage_block_at(guest: u32, addr: f64) -> f64 {
    let block = with(|state| state.session.block_at(ModuleId(guest), addr as u64));
    block.map_or(-1.0, |serial| serial as f64)
}

/// Remembers what each context holds now, and gives that a number.
#[unsafe(no_mangle)]
extern "C" fn seepage_snapshot() -> u32 {
    with(|state| {
        state.snapshots.push(Some(state.session.snapshot()));
        u32::try_from(state.snapshots.len() - 1).unwrap_or(u32::MAX)
    })
}

/// Forgets a snapshot.
#[unsafe(no_mangle)]
extern "C" fn seepage_forget(snapshot: u32) {
    with(|state| {
        if let Some(slot) = state.snapshots.get_mut(snapshot as usize) {
            *slot = None;
        }
    });
}

/// The contexts that rose at every step from one snapshot of a list to the next, as JSON.
#[unsafe(no_mangle)]
extern "C" fn seepage_rising(numbers: Address, length: usize) {
    #[derive(Serialize)]
    struct Risen {
        id: u32,
        module: String,
        frames: Vec<Frame>,
        risen: Count,
        each: Option<Count>,
        live: Count,
    }
    with(|state| {
        let wanted = numbers.numbers(length);
        let list: Vec<Snapshot> =
            wanted.filter_map(|number| state.snapshots.get(number as usize)?.clone()).collect();
        let live = |stack: StackId| {
            list.last()
                .and_then(|last| last.live.get(stack.0 as usize))
                .copied()
                .unwrap_or_default()
        };
        let rows: Vec<Risen> = rising(&list)
            .into_iter()
            .filter_map(|it| {
                let (module, stack) = state.session.frames(it.stack)?;
                let module = guests::with_table(module.0, |table| table.module.name.clone());
                Some(Risen {
                    id: it.stack.0,
                    module: module.unwrap_or_default(),
                    frames: frames(stack),
                    risen: count(it.risen),
                    each: it.each.map(count),
                    live: count(live(it.stack)),
                })
            })
            .collect();
        give_json(&rows);
    });
}

/// From now on the host hears of each allocation in these contexts, by the ids of
/// [`seepage_rising`], and of no other.
#[unsafe(no_mangle)]
extern "C" fn seepage_watch(ids: Address, count: usize) {
    let values: Vec<_> = with(|state| {
        let ids = ids.numbers(count);
        ids.flat_map(|id| {
            let values = state.session.values(StackId(id)).into_iter();
            values.map(move |(module, context)| (module, context, id))
        })
        .collect()
    });
    guests::watch(values.into_iter());
}

fn count(count: seepage_analysis::Count) -> Count {
    Count { blocks: count.blocks, bytes: count.bytes }
}
