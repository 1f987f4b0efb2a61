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
use crate::{finding::Abstention, heap::doubts::Doubts, profile::Count};
use seepage_trace::{Frees, ModuleInfo};

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

/// Growth in bytes that allocations do not account for, before it says anything, and what part of it
/// at least they should.
const UNEXPLAINED_GROWTH: u64 = 4 << 20;
const EXPLAINED_PART: u64 = 4;

/// Whether the verdicts are withdrawn; `early` are the counts of the first events.
pub(crate) fn withdraws(
    view: &View<'_>,
    early: &[Doubts],
    whole: &Doubts,
    findings: &mut Findings,
) -> bool {
    let doubt = early_doubt(view.modules, early).or_else(|| doubt(view.modules, whole));
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

/// Whether only its code gave away an allocator.
fn is_guessed(modules: &[ModuleInfo]) -> bool {
    let mut tracepoints = modules.iter().flat_map(|module| &module.tracepoints);
    tracepoints.any(|it| it.how.starts_with("structure"))
}

/// Growth that is not for the blocks that were seen is somebody else's: of the program itself beside
/// an allocator that is known, and perhaps of another allocator beside one that was guessed.
fn doubts_growth(view: &View<'_>, findings: &mut Findings) -> bool {
    let pages = view.profile.final_pages.saturating_sub(view.profile.initial_pages);
    let grown = pages * 65536;
    let allocated = view.profile.totals.allocated;
    if grown < UNEXPLAINED_GROWTH || allocated.bytes >= grown / EXPLAINED_PART {
        return false;
    }
    let seen = format!(
        "the memory grew by {} while {} were allocated",
        plural(grown, "byte"),
        plural(allocated.bytes, "byte"),
    );
    if !is_guessed(view.modules) {
        findings.remark(format!("{seen}: somebody else uses it as well"));
        return false;
    }
    findings.abstain(Abstention {
        analysis: "self-check",
        reason: format!("{seen}: there may be another allocator, which is not seen"),
        count: Count { blocks: allocated.blocks, bytes: allocated.bytes },
    });
    true
}
