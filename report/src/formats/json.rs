//! The report as JSON, word for word as [`crate::schema`] describes it.

use super::Options;
use crate::schema::Report;
use std::fmt::Write as _;

/// Appends the report, indented, in the order of its fields, with a newline at the end.
pub(crate) fn render(report: &Report, _: &Options, out: &mut String) {
    // A report has no maps with keys other than strings, which is all that can fail.
    let json = serde_json::to_string_pretty(report).unwrap_or_default();
    // Names come from the module, and JSON is often shown in a terminal: what could control one
    // is escaped. JSON itself asks that only of the characters below a space.
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
