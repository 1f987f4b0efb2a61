//! What makes a comparison less certain than it looks.

use super::schema::{ContextChange, ContextCounts, MatchedBy};
use crate::schema::Report;

/// What a reader of the difference has to know of the reports.
pub(super) fn notes(
    old: &Report,
    new: &Report,
    counts: ContextCounts,
    contexts: &[ContextChange],
) -> Vec<String> {
    let mut notes = Vec::new();
    if old.guest.outcome != new.guest.outcome || old.guest.exit_code != new.guest.exit_code {
        notes.push(format!(
            "the guests ended in other ways: {} before, {} now",
            ending(old),
            ending(new)
        ));
    }
    if old.tool.version != new.tool.version {
        let (before, now) = (&old.tool.version, &new.tool.version);
        notes.push(format!("seepage was another version: {before} before, {now} now"));
    }
    for (report, side) in [(old, "old"), (new, "new")] {
        let unlisted = report.dropped.contexts;
        if unlisted > 0 {
            notes.push(format!(
                "the {side} report does not list {unlisted} contexts: what seems new or gone may be \
                 among them"
            ));
        }
        let unlisted = report.dropped.loss_records;
        if unlisted > 0 {
            notes.push(format!("the {side} report does not list {unlisted} loss records"));
        }
        if !report.module.contexts && !report.module.allocators.is_empty() {
            notes.push(format!("the {side} report has no calling contexts"));
        }
    }
    let judged = |report: &Report| report.leaks.is_some();
    if judged(old) != judged(new) {
        let side = if judged(old) { "new" } else { "old" };
        notes.push(format!(
            "the {side} report does not say what still points to the blocks: all that is live and \
             not suppressed counts as lost there"
        ));
    }
    if counts.by_functions > 0 {
        notes.push(format!(
            "matched by functions alone, because files or lines differ: {}",
            counts.by_functions
        ));
    }
    let is_nameless = |context: &ContextChange| {
        let mut frames = context.frames.iter();
        context.matched_by == MatchedBy::Nothing
            && !context.frames.is_empty()
            && frames.all(|frame| frame.function.starts_with("wasm-function["))
    };
    if old.module.bytes != new.module.bytes && contexts.iter().any(is_nameless) {
        notes.push(
            "functions without names are told apart by their numbers, which change with every build"
                .into(),
        );
    }
    notes
}

fn ending(report: &Report) -> String {
    match report.guest.exit_code {
        Some(code) => format!("{} with code {code}", report.guest.outcome),
        None => report.guest.outcome.clone(),
    }
}
