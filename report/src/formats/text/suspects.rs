//! What may be a fault and may be the program's purpose.

use super::{
    page::{Page, Style},
    stacks::{self, FEW, Layout, Prefix},
    words::clean,
};
use crate::schema::{Finding, Report};

pub(super) fn render(report: &Report, page: &mut Page<'_>) {
    let suspects: Vec<&Finding> =
        report.findings.iter().filter(|finding| finding.kind == "suspect").collect();
    if suspects.is_empty() {
        return;
    }
    page.heading("suspects, not in the verdict");
    let top = page.options.top;
    let prefix = Prefix::of(suspects.iter().take(top).flat_map(|it| it.frames.iter().flatten()));
    for suspect in suspects.iter().take(top) {
        let summary = page.paint(Style::Warn, &clean(&suspect.summary));
        page.line(&format!("  {summary}"));
        let frames = suspect.frames.as_deref().unwrap_or_default();
        stacks::render(frames, false, Layout { indent: 4, frames: FEW }, &prefix, page);
    }
    if suspects.len() > top {
        page.line(&format!("  and {} more", suspects.len() - top));
    }
}
