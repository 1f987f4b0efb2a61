//! The heap model: the state of a guest's heap after each event, and the figures of the whole run.
//!
//! [`Heap`] books every event in the rooms beside it. It takes what it is told: what makes no
//! sense is an anomaly, and the books go on. It judges nothing.
//!
//! A reallocation is a free and an allocation by the caller of `realloc`, as in heaptrack and
//! memray: the block belongs to that context from then on. Its lifetime goes on from its first
//! birth, and it is not temporary for having been moved. When an allocator hands out an address
//! that is live, the block that was there is taken for freed.

mod annotations;
pub(crate) mod anomalies;
pub(crate) mod blocks;
mod contexts;
mod course;
pub(crate) mod doors;
pub(crate) mod doubts;
mod events;
mod extent;
mod free_space;
mod graves;
mod histogram;
mod marks;
mod oddities;
pub(crate) mod space;
mod stacks;
pub(crate) mod survey;
mod timeline;
mod tinygo;
pub(crate) mod usable;

use crate::{
    config::Caps,
    outcome::Drops,
    profile::{
        AtMark, ContextCost, Cost, Count, Fragmentation, Mark, MemoryUse, NotJudged, Peak, Profile,
        StackId, Totals,
    },
    snapshot::Snapshot,
};
use annotations::Annotations;
use anomalies::{Anomalies, Anomaly, AnomalyKind};
use blocks::{Block, Blocks, Limits, NoBlock, TableId};
use contexts::{Contexts, Moment};
use doors::Doors;
use doubts::Doubting;
use extent::{Extent, Recent};
use free_space::Looks;
use graves::Graves;
use histogram::Histogram;
use marks::Marks;
use rustc_hash::FxHashMap;
use seepage_trace::{
    Context, Frame, ModuleId, ModuleInfo, Records, Role, Stack, Tracepoint, TracepointId,
    abi::Record,
};
use space::{MemoryRange, Now, Space, SpaceFigures};
use stacks::{StackEntry, Stacks, Values};
use survey::{ModuleRemains, Remains};
use timeline::Timeline;
use usable::UsableSizes;

/// The heaps of all modules of a trace, with one clock.
#[derive(Clone)]
pub(crate) struct Heap {
    modules: Vec<Module>,
    by_id: FxHashMap<ModuleId, usize>,
    max_modules: usize,
    books: Books,
}

/// What is kept of all modules together.
#[derive(Clone)]
struct Books {
    blocks: Blocks,
    stacks: Stacks,
    contexts: Contexts,
    timeline: Timeline,
    space: Space,
    anomalies: Anomalies,
    doubting: Doubting,
    marks: Marks,
    sizes: Histogram,
    lifetimes: Histogram,
    totals: Totals,
    peak: Peak,
    time_ns: u64,
    /// The allocation before which nothing else was allocated.
    newest: Option<(TableId, u64)>,
    /// Blocks that were live at the high-water mark and are not any more.
    gone_since_peak: Vec<Gone>,
    recent: Recent,
    graves: Graves,
    looks: Looks,
    /// Records that are no events of their own.
    claims: u64,
    drops: Drops,
    /// The tables of modules that have a memory, as far as they were announced, in order.
    places: Vec<TableId>,
    /// It is an error when one side frees what the other has allocated.
    crossing_frees: bool,
}

/// A block that is no more.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gone {
    table: TableId,
    addr: u64,
    size: u64,
    stack: StackId,
}

/// What the model knows of a module.
#[derive(Clone)]
struct Module {
    announced: bool,
    /// Its records carry calling contexts.
    has_contexts: bool,
    table: TableId,
    values: Values,
    memories: MemoryRange,
    extent: Extent,
    /// By tracepoint: the number of its family.
    families: Vec<usize>,
    /// Names of its allocators' functions.
    functions: Vec<String>,
    annotations: Annotations,
    doors: Doors,
    usable_sizes: UsableSizes,
    /// Its collector takes blocks back without a call, as TinyGo's does.
    is_collected_unseen: bool,
    /// How its collector's books are read, once they have been.
    collector: Option<tinygo::Reading>,
}

impl Module {
    /// Whether addresses are places in a memory: without one they are only names.
    fn has_places(&self) -> bool {
        !self.announced || !self.memories.is_empty()
    }
}

/// Who does something, and by what.
#[derive(Clone, Copy)]
struct Caller {
    stack: StackId,
    tracepoint: TracepointId,
}

impl Caller {
    fn by(&self) -> (StackId, TracepointId) {
        (self.stack, self.tracepoint)
    }
}

impl Heap {
    pub(crate) fn new(caps: &Caps, crossing_frees: bool) -> Heap {
        Heap {
            modules: Vec::new(),
            by_id: FxHashMap::default(),
            max_modules: caps.modules,
            books: Books::new(caps, crossing_frees),
        }
    }

    /// A module begins to run; whether it is a new one, and within the cap.
    pub(crate) fn module(&mut self, info: &ModuleInfo) -> bool {
        let Some(index) = self.module_index(info.id) else {
            self.books.drops.modules += 1;
            return false;
        };
        let Some(module) = self.modules.get_mut(index).filter(|module| !module.announced) else {
            return false;
        };
        module.announced = true;
        module.has_contexts = info.contexts;
        module.memories = self.books.space.module(info, self.books.peak.clock);
        module.families = families(&info.tracepoints);
        let allocators = info.tracepoints.iter().filter(|it| it.role != Role::Grow);
        module.functions = allocators.map(|it| it.function.clone()).collect();
        module.annotations = Annotations::new(&info.tracepoints);
        module.doors = Doors::new(&info.tracepoints);
        module.is_collected_unseen = info.tracepoints.iter().any(|it| it.family == "tinygo");
        if module.has_places() {
            let places = &mut self.books.places;
            let at = places.partition_point(|place| place.0 < module.table.0);
            places.insert(at, module.table);
        }
        true
    }

    pub(crate) fn stack(&mut self, stack: &Stack) {
        let Some(index) = self.module_index(stack.module) else { return };
        let Some(module) = self.modules.get_mut(index) else { return };
        module.doors.learn(&stack.frames);
        self.books.stacks.learn(&mut module.values, stack);
        self.books.contexts.reserve(self.books.stacks.len());
    }

    /// The number of a stack that stands for no context.
    pub(crate) fn place(&mut self, module: ModuleId, frames: &[Frame]) -> Option<StackId> {
        let place = self.books.stacks.place(module, frames);
        self.books.contexts.reserve(self.books.stacks.len());
        place
    }

    pub(crate) fn records(&mut self, records: &Records<'_>) {
        let Some(index) = self.module_index(records.module) else {
            self.books.drops.unknown_records += records.len() as u64;
            return;
        };
        let (Some(module), books) = (self.modules.get_mut(index), &mut self.books) else { return };
        books.time_ns = books.time_ns.max(records.time_ns);
        let before = books.totals.events + books.claims;
        books.book(module, records);
        let booked = books.totals.events + books.claims - before;
        books.drops.unknown_records += records.len() as u64 - booked;
        let now = books.now(module);
        for (memory, &pages) in (0u32..).zip(&records.memories) {
            books.space.host_size(module.memories, memory, pages, now);
        }
    }

    pub(crate) fn mark(
        &mut self,
        name: &str,
        found: Option<AtMark>,
        not_judged: Option<NotJudged>,
    ) {
        let clock = self.books.totals.events;
        let (live, pages) = (self.books.totals.live, self.books.space.pages());
        let mark = Mark { name: marks::name(name), clock, live, pages, found, not_judged };
        if self.books.marks.mark(mark) {
            self.books.contexts.set_moment(Moment::RiseBegan, clock);
        }
        self.books.contexts.set_moment(Moment::LastMark, clock);
    }

    /// The contexts as they are now, by number. Those without live blocks are left blank, and of all
    /// only the live figures are there.
    pub(crate) fn live_contexts(&self) -> Vec<ContextCost> {
        let live = self.books.contexts.live().chain(std::iter::repeat(Count::default()));
        let context = |(entry, live): (&StackEntry, Count)| ContextCost {
            module: entry.module,
            frames: if live.blocks > 0 { entry.frames.clone() } else { Vec::new() },
            truncated: entry.truncated,
            known: entry.known,
            tracepoints: Vec::new(),
            cost: Cost { live, ..Cost::default() },
            failed: 0,
            freed_blocks: 0,
            lifetime_sum: 0,
            live_at_rise: Count::default(),
            live_at_mark: Count::default(),
            course: Vec::new(),
            suppressed_by: None,
        };
        self.books.stacks.entries().iter().zip(live).map(context).collect()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot { live: self.books.contexts.live().collect(), pages: self.books.space.pages() }
    }

    /// The memories as they are now.
    pub(crate) fn memories(&self) -> &[MemoryUse] {
        self.books.space.memories()
    }

    /// Size of all memories now, in pages of 64 KiB.
    pub(crate) fn pages(&self) -> u64 {
        self.books.space.pages()
    }

    pub(crate) fn totals(&self) -> Totals {
        self.books.totals
    }

    pub(crate) fn peak(&self) -> Count {
        self.books.peak.live
    }

    /// The event that first allocated the block at an address, or around it.
    pub(crate) fn birth_at(&mut self, module: ModuleId, addr: u64) -> Option<u64> {
        let table = self.modules.get(*self.by_id.get(&module)?)?.table;
        let around = |blocks: &mut Blocks| Some(blocks.around(table, addr)?.1);
        let block = self.books.blocks.at(table, addr).or_else(|| around(&mut self.books.blocks));
        block.map(|block| block.birth)
    }

    pub(crate) fn values(&self, stack: StackId) -> Vec<(ModuleId, Context)> {
        self.modules.iter().flat_map(|module| module.values.of(stack)).collect()
    }

    pub(crate) fn frames(&self, stack: StackId) -> Option<(ModuleId, &[Frame])> {
        self.books.stacks.get(stack).map(|entry| (entry.module, &entry.frames[..]))
    }

    /// Closes the books at the host's time `time_ns`.
    pub(crate) fn finish(mut self, time_ns: u64) -> (Profile, Vec<Anomaly>, Drops, Remains) {
        let clock = self.books.totals.events;
        let time_ns = self.books.time_ns.max(time_ns);
        let pages = self.books.space.pages();
        self.books.drops.stacks = self.books.stacks.dropped;
        self.books.drops.grows = self.books.space.dropped;
        self.books.drops.looks = self.books.looks.refused;
        self.books.drops.anomalies = self.books.anomalies.dropped;
        let initial_pages = self.books.space.initial_pages();
        let usual_size = self.books.recent.usual();
        let extents: Vec<_> = self.modules.iter().map(|it| (it.memories, it.extent)).collect();
        self.books.space.give_up(&extents);
        let modules = self.by_id.iter().map(|(&id, &index)| {
            let Module { table, extent, memories, .. } = self.modules[index];
            let Module { annotations, usable_sizes, .. } = &self.modules[index];
            let main = self.books.space.main_memory(memories, self.books.peak.clock);
            let untracked = self.books.space.untracked(main.place);
            let regions = annotations.regions().to_vec();
            let usable_sizes = usable_sizes.clone();
            let top_at_peak = extent.top_at(self.books.peak.clock);
            let remains = ModuleRemains {
                table,
                extent,
                top_at_peak,
                main,
                untracked,
                regions,
                usable_sizes,
            };
            (id, remains)
        });
        let modules = modules.collect();
        let memories_at_peak = self.books.space.memories_at(self.books.peak.clock);
        let SpaceFigures { memories, grows, growth, grown } = self.books.space.finish(&extents);
        let marks = self.books.marks.finish();
        let stretch_events = self.books.contexts.stretches.events;
        let contexts =
            self.books.stacks.into_entries().into_iter().zip(self.books.contexts.finish());
        let profile = Profile {
            totals: self.books.totals,
            peak: self.books.peak,
            contexts: contexts
                .map(|(stack, figures)| ContextCost {
                    module: stack.module,
                    frames: stack.frames,
                    truncated: stack.truncated,
                    known: stack.known,
                    tracepoints: figures.tracepoints,
                    cost: figures.cost,
                    failed: figures.failed,
                    freed_blocks: figures.freed_blocks,
                    lifetime_sum: figures.lifetime_sum,
                    live_at_rise: figures.live_at_rise,
                    live_at_mark: figures.live_at_mark,
                    course: figures.course,
                    suppressed_by: None,
                })
                .collect(),
            stretch_events,
            memories,
            initial_pages,
            final_pages: pages,
            grows,
            growth,
            growth_shares: Vec::new(),
            fragmentation: Fragmentation::default(),
            account: None,
            peak_account: None,
            timeline: self.books.timeline.finish(clock, time_ns, self.books.totals.live, pages),
            marks: marks.list,
            mark_count: marks.count,
            bytes_rise: marks.bytes_rise,
            pages_rise: marks.pages_rise,
            reachability: None,
            sizes: self.books.sizes.sizes(),
            lifetimes: self.books.lifetimes.lifetimes(),
        };
        let remains = Remains {
            modules,
            peak_clock: self.books.peak.clock,
            memories_at_peak,
            grown,
            gone: self.books.gone_since_peak,
            blocks: self.books.blocks,
            usual_size,
        };
        (profile, self.books.anomalies.finish(), self.books.drops, remains)
    }

    /// The module of that number; records may come before its description.
    fn module_index(&mut self, id: ModuleId) -> Option<usize> {
        if let Some(&index) = self.by_id.get(&id) {
            return Some(index);
        }
        if self.modules.len() >= self.max_modules {
            return None;
        }
        self.modules.push(Module {
            announced: false,
            has_contexts: true,
            table: self.books.blocks.table(),
            values: Values::new(id),
            memories: MemoryRange::default(),
            extent: Extent::default(),
            families: Vec::new(),
            functions: Vec::new(),
            annotations: Annotations::default(),
            doors: Doors::default(),
            usable_sizes: UsableSizes::default(),
            is_collected_unseen: false,
            collector: None,
        });
        self.by_id.insert(id, self.modules.len() - 1);
        Some(self.modules.len() - 1)
    }
}

impl Books {
    fn new(caps: &Caps, crossing_frees: bool) -> Books {
        Books {
            blocks: Blocks::new(Limits {
                blocks: caps.blocks,
                pages: caps.table_pages,
                odd: caps.odd_blocks,
            }),
            stacks: Stacks::new(caps),
            contexts: Contexts::default(),
            timeline: Timeline::new(caps.timeline),
            space: Space::new(caps.grows),
            anomalies: Anomalies::new(caps.anomalies),
            doubting: Doubting::default(),
            marks: Marks::new(caps.marks),
            sizes: Histogram::default(),
            lifetimes: Histogram::default(),
            totals: Totals::default(),
            peak: Peak::default(),
            time_ns: 0,
            newest: None,
            gone_since_peak: Vec::new(),
            recent: Recent::default(),
            graves: Graves::default(),
            looks: Looks::default(),
            claims: 0,
            drops: Drops::default(),
            places: Vec::new(),
            crossing_frees,
        }
    }

    fn now(&self, module: &Module) -> Now {
        Now {
            clock: self.totals.events,
            time_ns: self.time_ns,
            live_bytes: self.totals.live.bytes,
            peak_clock: self.peak.clock,
            top: module.extent.top,
            free: None,
        }
    }

    #[inline(always)]
    fn caller(&mut self, module: &mut Module, record: &Record) -> Caller {
        let stack = match module.values.recent(record.context) {
            Some(stack) => stack,
            None => self.look_up(module, record.context),
        };
        Caller { stack, tracepoint: record.tracepoint() }
    }

    /// The stack of a context that was not looked up of late.
    #[inline(never)]
    fn look_up(&mut self, module: &mut Module, context: Context) -> StackId {
        if let Some(stack) = module.values.get(context) {
            return stack;
        }
        self.drops.unknown_contexts += u64::from(module.has_contexts);
        let stack = self.stacks.unknown(&mut module.values);
        self.contexts.reserve(self.stacks.len());
        stack
    }
}

/// Numbers the families of a module's tracepoints.
fn families(tracepoints: &[Tracepoint]) -> Vec<usize> {
    let mut names: Vec<&str> = Vec::new();
    tracepoints
        .iter()
        .map(|tracepoint| {
            names.iter().position(|&name| name == tracepoint.family).unwrap_or_else(|| {
                names.push(&tracepoint.family);
                names.len() - 1
            })
        })
        .collect()
}
