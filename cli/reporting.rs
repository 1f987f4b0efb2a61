//! Where a report goes, decided before a run begins: a report that cannot be written should not
//! cost a run.

use crate::{options::ReportOptions, terminal};
use anyhow::{Context, Result};
use seepage_analysis::Outcome;
use seepage_report::{
    Context as ReportContext, Invocation, Options, Report, assemble,
    formats::{self, Format},
};
use std::{
    fs::{File, OpenOptions},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

/// A standard stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// Renders an outcome and writes it where it was asked for.
pub(crate) struct Reporter {
    format: &'static Format,
    destination: Destination,
    top: Option<usize>,
    invocation: Option<Invocation>,
}

enum Destination {
    Stream(Stream),
    File(PathBuf, File),
}

impl Reporter {
    /// `text_stream` is where a text report goes that has no other place; every other format is
    /// for machines and goes to standard output.
    pub(crate) fn new(
        options: &ReportOptions,
        text_stream: Stream,
        invocation: Invocation,
    ) -> Result<Reporter> {
        let format = format(options)?;
        let destination = match &options.output {
            Some(path) if path.as_os_str() == "-" => Destination::Stream(Stream::Stdout),
            Some(path) => Destination::File(path.clone(), open(path, "report")?),
            None if format.name == "text" => Destination::Stream(text_stream),
            None => Destination::Stream(Stream::Stdout),
        };
        let invocation = Some(invocation);
        Ok(Reporter { format, destination, top: options.top, invocation })
    }

    /// Names no next command: what is reported on is a report already.
    pub(crate) fn without_next(self) -> Reporter {
        Reporter { invocation: None, ..self }
    }

    /// Assembles the report of an outcome, and writes it.
    pub(crate) fn report(self, outcome: &Outcome) -> Result<()> {
        self.write(&assemble(outcome, &ReportContext::new(env!("CARGO_PKG_VERSION"))))
    }

    pub(crate) fn write(self, report: &Report) -> Result<()> {
        let (terminal, color) = match self.destination {
            Destination::Stream(Stream::Stdout) => {
                (io::stdout().is_terminal(), terminal::stdout_color())
            }
            Destination::Stream(Stream::Stderr) => {
                (io::stderr().is_terminal(), terminal::stderr_color())
            }
            Destination::File(..) => (false, false),
        };
        let options = Options {
            text: terminal::text_options(terminal, color, self.top),
            invocation: self.invocation,
        };
        let mut text = String::new();
        (self.format.render)(report, &options, &mut text);
        match self.destination {
            Destination::Stream(Stream::Stdout) => {
                terminal::print(&text).context("failed to write the report to standard output")
            }
            Destination::Stream(Stream::Stderr) => {
                terminal::print_to_stderr(&text);
                Ok(())
            }
            Destination::File(path, mut file) => {
                let written = replace(&mut file, text.as_bytes());
                written.with_context(|| {
                    format!("failed to write the report to `{}`", path.display())
                })?;
                terminal::note(&format!("the report is in {}", path.display()));
                Ok(())
            }
        }
    }
}

/// Whether the report will be on standard output, so that nothing else must be.
pub(crate) fn takes_stdout(options: &ReportOptions) -> Result<bool> {
    Ok(match &options.output {
        Some(path) => path.as_os_str() == "-",
        None => format(options)?.name != "text",
    })
}

fn format(options: &ReportOptions) -> Result<&'static Format> {
    if let Some(name) = &options.format {
        return formats::find(name).with_context(|| format!("`{name}` is no format"));
    }
    let extension = options.output.as_deref().and_then(Path::extension);
    let by_extension = formats::LIST.iter().find(|f| extension.is_some_and(|e| e == f.extension));
    by_extension.or(formats::LIST.first()).context("there is no format")
}

/// Only now is what the file held before replaced. A device or a pipe holds nothing.
pub(crate) fn replace(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    file.write_all(bytes)
}

/// `what` is to be written there.
pub(crate) fn open(path: &Path, what: &str) -> Result<File> {
    let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    opened.with_context(|| format!("failed to write the {what} to `{}`", path.display()))
}
