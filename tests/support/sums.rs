//! The sums that hold in every report, of whatever program.

use serde_json::Value;

/// What blocks are, in a report.
pub const LEAKS: [&str; 5] =
    ["definitely_lost", "indirectly_lost", "possibly_lost", "still_reachable", "suppressed"];

/// Checks the account of every moment, the kinds, the causes and the shares of the growth.
pub fn add_up(report: &Value) -> Result<(), String> {
    let page = number(report, "/memory/page_size")?;
    let (first, last) =
        (number(report, "/memory/initial_pages")?, number(report, "/memory/final_pages")?);
    let account = &report["memory"]["account"];
    same("the account's sum", sum(account), last * page)?;
    if number(report, "/high_water/clock")? > 0 {
        let peak = sum(&report["memory"]["peak_account"]);
        same("the account's sum at the peak", peak, number(report, "/high_water/pages")? * page)?;
    }
    for mark in list(report, "/marks")? {
        if !mark["account"].is_null() {
            let bytes = number(mark, "/pages")? * page;
            same("the account's sum at a mark", sum(&mark["account"]), bytes)?;
        }
    }
    if !report["leaks"].is_null() && report["modules"].is_null() {
        of_kinds(report)?;
    }
    // A byte in which blocks lie over each other counts once.
    at_most("live in the account", sum(&account["live"]), number(report, "/totals/live/bytes")?)?;

    let fragmented = number(report, "/memory/fragmentation/bytes")?;
    let free = sum(&account["free_fragmented"]) + sum(&account["free_fitting"]);
    at_most("free in pieces", fragmented, free)?;
    let pins = list(report, "/memory/fragmentation/pins")?;
    let pinned: u64 = pins.iter().map(|pin| sum(&pin["bytes"])).sum();
    at_most("between blocks", pinned, fragmented)?;

    let grown = number(report, "/memory/growth/bytes")?;
    same("growth", grown, (last - first) * page)?;
    let causes = ["demand", "fragmentation", "policy", "direct", "unexplained"];
    let growth = &report["memory"]["growth"];
    same("growth by cause", causes.iter().map(|&cause| sum(&growth[cause])).sum(), grown)?;
    let shares = list(report, "/memory/growth_shares")?;
    same("growth by share", shares.iter().map(|share| sum(&share["bytes"])).sum(), grown)
}

/// What is live is of some kind.
fn of_kinds(report: &Value) -> Result<(), String> {
    let (mut blocks, mut bytes) = (0, 0);
    for kind in LEAKS {
        blocks += number(report, &format!("/leaks/{kind}/blocks"))?;
        bytes += number(report, &format!("/leaks/{kind}/bytes"))?;
    }
    same("blocks of all kinds", blocks, number(report, "/totals/live/blocks")?)?;
    same("bytes of all kinds", bytes, number(report, "/totals/live/bytes")?)
}

/// A number, or the sum of an object's values.
pub fn sum(value: &Value) -> u64 {
    match value {
        Value::Object(parts) => parts.values().map(sum).sum(),
        other => other.as_u64().unwrap_or(0),
    }
}

pub fn number(report: &Value, pointer: &str) -> Result<u64, String> {
    report.pointer(pointer).and_then(Value::as_u64).ok_or(format!("the report has no {pointer}"))
}

fn list<'a>(report: &'a Value, pointer: &str) -> Result<&'a Vec<Value>, String> {
    report.pointer(pointer).and_then(Value::as_array).ok_or(format!("the report has no {pointer}"))
}

fn same(what: &str, is: u64, should_be: u64) -> Result<(), String> {
    if is == should_be { Ok(()) } else { Err(format!("{what}: {is}, not {should_be}")) }
}

fn at_most(what: &str, is: u64, most: u64) -> Result<(), String> {
    if is <= most { Ok(()) } else { Err(format!("{what}: {is}, and at most {most} can be")) }
}
