//! Rules for what was found, ready to be put into a file.
//!
//! They are Valgrind's blocks, because those say from the inside which frames are meant, and name
//! functions only: a rule still holds when lines have moved.

use super::Count;
use crate::{analyses::plural, finding::FindingKind, outcome::Outcome, profile::ContextCost};
use std::{collections::HashMap, fmt::Write as _};

/// Frames of a rule. Valgrind reads no more of them.
const MAX_FRAMES: usize = 24;

/// A rule for every leak of the outcome, each once, the largest first. Fed back, they suppress what
/// they were made of; what no rule can tell from other blocks is said in a comment.
pub fn generate(outcome: &Outcome) -> String {
    let mut out = String::new();
    let leaks = || outcome.findings.iter().filter(|it| it.kind == FindingKind::Leak);
    let contexts = leaks().filter_map(|leak| Some((outcome.context(leak.stack?)?, leak.count)));
    let mut rules: Vec<(String, &ContextCost, Count)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut nameless = Count::default();
    for (context, count) in contexts {
        if context.frames.is_empty() {
            nameless.merge(count);
            continue;
        }
        let frames = frames(context);
        match places.get(&frames) {
            Some(&place) => rules[place].2.merge(count),
            None => {
                places.insert(frames.clone(), rules.len());
                rules.push((frames, context, count));
            }
        }
    }
    rules.sort_by_key(|(_, _, count)| std::cmp::Reverse((count.bytes, count.blocks)));
    for (index, (frames, context, count)) in rules.iter().enumerate() {
        let inner = context.frames.first().map_or("", |frame| &*frame.function);
        // Writing to a string cannot fail.
        _ = write!(
            out,
            "# {}\n{{\n   leak {} in {}\n   Memcheck:Leak\n{frames}}}\n",
            amount(*count),
            index + 1,
            one_line(inner),
        );
    }
    if nameless.blocks > 0 {
        let amount = amount(nameless);
        _ = writeln!(out, "# {amount}: the stack is not known, so no rule can name it");
    }
    if outcome.drops.findings > 0 {
        let findings = plural(outcome.drops.findings, "finding");
        _ = writeln!(out, "# not here: {findings} beyond the limit");
    }
    out
}

fn amount(count: Count) -> String {
    format!("{}, {}", plural(count.blocks, "block"), plural(count.bytes, "byte"))
}

fn frames(context: &ContextCost) -> String {
    let mut out = String::new();
    for frame in context.frames.iter().take(MAX_FRAMES) {
        _ = writeln!(out, "   fun:{}", pattern(&frame.function));
    }
    out
}

/// A pattern that matches the name. A star or question mark in it matches itself.
fn pattern(name: &str) -> String {
    if name.is_empty() {
        return "*".into();
    }
    let starts = name.len() - name.trim_start().len();
    let ends = name.trim_end().len();
    let character = |(at, character): (usize, char)| {
        // What a file cannot hold, and what reading it would trim away.
        let lost = character.is_control() || at < starts || at >= ends;
        if lost { '?' } else { character }
    };
    name.char_indices().map(character).collect()
}

fn one_line(name: &str) -> String {
    name.chars().take(60).map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suppressions::pattern::Glob;

    #[test]
    fn a_pattern_matches_its_name() {
        for name in ["main", " x ", "f(char*, int)", "a?b", "\n{\n", "", "é\u{85}", "}", "..."] {
            let pattern = pattern(name);
            assert!(Glob::wildcards(pattern.trim()).matches(name), "{name:?}: {pattern:?}");
            assert!(!pattern.contains('\n') && !pattern.trim().is_empty());
        }
    }
}
