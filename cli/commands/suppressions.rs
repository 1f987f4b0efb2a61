//! `seepage suppressions`: list the rules. With files it also says whether they can be read.

use crate::{exit, suppressing, terminal};
use anyhow::{Context, Result};
use clap::ValueEnum;
use seepage_analysis::{
    LeakKinds,
    suppressions::{self, Origin, Rule},
};
use seepage_report::formats::printable_json;
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// What `--format json` is called in its `schema` field.
const SCHEMA: &str = "seepage-suppressions/1";

/// List the built-in rules for known noise, and those of files
///
/// They are listed in the order in which they are tried.
#[derive(clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct Suppressions {
    /// How to say it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    format: Format,

    /// Write it to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// List the rules of this file as well; may be repeated
    #[arg(long, value_name = "FILE")]
    suppressions: Vec<PathBuf>,

    /// Leave out the built-in rules
    #[arg(long)]
    no_suppressions: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Suppressions {
    pub(crate) fn execute(&self) -> Result<i32> {
        let mut rules: Vec<Rule> = Vec::new();
        if !self.no_suppressions {
            rules.extend(suppressions::builtin());
        }
        rules.extend(suppressing::rules(&self.suppressions)?);
        let rendered = match self.format {
            Format::Text => rules.iter().map(text).collect(),
            Format::Json => printable_json(&json!({
                "schema": SCHEMA,
                "rules": rules.iter().map(json).collect::<Vec<_>>(),
            })),
        };
        match self.output.as_deref().filter(|path| *path != Path::new("-")) {
            Some(path) => fs::write(path, rendered)
                .with_context(|| format!("failed to write `{}`", path.display()))?,
            None => terminal::print(&rendered)?,
        }
        Ok(exit::CLEAN)
    }
}

fn text(rule: &Rule) -> String {
    let mut notes = vec![origin(rule)];
    notes.extend(rule.limit.blocks.map(|most| format!("at most {most} blocks")));
    notes.extend(rule.limit.bytes.map(|most| format!("at most {most} bytes")));
    if rule.kinds != LeakKinds::ALL {
        notes.push(format!("of {}", kinds(rule).join(", ")));
    }
    let mut out = format!("{} ({})\n", name(&rule.name), notes.join(", "));
    // Writing to a string cannot fail.
    if !rule.reason.is_empty() {
        _ = writeln!(out, "  {}", rule.reason);
    }
    for pattern in &rule.patterns {
        _ = writeln!(out, "    {}", name(pattern));
    }
    out
}

fn origin(rule: &Rule) -> String {
    match &rule.origin {
        Origin::Builtin => "built in".into(),
        Origin::File(line) | Origin::Module(line) => line.to_string(),
    }
}

fn kinds(rule: &Rule) -> Vec<&'static str> {
    let names = rule.kind_names();
    if names.is_empty() { vec!["no kind"] } else { names }
}

fn json(rule: &Rule) -> Value {
    json!({
        "rule": rule.name,
        "reason": rule.reason,
        "place": rule.origin.place(),
        "kinds": rule.kind_names(),
        "max_blocks": rule.limit.blocks,
        "max_block_bytes": rule.limit.block_bytes,
        "max_bytes": rule.limit.bytes,
        "patterns": rule.patterns,
    })
}

fn name(text: &str) -> std::borrow::Cow<'_, str> {
    terminal::name(text, 2000)
}
