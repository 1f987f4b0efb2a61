//! A difference as text: what it comes down to, the sums side by side, and the contexts that are
//! not as before. The last line is for grep, and its form is stable.

use super::{
    page::{Page, Style},
    stacks::{self, Layout, MANY, Prefix},
    units::bytes,
    words::{clean, shorten},
};
use crate::{
    diff::{Change, ContextChange, CountChange, Diff, DiffVerdict, MatchedBy, Side, Status},
    formats::TextOptions,
};
use seepage_analysis::words::{plural, thousands};
use std::fmt::Write as _;

const STACK: Layout = Layout { indent: 4, frames: MANY };
/// Parts of the memory's account that are shown.
const MAX_PARTS: usize = 12;

/// Appends the difference.
pub(crate) fn render(diff: &Diff, options: &TextOptions, out: &mut String) {
    let mut page = Page::new(options, out);
    headline(diff, &mut page);
    page.line("");
    side("old", &diff.old, &mut page);
    side("new", &diff.new, &mut page);
    sums(diff, &mut page);
    contexts(diff, &mut page);
    if !diff.notes.is_empty() {
        page.heading("to be borne in mind");
        for note in &diff.notes {
            page.line(&format!("  {}", clean(note)));
        }
    }
    page.line("");
    summary(diff, &mut page);
}

fn headline(diff: &Diff, page: &mut Page<'_>) {
    let (word, style) = match diff.verdict {
        DiffVerdict::Same => ("SAME", Style::Good),
        DiffVerdict::Changed => ("CHANGED", Style::Heading),
        DiffVerdict::Regression => ("REGRESSION", Style::Bad),
    };
    let word = page.paint(style, word);
    let counts = &diff.counts;
    page.line(&format!(
        "{word}: {} new, {} gone, {} changed, {} as before",
        plural(counts.new, "context"),
        thousands(counts.gone),
        thousands(counts.changed),
        thousands(counts.same),
    ));
    for regression in &diff.regressions {
        page.line(&format!("  --{}: {}", regression.limit, clean(&regression.summary)));
    }
}

fn side(label: &str, side: &Side, page: &mut Page<'_>) {
    let source = if side.source.is_empty() { String::new() } else { format!("{}: ", side.source) };
    let verdict = serde_json::to_value(side.verdict).unwrap_or_default();
    let verdict = verdict.as_str().unwrap_or_default();
    let text = format!("{source}{}, {}, {verdict}", side.module, side.outcome);
    row(label, &clean(&text), page);
}

fn row(label: &str, text: &str, page: &mut Page<'_>) {
    let text = shorten(text, page.width().saturating_sub(14), page.ellipsis());
    let label = page.paint(Style::Dim, &format!("{label:<12}"));
    page.line(&format!("  {label}{text}"));
}

fn sums(diff: &Diff, page: &mut Page<'_>) {
    let totals = &diff.totals;
    for (label, change) in [
        ("lost", totals.lost),
        ("live", totals.live),
        ("high water", totals.peak),
        ("allocated", totals.allocated),
    ] {
        row(label, &count(change, page), page);
    }
    let pages = diff.memory.final_pages;
    let text = if pages.change == 0 {
        format!("{}, as before", plural(pages.new, "page"))
    } else {
        let (old, arrow) = (thousands(pages.old), page.arrow());
        format!("{old} {arrow} {} ({})", plural(pages.new, "page"), number(pages.change))
    };
    row("memory", &text, page);
    let changed = diff.memory.account.iter().filter(|part| part.bytes.change != 0);
    for part in changed.take(MAX_PARTS) {
        row("", &format!("{}: {}", clean(&part.part), size(part.bytes, page)), page);
    }
}

fn count(change: CountChange, page: &Page<'_>) -> String {
    if change.is_same() {
        let blocks = plural(change.blocks.new, "block");
        return format!("{blocks}, {}, as before", bytes(change.bytes.new));
    }
    let Change { old, new, change: more } = change.blocks;
    let blocks = if more == 0 {
        plural(new, "block")
    } else {
        let (old, arrow) = (thousands(old), page.arrow());
        format!("{old} {arrow} {} ({})", plural(new, "block"), number(more))
    };
    format!("{blocks}, {}", size(change.bytes, page))
}

fn size(change: Change, page: &Page<'_>) -> String {
    let (old, new) = (bytes(change.old), bytes(change.new));
    if change.change == 0 {
        return new;
    }
    let share = match change.old {
        0 => String::new(),
        old => format!(", {:+.1} %", change.change as f64 / old as f64 * 100.0),
    };
    format!("{old} {} {new} ({}{share})", page.arrow(), signed_bytes(change.change))
}

/// `+1,234`, `-5`.
fn number(change: i64) -> String {
    format!("{}{}", sign(change), thousands(change.unsigned_abs()))
}

/// `+1.5 KiB`, `-12 B`.
fn signed_bytes(change: i64) -> String {
    format!("{}{}", sign(change), bytes(change.unsigned_abs()))
}

fn sign(change: i64) -> &'static str {
    match change {
        0 => "",
        1.. => "+",
        _ => "-",
    }
}

fn contexts(diff: &Diff, page: &mut Page<'_>) {
    if diff.contexts.is_empty() {
        return;
    }
    page.heading("what is not as before");
    let top = page.options.top;
    let shown = || diff.contexts.iter().take(top);
    let prefix = Prefix::of(shown().flat_map(|context| &context.frames));
    for context in shown() {
        one_context(context, page);
        stacks::render(&context.frames, false, STACK, &prefix, page);
    }
    let all = diff.contexts.len() as u64 + diff.dropped_contexts;
    let more = all.saturating_sub(top as u64);
    if more > 0 {
        let more = format!("{} and {} more", page.ellipsis(), plural(more, "context"));
        let more = page.paint(Style::Dim, &more);
        page.line(&format!("  {more}"));
    }
}

fn one_context(context: &ContextChange, page: &mut Page<'_>) {
    let more = context.lost.bytes.change > 0 || context.lost.blocks.change > 0;
    let (word, style) = match context.status {
        Status::New => ("new", if more { Style::Bad } else { Style::Warn }),
        Status::Gone => ("gone", Style::Good),
        Status::Changed if more => ("more", Style::Bad),
        Status::Changed => ("changed", Style::Warn),
    };
    // What changes by the same is told once.
    let mut figures: Vec<(String, Vec<&str>)> = Vec::new();
    let is_lost = context.lost == context.live;
    for (label, change) in [
        ("lost", context.lost),
        ("live", context.live),
        ("high water", context.peak),
        ("allocated", context.allocated),
    ] {
        if change.is_same() || (label == "live" && is_lost) {
            continue;
        }
        let change = change_of(change);
        match figures.iter_mut().find(|(known, _)| *known == change) {
            Some((_, labels)) => labels.push(label),
            None => figures.push((change, vec![label])),
        }
    }
    let mut figures: Vec<String> = figures
        .into_iter()
        .map(|(change, labels)| format!("{change}: {}", labels.join(", ")))
        .collect();
    if figures.is_empty() {
        figures.push("without blocks".into());
    }
    let by_functions = context.matched_by == MatchedBy::Functions;
    let note = if by_functions { " (matched by functions)" } else { "" };
    let word = page.paint(style, &format!("{word:<8}"));
    page.line(&format!("  {word}{}{note}", figures.join("; ")));
}

/// `+1.5 KiB in +2 blocks`.
fn change_of(change: CountChange) -> String {
    let (size, blocks) = (change.bytes.change, change.blocks.change);
    let noun = if blocks.unsigned_abs() == 1 { "block" } else { "blocks" };
    let blocks = if blocks == 0 { "as many".into() } else { number(blocks) };
    format!("{} in {blocks} {noun}", signed_bytes(size))
}

fn summary(diff: &Diff, page: &mut Page<'_>) {
    let verdict = serde_json::to_value(diff.verdict).unwrap_or_default();
    let counts = &diff.counts;
    let mut line = String::from("SUMMARY seepage-diff: ");
    let _ = write!(
        line,
        "{} new={} gone={} changed={} same={} newly_lost={} lost_blocks={:+} lost_bytes={:+} \
         peak_bytes={:+} pages={:+}",
        verdict.as_str().unwrap_or("unknown"),
        counts.new,
        counts.gone,
        counts.changed,
        counts.same,
        counts.newly_lost,
        diff.totals.lost.blocks.change,
        diff.totals.lost.bytes.change,
        diff.totals.peak.bytes.change,
        diff.memory.final_pages.change,
    );
    page.line(&line);
}
