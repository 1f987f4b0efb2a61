//! `seepage diff`: what has changed from one run to another, as a gate for CI if need be.

use crate::{exit, inputs, terminal, units};
use anyhow::{Context, Result, anyhow, bail};
use clap::ValueEnum;
use seepage_analysis::{Config, Session};
use seepage_report::{
    Context as ReportContext, DiffOptions, DiffVerdict, Increase, Report, assemble, diff,
    formats::{diff_text, printable_json},
};
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, IsTerminal, Read},
    path::{Path, PathBuf},
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Compare two reports, or traces: what is new, gone and changed
///
/// Contexts are recognised by functions, files and lines; where lines have moved, by their
/// functions alone, which is said.
#[derive(clap::Args)]
#[command(after_help = exit::DIFF_HELP, args_override_self = true)]
pub(crate) struct Diff {
    /// Fail if a context holds lost blocks that held none before
    #[arg(long)]
    fail_on_new: bool,

    /// Fail if lost bytes, the high-water mark or the memory rise by more, e.g. 5% or 64KB
    #[arg(long, value_name = "SIZE|PERCENT", value_parser = increase)]
    fail_on_increase: Option<Increase>,

    /// How to say it [default: by the extension of --output, else text]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    format: Option<Format>,

    /// Write it to a file; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Calling contexts to show in the text
    #[arg(long, value_name = "N")]
    top: Option<usize>,

    /// What to compare with: a JSON report, a trace or a log; `-` is standard input
    #[arg(value_name = "OLD")]
    old: PathBuf,

    /// What to compare: a JSON report, a trace or a log; `-` is standard input
    #[arg(value_name = "NEW")]
    new: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Diff {
    pub(crate) fn execute(&self) -> Result<i32> {
        if self.old.as_os_str() == "-" && self.new.as_os_str() == "-" {
            bail!("only one of the two can be standard input");
        }
        let (old, new) = (read(&self.old)?, read(&self.new)?);
        let diff = diff(
            &old,
            &new,
            &DiffOptions {
                sources: [&self.old, &self.new].map(|path| path.display().to_string()),
                fail_on_new: self.fail_on_new,
                fail_on_increase: self.fail_on_increase,
                ..DiffOptions::new(VERSION)
            },
        );
        let file = self.output.as_deref().filter(|path| *path != Path::new("-"));
        let by_extension = || match file.and_then(Path::extension) {
            Some(extension) if extension == "json" => Format::Json,
            _ => Format::Text,
        };
        let rendered = match self.format.unwrap_or_else(by_extension) {
            Format::Json => printable_json(&diff),
            Format::Text => {
                let terminal = file.is_none() && io::stdout().is_terminal();
                let color = file.is_none() && terminal::stdout_color();
                diff_text(&diff, &terminal::text_options(terminal, color, self.top))
            }
        };
        match file {
            Some(path) => fs::write(path, rendered)
                .with_context(|| format!("failed to write `{}`", path.display()))?,
            None => terminal::print(&rendered).context("failed to write the difference")?,
        }
        let is_regression = diff.verdict == DiffVerdict::Regression;
        Ok(if is_regression { exit::REGRESSION } else { exit::CLEAN })
    }
}

/// A report, or the report of a trace.
fn read(path: &Path) -> Result<Report> {
    let failed = || format!("failed to read `{}`", path.display());
    let input: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).with_context(failed)?)
    };
    let mut input = BufReader::new(input);
    let head = input.fill_buf().with_context(failed)?;
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    if head.trim_ascii_start().starts_with(b"{") {
        let mut text = String::new();
        input.read_to_string(&mut text).with_context(failed)?;
        return Report::from_json(&text).with_context(failed);
    }
    let mut session = Session::new(Config::default());
    let name = path.display().to_string();
    let mut feed = |message: &seepage_trace::Message<'_>| session.feed(message);
    let reading = inputs::read(&mut input, &name, None, &mut feed).map_err(|error| {
        // What `analyze` has to say of a trace is not all that may stand here.
        anyhow!("{}", error.to_string().lines().next().unwrap_or_default()).context(failed())
    })?;
    if let Some(damage) = reading.damage {
        return Err(damage.context(failed()));
    }
    reading.tell();
    let context = ReportContext { max_contexts: usize::MAX, ..ReportContext::new(VERSION) };
    Ok(assemble(&session.finish(), &context))
}

/// Reads `5%` or a size.
fn increase(text: &str) -> Result<Increase, String> {
    let Some(percent) = text.strip_suffix('%') else {
        return units::size(text).map(Increase::Bytes);
    };
    match percent.trim().parse::<f64>() {
        Ok(percent) if percent.is_finite() && percent >= 0.0 => Ok(Increase::Percent(percent)),
        _ => Err(format!("`{percent}` is no percentage; write 5% or 64KB")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn increases() {
        assert_eq!(increase("5%"), Ok(Increase::Percent(5.0)));
        assert_eq!(increase("0.5 %"), Ok(Increase::Percent(0.5)));
        assert_eq!(increase("64KB"), Ok(Increase::Bytes(64_000)));
        assert_eq!(increase("0"), Ok(Increase::Bytes(0)));
        for wrong in ["", "%", "-1%", "inf%", "five%", "64XB"] {
            assert!(increase(wrong).is_err(), "{wrong}");
        }
    }
}
