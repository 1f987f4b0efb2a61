//! The result of a session, and the one word it comes down to.

use crate::{
    account::HeapMap,
    analyses::{leaks::words, plural},
    config::LeakKinds,
    finding::{Abstention, Finding, FindingKind},
    heap::{anomalies::Anomaly, doors},
    host::HostUse,
    open_files::OpenFiles,
    profile::{CallSide, ContextCost, Count, LeakKind, Profile, StackId},
    suppressions::Suppressed,
    whatif::WhatIf,
};
use seepage_trace::{End, ModuleInfo, TracepointId};

/// Everything a session learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The modules, in the order in which they began to run.
    pub modules: Vec<ModuleInfo>,
    /// The kinds of live blocks that were taken for leaks.
    pub leak_kinds: LeakKinds,
    /// How the guest ended; [`seepage_trace::Outcome::Unknown`] if the trace does not say.
    pub end: End,
    /// The figures.
    pub profile: Profile,
    /// Maps of the memories, if they were asked for: at the end, at the high-water mark, and at each
    /// mark of which there is an image.
    pub heap_maps: Vec<HeapMap>,
    /// The host's own memory, where it told of it.
    pub host: Option<HostUse>,
    /// What the guest did to its heap that makes no sense, by first appearance.
    pub anomalies: Vec<Anomaly>,
    /// What was opened and never closed.
    pub open_files: Vec<OpenFiles>,
    /// Every suppression rule that applied, and those of the user that did not, in the order in
    /// which they were tried.
    pub suppressed: Vec<Suppressed>,
    /// What the analyses claim, by kind, the weightiest first.
    pub findings: Vec<Finding>,
    /// What the analyses do not claim, and why.
    pub abstentions: Vec<Abstention>,
    /// What is worth saying though it is no finding, such as a leak that the budget allows.
    pub remarks: Vec<String>,
    /// What is missing in all this.
    pub drops: Drops,
    /// How large the memory would be without some blocks, where a [`crate::Replay`] was asked.
    pub what_if: Option<WhatIf>,
}

/// What was not remembered, because a cap of [`crate::Caps`] was reached or the trace lacks it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    /// Modules beyond the cap. Their records are counted as unknown.
    pub modules: u64,
    /// Stacks beyond the cap. What they allocated is booked to the unknown context.
    pub stacks: u64,
    /// Blocks beyond the cap. They count as allocated, not as live.
    pub blocks: u64,
    /// Frees and reallocations that found no block, and may have meant one beyond the cap.
    pub frees: u64,
    /// Images of a memory that were larger than allowed: what points to its blocks is not known.
    pub images: u64,
    /// Growths that are not listed.
    pub grows: u64,
    /// Growths at which the free runs were not looked at, because that would have cost too much.
    pub looks: u64,
    /// Occurrences of anomalies that are not listed.
    pub anomalies: u64,
    /// Stretches that the program called roots and that were not looked at.
    pub regions: u64,
    /// Open descriptors that are not listed.
    pub open_files: u64,
    /// Maps of the memory that were not drawn.
    pub heap_maps: u64,
    /// Findings that are not listed.
    pub findings: u64,
    /// Events whose calling context the trace does not explain.
    pub unknown_contexts: u64,
    /// Records that say nothing that this version understands.
    pub unknown_records: u64,
    /// Records that the host could not take from the guest.
    pub lost_records: u64,
}

/// What an outcome comes down to, the weightiest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The heap was misused.
    HeapError,
    /// Blocks are live at exit that no suppression explains, or descriptors are open.
    Leak,
    /// The heap or the memory rises from mark to mark.
    Growth,
    /// A budget is exceeded.
    Budget,
    /// No allocator was found, so only the growth of memory was seen.
    Blind,
    /// Blocks are live, and nothing can be said about them: see [`Outcome::abstentions`].
    Inconclusive,
    /// None of these.
    Clean,
}

impl Verdict {
    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::HeapError => "heap-error",
            Verdict::Leak => "leak",
            Verdict::Growth => "growth",
            Verdict::Budget => "budget",
            Verdict::Blind => "blind",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Clean => "clean",
        }
    }
}

impl Outcome {
    /// What it comes down to.
    pub fn verdict(&self) -> Verdict {
        match self.findings.iter().map(|finding| finding.kind).min() {
            Some(FindingKind::HeapError) => Verdict::HeapError,
            Some(FindingKind::Leak | FindingKind::OpenFile) => Verdict::Leak,
            Some(FindingKind::Growth) => Verdict::Growth,
            Some(FindingKind::Budget) => Verdict::Budget,
            None | Some(FindingKind::Fragmentation | FindingKind::Suspect)
                if !self.saw_allocator() =>
            {
                Verdict::Blind
            }
            _ if !self.abstentions.is_empty() => Verdict::Inconclusive,
            _ => Verdict::Clean,
        }
    }

    /// Why it comes down to that, a sentence each without a full stop, the weightiest first.
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        let of = |kind| self.findings.iter().filter(move |finding| finding.kind == kind);
        let places = of(FindingKind::HeapError).count();
        if places > 0 {
            let count: u64 = of(FindingKind::HeapError).map(|finding| finding.count.blocks).sum();
            let places = plural(places as u64, "place");
            reasons.push(format!("{} at {places}", plural(count, "heap error")));
        }
        if of(FindingKind::Leak).next().is_some() {
            reasons.push(self.leak_reason());
        }
        reasons.extend(of(FindingKind::OpenFile).map(|finding| finding.summary.clone()));
        let others = of(FindingKind::Growth).chain(of(FindingKind::Budget));
        reasons.extend(others.map(|finding| finding.summary.clone()));
        if !self.saw_allocator() {
            reasons.push("no allocator found: only memory growth was seen".into());
        }
        reasons.extend(self.remarks.iter().cloned());
        reasons.extend(self.abstentions.iter().map(|abstention| abstention.reason.clone()));
        reasons
    }

    /// What counts as a leak by [`Outcome::leak_kinds`] and is not suppressed.
    pub fn leaked(&self) -> Count {
        if self.leak_kinds == LeakKinds::ALL {
            return self.live();
        }
        let mut sum = Count::default();
        if let Some(found) = &self.profile.reachability {
            let kinds = LeakKind::ALL.into_iter().filter(|&kind| self.leak_kinds.contains(kind));
            kinds.for_each(|kind| sum.merge(found.kinds.of(kind)));
        }
        sum
    }

    /// What is live at the end and not suppressed.
    pub fn live(&self) -> Count {
        let mut sum = Count::default();
        self.unsuppressed().for_each(|context| sum.merge(context.cost.live));
        sum
    }

    /// How many contexts hold what is live at the end and not suppressed.
    pub fn live_contexts(&self) -> u64 {
        self.unsuppressed().filter(|context| context.cost.live.blocks > 0).count() as u64
    }

    fn leak_reason(&self) -> String {
        let amount =
            |it: Count| format!("{} in {}", plural(it.bytes, "byte"), plural(it.blocks, "block"));
        if self.leak_kinds == LeakKinds::ALL {
            let contexts = plural(self.live_contexts(), "context");
            return format!("{} from {contexts} live at exit", amount(self.live()));
        }
        let kinds = self.profile.reachability.iter().flat_map(|found| {
            LeakKind::ALL
                .into_iter()
                .filter(|&kind| self.leak_kinds.contains(kind))
                .map(|kind| (kind, found.kinds.of(kind)))
        });
        let parts = kinds
            .filter(|(_, count)| count.blocks > 0)
            .map(|(kind, count)| format!("{} {}", amount(count), words(kind)));
        parts.collect::<Vec<_>>().join(", ")
    }

    /// How many errors the guest made with its heap.
    pub fn heap_errors(&self) -> u64 {
        let errors = self.findings.iter().filter(|it| it.kind == FindingKind::HeapError);
        errors.map(|finding| finding.count.blocks).sum()
    }

    fn unsuppressed(&self) -> impl Iterator<Item = &ContextCost> {
        self.profile.contexts.iter().filter(|context| context.suppressed_by.is_none())
    }

    /// Whether any module has a function that allocates, so that blocks could be seen at all.
    pub fn saw_allocator(&self) -> bool {
        let mut tracepoints = self.modules.iter().flat_map(|module| &module.tracepoints);
        tracepoints.any(|tracepoint| tracepoint.role.allocates())
    }

    /// The calling context of that number, if it is of this outcome.
    pub fn context(&self, stack: StackId) -> Option<&ContextCost> {
        self.profile.contexts.get(stack.0 as usize)
    }

    /// On which side what was done in a context was done, where its stack is known.
    pub fn side(&self, stack: StackId) -> Option<CallSide> {
        let context = self.context(stack).filter(|context| context.known)?;
        // A log of allocations has no border to be on a side of.
        let module = self.modules.iter().find(|module| module.id == context.module)?;
        let is_hosts = context.frames.is_empty() && !context.truncated;
        let side = if is_hosts { CallSide::Host } else { CallSide::Module };
        (!module.memories.is_empty()).then_some(side)
    }

    /// What the program calls the allocator's function that it called in a context.
    pub fn function(&self, stack: StackId, tracepoint: TracepointId) -> Option<&str> {
        let context = self.context(stack)?;
        let module = self.modules.iter().find(|module| module.id == context.module)?;
        Some(doors::name(module.tracepoints.get(usize::from(tracepoint.0))?, &context.frames))
    }
}
