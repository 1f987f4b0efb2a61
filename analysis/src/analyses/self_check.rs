//! Whether the books can be believed at all.
//!
//! An allocator that was found by its code may be the wrong function, or one of two. Then addresses
//! are given back that were never handed out, or handed out while they are in use, or the memory
//! grows for nothing that was seen, over and over: more than any program's own errors. It withdraws
//! every verdict, and says what was seen.
//!
//! Where only the code told, the early part of a run counts by itself: what is wrong there was wrong
//! for good, whatever follows. Where a name told, an early burst is the program's own error, and only
//! the whole run can outweigh the name.

use super::{Findings, View, plural};
use crate::{
    finding::Abstention,
    heap::{
        anomalies::{Anomaly, AnomalyKind},
        doubts::Doubts,
    },
    profile::{Count, GrowthCause},
};
use seepage_trace::{Frees, ModuleInfo, WORKS_UNSEEN};
use std::collections::BTreeMap;

/// How much is too much: at least so many, and at least one in so many.
struct Bound {
    least: u64,
    one_in: u64,
}

impl Bound {
    fn is_passed(&self, count: u64, all: u64) -> bool {
        count >= self.least && count.saturating_mul(self.one_in) > all
    }
}

/// Of an allocator that only its code gave away.
const GUESSED: Bound = Bound { least: 16, one_in: 10 };

/// Of one that is known by name: there it takes a program that does little else.
const NAMED: Bound = Bound { least: 64, one_in: 2 };

/// Bytes that grew outside of the allocator, before it says anything.
const OUTSIDE: u64 = 1 << 20;
/// If they are one in so many of the growth, a run is not called clean: what is in them is not seen.
const OUTSIDE_PART: u64 = 4;
/// Without calling contexts it is not known for whom a memory grew: of so much growth allocations
/// should account for one byte in four.
const GROWTH_WITHOUT_CONTEXTS: u64 = 4 << 20;

/// Whether the verdicts are withdrawn; `early` are the counts of the first events.
pub(crate) fn withdraws(
    view: &View<'_>,
    early: &[Doubts],
    whole: &Doubts,
    findings: &mut Findings,
) -> bool {
    let doubt = early_doubt(view.modules, early)
        .or_else(|| doubt(view.modules, whole))
        .or_else(|| unseen_work(view));
    let Some(abstention) = doubt else { return doubts_growth(view, findings) };
    findings.abstain(abstention);
    true
}

/// What speaks against the books in the counts of the first events.
pub(crate) fn early_doubt(modules: &[ModuleInfo], early: &[Doubts]) -> Option<Abstention> {
    if !is_guessed(modules) {
        return None;
    }
    let (doubts, abstention) =
        early.iter().find_map(|doubts| Some((doubts, doubt(modules, doubts)?)))?;
    let reason = format!("in the first {}, {}", plural(doubts.clock, "event"), abstention.reason);
    Some(Abstention { reason, ..abstention })
}

fn doubt(modules: &[ModuleInfo], doubts: &Doubts) -> Option<Abstention> {
    let bound = if is_guessed(modules) { GUESSED } else { NAMED };
    // A heap that was in use before the trace explains frees of what nobody saw handed out.
    let is_older = modules.iter().any(|module| module.heap_before);
    let unknown = if is_older { 0 } else { doubts.unknown };
    let frees = doubts.freed + unknown;
    let abstain = |reason, blocks| {
        Some(Abstention { analysis: "self-check", reason, count: Count { blocks, bytes: 0 } })
    };
    if bound.is_passed(unknown, frees) {
        let reason = format!(
            "{} of {} were of addresses that were never handed out: the allocator was not found \
             rightly, or not all of it, and no figure of blocks can be believed",
            plural(unknown, "free"),
            plural(frees, "free"),
        );
        return abstain(reason, unknown);
    }
    if bound.is_passed(doubts.overlaps, doubts.allocated) {
        let reason = format!(
            "{} of {} were handed out over blocks in use: what frees them is not seen, and no \
             figure of blocks can be believed",
            plural(doubts.overlaps, "block"),
            plural(doubts.allocated, "block"),
        );
        return abstain(reason, doubts.overlaps);
    }
    // What is freed unseen lies where others are now, and is no sign of a wrong allocator.
    let is_explicit = modules.iter().all(|module| module.frees == Frees::Explicit);
    if is_explicit && bound.is_passed(doubts.entangled, doubts.looked_at) {
        let reason = format!(
            "{} of {} that were looked at closely reach into others in use: their sizes or what \
             frees them is not seen rightly, and no figure of blocks can be believed",
            plural(doubts.entangled, "block"),
            plural(doubts.looked_at, "block"),
        );
        return abstain(reason, doubts.entangled);
    }
    None
}

/// A function that is not hooked takes and gives blocks of the same heap. Then what is freed, or
/// handed out, where the books have another block, may be its block.
fn unseen_work(view: &View<'_>) -> Option<Abstention> {
    let may_be_its = |anomaly: &&Anomaly| {
        let is_of_addresses = matches!(
            anomaly.kind,
            AnomalyKind::DoubleFree
                | AnomalyKind::UnknownFree
                | AnomalyKind::InteriorFree
                | AnomalyKind::UnknownRealloc
                | AnomalyKind::Overlap
        );
        let context = view.profile.contexts.get(anomaly.stack.0 as usize);
        let module = view.modules.iter().find(|it| Some(it.id) == context.map(|it| it.module));
        is_of_addresses && module.is_some_and(ModuleInfo::works_unseen)
    };
    let blocks = view.anomalies.iter().filter(may_be_its).map(|anomaly| anomaly.count).sum();
    let spots = view.modules.iter().flat_map(|module| &module.blind_spots);
    let spot = spots.into_iter().find(|spot| spot.ends_with(WORKS_UNSEEN))?;
    let reason = format!(
        "{spot}: it may be what {} at addresses of other blocks come from, and no figure of blocks \
         can be believed",
        plural(blocks, "event"),
    );
    let count = Count { blocks, bytes: 0 };
    (blocks > 0).then_some(Abstention { analysis: "self-check", reason, count })
}

/// Whether only its code gave away an allocator.
fn is_guessed(modules: &[ModuleInfo]) -> bool {
    let mut tracepoints = modules.iter().flat_map(|module| &module.tracepoints);
    tracepoints.any(|it| it.how.starts_with("structure"))
}

/// Growth that holds none of the blocks that were seen is somebody else's: of the program itself
/// beside an allocator that is known, and perhaps of another allocator beside one that was guessed.
/// The known one's blocks are what they are, so that only a clean bill is withdrawn.
fn doubts_growth(view: &View<'_>, findings: &mut Findings) -> bool {
    let mut tracepoints = view.modules.iter().flat_map(|module| &module.tracepoints);
    if !tracepoints.any(|tracepoint| tracepoint.role.allocates()) {
        return false;
    }
    let profile = view.profile;
    let pages = profile.final_pages.saturating_sub(profile.initial_pages);
    let grown = pages.saturating_mul(65_536);
    let allocated = profile.totals.allocated;
    let outside = profile.account.map_or(0, |account| account.untracked);
    let is_guessed = is_guessed(view.modules);
    let knows_contexts = view.modules.iter().any(|module| module.contexts);
    let sees_little = match knows_contexts {
        true => outside >= OUTSIDE && allocated.bytes < outside,
        false => grown >= GROWTH_WITHOUT_CONTEXTS && allocated.bytes < grown / 4,
    };
    let count = Count { blocks: allocated.blocks, bytes: allocated.bytes };
    if is_guessed && sees_little {
        let reason = format!(
            "the memory grew by {} while {} were allocated: there may be another allocator, which is \
             not seen",
            plural(grown, "byte"),
            plural(allocated.bytes, "byte"),
        );
        findings.abstain(Abstention { analysis: "self-check", reason, count });
        return true;
    }
    if outside < OUTSIDE {
        return false;
    }
    let grower =
        grower(view).map_or_else(String::new, |name| format!(", most of them by `{name}`"));
    let seen =
        format!("{} of the memory grew outside of the allocator{grower}", plural(outside, "byte"));
    if outside.saturating_mul(OUTSIDE_PART) < grown {
        findings.remark(seen);
    } else {
        let reason = format!(
            "{seen}: what is in there is not seen (a further allocator can be named with --alloc-fn)"
        );
        findings.abstain(Abstention { analysis: "self-check", reason, count });
    }
    false
}

/// Who grew most of what the allocator did not.
fn grower<'a>(view: &View<'a>) -> Option<&'a str> {
    let mut pages_by: BTreeMap<&str, u64> = BTreeMap::new();
    let profile = view.profile;
    for grow in profile.grows.iter().filter(|grow| grow.cause == Some(GrowthCause::Direct)) {
        let context = grow.stack.and_then(|stack| profile.contexts.get(stack.0 as usize));
        if let Some(frame) = context.and_then(|context| context.frames.first()) {
            let pages = grow.to_pages.saturating_sub(grow.from_pages);
            let sum = pages_by.entry(&frame.function).or_default();
            *sum = sum.saturating_add(pages);
        }
    }
    pages_by.into_iter().max_by_key(|&(_, pages)| pages).map(|(name, _)| name)
}
