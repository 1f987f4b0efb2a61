//! The table of types.

use super::{
    page::{Page, Style},
    units::bytes,
    words::{clean, shorten},
};
use crate::schema::{Count, Report};
use seepage_analysis::words::{plural, thousands};

/// Rows, unless more are asked for.
const MAX_ROWS: usize = 20;
/// Columns of a type's name.
const WIDEST_NAME: usize = 40;

pub(super) fn render(report: &Report, page: &mut Page<'_>) {
    let types = &report.types;
    if types.is_empty() {
        return;
    }
    page.heading("objects by type");
    let shown = &types[..types.len().min(page.options.top.max(MAX_ROWS))];
    let name = |name: &Option<String>| match name {
        Some(name) => shorten(&clean(name), WIDEST_NAME, page.ellipsis()),
        None => "(other types)".into(),
    };
    let names: Vec<String> = shown.iter().map(|row| name(&row.name)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(4);
    let cells = |count: Count| format!("{:>11} {:>9}", thousands(count.blocks), bytes(count.bytes));
    let head = format!("  {:<width$}{:>21}{:>21}{:>21}", "type", "allocated", "dropped", "leaked");
    let head = page.paint(Style::Dim, &head);
    page.line(&head);
    for (name, row) in names.iter().zip(shown) {
        // The name is padded by hand: `{:<}` would count the colours.
        let gap = " ".repeat(width - name.chars().count());
        let [allocated, dropped, leaked] = [row.allocated, row.dropped, row.leaked].map(cells);
        let name = page.paint(Style::Function, name);
        page.line(&format!("  {name}{gap}{allocated}{dropped}{leaked}"));
    }
    let left_out = (types.len() - shown.len()) as u64;
    if left_out > 0 {
        let more = format!("{} and {} more", page.ellipsis(), plural(left_out, "type"));
        let more = page.paint(Style::Dim, &more);
        page.line(&format!("  {more}"));
    }
}
