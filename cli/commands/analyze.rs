//! `seepage analyze`: the report of a stored trace. The file is read in pieces, so that its size
//! does not matter.

use crate::{
    exit,
    options::{LeakOptions, ReportOptions, SuppressionOptions},
    reporting::{Reporter, Stream},
    suppressing::Suppressing,
    terminal,
};
use anyhow::{Context, Result, bail};
use seepage_analysis::{Caps, Config, Outcome, Plan, Replay, Selection, Session, suppressions};
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

    /// How large the memory would be without some blocks: `leaks`, a finding's number, or a pattern
    ///
    /// `leaks` are the blocks of all leaks, a number those of the finding at that place of the
    /// report, and a pattern those of all contexts that a rule `leak:PATTERN` would match. Reads the
    /// trace twice, and replays it in a model of the allocator.
    #[arg(long, value_name = "WHAT", value_parser = selection)]
    what_if: Option<Selection>,

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
        let is_stdin = self.trace.as_os_str() == "-";
        if is_stdin && self.what_if.is_some() {
            bail!("--what-if reads the trace twice, so it cannot be standard input");
        }
        let reading_failed = || format!("failed to read `{name}`");
        let mut input: Box<dyn Read> = if is_stdin {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(&self.trace).with_context(reading_failed)?)
        };
        let invocation = Invocation { verb: Verb::Analyze, target: name.to_string(), trace: None };
        let reporter = Reporter::new(&self.report, Stream::Stdout, invocation)?;
        let suppressing = Suppressing::new(&self.suppress)?;
        let config = Config { heap_map: self.report.heap_map, ..Config::default() };
        let mut session = Session::new(suppressing.configure(self.leaks.configure(config)));
        let reading = read(&mut input, |message| session.feed(message));
        let reading = reading.with_context(reading_failed)?;
        if let (0, Some(damage)) = (reading.messages, reading.damage) {
            return Err(damage).with_context(reading_failed);
        }
        let outcome = match &self.what_if {
            Some(selection) => self.what_if(session, selection)?,
            None => session.finish(),
        };
        reporter.report(&outcome)?;
        suppressing.conclude(&outcome)?;
        reading.warn(&name.to_string());
        Ok(if reading.damage.is_some() { exit::FAILED } else { exit::CLEAN })
    }
}

impl Analyze {
    /// Reads the trace once more, and replays it.
    fn what_if(&self, session: Session, selection: &Selection) -> Result<Outcome> {
        let (mut outcome, remaining) = session.finish_for_what_if();
        let plan = Plan::new(&outcome, remaining, selection).context("--what-if has no answer")?;
        let mut replay = Replay::new(plan, &outcome, &Caps::default());
        let again = || format!("failed to read `{}` again", self.trace.display());
        let mut input = File::open(&self.trace).with_context(again)?;
        read(&mut input, |message| replay.feed(message)).with_context(again)?;
        outcome.what_if = Some(replay.finish());
        Ok(outcome)
    }
}

/// Reads what is to be taken away.
fn selection(text: &str) -> Result<Selection, String> {
    if text == "leaks" {
        return Ok(Selection::Leaks);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return match text.parse() {
            Ok(number) if number > 0 => Ok(Selection::Finding(number)),
            _ => Err("findings are counted from 1".into()),
        };
    }
    let pattern = text.strip_prefix("leak:").unwrap_or(text);
    let rules = suppressions::parse(&format!("leak:{pattern}"), "--what-if");
    match rules.map_err(|error| error.message)?.pop() {
        Some(rule) => Ok(Selection::Matching(Box::new(rule))),
        None => Err("it matches nothing".into()),
    }
}

/// Gives away all that a trace has.
pub(crate) fn read(input: &mut dyn Read, mut feed: impl FnMut(&Message<'_>)) -> Result<Reading> {
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
                    feed(&message);
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
