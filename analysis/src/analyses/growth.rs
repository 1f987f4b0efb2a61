//! A heap or a memory that rises from mark to mark.
//!
//! A program that repeats the same work should come back to the same heap. With at least four
//! marks, a figure that was higher at each mark of the later half than at the mark before, and at
//! no fewer than three, is growth. It makes no estimate of chance: it is a rule, and its evidence
//! is the figures. Without marks it says nothing.

use super::{Analysis, Findings, View, plural, thousands};
use crate::{
    finding::{Abstention, Finding, FindingKind},
    profile::{Count, Profile, Rise, StackId},
};
use std::cmp::Reverse;

const MIN_MARKS: u64 = 4;
const MIN_STEPS: u64 = 3;
/// Contexts that a finding names.
const MAX_CONTEXTS: usize = 10;

pub(crate) struct Growth;

impl Analysis for Growth {
    fn name(&self) -> &'static str {
        "growth"
    }

    fn run(&self, view: &View<'_>, findings: &mut Findings) {
        let profile = view.profile;
        let marks = profile.mark_count;
        let bytes_rise = rises(profile.bytes_rise, marks, "live bytes");
        if bytes_rise.is_some() && view.misses_frees() {
            // Without frees, live bytes are all bytes, and rise whatever the program does.
            findings.abstain(Abstention {
                analysis: self.name(),
                reason: "live bytes rise, but no function that frees could be found".into(),
                count: profile.totals.live,
            });
        } else if let Some(summary) = bytes_rise {
            let (contexts, count) = growers(profile);
            let stack = contexts.first().copied();
            findings.claim(self.finding(summary, stack, contexts, count));
        }
        if let Some(summary) = rises(profile.pages_rise, marks, "pages of memory") {
            let contexts = page_growers(profile);
            let stack = contexts.first().copied();
            let rise = profile.pages_rise;
            let bytes = (rise.to - rise.from).saturating_mul(65_536);
            findings.claim(self.finding(summary, stack, contexts, Count { blocks: 0, bytes }));
        }
    }
}

impl Growth {
    fn finding(
        &self,
        summary: String,
        stack: Option<StackId>,
        contexts: Vec<StackId>,
        count: Count,
    ) -> Finding {
        Finding {
            analysis: self.name(),
            kind: FindingKind::Growth,
            summary,
            stack,
            contexts,
            count,
            rate: None,
        }
    }
}

/// The claim, if the rise is long enough among so many marks.
fn rises(rise: Rise, marks: u64, figure: &str) -> Option<String> {
    (marks >= MIN_MARKS && rise.steps >= MIN_STEPS.max(marks / 2)).then(|| {
        format!(
            "{figure} rose at each of the last {}, from {} to {}",
            plural(rise.steps, "mark"),
            thousands(rise.from),
            thousands(rise.to),
        )
    })
}

/// The contexts that hold more at the last mark than when the rise began, and how much more.
fn growers(profile: &Profile) -> (Vec<StackId>, Count) {
    let mut count = Count::default();
    let mut growers: Vec<(u64, StackId)> = Vec::new();
    for (id, context) in (0u32..).zip(&profile.contexts) {
        let (from, to) = (context.live_at_rise, context.live_at_mark);
        if to.bytes > from.bytes {
            let bytes = to.bytes - from.bytes;
            count.merge(Count { blocks: to.blocks.saturating_sub(from.blocks), bytes });
            growers.push((bytes, StackId(id)));
        }
    }
    (largest(growers), count)
}

/// The contexts in which memories grew since the rise of pages began.
fn page_growers(profile: &Profile) -> Vec<StackId> {
    let mut growers: Vec<(u64, StackId)> = Vec::new();
    for grow in &profile.grows {
        let Some(stack) = grow.stack.filter(|_| !grow.refused) else { continue };
        if grow.clock > profile.pages_rise.from_clock {
            growers.push((grow.to_pages - grow.from_pages, stack));
        }
    }
    growers.sort_unstable_by_key(|&(_, stack)| stack);
    growers.dedup_by(|later, first| {
        let same = later.1 == first.1;
        if same {
            first.0 = first.0.saturating_add(later.0);
        }
        same
    });
    largest(growers)
}

fn largest(mut growers: Vec<(u64, StackId)>) -> Vec<StackId> {
    growers.sort_unstable_by_key(|&(grown, stack)| (Reverse(grown), stack));
    growers.into_iter().take(MAX_CONTEXTS).map(|(_, stack)| stack).collect()
}
