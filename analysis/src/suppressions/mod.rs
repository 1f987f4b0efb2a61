//! Known noise: blocks that every program of a kind leaves live, and that are no leak of its own.
//!
//! Nothing is hidden by this: a suppressed block counts in every total, the report says which rule
//! took how much out of the verdict and why, and the rules can be listed and switched off. A rule
//! looks at the place that allocates, not at what calls it, so that a program's own functions are
//! never suppressed for being called from `main`.

mod builtin;

use crate::profile::{ContextCost, Count};
pub use builtin::RULES;

/// A rule: which contexts are known noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, in reports and options.
    pub name: &'static str,
    /// Why such blocks are no leak of the program: a clause without a full stop.
    pub reason: &'static str,
    /// Frames of the language's own plumbing, which are passed over at the innermost end.
    pub plumbing: &'static [&'static str],
    /// Patterns of the stack from there on; one of them must match.
    pub stacks: &'static [&'static [&'static str]],
    /// The most blocks that it suppresses in one module. A context with more than is left of
    /// this is not touched: a program that was inlined into its runtime must not hide behind it.
    pub max_blocks: u64,
}

/// A rule that applied, and how much it took out of the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suppressed {
    /// The rule.
    pub rule: &'static Rule,
    /// What is live of it.
    pub live: Count,
}

/// Applies the rules to the contexts that have live blocks, by first appearance: what a runtime
/// allocates, it allocates before the program does.
pub(crate) fn apply(contexts: &mut [ContextCost]) -> Vec<Suppressed> {
    let mut suppressed = Vec::new();
    for rule in RULES {
        let mut total = Count::default();
        let mut used: Vec<(seepage_trace::ModuleId, u64)> = Vec::new();
        for context in contexts.iter_mut() {
            let live = context.cost.live;
            if live.blocks == 0 || context.suppressed_by.is_some() || !rule.matches(context) {
                continue;
            }
            let slot = match used.iter().position(|(module, _)| *module == context.module) {
                Some(slot) => slot,
                None => {
                    used.push((context.module, 0));
                    used.len() - 1
                }
            };
            let blocks = used[slot].1.saturating_add(live.blocks);
            if blocks > rule.max_blocks {
                continue;
            }
            used[slot].1 = blocks;
            total.merge(live);
            context.suppressed_by = Some(suppressed.len());
        }
        if total.blocks > 0 {
            suppressed.push(Suppressed { rule, live: total });
        }
    }
    suppressed
}

impl Rule {
    fn matches(&self, context: &ContextCost) -> bool {
        // `<alloc::vec::Vec<T> as …>::push` is `alloc`'s.
        let names: Vec<&str> =
            context.frames.iter().map(|frame| frame.function.trim_start_matches('<')).collect();
        let is_plumbing = |name: &&str| self.plumbing.iter().any(|glob| glob_matches(glob, name));
        let start = names.iter().take_while(|name| is_plumbing(name)).count();
        self.stacks.iter().any(|pattern| stack_matches(pattern, &names[start..]))
    }
}

/// Whether the innermost frames are those of the pattern, in which `...` is any number of frames.
fn stack_matches(pattern: &[&str], names: &[&str]) -> bool {
    match pattern {
        [] => true,
        ["...", rest @ ..] => (0..=names.len()).any(|skip| stack_matches(rest, &names[skip..])),
        [glob, rest @ ..] => names
            .split_first()
            .is_some_and(|(name, names)| glob_matches(glob, name) && stack_matches(rest, names)),
    }
}

/// Whether `text` is what the glob says, in which `*` is any text.
fn glob_matches(glob: &str, text: &str) -> bool {
    let Some((front, rest)) = glob.split_once('*') else { return glob == text };
    let Some(mut text) = text.strip_prefix(front) else { return false };
    let mut rest = rest;
    // Each piece between two stars at its first place: if any place will do, the first will.
    while let Some((piece, further)) = rest.split_once('*') {
        let Some(at) = text.find(piece) else { return false };
        text = &text[at + piece.len()..];
        rest = further;
    }
    text.ends_with(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (glob, text) in [
            ("a", "a"),
            ("*", ""),
            ("a*", "abc"),
            ("*c", "abc"),
            ("a*c*e", "abcde"),
            ("a**b", "ab"),
        ] {
            assert!(glob_matches(glob, text), "{glob} {text}");
        }
        for (glob, text) in [("a", "ab"), ("a*", "ba"), ("*c", "cb"), ("ab*ba", "aba"), ("", "a")] {
            assert!(!glob_matches(glob, text), "{glob} {text}");
        }
    }

    #[test]
    fn stacks_match_from_the_inside() {
        assert!(stack_matches(&["a", "...", "d"], &["a", "b", "c", "d", "e"]));
        assert!(stack_matches(&["a", "...", "b"], &["a", "b"]));
        assert!(!stack_matches(&["b"], &["a", "b"]));
        assert!(!stack_matches(&["a", "c"], &["a", "b", "c"]));
        assert!(!stack_matches(&["a"], &[]));
    }
}
