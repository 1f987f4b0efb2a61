//! `seepage analyze`: the report of a stored trace. The file is read in pieces, so that its size
//! does not matter.

use crate::{
    exit,
    options::{LeakOptions, ReportOptions, SuppressionOptions},
    reporting::{Reporter, Stream},
    suppressing::Suppressing,
    terminal,
};
use anyhow::{Context, Result};
use seepage_analysis::{Config, Session};
use seepage_report::{Invocation, Verb};
use seepage_trace::{DecodeError, Decoder, Message};
use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

/// Report on a trace that `seepage run --trace FILE` has written
#[derive(clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct Analyze {
    #[command(flatten)]
    report: ReportOptions,
    #[command(flatten)]
    leaks: LeakOptions,
    #[command(flatten)]
    suppress: SuppressionOptions,

    /// The trace; `-` is standard input
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
}

/// How far a trace could be read.
#[derive(Default)]
pub(crate) struct Reading {
    pub(crate) messages: u64,
    ended: bool,
    left_over: usize,
    unknown_chunks: u64,
    pub(crate) damage: Option<DecodeError>,
}

impl Analyze {
    pub(crate) fn execute(&self) -> Result<i32> {
        let name = self.trace.display();
        let reading_failed = || format!("failed to read `{name}`");
        let mut input: Box<dyn Read> = if self.trace.as_os_str() == "-" {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(&self.trace).with_context(reading_failed)?)
        };
        let invocation = Invocation { verb: Verb::Analyze, target: name.to_string(), trace: None };
        let reporter = Reporter::new(&self.report, Stream::Stdout, invocation)?;
        let suppressing = Suppressing::new(&self.suppress)?;
        let config = Config { heap_map: self.report.heap_map, ..Config::default() };
        let mut session = Session::new(suppressing.configure(self.leaks.configure(config)));
        let reading = read(&mut input, &mut session).with_context(reading_failed)?;
        if let (0, Some(damage)) = (reading.messages, reading.damage) {
            return Err(damage).with_context(reading_failed);
        }
        let outcome = session.finish();
        reporter.report(&outcome)?;
        suppressing.conclude(&outcome)?;
        reading.warn(&name.to_string());
        Ok(if reading.damage.is_some() { exit::FAILED } else { exit::CLEAN })
    }
}

/// Gives the session all that a trace has.
pub(crate) fn read(input: &mut dyn Read, session: &mut Session) -> Result<Reading> {
    let mut decoder = Decoder::new();
    let mut reading = Reading::default();
    let mut piece = vec![0; 256 * 1024];
    while reading.damage.is_none() {
        let length = match input.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        decoder.push(&piece[..length]);
        loop {
            match decoder.next() {
                Ok(None) => break,
                Ok(Some(message)) => {
                    reading.messages += 1;
                    reading.ended |= matches!(message, Message::End(_));
                    session.feed(&message);
                }
                Err(damage) => {
                    reading.damage = Some(damage);
                    break;
                }
            }
        }
    }
    reading.left_over = decoder.left_over();
    reading.unknown_chunks = decoder.unknown_chunks();
    if reading.messages == 0 && reading.damage.is_none() {
        let what = if reading.left_over == 0 { "it holds nothing" } else { "it is cut off" };
        return Err(anyhow::anyhow!(
            "{what}\nhint: `seepage run --trace FILE MODULE` writes a trace"
        ));
    }
    Ok(reading)
}

impl Reading {
    pub(crate) fn warn(&self, name: &str) {
        if let Some(damage) = &self.damage {
            terminal::warning(&format!("`{name}`: {damage}; the report is of what came before"));
        } else if !self.ended {
            terminal::warning(&format!(
                "`{name}` is cut off: it does not say how the guest ended, and the report is of \
                 what came before"
            ));
        }
        if self.unknown_chunks > 0 {
            let count = self.unknown_chunks;
            terminal::warning(&format!("`{name}`: {count} chunks of unknown kinds passed over"));
        }
    }
}
