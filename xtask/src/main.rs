//! What the project's developers run, beside cargo itself:
//!
//! ```text
//! cargo xtask test                   run all tests, lints and checks, as .ci/run does
//! cargo xtask guests [FILTER]        rebuild the guests whose output's path contains FILTER
//! cargo xtask corpus [--only NAME]   fetch and check the published modules of tests/corpus.tsv
//! cargo xtask corpus --discovery [--max-mb N]
//!                                    compare what is found in those of tests/discovery.tsv
//! cargo xtask js                     build the npm package
//! cargo xtask wasm-target TARGET     install a target for Rust, and say how to build for it
//! ```
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

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask test | cargo xtask guests [FILTER] | cargo xtask corpus [--only NAME] | \
     cargo xtask corpus --discovery [--max-mb N] | cargo xtask js";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["test"] => test::all(),
        ["guests"] => build::all(""),
        ["guests", filter] => build::all(filter),
        ["corpus"] => corpus::fetch(None),
        ["corpus", "--only", name] => corpus::fetch(Some(name)),
        ["corpus", "--discovery"] => discovery::check(None),
        ["corpus", "--discovery", "--max-mb", most] => discovery::check(Some(most.parse()?)),
        ["js"] => js::build(),
        ["wasm-target", target] => build::rust::how_to(target),
        _ => bail!(USAGE),
    }
}
