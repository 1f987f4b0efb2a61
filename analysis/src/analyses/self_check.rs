//! Whether the books can be believed at all.
//!
//! An allocator that was found by its code may be the wrong function, or one of two. Then addresses
//! are given back that were never handed out, or handed out while they are in use, over and over:
//! more than any program's own errors. It withdraws every verdict, and says what was seen.

use super::{Findings, View, plural};
use crate::{finding::Abstention, heap::anomalies::AnomalyKind, profile::Count};

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

/// Growth that allocations do not account for, in bytes, before it is worth a word.
const UNEXPLAINED_GROWTH: u64 = 4 << 20;

/// Whether the verdicts are withdrawn.
pub(crate) fn withdraws(view: &View<'_>, findings: &mut Findings) -> bool {
    let totals = &view.profile.totals;
    let count = |wanted: &[AnomalyKind]| -> u64 {
        let of_kind = view.anomalies.iter().filter(|anomaly| wanted.contains(&anomaly.kind));
        of_kind.filter(|anomaly| anomaly.first_free.is_none()).map(|anomaly| anomaly.count).sum()
    };
    // A heap that was in use before the trace explains frees of what nobody saw handed out.
    let is_older = view.modules.iter().any(|module| module.heap_before);
    let unknown = match is_older {
        true => 0,
        false => count(&[AnomalyKind::UnknownFree, AnomalyKind::UnknownRealloc]),
    };
    let overlaps = count(&[AnomalyKind::Overlap]);
    let frees = totals.freed.blocks + unknown;
    let tracepoints = view.modules.iter().flat_map(|module| &module.tracepoints);
    let is_guessed = tracepoints.into_iter().any(|it| it.how.starts_with("structure"));
    let bound = if is_guessed { GUESSED } else { NAMED };
    if bound.is_passed(unknown, frees) {
        findings.abstain(Abstention {
            analysis: "self-check",
            reason: format!(
                "{} of {} were of addresses that were never handed out: the allocator was not found \
                 rightly, or not all of it, and no figure of blocks can be believed",
                plural(unknown, "free"),
                plural(frees, "free"),
            ),
            count: Count { blocks: unknown, bytes: 0 },
        });
        return true;
    }
    if bound.is_passed(overlaps, totals.allocated.blocks) {
        findings.abstain(Abstention {
            analysis: "self-check",
            reason: format!(
                "{} of {} were handed out over blocks in use: what frees them is not seen, and no \
                 figure of blocks can be believed",
                plural(overlaps, "block"),
                plural(totals.allocated.blocks, "block"),
            ),
            count: Count { blocks: overlaps, bytes: 0 },
        });
        return true;
    }
    remark_on_growth(view, findings);
    false
}

/// Growth that is not for the blocks that were seen is somebody else's.
fn remark_on_growth(view: &View<'_>, findings: &mut Findings) {
    let pages = view.profile.final_pages.saturating_sub(view.profile.initial_pages);
    let grown = pages * 65536;
    let asked = view.profile.totals.allocated.bytes;
    if grown >= UNEXPLAINED_GROWTH && asked < grown / 4 {
        findings.remark(format!(
            "the memory grew by {} while {} were allocated: somebody else uses it as well",
            plural(grown, "byte"),
            plural(asked, "byte"),
        ));
    }
}
