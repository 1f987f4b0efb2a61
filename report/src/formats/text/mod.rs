//! What a person reads first: the verdict, the account, the stacks to look at, what was not seen,
//! and the next command.
//!
//! It is a summary: JSON has everything. Every name in it comes from the module and passes
//! [`words::clean`], so that no module can write to the terminal past us. The last line is for
//! grep, and its form is stable.

mod account;
pub(crate) mod difference;
mod fragmentation;
mod heap_map;
mod losses;
mod memory;
mod objects;
mod page;
mod sections;
mod selection;
mod stacks;
mod suspects;
mod types;
mod units;
mod what_if;
mod words;

use super::Options;
use crate::schema::{Report, VerdictKind};
use page::{Page, Style};
use seepage_analysis::words::plural;
use std::fmt::Write as _;
pub(crate) use words::{clean as printable, is_unprintable};

/// Appends the report.
pub(crate) fn render(report: &Report, options: &Options, out: &mut String) {
    let mut page = Page::new(&options.text, out);
    if let Some(objects) = &report.objects {
        objects::render(objects, &mut page);
        if report.module.name.is_empty() && report.totals.events == 0 {
            // No module could be followed: there is no heap to speak of.
            return;
        }
        page.line("");
    }
    headline(report, &mut page);
    account::render(report, &mut page);
    heap_map::render(report, &mut page);
    sections::trap(report, &mut page);
    sections::anomalies(report, &mut page);
    types::render(report, &mut page);
    sections::contexts(report, &mut page);
    memory::render(report, &mut page);
    fragmentation::render(report, &mut page);
    sections::open_files(report, &mut page);
    sections::growth(report, &mut page);
    suspects::render(report, &mut page);
    what_if::render(report, &mut page);
    sections::suppressions(report, &mut page);
    sections::unseen(report, &mut page);
    sections::next(report, options.invocation.as_ref(), &mut page);
    summary(report, &mut page);
}

fn headline(report: &Report, page: &mut Page<'_>) {
    let (word, style) = match report.verdict.kind {
        VerdictKind::HeapError => ("HEAP ERROR", Style::Bad),
        VerdictKind::Leak => ("LEAK", Style::Bad),
        VerdictKind::Growth => ("GROWTH", Style::Bad),
        VerdictKind::Budget => ("OVER BUDGET", Style::Bad),
        VerdictKind::Blind => ("BLIND", Style::Warn),
        VerdictKind::Inconclusive => ("INCONCLUSIVE", Style::Warn),
        VerdictKind::Clean => ("CLEAN", Style::Good),
    };
    let clean = match report.leaks.as_ref().map(|leaks| leaks.still_reachable) {
        Some(held) if held.blocks > 0 => {
            let blocks = plural(held.blocks, "block");
            format!(
                "nothing is lost; {} in {blocks} still held at exit",
                plural(held.bytes, "byte")
            )
        }
        _ => "nothing is live at exit that is not accounted for".to_string(),
    };
    let mut reasons = report.verdict.reasons.iter();
    let first = reasons.next().unwrap_or(&clean);
    let word = page.paint(style, word);
    page.line(&format!("{word}: {}", words::clean(first)));
    for reason in reasons {
        page.line(&format!("  and: {}", words::clean(reason)));
    }
    fragmentation::headline(report, page);
}

fn summary(report: &Report, page: &mut Page<'_>) {
    let totals = &report.totals;
    let mut line = String::from("SUMMARY seepage: ");
    let kind = serde_json::to_value(report.verdict.kind).unwrap_or_default();
    let _ = write!(
        line,
        "{} live_blocks={} live_bytes={} contexts={} peak_bytes={} pages={} heap_errors={}",
        kind.as_str().unwrap_or("unknown"),
        totals.live.blocks.wrapping_sub(totals.suppressed.blocks),
        totals.live.bytes.wrapping_sub(totals.suppressed.bytes),
        totals.live_contexts,
        totals.peak.bytes,
        report.memory.final_pages,
        totals.heap_errors,
    );
    page.line(&line);
}
