//! What the README shows is what happens, and what docs/cli.md lists is what there is.

mod support;

use std::fs;
use support::{finish, root, seepage};

const DEMO: &str = "$ cargo run --release -- ";
const VERBS: [&str; 7] =
    ["run", "check", "analyze", "diff", "instrument", "inspect", "suppressions"];

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The fenced blocks of a Markdown file with the given word behind the fence.
fn blocks(markdown: &str, language: &str) -> Vec<Vec<String>> {
    let mut blocks = Vec::new();
    let mut block: Option<(bool, Vec<String>)> = None;
    for line in markdown.lines() {
        block = match (block, line.strip_prefix("```")) {
            (None, Some(word)) => Some((word == language, Vec::new())),
            (Some((wanted, lines)), Some(_)) => {
                blocks.extend(Some(lines).filter(|_| wanted));
                None
            }
            (Some((wanted, mut lines)), None) => {
                lines.push(line.to_owned());
                Some((wanted, lines))
            }
            (None, None) => None,
        };
    }
    blocks
}

/// A line with the one figure in it that is another each time.
fn masked(line: &str) -> String {
    match line.split_once(" after ") {
        Some((front, _)) if line.starts_with("  guest ") => format!("{front} after some time"),
        _ => line.trim_end().to_owned(),
    }
}

/// Whether the lines are those that are shown, where `…` alone on a line stands for any number.
fn agrees(shown: &[String], printed: &[String]) -> bool {
    match (shown, printed) {
        ([], []) => true,
        ([gap, rest @ ..], _) if gap == "…" => {
            (0..=printed.len()).any(|skip| agrees(rest, &printed[skip..]))
        }
        ([line, rest @ ..], [first, others @ ..]) => line == first && agrees(rest, others),
        _ => false,
    }
}

#[test]
fn the_demo_is_what_it_prints() {
    let readme = read("README.md");
    let mut demos = 0;
    for block in blocks(&readme, "console") {
        let Some((command, shown)) = block.split_first() else { continue };
        let Some(command) = command.strip_prefix(DEMO) else { continue };
        let ran = finish(seepage().args(command.split(' ')));
        let printed = ran.stdout + &ran.stderr;
        let shown: Vec<String> = shown.iter().map(|line| masked(line)).collect();
        let lines: Vec<String> = printed.lines().map(masked).collect();
        assert!(agrees(&shown, &lines), "{command} prints now:\n{printed}");
        demos += 1;
    }
    assert!(demos > 0, "the README has no demo");
}

#[test]
fn the_snippet_is_the_examples() {
    let example = read("examples/embed.rs");
    let snippets = blocks(&read("README.md"), "rust");
    assert!(!snippets.is_empty(), "the README has no snippet");
    for line in snippets.iter().flatten().map(|line| line.trim()) {
        let found = example.lines().any(|own| own.trim() == line);
        assert!(found || line.is_empty() || line == "// …", "not in examples/embed.rs: {line}");
    }
}

/// The WAT in the documentation is a piece of a golden, but for its indentation.
#[test]
fn the_wat_is_the_goldens() {
    let trimmed = |line: &str| line.trim().to_owned();
    let goldens: Vec<Vec<String>> = fs::read_dir(root().join("tests/instrument"))
        .expect("the folder is part of the checkout")
        .map(|entry| entry.expect("the folder can be listed").path())
        .map(|path| fs::read_to_string(path).expect("it is text").lines().map(trimmed).collect())
        .collect();
    let blocks = blocks(&read("docs/instrumentation.md"), "wat");
    assert!(blocks.len() > 4, "the page has lost its WAT");
    for block in blocks {
        let mut shown = vec!["…".to_owned()];
        shown.extend(block.iter().map(|line| trimmed(line)));
        shown.push("…".to_owned());
        let found = goldens.iter().any(|golden| agrees(&shown, golden));
        assert!(found, "in no golden of tests/instrument:\n{}", block.join("\n"));
    }
}

#[test]
fn every_option_is_documented() {
    let documented = read("docs/cli.md");
    for verb in VERBS {
        let ran = finish(seepage().args([verb, "--help"]));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let words = ran.stdout.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        for option in words.filter(|word| word.len() > 2 && word.starts_with("--")) {
            let known = documented.contains(&format!("`{option}"));
            assert!(known || option == "--target", "{verb} {option}: not in docs/cli.md");
        }
    }
    let ran = finish(seepage().arg("--help"));
    for verb in VERBS {
        assert!(ran.stdout.contains(&format!("\n  {verb} ")), "{verb} is no subcommand any more");
    }
    let listed = ran.stdout.lines().skip_while(|line| *line != "Commands:").skip(1);
    for line in listed.take_while(|line| !line.is_empty()) {
        let verb = line.split_whitespace().next().unwrap_or_default();
        assert!(VERBS.contains(&verb), "the subcommand {verb} is new: add it here");
    }
}

#[test]
fn every_format_is_documented() {
    let documented = read("docs/cli.md");
    for format in seepage_report::formats::LIST {
        assert!(documented.contains(&format!("`{}`", format.name)), "{}", format.name);
    }
}
