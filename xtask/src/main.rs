//! What the project's developers run, beside cargo itself.
//!
//! The guests are committed as `.wasm`, so that nothing needs their compilers. The corpus is not:
//! the tests that run it say that it must be fetched first, which `cargo xtask test` does.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod build;
mod corpus;
mod discovery;
mod guests;
mod js;
mod measure;
mod names;
mod packages;
mod test;
mod tools;

use anyhow::Result;
use clap::Parser;

/// What the project's developers run, beside cargo itself.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Run all tests, lints and checks, as .ci/run does
    Test,
    /// Rebuild the guests
    Guests {
        /// Only those whose output's path contains it
        #[arg(default_value = "")]
        filter: String,
    },
    /// Fetch and check the published modules of tests/corpus.tsv
    Corpus {
        /// Only the module of that name
        #[arg(long, conflicts_with = "discovery")]
        only: Option<String>,
        /// Compare what is found in those of tests/discovery.tsv
        #[arg(long)]
        discovery: bool,
        /// Only modules of at most so many megabytes
        #[arg(long, requires = "discovery")]
        max_mb: Option<f64>,
    },
    /// Build the npm package
    Js,
    /// Install a target for Rust, and say how to build for it
    WasmTarget {
        /// The target, such as wasm32-wasip1
        target: String,
    },
}

fn main() -> Result<()> {
    match Task::parse() {
        Task::Test => test::all(),
        Task::Guests { filter } => build::all(&filter),
        Task::Corpus { discovery: true, max_mb, .. } => discovery::check(max_mb),
        Task::Corpus { only, .. } => corpus::fetch(only.as_deref()),
        Task::Js => js::build(),
        Task::WasmTarget { target } => build::rust::how_to(&target),
    }
}
