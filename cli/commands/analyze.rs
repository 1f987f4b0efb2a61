//! `seepage analyze`: the report of a stored trace or log. The file is read in pieces, so that its
//! size does not matter.

use crate::{
    exit, inputs,
    options::{LeakOptions, ReportOptions, SuppressionOptions},
    reporting::{Reporter, Stream},
    suppressing::Suppressing,
};
use anyhow::{Context, Result, bail};
use clap::builder::PossibleValuesParser;
use seepage_analysis::{Caps, Config, Outcome, Plan, Replay, Selection, Session, suppressions};
use seepage_report::{Invocation, Report, Verb};
use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

/// Report on a trace of `run --trace`, a log of allocations, or a JSON report
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

    /// What to read: a trace, or a log with `@ALLOCATE` and `@DROP` lines [default: what it is]
    #[arg(long, value_name = "FORMAT",
        value_parser = PossibleValuesParser::new(inputs::LIST.iter().map(|input| input.name)))]
    format_in: Option<String>,

    /// The trace, log or JSON report; `-` is standard input
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
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
        let mut head = Vec::new();
        input.by_ref().take(1).read_to_end(&mut head).with_context(reading_failed)?;
        let mut input = head.as_slice().chain(input);
        // A trace begins with its name, and no line of a log with a brace.
        if head == b"{" && self.format_in.is_none() {
            return self.saved(&mut input, reporter).with_context(reading_failed);
        }
        let suppressing = Suppressing::new(&self.suppress)?;
        let config = Config { heap_map: self.report.heap_map, ..Config::default() };
        let mut session = Session::new(suppressing.configure(self.leaks.configure(config)));
        let reading = self.read(&mut input, &mut |message| session.feed(message));
        let reading = reading.with_context(reading_failed)?;
        let outcome = match &self.what_if {
            Some(selection) => self.what_if(session, selection)?,
            None => session.finish(),
        };
        reporter.report(&outcome)?;
        suppressing.conclude(&outcome)?;
        reading.tell();
        Ok(if reading.damage.is_some() { exit::FAILED } else { exit::CLEAN })
    }

    /// Renders a report that was saved as JSON.
    fn saved(&self, input: &mut dyn Read, reporter: Reporter) -> Result<i32> {
        if self.what_if.is_some() {
            bail!("--what-if needs the trace, and this is a report");
        }
        let mut text = String::new();
        input.read_to_string(&mut text)?;
        reporter.without_next().write(&Report::from_json(&text)?)?;
        Ok(exit::CLEAN)
    }

    fn read(&self, input: &mut dyn Read, feed: &mut inputs::Feed<'_>) -> Result<inputs::Reading> {
        inputs::read(input, &self.trace.display().to_string(), self.format_in.as_deref(), feed)
    }

    /// Reads the trace once more, and replays it.
    fn what_if(&self, session: Session, selection: &Selection) -> Result<Outcome> {
        let (mut outcome, remaining) = session.finish_for_what_if();
        let plan = Plan::new(&outcome, remaining, selection).context("--what-if has no answer")?;
        let mut replay = Replay::new(plan, &outcome, &Caps::default());
        let again = || format!("failed to read `{}` again", self.trace.display());
        let mut input = File::open(&self.trace).with_context(again)?;
        self.read(&mut input, &mut |message| replay.feed(message)).with_context(again)?;
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
