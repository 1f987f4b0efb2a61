//! `seepage check`: as `run`, and the verdict is the exit code.

use crate::{
    execution::{Execution, Request},
    exit,
    options::{
        CheckOptions, InstrumentOptions, LeakOptions, ReportOptions, RunOptions, SuppressionOptions,
    },
    terminal,
};
use anyhow::Result;
use seepage_analysis::Verdict;
use seepage_report::Verb;

/// Run a module, and fail if it leaks or misuses its heap
///
/// Everything is as in `seepage run`, but the exit code is the verdict.
#[derive(clap::Args)]
#[command(
    after_help = exit::CHECK_HELP,
    args_override_self = true,
    override_usage = "seepage check [OPTIONS] <MODULE> [ARGS]..."
)]
pub(crate) struct Check {
    #[command(flatten)]
    run: RunOptions,
    #[command(flatten)]
    check: CheckOptions,
    #[command(flatten)]
    report: ReportOptions,
    #[command(flatten)]
    leaks: LeakOptions,
    #[command(flatten)]
    suppress: SuppressionOptions,
    #[command(flatten)]
    instrument: InstrumentOptions,
}

impl Check {
    pub(crate) fn execute(&self) -> Result<i32> {
        let execution = Execution::new(&Request {
            verb: Verb::Check,
            run: &self.run,
            report: &self.report,
            leaks: &self.leaks,
            suppress: &self.suppress,
            instrument: &self.instrument,
            budget: self.check.budget(),
            track_fds: self.check.track_fds,
            suspects_fail: self.check.fail_on_suspects,
        })?;
        let mut code = exit::of_check(&execution.outcome, self.check.error_exitcode);
        let blind = execution.outcome.verdict() == Verdict::Blind && self.check.max_pages.is_none();
        if blind && code == exit::CLEAN {
            code = exit::FAILED;
        }
        let code = execution.report(code)?;
        if blind {
            terminal::warning(
                "no allocator was found, so nothing says that the heap is clean\n\
                 hint: name the allocator's functions with --alloc-fn NAME=ROLE",
            );
        }
        Ok(code)
    }
}
