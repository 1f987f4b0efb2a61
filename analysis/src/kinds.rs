//! Leak kinds: what the references between blocks mean for the blocks of each context.
//!
//! ```text
//! image, globals, host's addresses ─► roots ─► marking ─► kinds by context, loss records
//! live blocks ─────────────────────► graph ─► leaders ─► dominators ─► retained sizes
//! ```
//!
//! Roots are what a program can still read: its mutable globals, its memory outside the heap
//! without the dead part of its stack, what the host holds, and what the program says is one. Memory
//! that the allocator has taken back, or has not yet handed out, is no root: old addresses lie about
//! there. Nor are the allocator's own books (see [`books`]).

mod books;

use crate::{
    account::BlockKind,
    heap::{blocks::LiveBlock, survey::Survey},
    image::{MemoryImage, Word},
    profile::{Count, Held, LeakKind, LossRecord, Reachability, Roots, StackId},
    reachability::{
        dominators::{Dominators, MAX_REFERENCES},
        graph::{Addresses, Graph, NodeId, Reference},
        marking::{NOBODY, Reached, RootReferences, leaders, mark, retained_together},
    },
};
use rustc_hash::FxHashMap;
use seepage_trace::{Frees, ModuleInfo, State};
use std::{cmp::Reverse, ops::Range};

/// What a trace brought of a module's state at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) state: State,
    pub(crate) memory: MemoryImage,
}

/// The live blocks at the end and the image of the end, of one module.
pub(crate) struct Judge<'a> {
    module: &'a ModuleInfo,
    image: &'a Image,
    live: &'a [LiveBlock],
    graph: Graph<'a>,
    unaligned: bool,
    roots: RootReferences,
    looked_at: Roots,
}

/// What became of each block, and for lost ones the block that they hang on: [`NOBODY`] for others.
pub(crate) struct Judged {
    pub(crate) kinds: Vec<BlockKind>,
    pub(crate) leaders: Vec<NodeId>,
}

/// Whether an address is where the heap ends: an allocator that hands out one block behind the
/// other keeps it, and it points to no block.
fn is_frontier(addr: u64, reference: Reference, survey: &Survey<'_>) -> bool {
    reference == Reference::Interior && addr == survey.extent.top
}

/// Where static variables and the stack end for certain, and the heap may begin.
pub(crate) fn static_end(module: &ModuleInfo, survey: &Survey<'_>) -> u64 {
    let layout = &module.layout;
    let told = layout.static_end.max(layout.stack.as_ref().map(|stack| stack.end));
    survey.lowest().map_or(u64::MAX, |lowest| told.unwrap_or(0).max(lowest))
}

/// Whether it can be told what became of a module's blocks. What a collector has not got to yet is
/// no loss, and of most collectors nobody knows what they hold; AssemblyScript's keeps all its
/// objects in lists, so that whatever is not in them is the program's own to free.
pub(crate) fn can_judge(module: &ModuleInfo) -> bool {
    match module.frees {
        Frees::Explicit => true,
        Frees::Collected => is_assemblyscript(module),
        Frees::Unseen => false,
    }
}

fn is_assemblyscript(module: &ModuleInfo) -> bool {
    module.tracepoints.iter().any(|tracepoint| tracepoint.family == "assemblyscript")
}

/// AssemblyScript's stub runtime has no collector, and does not free what it drops.
fn never_frees(module: &ModuleInfo) -> bool {
    module.tracepoints.iter().any(|tracepoint| tracepoint.function.contains("~lib/rt/stub/"))
}

/// Looks for what points to the blocks of one module, and lets `use_judge` tell what that means.
pub(crate) fn judging<R>(
    module: &ModuleInfo,
    image: &Image,
    survey: &Survey<'_>,
    live: &[LiveBlock],
    unaligned: bool,
    use_judge: impl FnOnce(&Judge<'_>) -> R,
) -> R {
    let was_block = |addr| survey.was_block(addr);
    use_judge(&Judge::new(module, image, survey, live, &was_block, unaligned))
}

impl<'a> Judge<'a> {
    /// `was_block` is the survey's.
    fn new(
        module: &'a ModuleInfo,
        image: &'a Image,
        survey: &Survey<'_>,
        live: &'a [LiveBlock],
        was_block: &'a dyn Fn(u64) -> bool,
        unaligned: bool,
    ) -> Judge<'a> {
        let is_64 = module.memories.first().is_some_and(|memory| memory.is_64);
        let word = if is_64 { Word::Eight } else { Word::Four };
        let addresses = Addresses { unaligned, managed: is_assemblyscript(module) };
        let graph = Graph::new(live, &image.memory, word, addresses, was_block);
        let mut judge = Judge {
            module,
            image,
            live,
            graph,
            unaligned,
            roots: RootReferences::default(),
            looked_at: Roots::default(),
        };
        judge.find_roots(survey);
        judge
    }

    fn find_roots(&mut self, survey: &Survey<'_>) {
        let state = &self.image.state;
        for &value in &state.globals {
            if let Some((node, reference)) = self.graph.target(value)
                && !is_frontier(value, reference, survey)
            {
                self.roots.add(node, reference);
            }
        }
        self.looked_at.globals = state.globals.len() as u64;
        // Whoever holds an object from outside holds it surely, wherever in its block it lies:
        // Rust's `Rc` keeps its counters in front.
        for &value in &state.roots {
            if let Some((node, _)) = self.graph.target(value) {
                self.roots.surely.push(node);
            }
        }
        self.looked_at.host = state.roots.len() as u64;
        let ignored = (0..).zip(self.live).filter(|(_, block)| block.ignored);
        self.roots.surely.extend(ignored.map(|(node, _)| node));
        for range in self.root_ranges(survey).into_iter().filter(|range| !range.is_empty()) {
            let bytes = range.end.saturating_sub(range.start);
            self.looked_at.static_bytes = self.looked_at.static_bytes.saturating_add(bytes);
            let (graph, roots) = (&self.graph, &mut self.roots);
            graph.references(range, |at, node, reference| {
                if !is_frontier(graph.image.word(at, graph.word), reference, survey) {
                    roots.add(node, reference);
                }
            });
        }
        if let Some(stack) = &self.module.layout.stack
            && let Some(pointer) = self.stack_pointer()
        {
            self.looked_at.stack_bytes = stack.end.saturating_sub(pointer.max(stack.start));
        }
    }

    fn static_end(&self, survey: &Survey<'_>) -> u64 {
        static_end(self.module, survey).min(self.image.memory.bytes)
    }

    fn stack_pointer(&self) -> Option<u64> {
        let global = self.module.layout.stack_pointer?;
        let index = self.module.globals.iter().position(|&it| it == global)?;
        self.image.state.globals.get(index).copied()
    }

    /// The stretches of memory that are roots.
    fn root_ranges(&self, survey: &Survey<'_>) -> Vec<Range<u64>> {
        // A heap from before the trace holds blocks that nobody knows.
        let end = match self.module.heap_before {
            true => self.image.memory.bytes,
            false => self.static_end(survey),
        };
        let mut holes: Vec<Range<u64>> = Vec::new();
        if let (Some(stack), Some(pointer)) = (&self.module.layout.stack, self.stack_pointer())
            && (stack.start..=stack.end).contains(&pointer)
        {
            holes.push(stack.start..pointer);
        }
        // In a snapshot of a running program constants can be addresses, and an address that is not
        // aligned reaches into words that did not change.
        if !self.module.heap_before && !self.unaligned {
            holes.extend(self.image.state.unchanged.iter().cloned());
        }
        holes.extend(books::of_dlmalloc(&self.image.memory, 0..end, self.graph.word));
        let inside = self.live.iter().take_while(|block| block.addr < end);
        holes.extend(inside.map(|block| block.addr..block.end()));
        holes.sort_unstable_by_key(|hole| hole.start);
        let mut ranges = Vec::new();
        let mut at = 0;
        for hole in holes {
            if hole.start > at {
                ranges.push(at..hole.start.min(end));
            }
            at = at.max(hole.end);
        }
        if at < end {
            ranges.push(at..end);
        }
        // What others than the allocator grew may hold anything.
        let is_free = |stretch: &&Range<u64>| {
            let first = self.live.partition_point(|block| block.addr < stretch.start);
            self.live.get(first).is_none_or(|block| block.addr >= stretch.end)
        };
        let others = survey.untracked.iter().filter(is_free);
        ranges.extend(others.map(|stretch| stretch.start.max(end)..stretch.end));
        ranges.extend(survey.regions.iter().cloned());
        ranges
    }

    /// Judges the blocks of the module. What contexts of which `is_suppressed` have lost is no loss,
    /// nor is what hangs on it. Of more blocks than `max_retained` there are no retained sizes.
    pub(crate) fn judge(
        &self,
        is_suppressed: impl Fn(StackId) -> bool,
        max_retained: usize,
        result: &mut Reachability,
    ) -> Judged {
        let mut reached = mark(&self.graph, &self.roots);
        let (spared, spared_roots) = self.spare(is_suppressed, &mut reached);
        let leaders = leaders(&self.graph, &reached);
        let doubts = self.doubts(&reached, &leaders);
        let mut records = Records::default();
        let mut kinds = Vec::with_capacity(self.live.len());
        for (node, block) in (0..).zip(self.live) {
            let is_in_doubt = doubts[node as usize];
            let kind = self.kind(node, &reached, &leaders, is_in_doubt);
            let is_spared = spared[node as usize];
            records.add(block.stack, kind, is_spared, block.size);
            kinds.push(if is_spared { BlockKind::Suppressed } else { BlockKind::Kind(kind) });
            if is_spared {
                result.suppressed.add(block.size);
                continue;
            }
            result.kinds.of_mut(kind).add(block.size);
            if is_in_doubt && !never_frees(self.module) {
                result.maybe_in_locals.add(block.size);
            }
        }
        for (node, block) in (0..).zip(self.live) {
            let leader = leaders[node as usize];
            if leader != NOBODY && leader != node {
                records.of(leader).indirect.add(block.size);
            }
        }
        if self.live.len() <= max_retained {
            let lost = (0..).zip(&leaders).filter(|&(node, &leader)| node == leader);
            let lost = lost.map(|(node, _)| node);
            let held = self.roots.surely.iter().chain(&self.roots.possibly).copied();
            let roots = held.chain(lost).chain(spared_roots);
            if let Some(tree) = Dominators::new(&self.graph, roots, MAX_REFERENCES) {
                self.weigh(&tree, &mut records, result);
            }
        }
        let shown = records.list.into_iter().filter(|(_, is_spared)| !is_spared);
        result.records.extend(shown.map(|(record, _)| record));
        result.records.sort_by_key(|record| {
            let weight = record.count.bytes.wrapping_add(record.indirect.bytes);
            (record.kind, Reverse(weight), Reverse(record.count.blocks), record.stack)
        });
        result.modules.push(self.module.id);
        result.roots.globals += self.looked_at.globals;
        let bytes = self.looked_at.static_bytes;
        result.roots.static_bytes = result.roots.static_bytes.saturating_add(bytes);
        let bytes = self.looked_at.stack_bytes;
        result.roots.stack_bytes = result.roots.stack_bytes.saturating_add(bytes);
        result.roots.host += self.looked_at.host;
        Judged { kinds, leaders }
    }

    /// Which blocks no loss is to be claimed of, as LeakSanitizer has it: ignored ones, those of
    /// suppressed contexts, and all lost ones that hang on these. Takes the latter out of the lost,
    /// and tells which of them nothing else holds up.
    fn spare(
        &self,
        is_suppressed: impl Fn(StackId) -> bool,
        reached: &mut [Reached],
    ) -> (Vec<bool>, Vec<NodeId>) {
        let mut spared: Vec<bool> =
            self.live.iter().map(|it| it.ignored || is_suppressed(it.stack)).collect();
        let is_root =
            |&node: &NodeId| spared[node as usize] && reached[node as usize] == Reached::Lost;
        let roots: Vec<NodeId> = (0..self.live.len() as NodeId).filter(is_root).collect();
        let mut pending = roots.clone();
        for &root in &roots {
            reached[root as usize] = Reached::Surely;
        }
        while let Some(node) = pending.pop() {
            self.graph.edges(node, |to, _| {
                if reached[to as usize] == Reached::Lost {
                    reached[to as usize] = Reached::Surely;
                    spared[to as usize] = true;
                    pending.push(to);
                }
            });
        }
        (spared, roots)
    }

    /// Tells what each record retains, and each address that the host holds.
    fn weigh(&self, tree: &Dominators, records: &mut Records, result: &mut Reachability) {
        let group = |node: NodeId| records.group_of[node as usize] as usize;
        let retained = tree.retained_by_group(&self.graph, group, records.list.len());
        for (record, bytes) in records.list.iter_mut().zip(retained) {
            record.0.retained = Some(bytes);
        }
        if !self.image.state.roots.is_empty() {
            self.hold(&tree.retained(&self.graph), &mut result.held);
        }
    }

    /// What each address that the host holds leads to.
    fn hold(&self, retained: &[u64], held: &mut Vec<Held>) {
        for &root in &self.image.state.roots {
            if let Some((node, _)) = self.graph.target(root) {
                let LiveBlock { addr, size, .. } = self.graph.nodes[node as usize];
                let retained = retained[node as usize];
                held.push(Held { module: self.module.id, root, addr, bytes: size, retained });
            }
        }
    }

    /// What each group of addresses that the host holds retains; the image must have them all as
    /// roots.
    pub(crate) fn retained_by(&self, groups: &[&[u64]]) -> Vec<u64> {
        let block = |&addr: &u64| self.graph.target(addr).map(|(node, _)| node);
        let groups: Vec<Vec<NodeId>> =
            groups.iter().map(|addrs| addrs.iter().filter_map(block).collect()).collect();
        let reached = mark(&self.graph, &self.roots);
        let leaders = leaders(&self.graph, &reached);
        let lost = (0..).zip(&leaders).filter(|&(node, &leader)| node == leader);
        let roots = self.roots.surely.iter().chain(&self.roots.possibly).copied();
        retained_together(&self.graph, &groups, roots.chain(lost.map(|(node, _)| node)))
    }

    /// Which of the blocks that nothing seems to point to may be held all the same. Each hidden local
    /// can hold one, and what hangs on it; which, nobody knows, so that in each context as many are
    /// spared, and the largest, for what is claimed to hold at least.
    fn doubts(&self, reached: &[Reached], leaders: &[NodeId]) -> Vec<bool> {
        let hidden = self.image.state.hidden;
        if hidden == State::UNBOUNDED || never_frees(self.module) {
            return reached.iter().map(|&reached| reached == Reached::Lost).collect();
        }
        let mut doubts = vec![false; reached.len()];
        if hidden == 0 {
            return doubts;
        }
        let lost = (0..).zip(leaders).filter(|&(node, &leader)| node == leader);
        let mut lost: Vec<NodeId> = lost.map(|(node, _)| node).collect();
        let block = |node: NodeId| self.live[node as usize];
        lost.sort_by_key(|&node| (block(node).stack, Reverse(block(node).size), node));
        let contexts = lost.chunk_by(|&a, &b| block(a).stack == block(b).stack);
        let spared = contexts.flat_map(|blocks| blocks.iter().take(hidden as usize));
        let mut pending: Vec<NodeId> = spared.copied().collect();
        while let Some(node) = pending.pop() {
            if !std::mem::replace(&mut doubts[node as usize], true) {
                self.graph.edges(node, |to, _| {
                    if reached[to as usize] == Reached::Lost {
                        pending.push(to);
                    }
                });
            }
        }
        doubts
    }

    fn kind(
        &self,
        node: NodeId,
        reached: &[Reached],
        leaders: &[NodeId],
        in_doubt: bool,
    ) -> LeakKind {
        match reached[node as usize] {
            Reached::Surely => LeakKind::StillReachable,
            Reached::Possibly => LeakKind::PossiblyLost,
            Reached::Lost if in_doubt => LeakKind::PossiblyLost,
            Reached::Lost if leaders[node as usize] == node => LeakKind::DefinitelyLost,
            Reached::Lost => LeakKind::IndirectlyLost,
        }
    }
}

impl RootReferences {
    fn add(&mut self, node: NodeId, reference: Reference) {
        match reference {
            Reference::Start => self.surely.push(node),
            Reference::Interior => self.possibly.push(node),
        }
    }
}

/// Loss records under way; suppressed ones are kept apart.
#[derive(Default)]
struct Records {
    list: Vec<(LossRecord, bool)>,
    by_key: FxHashMap<(StackId, LeakKind, bool), u32>,
    /// By block: the place of its record.
    group_of: Vec<u32>,
}

impl Records {
    /// Adds the next block.
    fn add(&mut self, stack: StackId, kind: LeakKind, is_spared: bool, bytes: u64) {
        let list = &mut self.list;
        let group = *self.by_key.entry((stack, kind, is_spared)).or_insert_with(|| {
            let record = LossRecord {
                stack,
                kind,
                count: Count::default(),
                indirect: Count::default(),
                retained: None,
            };
            list.push((record, is_spared));
            list.len() as u32 - 1
        });
        self.list[group as usize].0.count.add(bytes);
        self.group_of.push(group);
    }

    fn of(&mut self, node: NodeId) -> &mut LossRecord {
        &mut self.list[self.group_of[node as usize] as usize].0
    }
}
