//! Which context of one report is which of the other.
//!
//! First by functions, files and lines; columns say nothing that lasts. What is left over is
//! compared by functions alone, since lines move with every edit above them: as many on both sides
//! are paired in their order, else they are taken together.

use super::schema::MatchedBy;
use crate::schema::{self, Count, Frame, LeakKind, Report};
use std::collections::BTreeMap;

/// What a context costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) lost: Count,
    pub(super) live: Count,
    pub(super) peak: Count,
    pub(super) allocated: Count,
}

/// One or several contexts of one report.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    pub(super) module: &'a str,
    /// The stack of the first of them.
    pub(super) frames: &'a [Frame],
    pub(super) contexts: u64,
    pub(super) figures: Figures,
}

/// A context of either report, or of both.
#[derive(Clone, Debug)]
pub(super) struct Pair<'a> {
    pub(super) old: Option<Entry<'a>>,
    pub(super) new: Option<Entry<'a>>,
    pub(super) matched_by: MatchedBy,
}

/// A frame by what lasts of it.
type FrameKey<'a> = (&'a str, Option<&'a str>, Option<u32>);
/// The module's name, or nothing for the first: that one may have been renamed.
type Key<'a> = (Option<&'a str>, Vec<FrameKey<'a>>);
type FunctionsKey<'a> = (Option<&'a str>, Vec<&'a str>);

/// What counts as lost where nobody looked at what points to the blocks.
fn unsuppressed(context: &schema::Context) -> Count {
    if context.suppressed_by.is_some() { Count::default() } else { context.live }
}

/// Kinds of blocks that nothing can free any more.
fn is_lost(kind: LeakKind) -> bool {
    matches!(kind, LeakKind::DefinitelyLost | LeakKind::IndirectlyLost)
}

pub(super) fn sum(one: Count, other: Count) -> Count {
    Count {
        blocks: one.blocks.saturating_add(other.blocks),
        bytes: one.bytes.saturating_add(other.bytes),
    }
}

impl Entry<'_> {
    fn add(&mut self, contexts: u64, figures: Figures) {
        self.contexts += contexts;
        self.figures = Figures {
            lost: sum(self.figures.lost, figures.lost),
            live: sum(self.figures.live, figures.live),
            peak: sum(self.figures.peak, figures.peak),
            allocated: sum(self.figures.allocated, figures.allocated),
        };
    }
}

fn entries(report: &Report) -> BTreeMap<Key<'_>, Entry<'_>> {
    let mut entries: BTreeMap<Key<'_>, Entry<'_>> = BTreeMap::new();
    let mut add = |module: u64, frames, contexts, figures| {
        let other = (module as usize).checked_sub(1);
        let other = other.and_then(|place| report.modules.get(place));
        let module = other.unwrap_or(&report.module).name.as_str();
        entries
            .entry((other.map(|_| module), key(frames)))
            .and_modify(|entry| entry.add(contexts, figures))
            .or_insert(Entry { module, frames, contexts, figures });
    };
    for context in &report.contexts {
        let lost = if report.leaks.is_some() { Count::default() } else { unsuppressed(context) };
        let (live, peak) = (context.live, context.peak);
        let figures = Figures { lost, live, peak, allocated: context.allocated };
        add(context.module, &context.frames[..], 1, figures);
    }
    for record in report.loss_records.iter().filter(|record| is_lost(record.kind)) {
        let lost = Count { blocks: record.blocks, bytes: record.bytes };
        add(record.module, &record.frames[..], 0, Figures { lost, ..Figures::default() });
    }
    entries
}

fn key(frames: &[Frame]) -> Vec<FrameKey<'_>> {
    frames.iter().map(|it| (it.function.as_str(), it.file.as_deref(), it.line)).collect()
}

/// Every context of both reports, each once.
pub(super) fn pairs<'a>(old: &'a Report, new: &'a Report) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    let mut news = entries(new);
    let mut groups: BTreeMap<FunctionsKey<'a>, [Vec<Entry<'a>>; 2]> = BTreeMap::new();
    let mut leave_over = |(module, frames): Key<'a>, entry: Entry<'a>, side: usize| {
        let functions = frames.into_iter().map(|(function, ..)| function).collect();
        groups.entry((module, functions)).or_default()[side].push(entry);
    };
    for (key, entry) in entries(old) {
        match news.remove(&key) {
            Some(other) => pairs.push(Pair {
                old: Some(entry),
                new: Some(other),
                matched_by: MatchedBy::Frames,
            }),
            None => leave_over(key, entry, 0),
        }
    }
    news.into_iter().for_each(|(key, entry)| leave_over(key, entry, 1));
    for [olds, news] in groups.into_values() {
        let matched_by = match (olds.is_empty(), news.is_empty()) {
            (false, false) => MatchedBy::Functions,
            _ => MatchedBy::Nothing,
        };
        if matched_by == MatchedBy::Functions && olds.len() != news.len() {
            pairs.push(Pair { old: together(olds), new: together(news), matched_by });
            continue;
        }
        let (mut olds, mut news) = (olds.into_iter(), news.into_iter());
        loop {
            let (old, new) = (olds.next(), news.next());
            if old.is_none() && new.is_none() {
                break;
            }
            pairs.push(Pair { old, new, matched_by });
        }
    }
    pairs
}

fn together(entries: Vec<Entry<'_>>) -> Option<Entry<'_>> {
    entries.into_iter().reduce(|mut all, entry| {
        all.add(entry.contexts, entry.figures);
        all
    })
}
