//! The traced instances of a realm, and what their injected code calls.
//!
//! The `link` module of each guest calls [`seepage_event`] and its like with the guest's number.
//! They run in the middle of the guest's own code, so they neither allocate nor fail: a record goes
//! into a buffer that is there, and whatever else is to be done is done by JavaScript, which they
//! call when a context is new or the buffer is full.

use rustc_hash::{FxHashMap, FxHashSet};
use seepage_trace::{
    Context, Message, ModuleId, ModuleInfo, RecordLayout, Records, SiteTable, Stack, ThreadId,
    abi::{Record, RecordKind},
    stacks::{Budget, Call, DEFAULT_STACKS},
};
use std::cell::RefCell;

const ALLOC: u32 = RecordKind::Alloc as u32;
const REALLOC: u32 = RecordKind::Realloc as u32;

/// Bytes of records that are handed to the session at once. A ring holds no more than twice that.
const BATCH: usize = 128 * 1024;

thread_local! {
    static GUESTS: RefCell<Guests> = const { RefCell::new(Guests { list: Vec::new(), budget: None }) };
}

struct Guests {
    list: Vec<Guest>,
    budget: Option<Budget>,
}

struct Guest {
    table: SiteTable,
    seen: FxHashSet<u64>,
    /// Contexts of which JavaScript wants to hear each allocation, with the numbers it knows them by.
    watched: FxHashMap<u64, u32>,
    batch: Vec<u8>,
    /// Sizes of the memories when they were last told.
    pages: Vec<u64>,
    lost: u64,
    /// Nothing more is taken from it.
    stopped: bool,
}

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// A context that nobody has seen: JavaScript looks at the stack and calls `seepage_stack`.
    safe fn context(guest: u32, context: u64);
    /// The batch is full: JavaScript calls `seepage_feed`.
    safe fn full(guest: u32);
    /// A block was allocated in a watched context.
    safe fn watched(number: u32);
}

/// A guest with the table of its module; what to announce it with.
pub(crate) fn add(table: SiteTable) -> ModuleInfo {
    GUESTS.with_borrow_mut(|guests| {
        let id = ModuleId(u32::try_from(guests.list.len()).unwrap_or(u32::MAX));
        let info = ModuleInfo { id, ..table.module.clone() };
        let batch = Vec::with_capacity(BATCH + RecordLayout::Wide.size());
        guests.list.push(Guest {
            table,
            seen: FxHashSet::default(),
            watched: FxHashMap::default(),
            batch,
            pages: Vec::new(),
            lost: 0,
            stopped: false,
        });
        guests.budget.get_or_insert_with(|| Budget::new(DEFAULT_STACKS));
        info
    })
}

/// The table of a guest's module.
pub(crate) fn with_table<R>(guest: u32, then: impl FnOnce(&SiteTable) -> R) -> Option<R> {
    GUESTS.with_borrow(|guests| guests.list.get(guest as usize).map(|guest| then(&guest.table)))
}

/// The stack of a new context of a guest, unless there are too many.
pub(crate) fn stack(
    guest: u32,
    context: u64,
    calls: impl Iterator<Item = Call>,
    truncated: bool,
) -> Option<Stack> {
    GUESTS.with_borrow_mut(|guests| {
        let it = guests.list.get_mut(guest as usize)?;
        let keep = guests.budget.as_mut()?.take()?;
        it.seen.insert(context);
        let (frames, cut) = it.table.canonical(calls, keep);
        let context = Context(context);
        Some(Stack { module: ModuleId(guest), context, frames, truncated: truncated || cut })
    })
}

/// What a guest has written, as a message for `then`, if there is anything new.
pub(crate) fn take(guest: u32, time_ns: u64, memories: Vec<u64>, then: impl FnOnce(&Message<'_>)) {
    let taken = GUESTS.with_borrow_mut(|guests| {
        let it = guests.list.get_mut(guest as usize)?;
        if it.batch.is_empty() && it.pages == memories {
            return None;
        }
        it.pages.clone_from(&memories);
        Some((it.table.layout, std::mem::take(&mut it.batch)))
    });
    let Some((layout, batch)) = taken else { return };
    let message = Message::Records(Records {
        module: ModuleId(guest),
        thread: ThreadId(0),
        time_ns,
        memories,
        layout,
        raw: (&batch[..]).into(),
    });
    then(&message);
    drop(message);
    GUESTS.with_borrow_mut(|guests| {
        if let Some(it) = guests.list.get_mut(guest as usize) {
            it.batch = batch;
            it.batch.clear();
        }
    });
}

/// Whether nothing has been heard from a guest yet.
#[unsafe(no_mangle)]
extern "C" fn seepage_is_new(guest: u32) -> i32 {
    GUESTS.with_borrow(|guests| {
        let guest = guests.list.get(guest as usize);
        guest.is_some_and(|guest| guest.seen.is_empty() && guest.batch.is_empty()).into()
    })
}

/// Watches these contexts and no others, where records come one by one.
pub(crate) fn watch(values: impl Iterator<Item = (ModuleId, Context, u32)>) {
    GUESTS.with_borrow_mut(|guests| {
        guests.list.iter_mut().for_each(|guest| guest.watched.clear());
        for (module, context, number) in values {
            if let Some(guest) = guests.list.get_mut(module.0 as usize) {
                guest.watched.insert(context.0, number);
            }
        }
    });
}

/// Records that could not be taken from the guests.
pub(crate) fn lost() -> u64 {
    GUESTS.with_borrow(|guests| guests.list.iter().map(|guest| guest.lost).sum())
}

fn event(guest: u32, record: Record) {
    if is_new(guest, record.context.0) {
        context(guest, record.context.0);
    }
    let makes = matches!(record.head >> 24, ALLOC | REALLOC);
    // Not borrowed while JavaScript runs, which calls back in.
    let (is_full, number) = GUESTS.with(|guests| {
        let Ok(mut guests) = guests.try_borrow_mut() else { return (false, None) };
        let Some(it) = guests.list.get_mut(guest as usize) else { return (false, None) };
        if it.stopped || it.batch.capacity() - it.batch.len() < RecordLayout::Wide.size() {
            it.lost += 1;
            return (false, None);
        }
        record.write(it.table.layout, &mut it.batch);
        let watched = if makes { it.watched.get(&record.context.0) } else { None };
        (it.batch.len() >= BATCH, watched.copied())
    });
    if let Some(number) = number {
        watched(number);
    }
    if is_full {
        full(guest);
    }
}

/// Whether a stack is wanted for the context.
fn is_new(guest: u32, context: u64) -> bool {
    GUESTS.with(|guests| {
        let Ok(guests) = guests.try_borrow() else { return false };
        guests
            .list
            .get(guest as usize)
            .is_some_and(|guest| guest.table.module.contexts && !guest.seen.contains(&context))
            && guests.budget.as_ref().is_some_and(|budget| !budget.is_exhausted())
    })
}

/// `seepage.event` of a guest with narrow records.
#[unsafe(no_mangle)]
extern "C" fn seepage_event(guest: u32, head: u32, size: u32, context: u64, addr: u32, old: u32) {
    let [size, addr, old] = [size, addr, old].map(u64::from);
    event(guest, Record { head, size, context: Context(context), addr, old });
}

/// `seepage.event` of a guest with wide records.
#[unsafe(no_mangle)]
extern "C" fn seepage_event_wide(
    guest: u32,
    head: u32,
    size: u64,
    context: u64,
    addr: u64,
    old: u64,
) {
    event(guest, Record { head, size, context: Context(context), addr, old });
}

/// `seepage.context` of a guest with a ring.
#[unsafe(no_mangle)]
extern "C" fn seepage_context(guest: u32, value: u64) {
    if is_new(guest, value) {
        context(guest, value);
    }
}

/// Room behind a guest's batch for `length` bytes of its ring, which count as written.
#[unsafe(no_mangle)]
extern "C" fn seepage_room(guest: u32, length: usize) -> *mut u8 {
    GUESTS.with_borrow_mut(|guests| {
        let Some(it) = guests.list.get_mut(guest as usize) else { return std::ptr::null_mut() };
        let at = it.batch.len();
        it.batch.resize(at + length, 0);
        it.batch.as_mut_ptr().wrapping_add(at)
    })
}

/// From now on nothing more is taken from a guest, nor what it has written since it was last fed.
#[unsafe(no_mangle)]
extern "C" fn seepage_stop(guest: u32) {
    GUESTS.with_borrow_mut(|guests| {
        if let Some(it) = guests.list.get_mut(guest as usize) {
            it.stopped = true;
            it.lost += (it.batch.len() / it.table.layout.size()) as u64;
            it.batch.clear();
        }
    });
}

/// Says that records of a guest are gone.
#[unsafe(no_mangle)]
extern "C" fn seepage_lost(guest: u32, count: u32) {
    GUESTS.with_borrow_mut(|guests| {
        if let Some(it) = guests.list.get_mut(guest as usize) {
            it.lost += u64::from(count);
        }
    });
}
