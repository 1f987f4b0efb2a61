//! What the project's developers run, beside cargo itself:
//!
//! ```text
//! cargo xtask guests [FILTER]        rebuild the guests whose output's path contains FILTER
//! cargo xtask corpus [--only NAME]   fetch and check the published modules of tests/corpus.tsv
//! ```
//!
//! Neither is needed for `cargo test`: the guests are committed as `.wasm`, and the tests that
//! use the corpus skip the modules that were not fetched.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod build;
mod corpus;
mod guests;
mod names;
mod tools;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask guests [FILTER] | cargo xtask corpus [--only NAME]";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["guests"] => build::all(""),
        ["guests", filter] => build::all(filter),
        ["corpus"] => corpus::fetch(None),
        ["corpus", "--only", name] => corpus::fetch(Some(name)),
        _ => bail!(USAGE),
    }
}
