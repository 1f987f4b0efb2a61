//! What has changed from one report to another, and whether that is too much.
//!
//! Two reports go in and a [`Diff`] comes out, the same for the same reports. Nothing is guessed:
//! where the reports leave something open, such as contexts that they do not list, `notes` says it.

mod matching;
mod notes;
mod schema;

use crate::schema::{Count, Report, Tool};
use matching::{Entry, Figures, Pair, pairs};
use notes::notes;
pub use schema::{
    AccountChange, Change, ContextChange, ContextCounts, CountChange, DIFF_SCHEMA, DIFF_VERSION,
    Diff, DiffVerdict, MatchedBy, MemoryChange, Regression, Side, Status, TotalsChange,
    diff_json_schema,
};
use serde_json::Value;
use std::{cmp::Reverse, collections::BTreeMap};

/// How to compare.
#[derive(Clone, Debug, PartialEq)]
pub struct DiffOptions {
    /// The version of the program that compares.
    pub tool_version: String,
    /// The files that the reports were read from, the old one first.
    pub sources: [String; 2],
    /// The most contexts that are listed.
    pub max_contexts: usize,
    /// Whether a context with lost blocks that had none is a regression.
    pub fail_on_new: bool,
    /// By how much figures may rise before that is a regression.
    pub fail_on_increase: Option<Increase>,
}

impl DiffOptions {
    /// The usual limits, and nothing that fails.
    pub fn new(tool_version: impl Into<String>) -> DiffOptions {
        DiffOptions {
            tool_version: tool_version.into(),
            sources: Default::default(),
            max_contexts: 1000,
            fail_on_new: false,
            fail_on_increase: None,
        }
    }
}

/// An increase that is still allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Increase {
    /// Percent of what it was.
    Percent(f64),
    /// Bytes.
    Bytes(u64),
}

impl Increase {
    fn is_exceeded(self, figure: Change) -> bool {
        let increase = figure.new.saturating_sub(figure.old);
        match self {
            Increase::Percent(percent) => {
                increase > 0 && increase as f64 * 100.0 > figure.old as f64 * percent
            }
            Increase::Bytes(bytes) => increase > bytes,
        }
    }
}

/// What has changed from the old report to the new one.
pub fn diff(old: &Report, new: &Report, options: &DiffOptions) -> Diff {
    let totals = totals(old, new);
    let memory = memory(old, new);
    let mut counts = ContextCounts::default();
    let mut newly_lost = Count::default();
    let mut contexts: Vec<ContextChange> = Vec::new();
    for pair in pairs(old, new) {
        let context = change(&pair);
        counts.by_functions += u64::from(pair.matched_by == MatchedBy::Functions);
        let Some(context) = context else {
            counts.same += 1;
            continue;
        };
        match context.status {
            Status::New => counts.new += 1,
            Status::Gone => counts.gone += 1,
            Status::Changed => counts.changed += 1,
        }
        if context.lost.blocks.old == 0 && context.lost.blocks.new > 0 {
            counts.newly_lost += 1;
            newly_lost.blocks = newly_lost.blocks.saturating_add(context.lost.blocks.new);
            newly_lost.bytes = newly_lost.bytes.saturating_add(context.lost.bytes.new);
        }
        contexts.push(context);
    }
    sort(&mut contexts);
    let regressions = regressions(options, &totals, &memory, counts, newly_lost);
    let is_same = contexts.is_empty()
        && totals.figures().iter().all(|figure| figure.is_same())
        && memory.final_pages.change == 0
        && memory.account.iter().all(|part| part.bytes.change == 0);
    let notes = notes(old, new, counts, &contexts);
    let dropped_contexts = contexts.len().saturating_sub(options.max_contexts) as u64;
    contexts.truncate(options.max_contexts);
    let [old_source, new_source] = &options.sources;
    Diff {
        schema: DIFF_SCHEMA.into(),
        tool: Tool { name: "seepage".into(), version: options.tool_version.clone() },
        verdict: match (regressions.is_empty(), is_same) {
            (false, _) => DiffVerdict::Regression,
            (true, false) => DiffVerdict::Changed,
            (true, true) => DiffVerdict::Same,
        },
        old: side(old, old_source),
        new: side(new, new_source),
        totals,
        memory,
        counts,
        contexts,
        regressions,
        notes,
        dropped_contexts,
    }
}

impl CountChange {
    fn between(old: Count, new: Count) -> CountChange {
        CountChange {
            blocks: Change::new(old.blocks, new.blocks),
            bytes: Change::new(old.bytes, new.bytes),
        }
    }

    /// Whether nothing has changed.
    pub fn is_same(&self) -> bool {
        self.blocks.old == self.blocks.new && self.bytes.old == self.bytes.new
    }
}

impl TotalsChange {
    fn figures(&self) -> [CountChange; 4] {
        [self.lost, self.live, self.peak, self.allocated]
    }
}

fn side(report: &Report, source: &str) -> Side {
    Side {
        source: source.into(),
        version: report.tool.version.clone(),
        module: report.module.name.clone(),
        outcome: report.guest.outcome.clone(),
        verdict: report.verdict.kind,
        contexts: report.contexts.len() as u64,
        unlisted_contexts: report.dropped.contexts,
    }
}

fn totals(old: &Report, new: &Report) -> TotalsChange {
    let lost = |report: &Report| match &report.leaks {
        Some(leaks) => matching::sum(leaks.definitely_lost, leaks.indirectly_lost),
        None => {
            let (live, suppressed) = (report.totals.live, report.totals.suppressed);
            Count {
                blocks: live.blocks.saturating_sub(suppressed.blocks),
                bytes: live.bytes.saturating_sub(suppressed.bytes),
            }
        }
    };
    let (one, other) = (&old.totals, &new.totals);
    TotalsChange {
        lost: CountChange::between(lost(old), lost(new)),
        live: CountChange::between(one.live, other.live),
        peak: CountChange::between(one.peak, other.peak),
        allocated: CountChange::between(one.allocated, other.allocated),
    }
}

fn memory(old: &Report, new: &Report) -> MemoryChange {
    let (olds, news) = (account(old), account(new));
    MemoryChange {
        initial_pages: Change::new(old.memory.initial_pages, new.memory.initial_pages),
        final_pages: Change::new(old.memory.final_pages, new.memory.final_pages),
        account: account_change(olds, news),
    }
}

fn account_change(
    mut olds: BTreeMap<String, u64>,
    news: BTreeMap<String, u64>,
) -> Vec<AccountChange> {
    let mut parts: Vec<AccountChange> = Vec::new();
    for (part, bytes) in news {
        let before = olds.remove(&part).unwrap_or(0);
        parts.push(AccountChange { part, bytes: Change::new(before, bytes) });
    }
    let gone = olds.into_iter();
    parts.extend(gone.map(|(part, bytes)| AccountChange { part, bytes: Change::new(bytes, 0) }));
    parts.sort_by(|one, other| one.part.cmp(&other.part));
    parts
}

/// The parts of the memory's account by their names, of reports that have one.
fn account(report: &Report) -> BTreeMap<String, u64> {
    let memory = serde_json::to_value(&report.memory).unwrap_or_default();
    let mut parts = BTreeMap::new();
    account_parts(&memory["account"], "", &mut parts);
    parts
}

fn account_parts(value: &Value, name: &str, parts: &mut BTreeMap<String, u64>) {
    match value {
        Value::Number(number) => {
            parts.insert(name.into(), number.as_u64().unwrap_or(0));
        }
        Value::Object(fields) => {
            for (field, value) in fields {
                let dot = if name.is_empty() { "" } else { "." };
                account_parts(value, &format!("{name}{dot}{field}"), parts);
            }
        }
        _ => {}
    }
}

/// The change of a context, if there is any.
fn change(pair: &Pair<'_>) -> Option<ContextChange> {
    let figures = |side: &Option<Entry<'_>>| side.as_ref().map(|it| it.figures).unwrap_or_default();
    let contexts = |side: &Option<Entry<'_>>| side.as_ref().map_or(0, |it| it.contexts);
    let (old, new): (Figures, Figures) = (figures(&pair.old), figures(&pair.new));
    let status = match (&pair.old, &pair.new) {
        (None, _) => Status::New,
        (_, None) => Status::Gone,
        _ if old == new => return None,
        _ => Status::Changed,
    };
    let shown = pair.new.as_ref().or(pair.old.as_ref())?;
    Some(ContextChange {
        status,
        matched_by: pair.matched_by,
        module: shown.module.into(),
        frames: shown.frames.to_vec(),
        old_contexts: contexts(&pair.old),
        new_contexts: contexts(&pair.new),
        lost: CountChange::between(old.lost, new.lost),
        live: CountChange::between(old.live, new.live),
        peak: CountChange::between(old.peak, new.peak),
        allocated: CountChange::between(old.allocated, new.allocated),
    })
}

/// Stable: what is alike in all figures stays in the order of its frames.
fn sort(contexts: &mut [ContextChange]) {
    contexts.sort_by_key(|context| {
        let figures = [context.lost, context.live, context.peak, context.allocated];
        let bytes = figures.map(|figure| figure.bytes.change.unsigned_abs());
        let blocks = figures.map(|figure| figure.blocks.change.unsigned_abs());
        Reverse((bytes, blocks))
    });
}

fn regressions(
    options: &DiffOptions,
    totals: &TotalsChange,
    memory: &MemoryChange,
    counts: ContextCounts,
    newly_lost: Count,
) -> Vec<Regression> {
    let mut regressions = Vec::new();
    if options.fail_on_new && counts.newly_lost > 0 {
        regressions.push(Regression {
            limit: "fail-on-new".into(),
            what: "lost-contexts".into(),
            summary: format!(
                "contexts that held no lost blocks before: {}, with {} bytes in {} blocks",
                counts.newly_lost, newly_lost.bytes, newly_lost.blocks,
            ),
            figure: Change::new(0, counts.newly_lost),
        });
    }
    let pages = memory.final_pages;
    let bytes = |pages: u64| pages.saturating_mul(65_536);
    let figures = [
        ("lost-bytes", totals.lost.bytes),
        ("peak-bytes", totals.peak.bytes),
        ("memory-bytes", Change::new(bytes(pages.old), bytes(pages.new))),
    ];
    for (what, figure) in figures {
        let Some(limit) = options.fail_on_increase.filter(|limit| limit.is_exceeded(figure)) else {
            continue;
        };
        let allowed = match limit {
            Increase::Percent(percent) => format!("{percent} %"),
            Increase::Bytes(bytes) => format!("{bytes} bytes"),
        };
        regressions.push(Regression {
            limit: "fail-on-increase".into(),
            what: what.into(),
            summary: format!(
                "{} rose from {} to {}, by more than {allowed}",
                what.replace('-', " "),
                figure.old,
                figure.new,
            ),
            figure,
        });
    }
    regressions
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn accounts_are_compared_part_by_part() {
        let parts = |value: Value| {
            let mut parts = BTreeMap::new();
            account_parts(&value, "", &mut parts);
            parts
        };
        let old = parts(json!({ "static": 7, "live": { "lost": 3 }, "tail": 1 }));
        let new = parts(json!({ "static": 7, "live": { "lost": 5 }, "stack": 2 }));
        let changes: Vec<(String, i64)> = account_change(old, new)
            .into_iter()
            .map(|change| (change.part, change.bytes.change))
            .collect();
        let expected = [("live.lost", 2), ("stack", 2), ("static", 0), ("tail", -1)];
        assert_eq!(changes, expected.map(|(part, change)| (part.to_string(), change)));
        assert!(parts(Value::Null).is_empty());
    }
}
