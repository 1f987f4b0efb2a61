//! Stored traces and what becomes of them: `goldens/<name>.trace`, `.txt` and `.json`.
//!
//! `UPDATE_EXPECT=1` writes all three anew: the traces from [`programs`]. Without it the stored
//! traces are read, so that a change of the trace format shows here as well.

#[path = "../../analysis/tests/guest/mod.rs"]
mod guest;
mod programs;

use expect_test::expect_file;
use seepage_analysis::{Config, Session};
use seepage_report::{Context, Invocation, Options, Report, TextOptions, Verb, assemble, formats};
use seepage_trace::{Decoder, Encoder};
use std::{env, fs, path::PathBuf};

fn golden(name: &str, extension: &str) -> PathBuf {
    let folder = [env!("CARGO_MANIFEST_DIR"), "tests", "goldens"].iter().collect::<PathBuf>();
    folder.join(format!("{name}.{extension}"))
}

fn report(trace: &[u8]) -> Report {
    let mut session = Session::new(Config::default());
    let mut decoder = Decoder::new();
    decoder.push(trace);
    while let Some(message) = decoder.next().expect("the trace is sound") {
        session.feed(&message);
    }
    assemble(&session.finish(), &Context::new("0.0.0"))
}

fn render(format: &str, report: &Report, text: TextOptions) -> String {
    let target = "app.wasm".to_string();
    let invocation = Some(Invocation { verb: Verb::Run, target, trace: None });
    let mut out = String::new();
    let format = formats::find(format).expect("it is in the list");
    (format.render)(report, &Options { text, invocation }, &mut out);
    out
}

#[test]
fn reports_of_stored_traces() {
    for (name, program) in programs::LIST {
        let path = golden(name, "trace");
        if env::var_os("UPDATE_EXPECT").is_some() {
            let mut trace = Vec::new();
            let mut encoder = Encoder::new(&mut trace);
            program().iter().for_each(|message| encoder.message(message, &mut trace));
            fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
            fs::write(&path, trace).expect("it can be written");
        }
        let trace = fs::read(&path).expect("the trace is there");
        let report = report(&trace);
        let text = render("text", &report, TextOptions::default());
        expect_file![golden(name, "txt")].assert_eq(&text);
        expect_file![golden(name, "json")].assert_eq(&render("json", &report, Default::default()));
    }
}

#[test]
fn text_keeps_to_its_options() {
    for (name, program) in programs::LIST {
        let report = assemble(&guest::analyze(&program(), Config::default()), &Context::new("0"));
        let narrow = TextOptions { unicode: false, width: 60, top: 2, color: false };
        let text = render("text", &report, narrow);
        let safe = |character: char| character == '\n' || (' '..='~').contains(&character);
        assert!(text.chars().all(safe), "{name}:\n{text}");
        let json = render("json", &report, TextOptions::default());
        let harmless = |character: char| character == '\n' || !character.is_control();
        assert!(json.chars().all(harmless) && !json.contains('\u{202e}'), "{name}");
        let lines = text.lines().count();
        assert!(lines <= 90, "{name} has {lines} lines");

        let color = TextOptions { color: true, ..TextOptions::default() };
        let colored = render("text", &report, color);
        assert!(colored.contains("\u{1b}["), "{name}");
        let plain: String = colored
            .split('\u{1b}')
            .enumerate()
            .map(
                |(index, part)| {
                    if index == 0 { part } else { part.split_once('m').map_or("", |p| p.1) }
                },
            )
            .collect();
        let trimmed: Vec<&str> = plain.lines().map(str::trim_end).collect();
        let expected = render("text", &report, TextOptions::default());
        assert_eq!(trimmed, expected.lines().collect::<Vec<_>>(), "{name}: colour changes no text");
    }
}

#[test]
fn the_last_line_is_for_grep() {
    for (name, program) in programs::LIST {
        let report = assemble(&guest::analyze(&program(), Config::default()), &Context::new("0"));
        let text = render("text", &report, TextOptions::default());
        let last = text.lines().last().expect("there is one");
        let mut words = last.split(' ');
        assert_eq!(words.next(), Some("SUMMARY"), "{name}");
        assert_eq!(words.next(), Some("seepage:"), "{name}");
        let kind = serde_json::to_value(report.verdict.kind).expect("a word");
        assert_eq!(words.next(), kind.as_str(), "{name}");
        for word in words {
            let (key, value) = word.split_once('=').expect("key=value");
            assert!(!key.is_empty() && value.parse::<u64>().is_ok(), "{name}: {word}");
        }
    }
}
