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
        let pages = profile.final_pages;
        let memory = Count { blocks: 0, bytes: pages.saturating_mul(65_536) };
        let checks = [
            (budget.max_leak, live.bytes, "bytes live at exit", live),
            (budget.max_peak, profile.peak.live.bytes, "bytes live at once", profile.peak.live),
            (budget.max_pages, pages, "pages of memory", memory),
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
            findings.claim(Finding {
                analysis: self.name(),
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
            });
        }
    }
}
