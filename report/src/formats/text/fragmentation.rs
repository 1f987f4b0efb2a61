//! Free memory in pieces that are too small: whether it cost memory, and what keeps them apart.

use super::{
    page::{Page, Style},
    sections::{STACK, more},
    stacks::{self, Prefix},
    units::{bytes, percent},
    words::clean,
};
use crate::schema::{Finding, Pin, Report};
use seepage_analysis::words::thousands;

const BAR: usize = 10;
/// Pins that are shown.
const MAX_PINS: usize = 3;

/// Says below the verdict that the memory is fragmented, if it is.
pub(super) fn headline(report: &Report, page: &mut Page<'_>) {
    if let Some(finding) = finding(report) {
        let word = page.paint(Style::Warn, "FRAGMENTATION");
        page.line(&format!("{word}: {}", clean(&finding.summary)));
    }
}

/// The blocks that lie between the pieces.
pub(super) fn render(report: &Report, page: &mut Page<'_>) {
    let found = &report.memory.fragmentation;
    if finding(report).is_none() || found.pins.is_empty() {
        return;
    }
    page.heading("fragmentation: what lies between the free pieces");
    let matter = found.pins.iter().filter(|pin| pin.bytes >= found.bytes / 100).count();
    let most = matter.clamp(1, MAX_PINS).min(page.options.top);
    let prefix = Prefix::of(found.pins.iter().take(most).flat_map(|pin| &pin.frames));
    for pin in found.pins.iter().take(most) {
        let bar = page.paint(Style::Warn, &page.bar(pin.bytes, found.bytes, BAR));
        let share = percent(pin.bytes, found.bytes);
        let kind = kind(pin);
        let blocks = match pin.blocks {
            1 => format!("beside a {kind}block of {}", bytes(pin.block_bytes)),
            blocks => {
                let (count, size) = (thousands(blocks), bytes(pin.block_bytes));
                format!("between {count} {kind}blocks of {size} in all")
            }
        };
        page.line(&format!("  {bar} {:>9}  {share:>7}  {blocks}", bytes(pin.bytes)));
        stacks::render(&pin.frames, false, STACK, &prefix, page);
    }
    more(found.pins.len(), most, "context", page);
}

fn finding(report: &Report) -> Option<&Finding> {
    report.findings.iter().find(|finding| finding.kind == "fragmentation")
}

/// An adjective, with the space behind it.
fn kind(pin: &Pin) -> &'static str {
    match pin.what.as_str() {
        "lost" => "lost ",
        "possibly-lost" => "possibly lost ",
        "held" => "held ",
        _ => "",
    }
}
