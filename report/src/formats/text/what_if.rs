//! What if: how large the memory would be without some blocks, and how far that can be trusted.

use super::{
    page::{Page, Style},
    units::bytes,
    words::clean,
};
use crate::schema::{Report, WhatIf};
use seepage_analysis::words::{plural, thousands};

pub(super) fn render(report: &Report, page: &mut Page<'_>) {
    let Some(what_if) = &report.what_if else { return };
    page.heading("what if");
    let claim = claim(what_if);
    let style = if what_if.beyond_error { Style::Good } else { Style::Warn };
    let claim = page.paint(style, &claim);
    page.line(&format!("  {claim}"));
    let removed = plural(what_if.removed.blocks, "block");
    let model = clean(&what_if.model);
    page.line(&format!(
        "  {removed}, {}; the model of {model} is {} the run as it was",
        bytes(what_if.removed.bytes),
        off(what_if.error_pages),
    ));
    if what_if.dropped > 0 {
        let dropped = plural(what_if.dropped, "block");
        page.line(&format!("  {dropped} beyond the limit, not followed in the replay"));
    }
}

fn claim(what_if: &WhatIf) -> String {
    let without = clean(&what_if.without);
    if what_if.removed.blocks == 0 {
        return "there is nothing to take away, and the memory would have grown as much".into();
    }
    let (then, now) = (plural(what_if.pages_then, "page"), thousands(what_if.pages_now));
    if what_if.beyond_error {
        format!("without {without} the memory would have grown to {then} instead of {now}")
    } else if what_if.pages_then == what_if.pages_modelled {
        format!("without {without} the memory would have grown as much")
    } else {
        format!(
            "without {without}: nothing can be said, the model makes a difference of {}",
            plural(what_if.pages_modelled.abs_diff(what_if.pages_then), "page"),
        )
    }
}

fn off(error: u64) -> String {
    match error {
        0 => "right about".into(),
        error => format!("off by {} on", plural(error, "page")),
    }
}
