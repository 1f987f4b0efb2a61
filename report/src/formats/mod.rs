//! The output formats. To add one, write a file with a `render` and put it in [`LIST`].
//!
//! A format turns a whole [`Report`] into text, and knows neither the analyses nor where the text
//! goes. The same report and options give the same bytes.

mod json;
mod text;

use crate::{diff::Diff, schema::Report};
use serde::Serialize;
use std::borrow::Cow;

/// Every format.
pub const LIST: &[Format] = &[
    Format {
        name: "text",
        extension: "txt",
        description: "what a person reads first",
        render: text::render,
    },
    Format {
        name: "json",
        extension: "json",
        description: "everything, as docs/report.schema.json describes it",
        render: json::render,
    },
];

/// A way to write a report down.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// Its name in options.
    pub name: &'static str,
    /// The usual extension of such files.
    pub extension: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Appends the report to the text.
    pub render: fn(&Report, &Options, &mut String),
}

/// The format of that name.
pub fn find(name: &str) -> Option<&'static Format> {
    LIST.iter().find(|format| format.name == name)
}

/// A difference between two reports, for a person. [`printable_json`] writes it for machines.
pub fn diff_text(diff: &Diff, options: &TextOptions) -> String {
    let mut out = String::new();
    text::difference::render(diff, options, &mut out);
    out
}

/// A name that came from a module, with everything escaped that does something to a terminal
/// instead of being seen.
pub fn printable(name: &str) -> Cow<'_, str> {
    text::printable(name)
}

/// Anything as JSON that can be shown in a terminal.
pub fn printable_json(value: &impl Serialize) -> String {
    let mut out = String::new();
    json::write(value, &mut out);
    out
}

/// How to render; each format takes what concerns it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// For text.
    pub text: TextOptions,
    /// What the user typed, so that the next command can be named.
    pub invocation: Option<Invocation>,
}

/// How text looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextOptions {
    /// Whether to colour it.
    pub color: bool,
    /// Columns to use.
    pub width: usize,
    /// Contexts to show in a list.
    pub top: usize,
    /// Whether bars and the like may be other than ASCII.
    pub unicode: bool,
}

impl Default for TextOptions {
    fn default() -> TextOptions {
        TextOptions { color: false, width: 100, top: 5, unicode: true }
    }
}

/// What the user typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The subcommand.
    pub verb: Verb,
    /// The module or trace that it was given.
    pub target: String,
    /// The trace file that it has written.
    pub trace: Option<String>,
}

/// A subcommand that ends with a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Runs a module.
    Run,
    /// Runs a module and fails on findings.
    Check,
    /// Reads a trace.
    Analyze,
}
