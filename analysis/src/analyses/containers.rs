//! Containers that only grow: a list that is never shortened, a map from which nothing is taken, a
//! buffer that is reallocated larger and larger.
//!
//! All that they hold is reachable, so none of it is a leak, and a program that does one long job
//! looks the same: this is a suspicion, and changes no verdict unless the user wants it to. It looks
//! at the least that a context held in each stretch of the run ([`crate::ContextCost::course`]). In
//! each of the later half it must have been more than in the one before, and in all of them
//! together a good part of what there is in the end. So a table that is built at the start, a cache
//! that is full, a ring and a queue that drains are none.

use super::{Analysis, Findings, View, leaks::words, plural};
use crate::{
    finding::{Finding, FindingKind, Operation, Rate},
    profile::{ContextCost, Count, LeakKind, Profile, StackId},
};
use seepage_trace::Frees;
use std::cmp::Reverse;

/// Stretches without which there is no course.
const MIN_STRETCHES: usize = 8;
/// Blocks below which a list is no matter.
const MIN_BLOCKS: u64 = 64;
/// Bytes below which a buffer is no matter.
const MIN_BYTES: u64 = 4096;
/// Suspects that are named.
const MAX_SUSPECTS: usize = 20;

pub(crate) struct Containers;

impl Analysis for Containers {
    fn name(&self) -> &'static str {
        "containers"
    }

    fn run(&self, view: &View<'_>, findings: &mut Findings) {
        let contexts = (0u32..).zip(&view.profile.contexts);
        let mut suspects: Vec<(StackId, Rise)> = contexts
            .filter(|(_, context)| context.suppressed_by.is_none() && context.known)
            .filter(|(_, context)| view.frees(context.module) == Frees::Explicit)
            .filter(|&(id, context)| is_held(view, StackId(id), context))
            .filter_map(|(id, context)| Some((StackId(id), Rise::of(context)?)))
            .collect();
        suspects.sort_by_key(|(stack, rise)| (Reverse(rise.bytes()), *stack));
        for (stack, rise) in suspects.into_iter().take(MAX_SUSPECTS) {
            let rate = rise.rate(view.profile);
            findings.claim(Finding {
                analysis: self.name(),
                kind: match view.config.suspects_fail {
                    true => FindingKind::Growth,
                    false => FindingKind::Suspect,
                },
                summary: rise.summary(rate),
                stack: Some(stack),
                contexts: Vec::new(),
                count: rise.now,
                rate: Some(rate),
            });
        }
    }
}

/// Whether what a context holds is in use for all that is known; what is lost is a leak.
fn is_held(view: &View<'_>, stack: StackId, context: &ContextCost) -> bool {
    let Some(found) = view.profile.reachability.as_ref().filter(|_| view.has_image(context.module))
    else {
        return true;
    };
    let records = found.records.iter().filter(|record| record.stack == stack);
    let held = records.filter(|record| record.kind == LeakKind::StillReachable);
    held.map(|record| record.count.bytes).sum::<u64>() > context.cost.live.bytes / 2
}

/// How a context rose in the later half of the run.
struct Rise {
    from: Count,
    to: Count,
    /// What is live in the end.
    now: Count,
    /// Stretches from there to there.
    stretches: u64,
    is_buffer: bool,
}

impl Rise {
    /// The rise of a context, if it is one all the way.
    fn of(context: &ContextCost) -> Option<Rise> {
        let course = &context.course;
        let half = course.len() / 2;
        let to = *course.last().filter(|_| course.len() >= MIN_STRETCHES)?;
        let from = *course.get(half - 1)?;
        let later = || course[half - 1..].windows(2);
        let rises = |figure: fn(&Count) -> u64| {
            later().all(|pair| figure(&pair[1]) > figure(&pair[0]))
                && (figure(&to) - figure(&from)) >= figure(&to) / 4
        };
        let is_list = to.blocks >= MIN_BLOCKS && rises(|count| count.blocks);
        let is_buffer =
            to.bytes >= MIN_BYTES && to.blocks <= from.blocks.max(1) && rises(|count| count.bytes);
        (is_list || is_buffer).then(|| Rise {
            from,
            to,
            now: context.cost.live,
            stretches: (course.len() - half) as u64,
            is_buffer,
        })
    }

    fn bytes(&self) -> u64 {
        self.to.bytes.saturating_sub(self.from.bytes)
    }

    fn summary(&self, rate: Rate) -> String {
        let how = match self.is_buffer {
            true => "grew by reallocation to".to_string(),
            false => format!("grew to {} with", plural(self.now.blocks, "block")),
        };
        format!(
            "what is {} from here {how} {} and was never emptied: {}",
            words(LeakKind::StillReachable),
            plural(self.now.bytes, "byte"),
            match rate.operation {
                Operation::Mark => {
                    format!("{} more for each mark", plural(rate.bytes_per_operation, "byte"))
                }
                Operation::ThousandEvents => format!(
                    "{} more for each 1,000 events of the heap",
                    plural(rate.bytes_per_operation, "byte")
                ),
            },
        )
    }

    /// By how much it grew for each thing that the program did.
    fn rate(&self, profile: &Profile) -> Rate {
        let events = self.stretches.saturating_mul(profile.stretch_events).max(1);
        let end = profile.totals.events;
        let marks = profile.marks.iter().filter(|mark| mark.clock + events > end).count() as u64;
        // Marks are thinned out where there were many.
        let share = profile.mark_count.div_ceil((profile.marks.len() as u64).max(1));
        let bytes = self.bytes();
        match marks.saturating_mul(share) {
            0 | 1 => Rate {
                operation: Operation::ThousandEvents,
                operations: events / 1000,
                bytes,
                bytes_per_operation: bytes.saturating_mul(1000) / events,
            },
            marks => Rate {
                operation: Operation::Mark,
                operations: marks,
                bytes,
                bytes_per_operation: bytes / marks,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rise(course: impl Iterator<Item = (u64, u64)>) -> Option<Rise> {
        let course = course.map(|(blocks, bytes)| Count { blocks, bytes }).collect();
        Rise::of(&ContextCost { course, ..ContextCost::empty() })
    }

    #[test]
    fn only_what_rises_to_the_end_is_suspected() {
        assert!(rise((0..12).map(|at| (at * 100, at * 3200))).is_some());
        assert!(rise((0..12).map(|at| (1, at * 1000))).is_some_and(|rise| rise.is_buffer));
        assert!(rise((0..12).map(|at| (at.min(8) * 100, at.min(8) * 3200))).is_none(), "full");
        assert!(rise((0..12).map(|at| (at % 3 * 100, 0))).is_none(), "drained");
        assert!(rise((0..12).map(|at| (5000 + at * 100, 0))).is_none(), "a little on much");
        assert!(rise((0..6).map(|at| (at * 100, at * 3200))).is_none(), "too short");
        assert!(rise((0..12).map(|at| (at, at * 30))).is_none(), "too small");
    }
}
