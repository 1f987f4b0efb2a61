//! The second reading of a trace: its events, led through the models.
//!
//! Events are counted as the heap model counts them, so that a clock means the same event in both.
//! What makes no sense is passed over.

use super::{
    WhatIf,
    model::{Chunk, Model, PAGE},
    plan::Plan,
};
use crate::{
    config::Caps,
    outcome::Outcome,
    profile::{Count, Grow},
};
use rustc_hash::FxHashMap;
use seepage_trace::{Event, Message, ModuleId, Records};

/// The largest block that is followed.
const MAX_BLOCK: u64 = 1 << 36;

/// A reading under way.
pub struct Replay {
    plan: Plan,
    /// Growths that were not the allocator's, by clock: the module's place, and bytes.
    others: Vec<(u64, usize, u64)>,
    next_other: usize,
    modules: FxHashMap<ModuleId, Option<usize>>,
    max_modules: usize,
    clock: u64,
    /// The first of the plan's blocks that has not come.
    next_victim: usize,
    removed: Count,
    /// One of each for each number of a model, of which the best counts.
    pairs: Vec<Pair>,
    releases: Releases,
    pages_now: u64,
    /// Bytes of what has no model.
    others_bytes: u64,
}

impl Replay {
    /// A replay of the trace that gave this outcome and this plan.
    pub fn new(plan: Plan, outcome: &Outcome, caps: &Caps) -> Replay {
        let profile = &outcome.profile;
        let candidates = plan.heaps.iter().map(|heap| heap.candidates()).max().unwrap_or(1);
        let heaps = |candidate| Heaps::new(&plan, candidate, &profile.grows, caps.replayed);
        let pair = |candidate| Pair { as_it_was: heaps(candidate), without: heaps(candidate) };
        let page_size = |grow: &Grow| {
            let mut memories = profile.memories.iter();
            let own = memories.find(|it| it.module == grow.module && it.index == grow.memory);
            own.map_or(0, |memory| memory.page_size)
        };
        let mut others = Vec::new();
        for grow in &profile.grows {
            let size = page_size(grow);
            if let Some(heap) = plan.heaps.iter().position(|heap| heap.is_others(grow, size)) {
                let pages = grow.to_pages - grow.from_pages;
                others.push((grow.clock, heap, pages.saturating_mul(size)));
            }
        }
        let is_modelled = |module| plan.heaps.iter().any(|heap| heap.module == module);
        let unmodelled =
            profile.memories.iter().filter(|it| it.index > 0 || !is_modelled(it.module));
        let bytes = unmodelled.map(|it| it.final_pages.saturating_mul(it.page_size));
        Replay {
            others_bytes: bytes.fold(0, u64::saturating_add),
            others,
            next_other: 0,
            modules: FxHashMap::default(),
            max_modules: caps.modules,
            clock: 0,
            next_victim: 0,
            removed: Count::default(),
            pairs: (0..candidates).map(pair).collect(),
            releases: Releases::new(&plan),
            pages_now: profile.final_pages,
            plan,
        }
    }

    /// Takes the next message.
    pub fn feed(&mut self, message: &Message<'_>) {
        match message {
            Message::Module(module) => drop(self.heap(module.id)),
            Message::Stack(stack) => drop(self.heap(stack.module)),
            Message::Records(records) => self.records(records),
            Message::Mark { .. } => self.releases.mark(&self.plan, self.clock, &mut self.pairs),
            _ => {}
        }
    }

    /// How it came out.
    pub fn finish(mut self) -> WhatIf {
        self.others_grow();
        let pages = |heaps: &Heaps| heaps.bytes(self.others_bytes).div_ceil(PAGE);
        let error = |pair: &Pair| pages(&pair.as_it_was).abs_diff(self.pages_now);
        // Of equals the first.
        let best = self.pairs.iter().enumerate().min_by_key(|(_, pair)| error(pair));
        let (candidate, figures) =
            best.map_or((0, [0; 3]), |(candidate, Pair { as_it_was, without })| {
                (candidate, [pages(as_it_was), pages(without), as_it_was.dropped])
            });
        let [pages_modelled, pages_then, dropped] = figures;
        let mut names: Vec<&str> =
            self.plan.heaps.iter().map(|heap| heap.name(candidate)).collect();
        names.sort_unstable();
        names.dedup();
        WhatIf {
            model: names.join(", "),
            removed: self.removed,
            pages_now: self.pages_now,
            pages_modelled,
            pages_then,
            dropped,
            without: self.plan.without,
        }
    }

    /// The place of a module's heap; the outer nothing if the first reading did not count it.
    fn heap(&mut self, id: ModuleId) -> Option<Option<usize>> {
        if !self.modules.contains_key(&id) && self.modules.len() >= self.max_modules {
            return None;
        }
        let heaps = &self.plan.heaps;
        let find = || heaps.iter().position(|heap| heap.module == id);
        Some(*self.modules.entry(id).or_insert_with(find))
    }

    fn records(&mut self, records: &Records<'_>) {
        let Some(heap) = self.heap(records.module) else { return };
        for event in records.events() {
            self.others_grow();
            // What is said beside an event is none, here as in the heap model.
            if matches!(event, Event::Claim { .. } | Event::Usable { .. }) {
                continue;
            }
            self.clock += 1;
            self.releases.release(&self.plan, self.clock, &mut self.pairs);
            if let Some(heap) = heap {
                self.event(heap, event);
            }
        }
    }

    /// Lets the memories grow as others have made them grow up to now.
    fn others_grow(&mut self) {
        while let Some(&(clock, heap, bytes)) = self.others.get(self.next_other)
            && clock <= self.clock
        {
            for heaps in self.pairs.iter_mut().flat_map(Pair::both) {
                heaps.models[heap].others_grow(bytes);
            }
            self.next_other += 1;
        }
    }

    fn event(&mut self, heap: usize, event: Event) {
        let (old, addr, size, align) = match event {
            Event::Alloc { addr, size, align, .. } => (0, addr, size, align),
            Event::Realloc { old, addr, size, align, .. } => (old, addr, size, align),
            Event::Free { addr, .. } => return self.free(heap, addr),
            Event::Grow { .. }
            | Event::Annotation { .. }
            | Event::Claim { .. }
            | Event::Usable { .. } => return,
        };
        if addr == 0 {
            // A reallocation to nothing is a free; anything else was refused.
            if size == 0 && old != 0 {
                self.free(heap, old);
            }
            return;
        }
        // Rust's addresses of what has no bytes.
        if size == 0 && old == 0 && addr < 64 {
            return;
        }
        // No memory has such blocks, whatever a trace claims.
        if size > MAX_BLOCK {
            return;
        }
        let align = align.unwrap_or(1).min(MAX_BLOCK);
        let step = Step { heap, old, addr, size, align };
        let next = self.plan.victims.get(self.next_victim);
        let keep = match next.filter(|victim| victim.clock == self.clock) {
            Some(victim) => {
                self.removed.add(size);
                self.next_victim += 1;
                Keep::ForRelease(victim.group)
            }
            None => Keep::ByAddress,
        };
        for Pair { as_it_was, without } in &mut self.pairs {
            as_it_was.place(step, Keep::ByAddress);
            without.place(step, keep);
        }
    }

    fn free(&mut self, heap: usize, addr: u64) {
        self.pairs.iter_mut().flat_map(Pair::both).for_each(|heaps| heaps.free(heap, addr));
    }
}

/// A heap as it was, and without the blocks of the plan.
struct Pair {
    as_it_was: Heaps,
    without: Heaps,
}

impl Pair {
    fn both(&mut self) -> [&mut Heaps; 2] {
        [&mut self.as_it_was, &mut self.without]
    }
}

/// A block that is put somewhere.
#[derive(Clone, Copy)]
struct Step {
    heap: usize,
    /// Where it was before; 0 if it is new.
    old: u64,
    addr: u64,
    size: u64,
    align: u64,
}

/// How a block is found again.
#[derive(Clone, Copy)]
enum Keep {
    ByAddress,
    /// Nobody frees it but its group's release.
    ForRelease(u32),
}

/// The models of all modules, and which of their chunks are whose.
struct Heaps {
    models: Vec<Model>,
    /// By module and address in the run.
    chunks: Vec<FxHashMap<u64, Chunk>>,
    /// By group, until it is released.
    held: FxHashMap<u32, Vec<(usize, Chunk)>>,
    room: usize,
    dropped: u64,
}

impl Heaps {
    fn new(plan: &Plan, candidate: usize, grows: &[Grow], room: usize) -> Heaps {
        Heaps {
            models: plan.heaps.iter().map(|heap| heap.model(candidate, grows)).collect(),
            chunks: vec![FxHashMap::default(); plan.heaps.len()],
            held: FxHashMap::default(),
            room,
            dropped: 0,
        }
    }

    fn bytes(&self, others: u64) -> u64 {
        self.models.iter().fold(others, |sum, model| sum.saturating_add(model.bytes()))
    }

    fn remove(&mut self, heap: usize, addr: u64) -> Option<Chunk> {
        let chunk = self.chunks[heap].remove(&addr)?;
        self.room += 1;
        Some(chunk)
    }

    fn free(&mut self, heap: usize, addr: u64) {
        if let Some(chunk) = self.remove(heap, addr) {
            self.models[heap].free(chunk);
        }
    }

    fn place(&mut self, step: Step, keep: Keep) {
        let Step { heap, old, addr, size, align } = step;
        let earlier = if old == 0 { None } else { self.remove(heap, old) };
        // An address that is handed out again was free, whatever the trace has missed.
        self.free(heap, addr);
        if self.room == 0 {
            if let Some(earlier) = earlier {
                self.models[heap].free(earlier);
            }
            self.dropped += 1;
            return;
        }
        let model = &mut self.models[heap];
        let chunk = match earlier {
            Some(earlier) => model.realloc(earlier, size, align),
            None => model.alloc(size, align),
        };
        let Some(chunk) = chunk else {
            self.dropped += 1;
            return;
        };
        self.room -= 1;
        match keep {
            Keep::ByAddress => drop(self.chunks[heap].insert(addr, chunk)),
            Keep::ForRelease(group) => self.held.entry(group).or_default().push((heap, chunk)),
        }
    }

    fn release(&mut self, group: u32) {
        for (heap, chunk) in self.held.remove(&group).unwrap_or_default() {
            self.models[heap].free(chunk);
            self.room += 1;
        }
    }
}

/// When groups are released.
struct Releases {
    /// Groups by the event after which they are due.
    due: Vec<u32>,
    next_due: usize,
    /// Groups that go at a mark, by the event that completes them.
    at_mark: Vec<u32>,
    next_at_mark: usize,
}

impl Releases {
    fn new(plan: &Plan) -> Releases {
        let of = |is: &dyn Fn(&super::plan::Group) -> bool| -> Vec<u32> {
            let numbered = (0u32..).zip(&plan.groups);
            numbered.filter(|(_, group)| is(group)).map(|(number, _)| number).collect()
        };
        let mut due = of(&|group| group.due.is_some());
        due.sort_by_key(|&group| plan.groups[group as usize].due);
        let mut at_mark = of(&|group| group.at_mark);
        at_mark.sort_by_key(|&group| plan.groups[group as usize].complete);
        Releases { due, next_due: 0, at_mark, next_at_mark: 0 }
    }

    /// Before the event of that clock.
    fn release(&mut self, plan: &Plan, clock: u64, pairs: &mut [Pair]) {
        while let Some(&group) = self.due.get(self.next_due)
            && plan.groups[group as usize].due < Some(clock)
        {
            pairs.iter_mut().for_each(|pair| pair.without.release(group));
            self.next_due += 1;
        }
    }

    /// At a mark after the event of that clock.
    fn mark(&mut self, plan: &Plan, clock: u64, pairs: &mut [Pair]) {
        while let Some(&group) = self.at_mark.get(self.next_at_mark)
            && plan.groups[group as usize].complete <= clock
        {
            pairs.iter_mut().for_each(|pair| pair.without.release(group));
            self.next_at_mark += 1;
        }
    }
}
