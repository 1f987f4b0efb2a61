//! The command line: it reads options, composes the library crates, and prints. Whatever could be
//! of use without a terminal is in one of those crates.

mod commands;
mod execution;
mod exit;
mod input;
mod inputs;
mod options;
mod probing;
mod reporting;
mod suppressing;
mod terminal;
mod units;
mod watched;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use std::ffi::OsString;

/// Options for `run` and `check` that stand in front of the given ones, separated as in a shell.
const OPTIONS_VARIABLE: &str = "SEEPAGE_OPTIONS";

#[derive(Parser)]
#[command(
    name = "seepage",
    version,
    about = "Tells where a WebAssembly heap goes: what is leaked, what is held, and which line is to blame",
    disable_help_subcommand = true,
    args_override_self = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(commands::run::Run),
    Check(commands::check::Check),
    Analyze(commands::analyze::Analyze),
    Diff(commands::diff::Diff),
    Instrument(commands::instrument::Instrument),
    Inspect(commands::inspect::Inspect),
    Suppressions(commands::suppressions::Suppressions),
}

fn main() {
    let code = match arguments() {
        Ok(arguments) => {
            let result = match Cli::parse_from(arguments).command {
                Command::Run(command) => command.execute(),
                Command::Check(command) => command.execute(),
                Command::Analyze(command) => command.execute(),
                Command::Diff(command) => command.execute(),
                Command::Instrument(command) => command.execute(),
                Command::Inspect(command) => command.execute(),
                Command::Suppressions(command) => command.execute(),
            };
            result.unwrap_or_else(fail)
        }
        Err(error) => fail(error),
    };
    // Not a return: a guest that was given up on may still be on its thread.
    std::process::exit(code)
}

fn fail(error: anyhow::Error) -> i32 {
    terminal::error(&error);
    exit::FAILED
}

/// The process's arguments, with those of the variable behind the verb: whoever configures a test
/// runner can set a variable and nothing else.
fn arguments() -> Result<Vec<OsString>> {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let runs = arguments.get(1).is_some_and(|verb| verb == "run" || verb == "check");
    if let (true, Some(variable)) = (runs, std::env::var_os(OPTIONS_VARIABLE)) {
        let text = variable.into_string().ok().context("it is not UTF-8");
        let words = text.and_then(|text| shlex::split(&text).context("a quote is not closed"));
        let words = words.with_context(|| format!("failed to read {OPTIONS_VARIABLE}"))?;
        arguments.splice(2..2, words.into_iter().map(OsString::from));
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_options_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_follows_the_module_is_the_guests() {
        let line =
            "seepage run --timeout 1s --env A=1 --env B --timeout 2s app.wasm --timeout 3s -- -x";
        let Command::Run(run) = Cli::parse_from(line.split(' ')).command else { unreachable!() };
        assert_eq!(run.run.command, ["app.wasm", "--timeout", "3s", "--", "-x"]);
        assert_eq!(run.run.timeout.map(|timeout| timeout.as_secs()), Some(2));
        assert_eq!(run.run.env, ["A=1", "B"]);
        assert!(Cli::try_parse_from(["seepage", "run", "--tiemout", "1s", "app.wasm"]).is_err());
    }
}
