//! `seepage run`: instrument, run, report.

use crate::{
    execution::{Execution, Request},
    exit,
    options::{InstrumentOptions, LeakOptions, ReportOptions, RunOptions, SuppressionOptions},
};
use anyhow::Result;
use seepage_analysis::Budget;
use seepage_report::Verb;

/// Run a module with WASI, and report what its heap did
///
/// The report goes to standard error. With `--format json` and no --output it goes to standard
/// output, and what the guest writes there goes to standard error. SEEPAGE_OPTIONS may hold
/// options that stand in front of the given ones, so that this works as a runner:
/// CARGO_TARGET_WASM32_WASIP1_RUNNER="seepage run" cargo test --target wasm32-wasip1
#[derive(clap::Args)]
#[command(
    after_help = exit::RUN_HELP,
    args_override_self = true,
    override_usage = "seepage run [OPTIONS] <MODULE> [ARGS]..."
)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) run: RunOptions,
    #[command(flatten)]
    report: ReportOptions,
    #[command(flatten)]
    leaks: LeakOptions,
    #[command(flatten)]
    suppress: SuppressionOptions,
    #[command(flatten)]
    instrument: InstrumentOptions,
}

impl Run {
    pub(crate) fn execute(&self) -> Result<i32> {
        let execution = Execution::new(&Request {
            verb: Verb::Run,
            run: &self.run,
            report: &self.report,
            leaks: &self.leaks,
            suppress: &self.suppress,
            instrument: &self.instrument,
            budget: Budget::default(),
            track_fds: false,
            suspects_fail: false,
        })?;
        let code = exit::of_guest(&execution.outcome.end);
        execution.report(code)
    }
}
