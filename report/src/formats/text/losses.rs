//! The live blocks by what became of them: lost ones first, each kind under a heading of its own.

use super::{
    page::{Page, Style},
    sections::{STACK, more},
    stacks::{self, Prefix},
    units::{bytes, percent},
};
use crate::schema::{Context, LeakKind, LossRecord, Report};
use seepage_analysis::words::{plural, thousands};

const BAR: usize = 10;
/// Contexts that are shown of what something still points to.
const MAX_REACHABLE: usize = 3;

pub(super) fn render(report: &Report, page: &mut Page<'_>) {
    let top = page.options.top;
    let ended = matches!(report.guest.outcome.as_str(), "returned" | "exited");
    let sections = [
        (LeakKind::DefinitelyLost, lost(report), Style::Bad, top),
        (LeakKind::PossiblyLost, possibly(report), Style::Warn, top),
        (
            LeakKind::StillReachable,
            if ended { "still held at exit" } else { "held when it ended" },
            Style::Good,
            MAX_REACHABLE.min(top),
        ),
    ];
    for (kind, heading, style, most) in sections {
        let records: Vec<&LossRecord> =
            report.loss_records.iter().filter(|record| record.kind == kind).collect();
        if records.is_empty() {
            continue;
        }
        page.heading(heading);
        let whole = records.iter().map(|record| weight(record)).fold(0, u64::saturating_add);
        let prefix = Prefix::of(records.iter().take(most).flat_map(|record| &record.frames));
        for record in records.iter().take(most) {
            one(report, record, whole, style, &prefix, page);
        }
        more(records.len(), most, "context", page);
    }
}

/// What it means to be lost. A program that is still loaded has a host that may hold anything.
fn lost(report: &Report) -> &'static str {
    match report.guest.outcome.as_str() {
        "unknown" => "lost, unless its host holds them: nothing in the memory points there",
        _ => "lost: nothing points there any more",
    }
}

/// What makes blocks possibly lost: addresses inside of them, or locals that nobody can read.
fn possibly(report: &Report) -> &'static str {
    match report.leaks.as_ref().is_some_and(|leaks| leaks.maybe_in_locals.blocks > 0) {
        true => "possibly lost: at most a local of a call under way points there",
        false => "possibly lost: something points inside, nothing to the start",
    }
}

fn weight(record: &LossRecord) -> u64 {
    record.bytes.saturating_add(record.indirect_bytes)
}

fn one(
    report: &Report,
    record: &LossRecord,
    whole: u64,
    style: Style,
    prefix: &Prefix,
    page: &mut Page<'_>,
) {
    let bytes_of_all = weight(record);
    let bar = page.paint(style, &page.bar(bytes_of_all, whole, BAR));
    let blocks = plural(record.blocks, "block");
    let hanging = match record.indirect_blocks {
        0 => String::new(),
        count if record.blocks == 1 => format!(", and {} that hang on it", thousands(count)),
        count => format!(", and {} that hang on them", thousands(count)),
    };
    let context = context(report, record);
    let allocated = context.map_or(0, |context| context.allocated.blocks);
    let of = match allocated > record.blocks {
        true => format!(", of {} allocated here", thousands(allocated)),
        false => String::new(),
    };
    let retained = match record.retained_bytes {
        Some(retained) if record.kind == LeakKind::StillReachable && retained > record.bytes => {
            format!(", holding {}", bytes(retained))
        }
        _ => String::new(),
    };
    let share = percent(bytes_of_all, whole);
    page.line(&format!(
        "  {bar} {:>9}  {share:>7}  {blocks}{hanging}{retained}{of}",
        bytes(bytes_of_all)
    ));
    let truncated = context.is_some_and(|context| context.truncated);
    let hosts = stacks::of_the_host(report, Some(record.module));
    stacks::render_allocation(&record.frames, truncated, hosts, STACK, prefix, page);
}

fn context<'a>(report: &'a Report, record: &LossRecord) -> Option<&'a Context> {
    let mut contexts = report.contexts.iter();
    contexts.find(|it| it.module == record.module && it.frames == record.frames)
}
