//! The report as JSON, word for word as [`crate::schema`] describes it.

use super::Options;
use crate::schema::Report;
use serde::Serialize;
use std::fmt::Write as _;

/// Appends the report, indented, in the order of its fields, with a newline at the end.
pub(crate) fn render(report: &Report, _: &Options, out: &mut String) {
    write(report, out);
}

/// Appends anything as JSON. Names come from the module, and JSON is often shown in a terminal:
/// what could control one is escaped. JSON itself asks that only of the characters below a space.
pub(super) fn write(value: &impl Serialize, out: &mut String) {
    // Only maps with keys other than strings could fail.
    let json = serde_json::to_string_pretty(value).unwrap_or_default();
    for character in json.chars() {
        if super::text::is_unprintable(character) && character != '\n' {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    out.push('\n');
}
