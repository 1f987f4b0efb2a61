//! Where the memory went: what its bytes are for at the end, and why it grew.

use super::{
    page::{Page, Style},
    sections::more,
    selection::own,
    stacks::{self, Prefix},
    units::{bytes, percent},
    words::shorten,
};
use crate::schema::{Account, Report};
use seepage_analysis::words::plural;

const BAR: usize = 10;
/// Columns before the words of a share.
const LEFT: usize = 2 + BAR + 1 + 9 + 2 + 7 + 2;
/// Shares of the growth that are shown.
const MAX_SHARES: usize = 6;
/// Bytes that make a page.
const PAGE: u64 = 65_536;

pub(super) fn render(report: &Report, page: &mut Page<'_>) {
    let memory = &report.memory;
    let Some(account) = memory.account.as_ref().filter(|_| memory.final_pages > 0) else { return };
    if report.totals.allocated.blocks == 0 {
        return;
    }
    page.heading("where the memory went");
    let whole = memory.final_pages.saturating_mul(memory.page_size);
    for (size, what, style) in
        parts(account, memory.overhead.as_deref()).into_iter().filter(|(size, ..)| *size > 0)
    {
        let bar = page.paint(style, &page.bar(size, whole, BAR));
        let share = percent(size, whole);
        page.line(&format!("  {bar} {:>9}  {share:>7}  {what}", bytes(size)));
    }
    if let Some(line) = growth(report) {
        page.line(&format!("  {line}"));
    }
    shares(report, page);
}

/// What the memory grew for.
fn shares(report: &Report, page: &mut Page<'_>) {
    let (shares, whole) = (&report.memory.growth_shares, report.memory.growth.bytes);
    // Of what no allocator grew, "who grew the memory" says all there is.
    if shares.iter().all(|share| matches!(share.what.as_str(), "direct" | "unexplained")) {
        return;
    }
    page.heading("what it grew for");
    let prefix = Prefix::of(shares.iter().take(MAX_SHARES).flat_map(|share| &share.frames));
    for share in shares.iter().take(MAX_SHARES) {
        let (what, style) = words_for(&share.what);
        let bar = page.paint(style, &page.bar(share.bytes, whole, BAR));
        let of = percent(share.bytes, whole);
        let who = match own(&share.frames) {
            Some(frame) => stacks::line(frame, &prefix),
            None if share.what == "other" => String::new(),
            None if stacks::of_the_host(report, None).is_some() => {
                "the host, which called it directly".into()
            }
            None if share.what == "free" => "nobody knows what".into(),
            None => String::new(),
        };
        let what = format!("{what}{who}");
        let what = shorten(
            what.trim_end_matches(": "),
            page.width().saturating_sub(LEFT),
            page.ellipsis(),
        );
        page.line(&format!("  {bar} {:>9}  {of:>7}  {what}", bytes(share.bytes)));
    }
    more(shares.len(), MAX_SHARES, "share", page);
}

fn words_for(what: &str) -> (&'static str, Style) {
    match what {
        "lost" => ("what is lost: ", Style::Bad),
        "possibly-lost" => ("what is possibly lost: ", Style::Warn),
        "container" => ("a container that only grows: ", Style::Warn),
        "held" | "live" => ("what is held: ", Style::Good),
        "suppressed" => ("known noise: ", Style::Dim),
        "free" => ("free now, grown for: ", Style::Dim),
        "fragmentation" => ("want of a large enough piece: ", Style::Warn),
        "policy" => ("in advance: ", Style::Dim),
        "direct" => ("by the program itself: ", Style::Warn),
        "unexplained" => ("the host, unexplained", Style::Warn),
        _ => ("all else", Style::Dim),
    }
}

fn parts(account: &Account, how: Option<&str>) -> [(u64, &'static str, Style); 10] {
    let overhead = match how {
        Some("estimated") => "the allocator's own, estimated: headers and rounding",
        _ => "the allocator's own: headers and rounding",
    };
    let live = &account.live;
    let lost = live.definitely_lost.saturating_add(live.indirectly_lost);
    let held = live.still_reachable.saturating_add(live.unknown);
    [
        (lost, "live, and lost", Style::Bad),
        (live.possibly_lost, "live, possibly lost", Style::Warn),
        (held, "live, and held", Style::Good),
        (live.suppressed, "live, known noise", Style::Dim),
        (account.overhead, overhead, Style::Dim),
        (account.free_fitting, "free, in pieces the program can use", Style::Good),
        (account.free_fragmented, "free, in pieces too small: fragmentation", Style::Warn),
        (account.tail, "never used, at the top", Style::Dim),
        (account.untracked, "grown by others than the allocator", Style::Warn),
        (account.static_bytes.saturating_add(account.stack), "static variables, stack", Style::Dim),
    ]
}

/// `it grew by 49 pages: 35 for more live bytes, 14 for want of a large enough piece`.
fn growth(report: &Report) -> Option<String> {
    let growth = &report.memory.growth;
    if growth.bytes == 0 {
        return None;
    }
    let causes = [
        (growth.demand, "for more live bytes"),
        (growth.fragmentation, "for want of a piece that was large enough"),
        (growth.policy, "in advance"),
        (growth.direct, "by the program itself"),
        (growth.unexplained, "by the host, unexplained"),
    ];
    let parts: Vec<String> = causes
        .iter()
        .filter(|(bytes, _)| *bytes > 0)
        .map(|(bytes, why)| format!("{} {why}", percent(*bytes, growth.bytes)))
        .collect();
    let pages = plural(growth.bytes / PAGE, "page");
    Some(format!("it grew by {pages}: {}", parts.join(", ")))
}
