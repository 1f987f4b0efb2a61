//! Booking one event: what each kind of event does to the live blocks and the figures.
//!
//! This is the path that runs as often as the guest allocates: no allocation, no tree, and no hash
//! map but the one of contexts. The invariant: what is allocated and not freed is live, in the
//! totals, in the sum of the contexts and in the table, except for blocks beyond the cap.

use super::{
    AnomalyKind, Block, Books, Caller, Gone, Module, Moment, NoBlock, Now, Peak, blocks::Alignment,
    space::Request,
};
use seepage_trace::{
    Event, RecordLayout, Records,
    abi::{Record, RecordKind},
};

/// Rust's allocator is not asked for nothing; what has no bytes is at an address that is its
/// alignment, and wasm-bindgen's exports hand such addresses out and take them back.
const DANGLING: std::ops::Range<u64> = 1..64;

impl Books {
    /// Books the records of a module; those of an unknown kind are no events.
    pub(super) fn book(&mut self, module: &mut Module, records: &Records<'_>) {
        match records.layout {
            RecordLayout::Narrow => self.book_as(RecordLayout::Narrow, module, &records.raw),
            RecordLayout::Wide => self.book_as(RecordLayout::Wide, module, &records.raw),
        }
    }

    /// With the layout a constant, reading a record and booking it become one piece of code. What is
    /// neither an allocation nor a free is kept out of it, so that there are registers enough.
    #[inline(always)]
    fn book_as(&mut self, layout: RecordLayout, module: &mut Module, raw: &[u8]) {
        for bytes in raw.chunks_exact(layout.size()) {
            let Some(record) = Record::read(layout, bytes) else { continue };
            let Some(kind) = record.kind() else { continue };
            self.totals.events += 1;
            match kind {
                RecordKind::Alloc => {
                    let caller = self.caller(module, &record);
                    self.alloc(module, caller, record.addr, record.size, Alignment::of(&record));
                }
                RecordKind::Free | RecordKind::FreeSized => {
                    let caller = self.caller(module, &record);
                    let size = (kind == RecordKind::FreeSized).then_some(record.size);
                    self.free(module, caller, record.addr, size, Alignment::of(&record));
                }
                RecordKind::Realloc => {
                    let caller = self.caller(module, &record);
                    let Record { old, addr, size, .. } = record;
                    self.realloc(module, caller, old, addr, size, Alignment::of(&record));
                }
                RecordKind::Grow
                | RecordKind::Annotation
                | RecordKind::Claim
                | RecordKind::Usable => {
                    self.other(layout, module, record);
                }
            }
            self.observe(module);
        }
    }

    #[inline(never)]
    fn other(&mut self, layout: RecordLayout, module: &mut Module, record: Record) {
        match record.event(layout) {
            Some(Event::Grow { memory, before, delta, .. }) => {
                let caller = self.caller(module, &record);
                self.grow(module, caller, memory, before, delta);
            }
            Some(Event::Annotation { tracepoint, addr, size, .. }) => {
                self.annotate(module, tracepoint, addr, size);
            }
            Some(Event::Claim { addr, size, .. }) => {
                // It belongs to the event that follows.
                self.totals.events -= 1;
                self.claims += 1;
                let caller = self.caller(module, &record);
                self.claim(module, caller, addr, size);
            }
            Some(Event::Usable { addr, size, .. }) => {
                // It belongs to the event before.
                self.totals.events -= 1;
                self.claims += 1;
                self.learn_usable(module, addr, size);
            }
            Some(Event::Alloc { .. } | Event::Free { .. } | Event::Realloc { .. }) | None => {}
        }
    }

    /// Sees the heap after an event.
    #[inline(always)]
    fn observe(&mut self, module: &Module) {
        let live = self.totals.live;
        let clock = self.totals.events;
        // What is no more than at some time since the last point is no more than ever before.
        if self.timeline.rises(live.bytes) && live.bytes > self.peak.live.bytes {
            self.peak = Peak { live, clock, time_ns: self.time_ns, pages: self.space.pages() };
            self.contexts.set_moment(Moment::Peak, clock);
            self.gone_since_peak.clear();
        }
        if self.timeline.is_due(clock) {
            self.timeline.add(clock, self.time_ns, live, self.space.pages());
            self.look_closer(module);
            self.contexts.tick(clock);
        }
    }

    #[inline(always)]
    pub(super) fn alloc(
        &mut self,
        module: &mut Module,
        caller: Caller,
        addr: u64,
        size: u64,
        align: Alignment,
    ) {
        self.explain_growth(module, caller, size);
        if addr == 0 {
            // `malloc(0)` may return null, and that is no failure.
            if size > 0 {
                self.refused(caller, 0, size);
            }
            return;
        }
        if size == 0 && DANGLING.contains(&addr) {
            return;
        }
        self.insert(module, caller, addr, size, align, self.totals.events);
    }

    #[inline(always)]
    pub(super) fn free(
        &mut self,
        module: &mut Module,
        caller: Caller,
        addr: u64,
        size: Option<u64>,
        align: Alignment,
    ) {
        if addr == 0 {
            return;
        }
        let clock = self.totals.events;
        let table = module.table;
        match self.blocks.remove(table, addr, caller.stack) {
            Ok(&block) => {
                let temporary = self.newest == Some((table, addr));
                let lifetime = clock.saturating_sub(block.birth);
                self.gone(module, addr, block);
                self.contexts.ended(block.stack, block.size, lifetime, temporary, clock);
                self.lifetimes.add(lifetime, block.size);
                if temporary {
                    self.totals.temporary.add(block.size);
                }
                self.check_door(module, caller, addr, block);
                if size.is_some_and(|size| size != block.size) || align.contradicts(block.align) {
                    self.other_layout(module, caller, addr, size, align, block);
                }
            }
            // Nothing was given back.
            Err(_) if size == Some(0) => {}
            Err(NoBlock::Freed(by)) => {
                self.no_block(module, AnomalyKind::DoubleFree, caller, addr, size, Some(by))
            }
            Err(NoBlock::Never) => {
                self.no_block(module, AnomalyKind::UnknownFree, caller, addr, size, None)
            }
        }
    }

    #[inline(never)]
    fn realloc(
        &mut self,
        module: &mut Module,
        caller: Caller,
        old: u64,
        addr: u64,
        size: u64,
        align: Alignment,
    ) {
        match (old, addr) {
            (0, _) => return self.alloc(module, caller, addr, size, align),
            (_, 0) if size == 0 => return self.free(module, caller, old, None, align),
            _ => self.explain_growth(module, caller, size),
        }
        match (old, addr) {
            (_, 0) => return self.refused(caller, old, size),
            _ => self.totals.reallocs += 1,
        }
        let birth = match self.blocks.remove(module.table, old, caller.stack) {
            Ok(&block) => {
                self.gone(module, old, block);
                self.contexts.removed(block.stack, block.size, self.totals.events);
                self.check_door(module, caller, old, block);
                if align.contradicts(block.align) {
                    self.other_layout(module, caller, old, None, align, block);
                }
                block.birth
            }
            Err(NoBlock::Never) if DANGLING.contains(&old) => self.totals.events,
            Err(none) => {
                let by = if let NoBlock::Freed(by) = none { Some(by) } else { None };
                self.no_block(module, AnomalyKind::UnknownRealloc, caller, old, Some(size), by);
                self.totals.events
            }
        };
        self.insert(module, caller, addr, size, align, birth);
    }

    /// The allocator has grown the memory, if it did, for what it is asked for now.
    #[inline(always)]
    fn explain_growth(&mut self, module: &Module, caller: Caller, size: u64) {
        if self.space.has_unexplained() {
            self.explain(module, caller, size);
        }
    }

    #[cold]
    fn explain(&mut self, module: &Module, caller: Caller, size: u64) {
        let (stacks, functions) = (&self.stacks, &module.functions);
        let is_allocators = |name: &str| functions.iter().any(|function| function == name);
        let is_for = |grower| stacks.leads_through(grower, caller.stack, is_allocators);
        let request = Request { size, stack: caller.stack };
        self.space.explain(module.memories, Some(request), module.extent, is_for);
    }

    /// The memory grows, or is not allowed to.
    #[cold]
    fn grow(
        &mut self,
        module: &Module,
        caller: Caller,
        memory: u32,
        before: Option<u64>,
        delta: u64,
    ) {
        let free = match (memory, delta) {
            (0, 1..) => self.free_space(module, before, delta),
            _ => None,
        };
        let now = Now { free, ..self.now(module) };
        self.space.grow(module.memories, memory, caller.stack, before, delta, now);
    }

    #[inline(always)]
    fn insert(
        &mut self,
        module: &mut Module,
        caller: Caller,
        addr: u64,
        size: u64,
        align: Alignment,
        birth: u64,
    ) {
        let clock = self.totals.events;
        let Caller { stack, tracepoint } = caller;
        let (table, ignored) = (module.table, module.annotations.are_off());
        let block = Block { size, birth, since: clock, stack, tracepoint, ignored, align };
        let inserted = self.blocks.insert(table, addr, block);
        if let Ok(Some(earlier)) = inserted {
            self.gone(module, addr, earlier);
            self.contexts.removed(earlier.stack, earlier.size, clock);
            // Two blocks can share an address if one of them has no bytes.
            if size > 0 && earlier.size > 0 {
                self.overlap(module, caller, addr, size, earlier);
            }
        }
        if inserted.is_ok() {
            let end = addr.saturating_add(size);
            if end > module.extent.top {
                if self.space.has_untracked() {
                    self.space.reach(module.memories, addr..end);
                }
                module.extent.reach(end, self.peak.clock);
            }
            module.extent.take(addr, size);
        }
        self.recent.add(size);
        self.sizes.add(size, size);
        self.totals.allocated.add(size);
        self.contexts.allocated(stack, tracepoint, size, clock);
        self.newest = Some((table, addr));
        if inserted.is_err() {
            self.drops.blocks += 1;
            self.contexts.removed(stack, size, clock);
        } else {
            self.totals.live.add(size);
        }
    }

    /// Whether a block goes by the door by which it came, if that is to be asked.
    #[inline(always)]
    fn check_door(&mut self, module: &Module, caller: Caller, addr: u64, block: Block) {
        if self.crossing_frees || module.doors.are_apart() {
            self.other_way(module, caller, addr, block);
        }
    }

    /// Books that a live block is none any more; its context's books are left to the caller.
    #[inline(always)]
    pub(super) fn gone(&mut self, module: &mut Module, addr: u64, block: Block) {
        module.extent.give_back(block.size);
        let table = module.table;
        if block.since <= self.peak.clock {
            let Block { size, stack, .. } = block;
            self.gone_since_peak.push(Gone { table, addr, size, stack });
        }
        self.graves.bury(table, addr, block.stack);
        self.totals.freed.add(block.size);
        self.totals.live.remove(block.size);
    }
}
