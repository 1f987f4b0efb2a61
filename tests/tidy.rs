//! The rules that the tree keeps, checked on its text. Each failure names file, line and rule.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Past this a file has a second thing in it.
const MOST_LINES: usize = 700;
/// A guest above this does not belong into the repository.
const LARGEST_GUEST: u64 = 350 * 1024;
/// Folders that are not ours.
const OTHERS: [&str; 6] = ["target", ".cache", ".git", "node_modules", "generated", "dist"];
const LIBRARIES: [&str; 6] = ["trace", "probe", "instrumenter", "analysis", "report", "runtime"];
/// Libraries that know no operating system.
const PURE: [&str; 5] = ["trace", "probe", "instrumenter", "analysis", "report"];
const IMPURE: [&str; 6] = ["fs", "io", "time", "env", "thread", "net"];
const SOURCES: [&str; 9] = ["rs", "c", "h", "cpp", "ts", "js", "mjs", "zig", "toml"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All our files, by their paths from the root.
fn files() -> Vec<String> {
    fn walk(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("the checkout can be listed") {
            let path = entry.expect("the checkout can be listed").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !OTHERS.contains(&name.as_str()) {
                    walk(&path, found);
                }
            } else if let Ok(path) = path.strip_prefix(root()) {
                found.push(path.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    let mut found = Vec::new();
    walk(root(), &mut found);
    found.sort();
    assert!(found.len() > 100, "the tree is not where it should be");
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn extension(path: &str) -> &str {
    Path::new(path).extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}

fn is_below(path: &str, crates: &[&str], folder: &str) -> bool {
    crates.iter().any(|name| path.starts_with(&format!("{name}/{folder}/")))
}

fn none(offences: &[String]) {
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

/// The code of a library's file without its tests, its comments and what stands in quotes.
fn bare_code(text: &str) -> Vec<(usize, String)> {
    let lines = text.lines().enumerate();
    let code = lines.take_while(|(_, line)| !line.starts_with("#[cfg(test)]"));
    code.filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number + 1, line.split('"').step_by(2).collect::<String>()))
        .collect()
}

#[test]
fn files_stay_small() {
    let mut offences = Vec::new();
    for path in files() {
        let ours = SOURCES.contains(&extension(&path)) || extension(&path) == "md";
        if ours && read(&path).lines().count() > MOST_LINES {
            offences.push(format!("{path}: more than {MOST_LINES} lines"));
        }
    }
    none(&offences);
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not offend itself.
    let words =
        [["TO", "DO"], ["FIX", "ME"], ["todo", "!("], ["unimplemented", "!("], ["dbg", "!("]]
            .map(|halves| halves.concat());
    let mut offences = Vec::new();
    for path in files().iter().filter(|path| SOURCES.contains(&extension(path))) {
        for (number, line) in read(path).lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(word.as_str())) {
                offences.push(format!("{path}:{}: {word}", number + 1));
            }
        }
    }
    none(&offences);
}

/// What a guest or a file says is data, so a library has nothing to be sure of.
#[test]
fn libraries_do_not_panic_by_design() {
    let mut offences = Vec::new();
    let is_tests = |path: &String| path.ends_with("/tests.rs");
    for path in files().iter().filter(|it| is_below(it, &LIBRARIES, "src") && !is_tests(it)) {
        for (number, code) in bare_code(&read(path)) {
            for call in [".unwrap()", ".expect(", "panic!("] {
                if code.contains(call) {
                    offences.push(format!("{path}:{number}: {call}"));
                }
            }
        }
    }
    none(&offences);
}

#[test]
fn modules_say_what_they_are_for() {
    let folders = ["cli/", "tests/", "benches/", "examples/", "xtask/src/"];
    let mut offences = Vec::new();
    for path in files().iter().filter(|path| extension(path) == "rs") {
        let ours = folders.iter().any(|folder| path.starts_with(folder))
            || is_below(path, &LIBRARIES, "src");
        let is_guest = path.starts_with("tests/programs/") || path.starts_with("benches/guests/");
        if ours && !is_guest && !read(path).starts_with("//!") {
            offences.push(format!("{path}: does not begin with `//!`"));
        }
    }
    none(&offences);
}

#[test]
fn pure_crates_touch_nothing() {
    let mut offences = Vec::new();
    for path in files().iter().filter(|path| is_below(path, &PURE, "src")) {
        let code = bare_code(&read(path));
        for (number, line) in &code {
            for module in IMPURE.iter().filter(|module| line.contains(&format!("std::{module}"))) {
                offences.push(format!("{path}:{number}: std::{module}"));
            }
        }
        let text: String = code.into_iter().map(|(_, line)| line + "\n").collect();
        for module in grouped_imports(&text) {
            if IMPURE.contains(&module.as_str()) {
                offences.push(format!("{path}: use std::{{{module}}}"));
            }
        }
    }
    none(&offences);
}

/// The modules that `use std::{…}` names at its outer level.
fn grouped_imports(code: &str) -> Vec<String> {
    let mut modules = Vec::new();
    for group in code.split("use std::{").skip(1) {
        let (mut depth, mut word) = (0, String::new());
        for character in group.chars() {
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => modules.push(std::mem::take(&mut word)),
                _ if depth == 0 => word.push(character),
                _ => {}
            }
        }
        modules.push(word);
    }
    let first = |path: &String| path.split("::").next().unwrap_or_default().trim().to_owned();
    modules.iter().map(first).collect()
}

#[test]
fn guests_are_small() {
    let mut offences = Vec::new();
    for path in files().iter().filter(|path| extension(path) == "wasm") {
        let bytes = fs::metadata(root().join(path)).map_or(u64::MAX, |file| file.len());
        if bytes > LARGEST_GUEST {
            offences.push(format!("{path}: {bytes} bytes, more than {LARGEST_GUEST}"));
        }
    }
    none(&offences);
}

#[test]
fn links_lead_somewhere() {
    let mut offences = Vec::new();
    for path in files().iter().filter(|path| extension(path) == "md") {
        let text = read(path);
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { PathBuf::from(path) } else { folder.join(file) };
            if !root().join(&target).exists() {
                offences.push(format!("{path}: `{link}` is not there"));
            } else if !heading.is_empty()
                && !headings(&read(&target.to_string_lossy())).contains(heading)
            {
                offences.push(format!("{path}: `{link}` has no such heading"));
            }
        }
    }
    none(&offences);
}

/// The text outside of fenced blocks.
fn prose(markdown: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    markdown.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    })
}

fn links(markdown: &str) -> Vec<String> {
    let targets = prose(markdown).flat_map(|line| line.split("](").skip(1));
    targets.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// Headings as GitHub names their anchors.
fn headings(markdown: &str) -> BTreeSet<String> {
    let titles = prose(markdown).filter(|line| line.starts_with('#'));
    titles
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn exit_codes_are_documented() {
    let documented = read("docs/cli.md");
    let mut codes = 0;
    for line in read("cli/exit.rs").lines() {
        let Some(rest) = line.strip_prefix("pub(crate) const ") else { continue };
        let Some((name, code)) = rest.split_once(": i32 = ") else { continue };
        let code = code.trim_end_matches(';');
        assert!(documented.contains(&format!("| {code} |")), "{name}, {code}: not in docs/cli.md");
        codes += 1;
    }
    assert!(codes >= 9, "the codes are not where they were");
}

/// What the instrumenter knows is a list in the documentation as well.
#[test]
fn allocators_are_documented() {
    let documented = read("docs/allocators.md");
    for (folder, at_least) in [("allocators", 9), ("structure", 2)] {
        let folder = format!("instrumenter/src/{folder}/");
        let mut names = BTreeSet::new();
        for path in files().iter().filter(|path| path.starts_with(&folder)) {
            names.extend(names_in(&read(path)));
        }
        assert!(names.len() >= at_least, "{folder}: only {names:?}");
        for name in names {
            assert!(documented.contains(&format!("`{name}`")), "{name}: not in docs/allocators.md");
        }
    }
}

#[test]
fn suppressions_are_documented() {
    let documented = read("docs/cli.md");
    let names = names_in(&read("analysis/src/suppressions/builtin.rs"));
    assert!(names.len() >= 9, "only {names:?}");
    for name in names {
        assert!(documented.contains(&format!("`{name}`")), "{name}: not in docs/cli.md");
    }
}

/// The values of the fields `name: "…"`.
fn names_in(code: &str) -> BTreeSet<String> {
    let values = code.split("name: \"").skip(1);
    values.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}
