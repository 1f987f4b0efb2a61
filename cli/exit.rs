//! The exit codes, all of them.
//!
//! A verdict of `check` outranks what the guest says, and the guest's failure outranks a clean
//! heap: a failing test never turns green by being checked.

use seepage_analysis::{Outcome, Verdict};
use seepage_trace::{End, Outcome as GuestOutcome};

pub(crate) const CLEAN: i32 = 0;
/// seepage itself could not do what it was asked for.
pub(crate) const FAILED: i32 = 2;
pub(crate) const LEAK: i32 = 23;
pub(crate) const GROWTH: i32 = 24;
pub(crate) const BUDGET: i32 = 25;
pub(crate) const HEAP_ERROR: i32 = 26;
/// Of `diff`: more than its limits allow.
pub(crate) const REGRESSION: i32 = 27;
/// As `timeout(1)`.
pub(crate) const TIMED_OUT: i32 = 124;
/// As a shell reports a process that Ctrl-C ended.
pub(crate) const INTERRUPTED: i32 = 130;
/// As a shell reports a process that aborted, and as `wasmtime run` reports a trap.
pub(crate) const TRAPPED: i32 = 134;

/// For `--help` of `run`.
pub(crate) const RUN_HELP: &str = "\
Exit codes:
  the guest's own; 134 when it trapped, 124 when its time was up, 130 when it was interrupted;
  2 when seepage itself failed";

/// For `--help` of `check`.
pub(crate) const CHECK_HELP: &str = "\
Exit codes:
   0  clean
  23  leak: blocks are lost, or whatever --leak-kinds names
  24  growth
  25  budget: more than --max-leak, --max-peak or --max-pages
  26  heap error: the heap was misused
   2  seepage itself failed, or found no allocator to judge by
  Where several hold, the first of heap error, leak, growth and budget.
  If the heap is clean and the guest fails, the guest's code as in `seepage run`.";

/// For `--help` of `diff`.
pub(crate) const DIFF_HELP: &str = "\
Exit codes:
   0  compared, whatever has changed, and no limit is exceeded
  27  regression: --fail-on-new or --fail-on-increase does not hold
   2  seepage itself failed, or cannot read one of the files";

/// The code for how the guest ended.
pub(crate) fn of_guest(end: &End) -> i32 {
    match end.outcome {
        GuestOutcome::Returned | GuestOutcome::Unknown => CLEAN,
        GuestOutcome::Exited => of_code(end.exit_code.unwrap_or(CLEAN)),
        GuestOutcome::Trapped | GuestOutcome::MemoryLimit => TRAPPED,
        GuestOutcome::TimedOut => TIMED_OUT,
        GuestOutcome::Interrupted => INTERRUPTED,
        GuestOutcome::Failed => FAILED,
    }
}

/// A Unix process keeps eight bits of its code; a failure must not become a success by that.
fn of_code(code: i32) -> i32 {
    if cfg!(unix) && code != 0 && code & 0xff == 0 { 1 } else { code }
}

/// The code of `check`. `error_exitcode` stands in for all codes of findings.
pub(crate) fn of_check(outcome: &Outcome, error_exitcode: Option<i32>) -> i32 {
    let finding = match outcome.verdict() {
        Verdict::HeapError => HEAP_ERROR,
        Verdict::Leak => LEAK,
        Verdict::Growth => GROWTH,
        Verdict::Budget => BUDGET,
        Verdict::Blind | Verdict::Inconclusive | Verdict::Clean => return of_guest(&outcome.end),
    };
    error_exitcode.unwrap_or(finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exited(code: i32) -> End {
        End { outcome: GuestOutcome::Exited, exit_code: Some(code), ..End::default() }
    }

    #[test]
    fn a_guests_failure_stays_one() {
        assert_eq!(of_guest(&exited(0)), 0);
        assert_eq!(of_guest(&exited(7)), 7);
        assert_ne!(of_guest(&exited(256)) & 0xff, 0);
        assert_ne!(of_guest(&exited(i32::MIN)) & 0xff, 0);
        let trapped = End { outcome: GuestOutcome::Trapped, ..End::default() };
        assert_eq!(of_guest(&trapped), TRAPPED);
    }
}
