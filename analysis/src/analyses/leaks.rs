//! Blocks that nothing can free any more.
//!
//! What counts as a leak is a set of leak kinds: by default definitely and indirectly lost blocks,
//! to which nothing that the program can still read leads. With all kinds every live block is one.
//! It abstains where that means nothing: when the guest did not end by itself, so that it had no
//! chance to free anything, on heaps that a garbage collector empties when it likes, where nobody
//! was seen to free, and where there is no image of the memory. What the user's budget allows is
//! no finding, and is said.

use super::{Analysis, Findings, View, plural, thousands};
use crate::{
    config::LeakKinds,
    finding::{Abstention, Finding, FindingKind},
    profile::{Count, LeakKind, StackId},
};
use seepage_trace::{End, Frees, Outcome};
use std::cmp::Reverse;

pub(crate) struct Leaks;

impl Analysis for Leaks {
    fn name(&self) -> &'static str {
        "leaks"
    }

    fn run(&self, view: &View<'_>, findings: &mut Findings) {
        let not_judged = NotJudged::new(view);
        not_judged.say(self.name(), findings);
        if let Some(reason) = no_exit(view.end) {
            let live = not_judged.ended;
            let reason = if live.blocks > 0 {
                let were = if live.blocks == 1 { "was" } else { "were" };
                let blocks = plural(live.blocks, "block");
                format!("{reason}: {blocks} that {were} live then may have been in use")
            } else {
                // Nothing live is no clean bill for a guest that did not come to its end.
                format!("{reason}: what it would have left at its end is not known")
            };
            findings.abstain(Abstention { analysis: self.name(), reason, count: live });
            return;
        }
        if let Some(found) = &view.profile.reachability
            && found.maybe_in_locals.blocks > 0
            && !view.config.leak_kinds.contains(LeakKind::PossiblyLost)
        {
            let count = found.maybe_in_locals;
            let reason = format!(
                "the guest exited in the middle of its calls: {} {} lost unless a local of one of \
                 these calls holds {}",
                plural(count.blocks, "block"),
                if count.blocks == 1 { "is" } else { "are" },
                if count.blocks == 1 { "it" } else { "them" },
            );
            findings.abstain(Abstention { analysis: self.name(), reason, count });
        }
        let losses = losses(view);
        let mut total = Count::default();
        losses.iter().for_each(|loss| total.merge(loss.count));
        let within = |limit: &u64| total.blocks > 0 && total.bytes <= *limit;
        if let Some(limit) = view.config.budget.max_leak.filter(within) {
            findings.remark(format!(
                "{} in {} {}, within the {} allowed",
                plural(total.bytes, "byte"),
                plural(total.blocks, "block"),
                if view.config.leak_kinds == LeakKinds::ALL { "live at exit" } else { "lost" },
                thousands(limit),
            ));
            return;
        }
        for loss in losses {
            findings.claim(Finding {
                analysis: self.name(),
                kind: FindingKind::Leak,
                summary: loss.summary,
                stack: Some(loss.stack),
                contexts: Vec::new(),
                count: loss.count,
                rate: None,
            });
        }
    }
}

/// Live blocks of which nothing can be claimed.
#[derive(Default)]
struct NotJudged {
    collected: Count,
    unseen: Count,
    without_image: Count,
    /// What was live when a guest was ended by force.
    ended: Count,
}

impl NotJudged {
    fn new(view: &View<'_>) -> NotJudged {
        let mut sums = NotJudged::default();
        let has_exit = no_exit(view.end).is_none();
        for context in &view.profile.contexts {
            let live = context.cost.live;
            if live.blocks == 0 || context.suppressed_by.is_some() {
                continue;
            }
            match view.frees(context.module) {
                Frees::Collected if view.has_image(context.module) && has_exit => {}
                Frees::Collected => sums.collected.merge(live),
                Frees::Unseen => sums.unseen.merge(live),
                Frees::Explicit if !has_exit => sums.ended.merge(live),
                Frees::Explicit if view.config.leak_kinds == LeakKinds::ALL => {}
                Frees::Explicit if view.has_image(context.module) => {}
                Frees::Explicit => sums.without_image.merge(live),
            }
        }
        sums
    }

    fn say(&self, analysis: &'static str, findings: &mut Findings) {
        let are = |count: Count| if count.blocks == 1 { "is" } else { "are" };
        let mut say = |count: Count, reason: String| {
            if count.blocks > 0 {
                findings.abstain(Abstention { analysis, reason, count });
            }
        };
        let count = self.collected;
        say(
            count,
            format!(
                "{} of a garbage-collected heap {} live at exit, which the collector may not have \
                 got to: only growth from mark to mark would show a leak",
                plural(count.blocks, "block"),
                are(count),
            ),
        );
        let count = self.unseen;
        say(
            count,
            format!(
                "no function that frees could be found, so {} that {} allocated may have been freed",
                plural(count.blocks, "block"),
                if count.blocks == 1 { "was" } else { "were" },
            ),
        );
        let count = self.without_image;
        say(
            count,
            format!(
                "{} {} live at exit, and without an image of the memory nobody can say whether \
                 anything still points there",
                plural(count.blocks, "block"),
                are(count),
            ),
        );
    }
}

/// What one context has lost.
struct Loss {
    stack: StackId,
    count: Count,
    summary: String,
}

/// Everything that counts as a leak, the largest first.
fn losses(view: &View<'_>) -> Vec<Loss> {
    let kinds = view.config.leak_kinds;
    let allocated = |stack: StackId| {
        let context = view.profile.contexts.get(stack.0 as usize);
        thousands(context.map_or(0, |context| context.cost.allocated.blocks))
    };
    let mut losses: Vec<Loss> = if kinds == LeakKinds::ALL {
        let contexts = (0u32..).zip(&view.profile.contexts).filter(|(_, context)| {
            context.cost.live.blocks > 0
                && context.suppressed_by.is_none()
                && view.frees(context.module) == Frees::Explicit
        });
        contexts
            .map(|(id, context)| {
                let (stack, count) = (StackId(id), context.cost.live);
                let live = amount(count);
                let summary =
                    format!("{live} live at exit, of {} allocated here", allocated(stack));
                Loss { stack, count, summary }
            })
            .collect()
    } else {
        let records = view.profile.reachability.iter().flat_map(|found| &found.records);
        let has_direct = kinds.contains(LeakKind::DefinitelyLost);
        let counts = |kind| {
            // What hangs on a lost block is told with it.
            kinds.contains(kind) && !(kind == LeakKind::IndirectlyLost && has_direct)
        };
        records
            .filter(|record| counts(record.kind))
            .map(|record| {
                let mut count = record.count;
                let mut summary = format!("{} {}", amount(count), words(record.kind));
                if record.indirect.blocks > 0 && kinds.contains(LeakKind::IndirectlyLost) {
                    count.merge(record.indirect);
                    let that = if record.count.blocks == 1 { "it" } else { "them" };
                    let indirect = amount(record.indirect);
                    summary.push_str(&format!(", and {indirect} that hang on {that}"));
                }
                summary.push_str(&format!(", of {} allocated here", allocated(record.stack)));
                Loss { stack: record.stack, count, summary }
            })
            .collect()
    };
    losses.sort_by_key(|loss| (Reverse(loss.count.bytes), Reverse(loss.count.blocks), loss.stack));
    losses
}

fn amount(count: Count) -> String {
    format!("{} in {}", plural(count.bytes, "byte"), plural(count.blocks, "block"))
}

/// The words for a kind in a sentence.
pub(crate) fn words(kind: LeakKind) -> &'static str {
    match kind {
        LeakKind::DefinitelyLost => "definitely lost",
        LeakKind::IndirectlyLost => "indirectly lost",
        LeakKind::PossiblyLost => "possibly lost",
        LeakKind::StillReachable => "still reachable",
    }
}

/// Why the end of the run is no exit, if it is none.
fn no_exit(end: &End) -> Option<&str> {
    match end.outcome {
        Outcome::Returned | Outcome::Exited => None,
        Outcome::Trapped => Some("the guest trapped"),
        Outcome::TimedOut => Some("the guest was stopped when its time was up"),
        Outcome::Interrupted => Some("the guest was interrupted"),
        Outcome::MemoryLimit => Some("the guest ran out of memory"),
        Outcome::Failed => Some("the guest could not go on"),
        // A host that lets a module lie, as a page or Node does, says so.
        Outcome::Unknown => Some(end.message.as_deref().unwrap_or("the trace has no end")),
    }
}
