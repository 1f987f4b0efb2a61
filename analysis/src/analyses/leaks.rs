//! Blocks that are live at exit and that no suppression explains.
//!
//! "Live at exit" is all it claims: whether something still points to a block is another question.
//! It abstains where being live means nothing: when the guest did not end by itself, so that it
//! had no chance to free anything, on heaps that a garbage collector empties when it likes, and
//! where nobody was seen to free. What the user's budget allows is no finding, and is said.

use super::{Analysis, Findings, View, plural, thousands};
use crate::{
    finding::{Abstention, Finding, FindingKind},
    profile::{ContextCost, Count, StackId},
};
use seepage_trace::{End, Frees, Outcome};
use std::cmp::Reverse;

pub(crate) struct Leaks;

impl Analysis for Leaks {
    fn name(&self) -> &'static str {
        "leaks"
    }

    fn run(&self, view: &View<'_>, findings: &mut Findings) {
        let mut judged: Vec<(StackId, &ContextCost)> = Vec::new();
        let mut collected = Count::default();
        let mut unseen = Count::default();
        for (id, context) in (0u32..).zip(&view.profile.contexts) {
            if context.cost.live.blocks == 0 || context.suppressed_by.is_some() {
                continue;
            }
            match view.frees(context.module) {
                Frees::Explicit => judged.push((StackId(id), context)),
                Frees::Collected => collected.merge(context.cost.live),
                Frees::Unseen => unseen.merge(context.cost.live),
            }
        }
        if collected.blocks > 0 {
            let blocks = plural(collected.blocks, "block");
            let are = if collected.blocks == 1 { "is" } else { "are" };
            let reason = format!(
                "{blocks} of a garbage-collected heap {are} live at exit, which the collector may \
                 not have got to: only growth from mark to mark would show a leak"
            );
            findings.abstain(Abstention { analysis: self.name(), reason, count: collected });
        }
        if unseen.blocks > 0 {
            let reason = format!(
                "no function that frees could be found, so {} that {} allocated may have been freed",
                plural(unseen.blocks, "block"),
                if unseen.blocks == 1 { "was" } else { "were" },
            );
            findings.abstain(Abstention { analysis: self.name(), reason, count: unseen });
        }
        if judged.is_empty() {
            // Nothing live is no clean bill for a guest that did not come to its end.
            if let Some(reason) = no_exit(view.end) {
                findings.abstain(Abstention {
                    analysis: self.name(),
                    reason: format!("{reason}: what it would have left at its end is not known"),
                    count: Count::default(),
                });
            }
            return;
        }
        let mut total = Count::default();
        judged.iter().for_each(|(_, context)| total.merge(context.cost.live));
        let blocks = plural(total.blocks, "block");
        if let Some(reason) = no_exit(view.end) {
            let were = if total.blocks == 1 { "was" } else { "were" };
            let reason = format!("{reason}: {blocks} that {were} live then may have been in use");
            findings.abstain(Abstention { analysis: self.name(), reason, count: total });
            return;
        }
        if let Some(limit) = view.config.budget.max_leak.filter(|&limit| total.bytes <= limit) {
            findings.remark(format!(
                "{} in {blocks} live at exit, within the {} allowed",
                plural(total.bytes, "byte"),
                thousands(limit),
            ));
            return;
        }
        judged.sort_by_key(|(id, context)| {
            let live = context.cost.live;
            (Reverse(live.bytes), Reverse(live.blocks), *id)
        });
        for (stack, context) in judged {
            let Count { blocks, bytes } = context.cost.live;
            findings.claim(Finding {
                analysis: self.name(),
                kind: FindingKind::Leak,
                summary: format!(
                    "{} in {} live at exit, of {} allocated here",
                    plural(bytes, "byte"),
                    plural(blocks, "block"),
                    thousands(context.cost.allocated.blocks),
                ),
                stack: Some(stack),
                contexts: Vec::new(),
                count: context.cost.live,
            });
        }
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
