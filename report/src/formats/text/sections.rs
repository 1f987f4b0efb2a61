//! The parts below the account: traps, errors, contexts, growth, noise, blind spots, what next.

use super::{
    losses,
    page::{Page, Style},
    stacks::{self, FEW, Layout, MANY, Prefix},
    units::{bytes, percent},
    words::{clean, shell},
};
use crate::{
    formats::{Invocation, Verb},
    schema::{Anomaly, Context, Count, Frame, Grow, GrownBy, OpenFiles, Report, VerdictKind},
};
use seepage_analysis::words::{plural, thousands};
use std::cmp::Reverse;

/// Contexts that are named for the growth of memory.
const MAX_GROWERS: usize = 3;
/// Suppression rules that are listed: the built-in ones, and some.
const MAX_RULES: usize = 20;
/// Paths that are named of files that were opened at one place.
const MAX_PATHS: usize = 4;
const BAR: usize = 10;
pub(super) const STACK: Layout = Layout { indent: 4, frames: MANY };

pub(super) fn trap(report: &Report, page: &mut Page<'_>) {
    let guest = &report.guest;
    // How it ended, if that is not known in one word, is in the account.
    if let Some(message) = guest.message.as_ref().filter(|_| guest.outcome != "unknown") {
        page.heading(if guest.outcome == "trapped" { "trap" } else { "message of the host" });
        for line in message.lines().take(6) {
            page.line(&format!("  {}", clean(line)));
        }
    }
    if !guest.trap_stack.is_empty() {
        let prefix = Prefix::of(guest.trap_stack.iter());
        stacks::render(&guest.trap_stack, false, STACK, &prefix, page);
    }
}

pub(super) fn anomalies(report: &Report, page: &mut Page<'_>) {
    let top = page.options.top;
    let errors = || report.anomalies.iter().filter(|anomaly| anomaly.error);
    let refused = || report.anomalies.iter().filter(|anomaly| !anomaly.error);
    if errors().next().is_some() {
        page.heading("heap errors");
    }
    for anomaly in errors().take(top) {
        one_anomaly(anomaly, report, page);
    }
    more(errors().count(), top, "place", page);
    if refused().next().is_some() {
        page.heading("refused allocations");
    }
    for anomaly in refused().take(top) {
        one_anomaly(anomaly, report, page);
    }
    more(refused().count(), top, "place", page);
}

fn one_anomaly(anomaly: &Anomaly, report: &Report, page: &mut Page<'_>) {
    let size = |size: Option<u64>| plural(size.unwrap_or(0), "byte");
    let (given, block) = (size(anomaly.size), size(anomaly.block_size));
    // Objects of a log have no address that means anything: the stack names them.
    let address = if !report.types.is_empty() {
        "an object".into()
    } else {
        format!("{:#x}", anomaly.address)
    };
    let what = match anomaly.kind.as_str() {
        "double-free" => format!("double free of {address}"),
        "unknown-free" => {
            format!(
                "free of {address}, where no block had been allocated{}",
                whose(anomaly, report)
            )
        }
        "interior-free" => format!("free of {address}, inside a block of {block}"),
        "unknown-realloc" => {
            format!("reallocation of {address}, where no block was live{}", whose(anomaly, report))
        }
        "overlap" => format!("{address} given out for {given} while {block} were live there"),
        "size-mismatch" => format!("{block} at {address} freed as {given}"),
        "alignment-mismatch" => {
            let align = |align: Option<u64>| align.unwrap_or(0);
            let (was, is) = (align(anomaly.block_size), align(anomaly.size));
            format!("{address}, aligned to {was}, freed as aligned to {is}")
        }
        "crossing-free" => {
            let sides = match anomaly.side.as_deref() {
                Some("host") => "the module, freed by the host",
                _ => "the host, freed by the module",
            };
            format!("{block} at {address}, allocated by {sides}")
        }
        "mismatched-free" => {
            let name = |name: &Option<String>| {
                clean(name.as_deref().unwrap_or("another function")).into_owned()
            };
            let (came, went) = (name(&anomaly.allocated_by), name(&anomaly.function));
            format!("{block} at {address} from {came} given to {went}")
        }
        _ => format!("{given} refused"),
    };
    let times = if anomaly.count > 1 {
        format!(", {} in all", plural(anomaly.count, "time"))
    } else {
        String::new()
    };
    let style = if anomaly.error { Style::Bad } else { Style::Warn };
    let what = page.paint(style, &what);
    page.line(&format!("  {what}{times}"));
    let others = [
        ("allocated", &anomaly.allocation_frames, &anomaly.allocation_side, &anomaly.allocated_by),
        ("freed before", &anomaly.first_free_frames, &anomaly.first_free_side, &None),
    ];
    let all = others.iter().filter_map(|(_, frames, ..)| frames.as_ref()).flatten();
    let prefix = Prefix::of(anomaly.frames.iter().chain(all));
    let is_hosts = |side: &Option<String>| side.as_deref() == Some("host");
    // Beside the host's calls those of the module say so too.
    let has_sides = is_hosts(&anomaly.side) || others.iter().any(|(_, _, side, _)| is_hosts(side));
    if is_hosts(&anomaly.side) {
        page.line(&format!("    {}", stacks::by_the_host(anomaly.function.as_deref())));
    } else {
        if has_sides && !anomaly.frames.is_empty() {
            page.line("    in the module, at");
        }
        stacks::render(&anomaly.frames, false, STACK, &prefix, page);
    }
    for (label, frames, side, function) in others {
        let Some(frames) = frames else { continue };
        if is_hosts(side) {
            page.line(&format!("    {label} {}", stacks::by_the_host(function.as_deref())));
            continue;
        }
        let place = if has_sides && !frames.is_empty() { "in the module, at" } else { "at" };
        page.line(&format!("    {label} {place}"));
        stacks::render(frames, false, Layout { indent: 6, frames: FEW }, &prefix, page);
    }
}

/// Which other module has a block where its own has none.
fn whose(anomaly: &Anomaly, report: &Report) -> String {
    let names = std::iter::once(&report.module.name);
    let mut names = names.chain(report.modules.iter().map(|module| &module.name));
    let place = anomaly.allocation_module.and_then(|place| usize::try_from(place).ok());
    match place.and_then(|place| names.nth(place)) {
        Some(name) => format!("; {} has a live one there", clean(name)),
        None => String::new(),
    }
}

/// What is live at the end; if nothing is, what was at the high-water mark.
pub(super) fn contexts(report: &Report, page: &mut Page<'_>) {
    let top = page.options.top;
    if report.leaks.is_some() && !report.loss_records.is_empty() {
        return losses::render(report, page);
    }
    let live: Vec<&Context> = report
        .contexts
        .iter()
        .filter(|context| context.live.blocks > 0 && context.suppressed_by.is_none())
        .collect();
    if !live.is_empty() {
        let ended = matches!(report.guest.outcome.as_str(), "returned" | "exited");
        page.heading(if ended { "live at exit" } else { "live when it ended" });
        let whole = report.totals.live.bytes.wrapping_sub(report.totals.suppressed.bytes);
        let prefix = prefix(&live, top);
        for context in live.iter().take(top) {
            one_context(context, context.live, whole, &prefix, page);
        }
        let count = (report.totals.live_contexts as usize).max(live.len());
        return more(count, top, "context", page);
    }
    let mut peak: Vec<&Context> =
        report.contexts.iter().filter(|context| context.peak.blocks > 0).collect();
    peak.sort_by_key(|context| Reverse(context.peak.bytes));
    if !peak.is_empty() {
        page.heading("at the high-water mark");
        let prefix = prefix(&peak, top);
        for context in peak.iter().take(top) {
            one_context(context, context.peak, report.totals.peak.bytes, &prefix, page);
        }
        more(peak.len(), top, "context", page);
    }
}

fn prefix(contexts: &[&Context], top: usize) -> Prefix {
    Prefix::of(contexts.iter().take(top).flat_map(|context| &context.frames))
}

fn one_context(context: &Context, held: Count, whole: u64, prefix: &Prefix, page: &mut Page<'_>) {
    let bar = page.paint(Style::Bad, &page.bar(held.bytes, whole, BAR));
    let of = if context.allocated.blocks > held.blocks {
        format!(" of {} allocated here", thousands(context.allocated.blocks))
    } else {
        String::new()
    };
    let blocks = plural(held.blocks, "block");
    let share = percent(held.bytes, whole);
    page.line(&format!("  {bar} {:>9}  {share:>7}  {blocks}{of}", bytes(held.bytes)));
    let known = Some(context).filter(|context| context.known);
    stacks::render_allocation(&context.frames, context.truncated, known, STACK, prefix, page);
}

pub(super) fn more(count: usize, shown: usize, noun: &str, page: &mut Page<'_>) {
    if count > shown {
        let more = plural((count - shown) as u64, noun);
        let more = page.paint(Style::Dim, &format!("{} and {more} more", page.ellipsis()));
        page.line(&format!("  {more}"));
    }
}

/// What was opened and never closed.
pub(super) fn open_files(report: &Report, page: &mut Page<'_>) {
    let (files, top) = (&report.open_files, page.options.top);
    if files.is_empty() {
        return;
    }
    page.heading("open files");
    let prefix = Prefix::of(files.iter().take(top).flat_map(|files| &files.frames));
    for files in files.iter().take(top) {
        let count = format!("{} {}", thousands(files.count), kind(files));
        let count = page.paint(Style::Warn, &count);
        let paths: Vec<_> = files.paths.iter().take(MAX_PATHS).map(|path| clean(path)).collect();
        let more = if files.paths.len() > MAX_PATHS { page.ellipsis() } else { "" };
        page.line(format!("  {count}  {} {more}", paths.join(", ")).trim_end());
        stacks::render(&files.frames, false, STACK, &prefix, page);
    }
    more(files.len(), top, "place", page);
}

fn kind(files: &OpenFiles) -> String {
    let kind = clean(&files.kind);
    match (files.count, &*kind) {
        (1, _) => kind.into_owned(),
        (_, "directory") => "directories".into(),
        _ => format!("{kind}s"),
    }
}

/// Who made the memory grow.
pub(super) fn growth(report: &Report, page: &mut Page<'_>) {
    let growers = growers(report);
    if growers.is_empty() {
        return;
    }
    page.heading("who grew the memory");
    let prefix = Prefix::of(growers.iter().take(MAX_GROWERS).flat_map(|grower| grower.frames));
    for grower in growers.iter().take(MAX_GROWERS) {
        let times = plural(grower.times, "growth");
        page.line(&format!("  {} in {times}", plural(grower.pages, "page")));
        if let Some(line) = grower.told.and_then(state) {
            page.line(&format!("    {line}"));
        }
        match grower.by {
            GrownBy::Host => page.line("    the host, or another module"),
            GrownBy::Guest => stacks::render(
                grower.frames,
                false,
                Layout { indent: 4, frames: MANY },
                &prefix,
                page,
            ),
        }
    }
    more(growers.len(), MAX_GROWERS, "context", page);
}

struct Grower<'a> {
    by: GrownBy,
    frames: &'a [Frame],
    pages: u64,
    times: u64,
    /// Of these growths the one that tells most: the last of those for want of a large enough piece,
    /// or else of all.
    told: Option<&'a Grow>,
}

impl<'a> Grower<'a> {
    fn tell(&mut self, grow: &'a Grow) {
        let is_fragmentation = |grow: &Grow| grow.cause.as_deref() == Some("fragmentation");
        if is_fragmentation(grow) || !self.told.is_some_and(is_fragmentation) {
            self.told = Some(grow);
        }
    }
}

/// `the last was for 96 KiB, with 1.2 MiB free in 4,000 pieces, the largest of 300 B`.
fn state(grow: &Grow) -> Option<String> {
    let (request, free) = (grow.request?, grow.free?);
    let pieces = match (free.runs, free.largest) {
        (Some(0), _) => "nothing free".into(),
        (Some(1), _) => format!("{} free in one piece", bytes(free.bytes)),
        (Some(runs), Some(largest)) => {
            let pieces = plural(runs, "piece");
            format!("{} free in {pieces}, the largest of {}", bytes(free.bytes), bytes(largest))
        }
        _ => format!("{} free", bytes(free.bytes)),
    };
    Some(format!("the last was for {}, with {pieces}", bytes(request)))
}

fn growers(report: &Report) -> Vec<Grower<'_>> {
    let mut growers: Vec<Grower<'_>> = Vec::new();
    for grow in report.memory.grows.iter().filter(|grow| !grow.refused) {
        let pages = grow.to_pages - grow.from_pages.min(grow.to_pages);
        let known = growers
            .iter_mut()
            .find(|grower| grower.by == grow.by && grower.frames == grow.frames.as_slice());
        match known {
            Some(grower) => {
                grower.pages = grower.pages.saturating_add(pages);
                grower.times += 1;
                grower.tell(grow);
            }
            None => growers.push(Grower {
                by: grow.by,
                frames: &grow.frames,
                pages,
                times: 1,
                told: Some(grow),
            }),
        }
    }
    growers.sort_by_key(|grower| Reverse(grower.pages));
    growers
}

pub(super) fn suppressions(report: &Report, page: &mut Page<'_>) {
    let applied = || report.suppressions.iter().filter(|it| it.blocks > 0 || it.beyond.is_some());
    if applied().next().is_none() {
        return;
    }
    let built_in = applied().all(|it| it.place.is_none());
    page.heading(if built_in {
        "known noise, not in the verdict"
    } else {
        "suppressed, not in the verdict"
    });
    for suppression in applied().take(MAX_RULES) {
        let count = plural(suppression.blocks, "block");
        let size = bytes(suppression.bytes);
        let (rule, reason) = (clean(&suppression.rule), clean(&suppression.reason));
        let beyond = match suppression.beyond {
            Some(beyond) => {
                let blocks = plural(beyond.blocks, "block");
                format!("; {blocks}, {} beyond its limit", bytes(beyond.bytes))
            }
            None => String::new(),
        };
        page.line(&format!("  {rule}: {count}, {size}: {reason}{beyond}"));
    }
    more(applied().count(), MAX_RULES, "rule", page);
}

/// What seepage could not see, so that nobody takes silence for an answer.
pub(super) fn unseen(report: &Report, page: &mut Page<'_>) {
    let mut lines: Vec<String> = Vec::new();
    let modules = || std::iter::once(&report.module).chain(&report.modules);
    for module in modules() {
        if !module.contexts && !module.allocators.is_empty() {
            lines.push(format!("who allocates in {}: contexts are off", clean(&module.name)));
        }
        for spot in &module.blind_spots {
            // What is true of all needs no name.
            let is_of_all = modules().all(|other| other.blind_spots.contains(spot));
            let line = match is_of_all {
                true => clean(spot).into_owned(),
                false => format!("{}: {}", clean(&module.name), clean(spot)),
            };
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines.extend(not_judged_at_marks(report));
    let dropped = &report.dropped;
    let drops = [
        (dropped.records, "record", "could not be taken from the guest"),
        (dropped.unknown_records, "record", "that this version does not understand"),
        (dropped.unknown_contexts, "event", "whose calling context the trace does not explain"),
        (dropped.blocks, "block", "beyond the limit, not followed"),
        (dropped.frees, "free", "that may have meant one of those"),
        (dropped.stacks, "stack", "beyond the limit, not told apart"),
        (dropped.modules, "module", "beyond the limit, not followed"),
        (dropped.grows, "growth", "of memory beyond the limit, not listed"),
        (dropped.looks, "growth", "of memory at which the free runs were not counted"),
        (dropped.anomalies, "anomaly", "beyond the limit, not listed"),
        (dropped.regions, "root region", "beyond the limit, not looked at"),
        (dropped.open_files, "open file", "beyond the limit, not listed"),
        (dropped.findings, "finding", "beyond the limit, not listed"),
        (dropped.heap_maps, "map", "of the memory beyond the limit, not drawn"),
        (dropped.contexts, "context", "beyond the limit, not listed"),
        (dropped.types, "type", "beyond the limit, not listed"),
    ];
    for (count, noun, what) in drops.into_iter().filter(|(count, ..)| *count > 0) {
        lines.push(format!("{} {what}", plural(count, noun)));
    }
    if lines.is_empty() {
        return;
    }
    page.line("");
    let heading = page.paint(Style::Warn, "seepage could not see");
    page.line(&heading);
    for line in lines {
        page.line(&format!("  {line}"));
    }
}

/// Why it is not known what was lost at marks, and at how many.
fn not_judged_at_marks(report: &Report) -> Vec<String> {
    let mut reasons: Vec<(&str, u64)> = Vec::new();
    for mark in report.marks.iter().filter(|mark| mark.live.blocks > 0) {
        let Some(reason) = mark.not_judged.as_deref() else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => reasons.push((reason, 1)),
        }
    }
    let line =
        |(reason, count)| format!("what was lost at {}: {}", plural(count, "mark"), clean(reason));
    reasons.into_iter().map(line).collect()
}

pub(super) fn next(report: &Report, invocation: Option<&Invocation>, page: &mut Page<'_>) {
    page.line("");
    let mut frames = report.contexts.iter().flat_map(|context| &context.frames).peekable();
    if frames.peek().is_some() && frames.all(|frame| frame.line.is_none()) {
        page.line("next: build with -g (debug information) to see files and lines");
    }
    let Some(invocation) = invocation else { return };
    let target = shell(&invocation.target);
    let everything = |verb: &str, target: &str| {
        format!("next: seepage {verb} --format json {target}   has everything")
    };
    let line = match (invocation.verb, report.verdict.kind, &invocation.trace) {
        (Verb::Run | Verb::Check, VerdictKind::Blind, _) => {
            format!("next: seepage inspect {target}   shows what may be its allocator")
        }
        (Verb::Run, VerdictKind::Clean, _) => {
            format!("next: seepage check {target}   keeps it so, in CI")
        }
        (Verb::Run, VerdictKind::Inconclusive, _) => everything("run", &target),
        (Verb::Run, ..) => format!("next: seepage check {target}   fails as long as this is found"),
        (Verb::Check, _, Some(trace)) => everything("analyze", &shell(trace)),
        (Verb::Check, _, None) => everything("run", &target),
        (Verb::Analyze, ..) => everything("analyze", &target),
    };
    page.line(&line);
}
