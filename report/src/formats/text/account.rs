//! The account: what ran, how it ended, and what became of its memory, a line each.

use super::{
    page::{Page, Style},
    units::{bytes, duration, percent},
    words::{clean, shorten},
};
use crate::schema::{Count, Module, Report, Rose, Side};
use seepage_analysis::words::{plural, thousands};

/// Columns of the course of live bytes.
const COURSE: usize = 48;
/// Columns before the text of a line.
const LABEL: usize = 14;
/// Functions that are named for a family of allocators.
const MAX_FUNCTIONS: usize = 6;

pub(super) fn render(report: &Report, page: &mut Page<'_>) {
    page.line("");
    module(&report.module, page);
    if !report.modules.is_empty() {
        let names: Vec<_> = report.modules.iter().take(3).map(|m| clean(&m.name)).collect();
        let more = report.modules.len().saturating_sub(names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        row(page, "and", &format!("{}{more}", names.join(", ")));
    }
    guest(report, page);
    heap(report, page);
    memory(report, page);
    host(report, page);
    course_of_live_bytes(report, page);
}

/// A line of the account, cut to the page.
fn row(page: &mut Page<'_>, label: &str, text: &str) {
    let text = shorten(text, page.width().saturating_sub(LABEL), page.ellipsis());
    let label = page.paint(Style::Dim, &format!("{label:<12}"));
    page.line(&format!("  {label}{text}"));
}

fn module(module: &Module, page: &mut Page<'_>) {
    let name = if module.name.is_empty() { "unknown".into() } else { clean(&module.name) };
    // A log of objects is no module, and has no size as one.
    let size = match module.bytes {
        0 => String::new(),
        size => format!(", {}", bytes(size)),
    };
    row(page, "module", &format!("{name}{size}"));
    let mut families: Vec<&str> = Vec::new();
    let functions = || module.allocators.iter().filter(|it| it.role != "memory.grow");
    for allocator in functions() {
        if !families.contains(&allocator.family.as_str()) {
            families.push(&allocator.family);
        }
    }
    if families.is_empty() {
        row(page, "allocator", "none found: only the growth of memory is seen");
    }
    for family in families {
        let members = || functions().filter(|it| it.family == family);
        let names: Vec<_> =
            members().take(MAX_FUNCTIONS).map(|it| clean(&it.function).into_owned()).collect();
        let all = members().count();
        let how: Vec<&str> = members().map(|it| evidence(&it.how)).collect();
        let how = match how.first() {
            Some(first) if how.iter().all(|how| how == first) => {
                format!(", found by {}", clean(first))
            }
            _ => String::new(),
        };
        let line = |shown: usize| {
            let more = match all - shown {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("{}: {}{more}{how}", clean(family), names[..shown].join(", "))
        };
        let width = page.width().saturating_sub(LABEL);
        let most = (1..=names.len()).rev().find(|&shown| line(shown).chars().count() <= width);
        row(page, "allocator", &line(most.unwrap_or(1)));
    }
}

/// "name `malloc`" is found by name: the names are there already.
fn evidence(how: &str) -> &str {
    how.split('`').next().unwrap_or(how).trim()
}

fn guest(report: &Report, page: &mut Page<'_>) {
    let guest = &report.guest;
    let code = guest.exit_code.map(|code| format!(" with code {code}")).unwrap_or_default();
    let how = match guest.outcome.as_str() {
        "returned" => format!("returned{code}"),
        "exited" => format!("exited{code}"),
        "trapped" => "trapped".into(),
        "timed-out" => "stopped: its time was up".into(),
        "interrupted" => "stopped by the user".into(),
        "memory-limit" => "ran out of memory".into(),
        "failed" => "could not go on".into(),
        _ => match &guest.message {
            Some(message) => clean(message.lines().next().unwrap_or_default()).into(),
            None => "unknown: the trace has no end".into(),
        },
    };
    let after = match guest.duration_ns {
        0 => String::new(),
        ns => format!(" after {}", duration(ns)),
    };
    row(page, "guest", &format!("{how}{after}"));
}

fn heap(report: &Report, page: &mut Page<'_>) {
    let totals = &report.totals;
    if totals.allocated.blocks == 0 {
        return;
    }
    let temporary = percent(totals.temporary.blocks, totals.allocated.blocks);
    let reallocated = plural(totals.reallocated, "reallocation");
    let failed = match totals.failed {
        0 => String::new(),
        failed => format!(", {} refused", plural(failed, "request")),
    };
    let suppressed = match totals.suppressed.blocks {
        0 => String::new(),
        blocks if report.suppressions.iter().all(|rule| rule.place.is_none()) => {
            format!(", {} of it known noise", thousands(blocks))
        }
        blocks => format!(", {} of it suppressed", thousands(blocks)),
    };
    let collected = match totals.collected.blocks {
        0 => String::new(),
        blocks => format!("{} of them collected", thousands(blocks)),
    };
    let point = percent(report.high_water.clock, totals.events);
    let pages = plural(report.high_water.pages, "page");
    let rows = [
        ("allocated", totals.allocated, format!("{reallocated}, {temporary} temporary{failed}")),
        ("freed", totals.freed, collected),
        ("live", totals.live, format!("at the end{suppressed}")),
        ("high water", totals.peak, format!("at {point} of the run, with {pages}")),
    ];
    let blocks = |count: &Count| plural(count.blocks, "block");
    let width = rows.iter().map(|(_, count, _)| blocks(count).len()).max().unwrap_or(0);
    for (label, count, note) in &rows {
        let note = if note.is_empty() { String::new() } else { format!("   {note}") };
        // The nouns stand under one another: `1 block ` like `2 blocks`.
        let blocks = blocks(count);
        let blocks = if count.blocks == 1 { blocks + " " } else { blocks };
        row(page, label, &format!("{blocks:>width$} {:>10}{note}", bytes(count.bytes)));
    }
}

fn memory(report: &Report, page: &mut Page<'_>) {
    let memory = &report.memory;
    if memory.final_pages == 0 && memory.grows.is_empty() {
        return;
    }
    let size = bytes(memory.final_pages.saturating_mul(memory.page_size));
    let refused = memory.grows.iter().filter(|grow| grow.refused).count() as u64;
    let growths = memory.grows.len() as u64 - refused + report.dropped.grows;
    // The host counts what it refuses; the guest tells of all that failed, if it is asked there.
    let refused = refused.max(report.guest.refused_growths);
    let refused = if refused > 0 { format!(", {refused} refused") } else { String::new() };
    let pages = if memory.initial_pages == memory.final_pages {
        plural(memory.final_pages, "page")
    } else {
        format!(
            "{} {} {}",
            thousands(memory.initial_pages),
            page.arrow(),
            plural(memory.final_pages, "page")
        )
    };
    row(page, "memory", &format!("{pages}, {size}; {}{refused}", plural(growths, "growth")));
}

/// `12 MiB → 80 MiB; wasm 17 MiB → 18 MiB: the growth is on the JS side`.
fn host(report: &Report, page: &mut Page<'_>) {
    let Some(host) = &report.host else { return };
    let rose = |rose: Rose| format!("{} {} {}", bytes(rose.from), page.arrow(), bytes(rose.to));
    let side = match host.grew {
        Some(Side::Host) => ": the growth is on the JS side",
        Some(Side::Wasm) => ": the growth is on the wasm side",
        Some(Side::Both) => ": both have grown",
        None => "",
    };
    let text = format!("{}; wasm {}{side}", rose(host.memory), rose(host.wasm));
    row(page, "JS heap", &text);
}

fn course_of_live_bytes(report: &Report, page: &mut Page<'_>) {
    if report.totals.peak.bytes > 0 && report.timeline.len() > 1 {
        let course = page.sparkline(&course(report));
        row(
            page,
            "live bytes",
            &format!("{course} over {}", plural(report.totals.events, "event")),
        );
    }
}

/// The most live bytes in each of [`COURSE`] equal stretches of the run.
fn course(report: &Report) -> Vec<u64> {
    let end = report.timeline.last().map_or(0, |point| point.clock).max(1);
    let columns = (report.timeline.len()).min(COURSE);
    let mut values: Vec<Option<u64>> = vec![None; columns];
    for point in &report.timeline {
        let at = (u128::from(point.clock.saturating_sub(1)) * columns as u128 / u128::from(end))
            as usize;
        if let Some(value) = values.get_mut(at) {
            *value = Some(value.unwrap_or(0).max(point.max_bytes));
        }
    }
    let mut last = 0;
    values
        .into_iter()
        .map(|value| {
            last = value.unwrap_or(last);
            last
        })
        .collect()
}
