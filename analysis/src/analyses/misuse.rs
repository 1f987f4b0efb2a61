//! Misuse of the heap: every anomaly that is somebody's error.
//!
//! It abstains when records were lost, and of blocks that nobody saw allocated in a module that
//! begins with a heap in use: the free that finds no block may only lack its allocation.

use super::{Analysis, Findings, View, plural, thousands};
use crate::{
    finding::{Abstention, Finding, FindingKind},
    heap::{
        anomalies::{Anomaly, AnomalyKind},
        doors,
    },
    profile::{ContextCost, Count, StackId},
};
use seepage_trace::TracepointId;

pub(crate) struct Misuse;

impl Analysis for Misuse {
    fn name(&self) -> &'static str {
        "misuse"
    }

    fn run(&self, view: &View<'_>, findings: &mut Findings) {
        let errors = view.anomalies.iter().filter(|anomaly| anomaly.kind.is_error());
        let lost = view.drops.lost_records;
        if lost > 0 {
            let blocks = errors.map(|anomaly| anomaly.count).sum();
            if blocks > 0 {
                findings.abstain(Abstention {
                    analysis: self.name(),
                    reason: format!(
                        "{} of the guest {} lost: {} may be missing events and not errors",
                        plural(lost, "record"),
                        if lost == 1 { "was" } else { "were" },
                        plural(blocks, "heap error"),
                    ),
                    count: Count { blocks, bytes: 0 },
                });
            }
            return;
        }
        let is_older = |anomaly: &&Anomaly| {
            let unknown =
                matches!(anomaly.kind, AnomalyKind::UnknownFree | AnomalyKind::UnknownRealloc);
            unknown
                && anomaly.first_free.is_none()
                && view.modules.iter().any(|module| module.heap_before)
        };
        let older = errors.clone().filter(is_older).map(|anomaly| anomaly.count).sum();
        if older > 0 {
            findings.abstain(Abstention {
                analysis: self.name(),
                reason: format!(
                    "the module begins with a heap in use, as a snapshot does: {} may be from \
                     before the trace",
                    plural(older, "block"),
                ),
                count: Count { blocks: older, bytes: 0 },
            });
        }
        for anomaly in errors.filter(|anomaly| !is_older(anomaly)) {
            findings.claim(Finding {
                analysis: self.name(),
                kind: FindingKind::HeapError,
                summary: summary(view, anomaly),
                stack: Some(anomaly.stack),
                contexts: [anomaly.allocation, anomaly.first_free].into_iter().flatten().collect(),
                count: Count { blocks: anomaly.count, bytes: anomaly.block_size.unwrap_or(0) },
                rate: None,
            });
        }
    }
}

const MODULE_AND_HOST: (&str, &str) = ("the module", "the host");
const HOST_AND_MODULE: (&str, &str) = ("the host", "the module");

fn context<'a>(view: &View<'a>, stack: StackId) -> Option<&'a ContextCost> {
    view.profile.contexts.get(stack.0 as usize)
}

/// Of what is no block in its own module: another one has a block there.
fn whose(view: &View<'_>, anomaly: &Anomaly) -> String {
    let owner = anomaly.allocation.and_then(|stack| Some(context(view, stack)?.module));
    let own = context(view, anomaly.stack).map(|context| context.module);
    let owner = view.modules.iter().find(|it| Some(it.id) == owner && Some(it.id) != own);
    match owner {
        Some(module) => format!("; it is the address of a live block of `{}`", module.name),
        None => String::new(),
    }
}

/// What the program calls the allocator's function that was called in a context.
fn function(view: &View<'_>, stack: Option<StackId>, tracepoint: Option<TracepointId>) -> String {
    let name = stack.zip(tracepoint).and_then(|(stack, tracepoint)| {
        let context = context(view, stack)?;
        let module = view.modules.iter().find(|module| module.id == context.module)?;
        Some(doors::name(module.tracepoints.get(usize::from(tracepoint.0))?, &context.frames))
    });
    name.map_or("another function".into(), |name| format!("`{name}`"))
}

fn summary(view: &View<'_>, anomaly: &Anomaly) -> String {
    let address = anomaly.address;
    let size = plural(anomaly.size.unwrap_or(0), "byte");
    let block = plural(anomaly.block_size.unwrap_or(0), "byte");
    let what = match anomaly.kind {
        AnomalyKind::DoubleFree => format!("the block at {address:#x} was freed a second time"),
        AnomalyKind::UnknownFree => {
            let whose = whose(view, anomaly);
            format!("{address:#x} was freed, where no block had been allocated{whose}")
        }
        AnomalyKind::InteriorFree => {
            format!("{address:#x} was freed, which is inside a block of {block}")
        }
        AnomalyKind::UnknownRealloc if anomaly.first_free.is_some() => {
            format!("the block at {address:#x} was reallocated after it had been freed")
        }
        AnomalyKind::UnknownRealloc => {
            let whose = whose(view, anomaly);
            format!("{address:#x} was reallocated, where no block had been allocated{whose}")
        }
        AnomalyKind::Overlap => format!(
            "the allocator gave out {address:#x} for {size} while a block of {block} was live there"
        ),
        AnomalyKind::SizeMismatch => {
            format!("the block at {address:#x} has {block} and was freed as one of {size}")
        }
        AnomalyKind::AlignmentMismatch => {
            let align = |align: Option<u64>| thousands(align.unwrap_or(0));
            let (was, is) = (align(anomaly.block_size), align(anomaly.size));
            format!("the block at {address:#x} is aligned to {was} and was freed as one of {is}")
        }
        AnomalyKind::MismatchedFree => {
            let came = function(view, anomaly.allocation, anomaly.allocated_by);
            let went = function(view, Some(anomaly.stack), Some(anomaly.by));
            format!("the block of {block} at {address:#x} came from {came} and went to {went}")
        }
        AnomalyKind::CrossingFree => {
            let by_the_host = context(view, anomaly.stack).is_some_and(|it| it.frames.is_empty());
            let (gave, took) = if by_the_host { MODULE_AND_HOST } else { HOST_AND_MODULE };
            format!(
                "the block of {block} at {address:#x} was allocated by {gave} and freed by {took}"
            )
        }
        AnomalyKind::FailedAllocation => format!("an allocation of {size} was refused"),
    };
    match anomaly.count {
        1 => what,
        2 => format!("{what}, and once more from the same place"),
        count => format!("{what}, and {} more times from the same place", thousands(count - 1)),
    }
}
