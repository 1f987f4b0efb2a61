//! Logs of `@ALLOCATE` and `@DROP` lines.

use super::{Feed, Reading, pieces};
use anyhow::{Context, Result};
use seepage_analysis::{
    import::{AllocLog, LogCounts},
    words::{plural, thousands},
};
use std::{io::Read, path::Path};

/// What is no trace is searched so far for a first line of a log.
const SEARCHED: usize = 64 << 20;

pub(super) fn read(input: &mut dyn Read, name: &str, feed: &mut Feed<'_>) -> Result<Reading> {
    read_some(input, name, feed, usize::MAX)?.context(
        "no line of it is `@ALLOCATE type size file:line id` or `@DROP type size id`\n\
         hint: docs/cli.md describes these logs",
    )
}

/// Nothing if the input has no line of a log, as far as it is searched.
pub(super) fn try_read(
    input: &mut dyn Read,
    name: &str,
    feed: &mut Feed<'_>,
) -> Result<Option<Reading>> {
    read_some(input, name, feed, SEARCHED)
}

fn read_some(
    input: &mut dyn Read,
    name: &str,
    feed: &mut Feed<'_>,
    most: usize,
) -> Result<Option<Reading>> {
    let file = Path::new(name).file_name().unwrap_or_default().to_string_lossy();
    let mut log = AllocLog::new(&file);
    let mut searched = 0usize;
    pieces(input, |piece| {
        log.push(piece, feed);
        searched = searched.saturating_add(piece.len());
        log.counts().events > 0 || searched < most
    })?;
    let counts = log.finish(feed);
    Ok((counts.events > 0).then(|| reading(name, counts)))
}

fn reading(name: &str, counts: LogCounts) -> Reading {
    let LogCounts { lines, events, damaged, same_ids, other_sizes } = counts;
    let mut reading = Reading::default();
    let others = plural(lines - events - damaged, "other line");
    let events = thousands(events);
    reading.notes.push(format!(
        "`{name}`: {} read, {events} with events, {others} passed over",
        plural(lines, "line"),
    ));
    let mut warn = |count: u64, noun: &str, what: &str| {
        if count > 0 {
            reading.warnings.push(format!("`{name}`: {} {what}", plural(count, noun)));
        }
    };
    warn(damaged, "line", "with fields that make no sense, left out");
    warn(
        same_ids,
        "allocation",
        "under the type and id of an object that was not dropped: both are taken for live",
    );
    warn(
        other_sizes,
        "drop",
        "with another size than the allocation, whose size is the one that counts",
    );
    reading
}
