//! Suppression rules in files: those that the user has, and those that are written for what was
//! found.

use crate::{
    options::SuppressionOptions,
    reporting::{open, replace},
    terminal,
};
use anyhow::{Context, Result};
use seepage_analysis::{
    Config, Outcome,
    suppressions::{self, Origin, Rule},
};
use seepage_trace::Outcome as GuestOutcome;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// Notes on rules that nothing needs. The JSON report has them all.
const MAX_NOTES: usize = 20;

/// What to suppress, and where to write rules to. All of it is opened before a run begins.
pub(crate) struct Suppressing {
    rules: Vec<Rule>,
    is_off: bool,
    generated: Option<Destination>,
}

enum Destination {
    Stderr,
    Stdout,
    File(PathBuf, File),
}

impl Suppressing {
    pub(crate) fn new(options: &SuppressionOptions) -> Result<Suppressing> {
        let generated = match &options.gen_suppressions {
            None => None,
            Some(None) => Some(Destination::Stderr),
            Some(Some(path)) if path.as_os_str() == "-" => Some(Destination::Stdout),
            Some(Some(path)) => Some(Destination::File(path.clone(), open(path, "suppressions")?)),
        };
        let rules = rules(&options.suppressions)?;
        Ok(Suppressing { rules, is_off: options.no_suppressions, generated })
    }

    /// The same with the rules in it.
    pub(crate) fn configure(&self, config: Config) -> Config {
        Config {
            builtin_suppressions: !self.is_off,
            module_suppressions: !self.is_off,
            suppressions: self.rules.clone(),
            ..config
        }
    }

    /// Writes the rules that were asked for, and says which of the user's are of no use.
    pub(crate) fn conclude(self, outcome: &Outcome) -> Result<()> {
        note_unused(outcome);
        let Some(destination) = self.generated else { return Ok(()) };
        let text = suppressions::generate(outcome);
        match destination {
            Destination::Stderr => {
                for line in text.lines() {
                    terminal::print_to_stderr(&format!("{}\n", terminal::name(line, usize::MAX)));
                }
            }
            Destination::Stdout => terminal::print(&text).context("failed to write the rules")?,
            Destination::File(path, mut file) => {
                let written = replace(&mut file, text.as_bytes());
                written.with_context(|| format!("failed to write `{}`", path.display()))?;
                terminal::note(&format!("the suppressions are in {}", path.display()));
            }
        }
        Ok(())
    }
}

/// The rules of the files, in their order.
pub(crate) fn rules(files: &[PathBuf]) -> Result<Vec<Rule>> {
    let mut rules = Vec::new();
    for path in files {
        rules.extend(read(path)?);
    }
    Ok(rules)
}

fn read(path: &Path) -> Result<Vec<Rule>> {
    let failed = || format!("failed to read `{}`", path.display());
    let bytes = fs::read(path).with_context(failed)?;
    let text = String::from_utf8_lossy(&bytes);
    suppressions::parse(&text, &path.display().to_string()).context("failed to read suppressions")
}

/// Only where the guest came to its end: else what a rule is about may not have happened.
fn note_unused(outcome: &Outcome) {
    if !matches!(outcome.end.outcome, GuestOutcome::Returned | GuestOutcome::Exited) {
        return;
    }
    let unused = || outcome.suppressed.iter().filter(|suppressed| suppressed.is_unused());
    for suppressed in unused().take(MAX_NOTES) {
        let Origin::File(line) = &suppressed.rule.origin else { continue };
        terminal::notice(&format!("unused suppression {} ({line})", suppressed.rule.name));
    }
    let more = unused().count().saturating_sub(MAX_NOTES);
    if more > 0 {
        terminal::notice(&format!("{more} more unused suppressions"));
    }
}
