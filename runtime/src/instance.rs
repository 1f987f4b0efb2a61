//! One traced instance: the batch of records on its way out, and the contexts that were seen.
//!
//! The ring belongs to the guest until [`Instance::drain`] copies its records into the batch and
//! sets its head back; the batch may be sent from any thread, so that what a guest that never
//! returns has written is not lost.

use crate::{
    collector::Feeder,
    embed::TracedModule,
    error::Error,
    image::{self, Baseline, Images},
    locals::KeptInLocals,
    marks::{MarkRequest, Marks},
    stacks::{ContextSet, canonical},
};
use seepage_trace::{
    Context, Message, ModuleId, Records, SiteTable, Stack, ThreadId,
    abi::{GLOBAL_EXPORT_PREFIX, MEMORY_EXPORT_PREFIX, RING_HEAD, RING_MEMORY, Record, RingLayout},
    sites::Transport,
    stacks::Budget,
};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use wasmtime::{
    AsContext, AsContextMut, Extern, Global, Memory, Module, Mutability, SharedMemory, Trap, Val,
    ValType, WasmBacktrace,
};

/// A batch of this size is sent.
const BATCH: usize = 128 * 1024;
/// And a smaller one when it has waited so long.
const PATIENCE: Duration = Duration::from_millis(100);
/// Places for contexts that were seen of late. A power of two.
const RECENT: usize = 1024;

/// What the instances of a tracer share.
pub(crate) struct Shared {
    pub(crate) feeder: Feeder,
    pub(crate) start: Instant,
    pub(crate) budget: Mutex<Budget>,
    pub(crate) instances: Mutex<Vec<Arc<Instance>>>,
    /// Of which moments images are taken.
    pub(crate) images: Images,
    /// Addresses that the host holds, as far as it says so.
    pub(crate) held: Mutex<Vec<u64>>,
    /// Bytes of memory that images at marks may still hold.
    pub(crate) image_budget: Mutex<u64>,
    /// Marks that somebody outside asks for.
    pub(crate) request: MarkRequest,
    pub(crate) marks: Mutex<Marks>,
    /// The guest is to stop as soon as it comes by.
    pub(crate) stop: AtomicBool,
    /// The guest has ended: what it is still called for is no part of its run.
    pub(crate) is_over: AtomicBool,
    /// The guest is in a function of the host, and its rings were emptied before. Only known with
    /// [`crate::Tracer::flush_before_host_calls`].
    pub(crate) in_host: AtomicBool,
}

pub(crate) struct Instance {
    id: ModuleId,
    thread: ThreadId,
    traced: TracedModule,
    state: Mutex<State>,
    /// Contexts that were seen, by their low bits. The `call` transport asks at every event, and
    /// nearly always finds its answer here, without a lock.
    recent: Box<[AtomicU64]>,
}

#[derive(Default)]
struct State {
    handles: Option<Handles>,
    /// What the memory held at first; empty if nobody knows.
    baseline: Baseline,
    seen: ContextSet,
    batch: Vec<u8>,
    /// Sizes of the memories, and as they were when last sent.
    pages: Vec<u64>,
    sent_pages: Vec<u64>,
    sent_at: Option<Instant>,
    lost: u64,
}

impl State {
    /// Nothing has been heard from the guest yet.
    fn is_new(&self) -> bool {
        self.seen.is_empty() && self.batch.is_empty() && self.sent_at.is_none()
    }
}

pub(crate) struct Handles {
    ring: Option<Ring>,
    pub(crate) memories: Vec<GuestMemory>,
    /// The mutable globals that can hold an address.
    pub(crate) globals: Vec<Global>,
}

struct Ring {
    memory: Memory,
    head: Global,
    layout: RingLayout,
}

pub(crate) enum GuestMemory {
    Own(Memory),
    Shared(SharedMemory),
}

impl Shared {
    /// Fails, as an epoch's end does, once the guest is to stop.
    pub(crate) fn check(&self) -> Result<(), Trap> {
        if self.stop.load(Ordering::Relaxed) { Err(Trap::Interrupt) } else { Ok(()) }
    }

    pub(crate) fn elapsed_ns(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub(crate) fn instances(&self) -> Vec<Arc<Instance>> {
        lock(&self.instances).clone()
    }

    /// Takes what the guest has written in all instances.
    pub(crate) fn drain(&self, mut store: impl AsContextMut) {
        self.instances().iter().for_each(|instance| instance.drain(self, &mut store));
    }

    /// Sends what was taken.
    pub(crate) fn send(&self) {
        self.instances().iter().for_each(|instance| instance.send(self));
    }

    /// Takes everything the guest has written, sends it, and marks the moment, with an image if
    /// there is to be one.
    pub(crate) fn mark(&self, mut store: impl AsContextMut, name: String, hidden: u32) {
        self.drain(&mut store);
        self.send();
        let size = self.instances().iter().map(|it| it.image_size(&mut store)).sum::<u64>();
        let is_wanted = match self.images {
            Images::Off => false,
            Images::All => true,
            Images::Marks => {
                let mut left = lock(&self.image_budget);
                let rest = left.checked_sub(size);
                *left = rest.unwrap_or(0);
                rest.is_some()
            }
        };
        if is_wanted {
            self.image(store, hidden);
        }
        self.feeder.send(Message::Mark { name });
    }

    /// Sends an image of every instance. What the guest has written must have been sent.
    pub(crate) fn image(&self, mut store: impl AsContextMut, hidden: u32) {
        self.instances().iter().for_each(|instance| instance.image(self, &mut store, hidden));
    }

    /// Whether the guest may hold records that nobody can take without its store.
    pub(crate) fn may_hold_records(&self) -> bool {
        let has_ring = |i: &Arc<Instance>| matches!(i.table().transport, Transport::Ring(_));
        !self.in_host.load(Ordering::Relaxed) && lock(&self.instances).iter().any(has_ring)
    }

    pub(crate) fn lost(&self) -> u64 {
        self.instances().iter().map(|instance| lock(&instance.state).lost).sum()
    }
}

impl Instance {
    pub(crate) fn new(id: ModuleId, traced: TracedModule) -> Instance {
        // An empty place holds a value that belongs in another.
        let recent = (0..RECENT as u64).map(|place| AtomicU64::new(place ^ 1)).collect();
        Instance { id, thread: ThreadId(0), traced, state: Mutex::default(), recent }
    }

    pub(crate) fn id(&self) -> ModuleId {
        self.id
    }

    pub(crate) fn module(&self) -> &Module {
        self.traced.module()
    }

    pub(crate) fn table(&self) -> &SiteTable {
        self.traced.table()
    }

    pub(crate) fn kept(&self) -> Option<&KeptInLocals> {
        self.traced.kept()
    }

    /// Learns where the ring and the memories are. `export` finds an export by its name.
    pub(crate) fn attach<C: AsContextMut>(
        &self,
        store: &mut C,
        find: impl Fn(&mut C, &str) -> Option<Extern>,
    ) -> Result<(), Error> {
        let mut state = lock(&self.state);
        if state.handles.is_some() {
            return Ok(());
        }
        let ring = match self.table().transport {
            Transport::Call => None,
            Transport::Ring(layout) => {
                let memory = find(store, RING_MEMORY).and_then(Extern::into_memory);
                let head = find(store, RING_HEAD).and_then(Extern::into_global);
                let (Some(memory), Some(head)) = (memory, head) else {
                    return Err(Error::Section(format!("the module exports no `{RING_MEMORY}`")));
                };
                let size = memory.data_size(&*store) as u64;
                let ty = head.ty(&*store);
                let is_head = matches!(ty.content(), ValType::I32)
                    && matches!(ty.mutability(), Mutability::Var);
                if !is_head || layout.start > layout.end || u64::from(layout.end) > size {
                    return Err(Error::Section("it describes another ring".into()));
                }
                Some(Ring { memory, head, layout })
            }
        };
        let memory = |index| match find(store, &format!("{MEMORY_EXPORT_PREFIX}{index}"))? {
            Extern::Memory(memory) => Some(GuestMemory::Own(memory)),
            Extern::SharedMemory(memory) => Some(GuestMemory::Shared(memory)),
            _ => None,
        };
        let memories = (0..self.table().module.memories.len()).map_while(memory).collect();
        state.sent_pages = self.table().module.memories.iter().map(|m| m.initial_pages).collect();
        let global = |index| find(store, &format!("{GLOBAL_EXPORT_PREFIX}{index}"))?.into_global();
        let globals = self.table().module.globals.iter().map_while(global).collect();
        state.handles = Some(Handles { ring, memories, globals });
        Ok(())
    }

    /// Takes the records out of the ring.
    pub(crate) fn drain(&self, shared: &Shared, mut store: impl AsContextMut) {
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        let Some(handles) = &state.handles else { return };
        if shared.is_over.load(Ordering::Relaxed) {
            if let Some(Ring { head, layout, .. }) = &handles.ring {
                // What was counted as lost would have been dropped.
                let _ = head.set(&mut store, Val::I32(layout.start as i32));
            }
            return;
        }
        state.pages.clear();
        state.pages.extend(handles.memories.iter().map(|memory| match memory {
            GuestMemory::Own(memory) => memory.size(&store),
            GuestMemory::Shared(memory) => memory.size(),
        }));
        if let Some(Ring { memory, head, layout }) = &handles.ring {
            let record = self.table().layout.size();
            let at = head.get(&mut store).i32().unwrap_or_default() as u32;
            let end = at.min(layout.end);
            if let Some(written) = memory
                .data(&store)
                .get(layout.start as usize..end as usize)
                .filter(|w| !w.is_empty())
            {
                let whole = written.len() / record * record;
                if state.batch.capacity() == 0 {
                    state.batch = shared.feeder.buffer();
                }
                state.batch.extend_from_slice(&written[..whole]);
            }
            // A head that is no record's address, or that cannot be set back, is not the injected
            // code's work. Say that something is missing rather than count it twice.
            let expected = at >= layout.start
                && at <= layout.end
                && ((at - layout.start) as usize).is_multiple_of(record);
            let reset = head.set(&mut store, Val::I32(layout.start as i32)).is_ok();
            state.lost += u64::from(!expected || !reset);
        }
        self.send_when_due(shared, state);
    }

    /// Takes note of what the memory holds, unless the guest has allocated already: then addresses
    /// of blocks may be in it.
    pub(crate) fn take_baseline(&self, shared: &Shared, mut store: impl AsContextMut) {
        let mut state = lock(&self.state);
        let Some(handles) = &state.handles else { return };
        let at = handles.ring.as_ref().map(|ring| (ring.head.get(&mut store).i32(), ring.layout));
        let is_new = at.is_none_or(|(head, layout)| head == Some(layout.start as i32));
        if shared.images != Images::Off && is_new && state.is_new() {
            state.baseline = Baseline::take(store, handles);
        }
    }

    fn image(&self, shared: &Shared, store: impl AsContextMut, hidden: u32) {
        let state = lock(&self.state);
        if let Some(handles) = &state.handles {
            let held = lock(&shared.held).clone();
            image::send(&shared.feeder, store, self.id, handles, &state.baseline, hidden, held);
        }
    }

    /// The first memory, if the instance has one of its own.
    pub(crate) fn memory(&self) -> Option<Memory> {
        match lock(&self.state).handles.as_ref()?.memories.first()? {
            GuestMemory::Own(memory) => Some(*memory),
            GuestMemory::Shared(_) => None,
        }
    }

    /// What a tracepoint's function is called.
    pub(crate) fn tracepoint(&self, number: u32) -> &str {
        let tracepoint = self.table().module.tracepoints.get(number as usize);
        tracepoint.map_or("mark", |tracepoint| &tracepoint.function)
    }

    fn image_size(&self, store: impl AsContextMut) -> u64 {
        lock(&self.state).handles.as_ref().map_or(0, |handles| image::size(store, handles))
    }

    /// Takes one record of the `call` transport. A batch is full when it says so: then the caller
    /// drains, for the clock and the memories' sizes are asked for a batch, not for an event.
    pub(crate) fn record(&self, shared: &Shared, record: &Record) -> bool {
        if shared.is_over.load(Ordering::Relaxed) {
            return false;
        }
        let mut state = lock(&self.state);
        if state.batch.capacity() == 0 {
            state.batch = shared.feeder.buffer();
        }
        record.write(self.table().layout, &mut state.batch);
        state.batch.len() >= BATCH
    }

    /// Sends the stack on which the guest is now, unless the context was seen before.
    pub(crate) fn capture(&self, shared: &Shared, store: impl AsContext, context: Context) {
        let recent = &self.recent[context.0 as usize % RECENT];
        if recent.load(Ordering::Relaxed) == context.0 || shared.is_over.load(Ordering::Relaxed) {
            return;
        }
        if lock(&self.state).seen.contains(&context.0) {
            recent.store(context.0, Ordering::Relaxed);
            return;
        }
        let Some(keep) = lock(&shared.budget).take() else { return };
        lock(&self.state).seen.insert(context.0);
        let backtrace = WasmBacktrace::force_capture(store);
        let (frames, truncated) = canonical(&backtrace, self.module(), self.table(), keep);
        let stack = Stack { module: self.id, context, frames, truncated };
        shared.feeder.send(Message::Stack(stack));
    }

    /// Sends what was taken, whatever its size, and the memories' sizes if they have changed.
    pub(crate) fn send(&self, shared: &Shared) {
        let mut state = lock(&self.state);
        if !state.batch.is_empty() || state.pages != state.sent_pages && !state.pages.is_empty() {
            self.send_batch(shared, &mut state);
        }
    }

    fn send_when_due(&self, shared: &Shared, state: &mut State) {
        let now = Instant::now();
        let due = *state.sent_at.get_or_insert(now) + PATIENCE;
        if state.batch.len() >= BATCH || !state.batch.is_empty() && now >= due {
            self.send_batch(shared, state);
        }
    }

    fn send_batch(&self, shared: &Shared, state: &mut State) {
        state.sent_pages.clone_from(&state.pages);
        state.sent_at = Some(Instant::now());
        shared.feeder.send(Message::Records(Records {
            module: self.id,
            thread: self.thread,
            time_ns: shared.elapsed_ns(),
            memories: state.pages.clone(),
            layout: self.table().layout,
            raw: std::mem::take(&mut state.batch).into(),
        }));
    }
}

/// A lock that a panic elsewhere does not spoil: what it guards is consistent between statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
