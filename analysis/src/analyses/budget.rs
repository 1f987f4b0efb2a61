//! Limits that the user set, and that the run exceeded.

use super::{Analysis, Findings, View, thousands};
use crate::{
    finding::{Abstention, Finding, FindingKind},
    profile::Count,
};

pub(crate) struct BudgetCheck;

impl Analysis for BudgetCheck {
    fn name(&self) -> &'static str {
        "budget"
    }

    fn run(&self, view: &View<'_>, findings: &mut Findings) {
        let profile = view.profile;
        let budget = view.config.budget;
        let mut live = Count::default();
        for context in profile.contexts.iter().filter(|context| context.suppressed_by.is_none()) {
            live.merge(context.cost.live);
        }
        let checks = [
            (budget.max_leak, live.bytes, "bytes live at exit", live),
            (budget.max_peak, profile.peak.live.bytes, "bytes live at once", profile.peak.live),
        ];
        for (limit, value, what, count) in checks {
            let Some(limit) = limit.filter(|&limit| value > limit) else { continue };
            if count.blocks > 0 && view.misses_frees() {
                findings.abstain(Abstention {
                    analysis: self.name(),
                    reason: format!(
                        "{} {what} would be more than the {} allowed, but no function that frees \
                         could be found",
                        thousands(value),
                        thousands(limit),
                    ),
                    count,
                });
                continue;
            }
            findings.claim(exceeded(limit, value, what, count));
        }
        pages(view, findings);
    }
}

/// The budget of pages, for which nobody needs to know any allocator.
pub(crate) fn pages(view: &View<'_>, findings: &mut Findings) {
    let pages = view.profile.final_pages;
    if let Some(limit) = view.config.budget.max_pages.filter(|&limit| pages > limit) {
        let memory = Count { blocks: 0, bytes: pages.saturating_mul(65_536) };
        findings.claim(exceeded(limit, pages, "pages of memory", memory));
    }
}

fn exceeded(limit: u64, value: u64, what: &str, count: Count) -> Finding {
    Finding {
        analysis: BudgetCheck.name(),
        kind: FindingKind::Budget,
        summary: format!(
            "{} {what}, {} more than the {} allowed",
            thousands(value),
            thousands(value - limit),
            thousands(limit),
        ),
        stack: None,
        contexts: Vec::new(),
        count,
        rate: None,
    }
}
