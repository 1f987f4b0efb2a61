//! Which model a module's heap gets, and where that heap begins.

use super::model::{Classes, Model, PAGE, Rule, Tags};
use crate::{
    account::{Geometry, Known},
    heap::{blocks::LiveBlock, survey::Survey},
    image::{MemoryImage, Word},
    profile::{Grow, GrowthCause},
};
use seepage_trace::{ModuleId, ModuleInfo, Role};
use std::ops::Range;

/// What a model has to know of one module's heap.
#[derive(Clone, Debug)]
pub(crate) struct HeapShape {
    pub(super) module: ModuleId,
    /// What its allocator may be.
    candidates: Vec<Allocator>,
    /// Bytes of an address.
    word: u64,
    /// The alignment that all blocks have.
    align: u64,
    /// The lowest address that was ever handed out.
    lowest: u64,
    /// The memory's size at the start.
    initial: u64,
    /// Growths of the memory by somebody else.
    others: Vec<Range<u64>>,
}

/// The allocators that there are models of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Allocator {
    Dlmalloc,
    /// As its port to Rust grows: by a whole block.
    DlmallocOfRust,
    Emmalloc,
    /// AssemblyScript's, with so many bytes of an object's header.
    Tlsf(u64),
    /// Classes of sizes: the binary logarithm of the steps between a size and its double.
    Classes(u32),
    /// Any that merges what is free.
    BestFit,
}

/// Where the allocator is not known: the one of these that comes nearest to the run counts.
const UNKNOWN: &[Allocator] = &[Allocator::BestFit, Allocator::Classes(3), Allocator::Classes(0)];

/// So much of a stretch is looked at for blocks: an allocator that uses it begins at its start.
const LOOKED_AT: u64 = PAGE;

impl HeapShape {
    /// Nothing if no block was ever seen.
    pub(crate) fn new(
        module: &ModuleInfo,
        survey: &Survey<'_>,
        image: Option<&MemoryImage>,
        live: &[LiveBlock],
    ) -> Option<HeapShape> {
        let is_64 = module.memories.first().is_some_and(|memory| memory.is_64);
        let word = if is_64 { Word::Eight } else { Word::Four };
        let is_others = |stretch: &Range<u64>| {
            let first = live.partition_point(|block| block.addr < stretch.start);
            let end = stretch.end.min(stretch.start.saturating_add(LOOKED_AT));
            let reaches = |block: &LiveBlock| block.end() > stretch.start;
            live.get(first).is_none_or(|block| block.addr >= stretch.end)
                && !live[..first].last().is_some_and(reaches)
                && !(stretch.start..end).step_by(8).any(|addr| survey.was_block(addr))
        };
        Some(HeapShape {
            module: module.id,
            candidates: Allocator::of(module, survey, image, word, live),
            word: word.size(),
            align: survey.extent.alignment().clamp(word.size(), 16),
            lowest: survey.lowest()?,
            initial: survey.main.initial,
            others: survey.untracked.iter().filter(|it| is_others(it)).cloned().collect(),
        })
    }

    /// How many models there are of it.
    pub(super) fn candidates(&self) -> usize {
        self.candidates.len()
    }

    /// The model of that number; of fewer models, the last.
    fn candidate(&self, number: usize) -> Allocator {
        let last = self.candidates.len().saturating_sub(1);
        self.candidates.get(number.min(last)).copied().unwrap_or(Allocator::BestFit)
    }

    /// The name of a model.
    pub(super) fn name(&self, candidate: usize) -> &'static str {
        match self.candidate(candidate) {
            Allocator::Dlmalloc | Allocator::DlmallocOfRust => "dlmalloc",
            Allocator::Emmalloc => "emmalloc",
            Allocator::Tlsf(_) => "TLSF",
            Allocator::Classes(_) => "size classes",
            Allocator::BestFit => "best fit",
        }
    }

    /// Whether a growth was neither the allocator's nor for it.
    pub(super) fn is_others(&self, grow: &Grow, page_size: u64) -> bool {
        let start = grow.from_pages.saturating_mul(page_size);
        grow.module == self.module
            && grow.memory == 0
            && grow.to_pages > grow.from_pages
            && self.others.iter().any(|stretch| stretch.start == start)
    }

    /// An empty heap, before anything has happened. `grows` are all growths.
    pub(super) fn model(&self, candidate: usize, grows: &[Grow]) -> Model {
        let allocator = self.candidate(candidate);
        let rule = self.rule(allocator, grows);
        let is_inside = self.lowest < self.initial;
        let start = if is_inside { self.lowest.saturating_sub(rule.header) } else { u64::MAX };
        match allocator {
            Allocator::Classes(steps) => {
                Model::Classes(Classes::new(steps, rule.pages, start, self.initial))
            }
            _ => Model::Tags(Tags::new(rule, start, self.initial)),
        }
    }

    fn rule(&self, allocator: Allocator, grows: &[Grow]) -> Rule {
        let HeapShape { word, align, .. } = *self;
        let basic = Rule {
            header: word,
            footer: 0,
            align,
            least: (4 * word).next_multiple_of(align),
            foot: 0,
            padding: 0,
            asks_whole: false,
            doubles: false,
            pages: 1,
        };
        match allocator {
            Allocator::Dlmalloc | Allocator::DlmallocOfRust => {
                // `TOP_FOOT_SIZE` and `SYS_ALLOC_PADDING`.
                let segment = (5 * word).next_multiple_of(align);
                let foot = align.saturating_sub(2 * word) + segment + basic.least;
                Rule {
                    foot: foot + 1,
                    padding: foot + align - 1,
                    asks_whole: allocator == Allocator::DlmallocOfRust,
                    ..basic
                }
            }
            Allocator::Emmalloc => Rule { footer: word, foot: 12 * word, ..basic },
            Allocator::Tlsf(object) => Rule { header: word + object, doubles: true, ..basic },
            Allocator::Classes(_) | Allocator::BestFit => {
                Rule { pages: self.least_pages(grows), ..basic }
            }
        }
    }

    /// By how much an unknown allocator grows at least: it is known to take more than it needs if
    /// it ever did.
    fn least_pages(&self, grows: &[Grow]) -> u64 {
        let own = || grows.iter().filter(|grow| grow.module == self.module && !grow.refused);
        if own().any(|grow| grow.cause == Some(GrowthCause::Policy)) {
            own().map(|grow| grow.delta).min().unwrap_or(1)
        } else {
            1
        }
    }
}

impl Allocator {
    fn of(
        module: &ModuleInfo,
        survey: &Survey<'_>,
        image: Option<&MemoryImage>,
        word: Word,
        live: &[LiveBlock],
    ) -> Vec<Allocator> {
        let tracepoints = || module.tracepoints.iter().filter(|it| it.role != Role::Grow);
        let families: Vec<&str> = tracepoints().map(|it| it.family.as_str()).collect();
        let is = |name: &str| families.iter().any(|family| family.contains(name));
        let sizes: Vec<(u64, u64)> = live.iter().map(|block| (block.addr, block.size)).collect();
        let starts_behind = survey.lowest().is_some_and(|lowest| lowest >= survey.main.initial);
        let dlmalloc = match is("rust") && starts_behind {
            true => Allocator::DlmallocOfRust,
            false => Allocator::Dlmalloc,
        };
        let tlsf = || {
            // Objects carry four more words, and their address is behind these.
            let makes_objects = tracepoints().any(|it| it.function.ends_with("__new"));
            vec![Allocator::Tlsf(if makes_objects { 4 * word.size() } else { 0 })]
        };
        match Geometry::new(&families, None, image, word, &sizes, None).known() {
            Some(Known::Dlmalloc) => vec![dlmalloc],
            Some(Known::Emmalloc) => vec![Allocator::Emmalloc],
            Some(Known::Mimalloc | Known::Talc | Known::WeeAlloc) => UNKNOWN.to_vec(),
            Some(Known::Zig) => vec![Allocator::Classes(0)],
            Some(Known::Tlsf) => tlsf(),
            None if is("assemblyscript") || is("tlsf") => tlsf(),
            None if is("zig") => vec![Allocator::Classes(0)],
            // Without blocks or an image nothing speaks against what is usual.
            None if is("dlmalloc") || is("libc") || is("rust") || is("c++") => {
                match live.is_empty() || image.is_none() {
                    true => vec![dlmalloc],
                    false => UNKNOWN.to_vec(),
                }
            }
            None if is("emmalloc") => vec![Allocator::Emmalloc],
            None => UNKNOWN.to_vec(),
        }
    }
}
