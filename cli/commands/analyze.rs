//! `seepage analyze`: the report of a stored trace or log. The file is read in pieces, so that its
//! size does not matter.

use crate::{
    exit, inputs,
    options::{ReportOptions, SuppressionOptions},
    reporting::{Reporter, Stream},
    suppressing::Suppressing,
};
use anyhow::{Context, Result};
use clap::builder::PossibleValuesParser;
use seepage_analysis::{Config, Session};
use seepage_report::{Invocation, Verb};
use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

/// Report on a trace of `seepage run --trace FILE`, or on a log of allocations
#[derive(clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct Analyze {
    #[command(flatten)]
    report: ReportOptions,
    #[command(flatten)]
    suppress: SuppressionOptions,

    /// What to read: a trace, or a log with `@ALLOCATE` and `@DROP` lines [default: what it is]
    #[arg(long, value_name = "FORMAT",
        value_parser = PossibleValuesParser::new(inputs::LIST.iter().map(|input| input.name)))]
    format_in: Option<String>,

    /// The trace or log; `-` is standard input
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
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
        let mut session = Session::new(suppressing.configure(Config::default()));
        let format = self.format_in.as_deref();
        let reading = inputs::read(&mut input, &name.to_string(), format, &mut session);
        let reading = reading.with_context(reading_failed)?;
        let outcome = session.finish();
        reporter.report(&outcome)?;
        suppressing.conclude(&outcome)?;
        reading.tell();
        Ok(if reading.damage.is_some() { exit::FAILED } else { exit::CLEAN })
    }
}
