//! Patterns of names and of stacks: what every rule, wherever it was written, is matched by.

use seepage_trace::Frame;

/// A name with wildcards, which must match from end to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    /// What stands between the stars; at least one piece.
    pieces: Vec<String>,
    /// Whether `?` stands for any one character.
    has_any: bool,
}

impl Glob {
    /// `*` is any text.
    pub(super) fn stars(text: &str) -> Glob {
        Glob { pieces: text.split('*').map(str::to_owned).collect(), has_any: false }
    }

    /// `*` is any text and `?` any character, as in Valgrind's files.
    pub(super) fn wildcards(text: &str) -> Glob {
        Glob { has_any: text.contains('?'), ..Glob::stars(text) }
    }

    /// Anywhere in the name, unless `^` and `$` say that it begins or ends so, as in LeakSanitizer's
    /// files.
    pub(super) fn within(text: &str) -> Glob {
        let (front, text) = match text.strip_prefix('^') {
            Some(rest) => ("", rest),
            None => ("*", text),
        };
        let (text, back) = match text.strip_suffix('$') {
            Some(rest) => (rest, ""),
            None => (text, "*"),
        };
        Glob::stars(&format!("{front}{text}{back}"))
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.pieces.split_first() else { return false };
        let Some((last, middle)) = rest.split_last() else {
            return self.begins(first, text) == Some(text.len());
        };
        let Some(length) = self.begins(first, text) else { return false };
        let mut text = &text[length..];
        // Each piece between two stars at its first place: if any place will do, the first will.
        for piece in middle {
            let Some(end) = self.end_of(piece, text) else { return false };
            text = &text[end..];
        }
        self.ends(last, text)
    }

    /// How much of the text is the piece, if the text begins with it.
    fn begins(&self, piece: &str, text: &str) -> Option<usize> {
        if !self.has_any {
            return text.starts_with(piece).then_some(piece.len());
        }
        let mut rest = text.chars();
        for wanted in piece.chars() {
            let character = rest.next()?;
            if wanted != '?' && wanted != character {
                return None;
            }
        }
        Some(text.len() - rest.as_str().len())
    }

    /// Where the first such piece of the text ends.
    fn end_of(&self, piece: &str, text: &str) -> Option<usize> {
        if !self.has_any {
            return text.find(piece).map(|at| at + piece.len());
        }
        let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        let mut ends = starts.map(|at| Some(at + self.begins(piece, &text[at..])?));
        ends.find_map(|end| end)
    }

    fn ends(&self, piece: &str, text: &str) -> bool {
        if !self.has_any {
            return text.ends_with(piece);
        }
        let Some(surplus) = text.chars().count().checked_sub(piece.chars().count()) else {
            return false;
        };
        let at = text.char_indices().nth(surplus).map_or(text.len(), |(at, _)| at);
        self.begins(piece, &text[at..]).is_some()
    }
}

/// One place of a stack's pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Any number of frames.
    Any,
    /// A function's name, without what stands before it in Rust: `<alloc::vec::Vec<T> as …>::push`
    /// is `alloc`'s.
    Bare(Glob),
    /// A function's name.
    Function(Glob),
    /// A source file, by its path or its last part, and the line if it is given.
    Source(Glob, Option<u32>),
    /// The module.
    Module(Glob),
    /// Any of a function's name, its file's and its module's.
    Anything(Glob),
}

/// A stack as patterns see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The module's name.
    pub(crate) module: &'a str,
    /// What the function is called by which it allocated: several names, or none.
    pub(crate) allocator: &'a [&'a str],
    /// The frames, innermost first.
    pub(crate) frames: &'a [Frame],
}

impl Step {
    fn matches_frame(&self, frame: &Frame, module: &str) -> bool {
        let file = frame.file.as_deref();
        match self {
            Step::Any => true,
            Step::Bare(glob) => glob.matches(frame.function.trim_start_matches('<')),
            Step::Function(glob) => glob.matches(&frame.function),
            Step::Source(glob, line) => {
                file.is_some_and(|file| glob.matches(file) || glob.matches(last_part(file)))
                    && (line.is_none() || *line == frame.line)
            }
            Step::Module(glob) => is_module(glob, module),
            Step::Anything(glob) => {
                glob.matches(&frame.function)
                    || file.is_some_and(|file| glob.matches(file))
                    || is_module(glob, module)
            }
        }
    }

    /// Whether it may be the function that allocated, which is no frame of the stack.
    fn matches_allocator(&self, place: &Place<'_>) -> bool {
        match self {
            Step::Function(glob) => place.allocator.iter().any(|name| glob.matches(name)),
            Step::Module(glob) => is_module(glob, place.module),
            Step::Any | Step::Bare(_) | Step::Source(..) | Step::Anything(_) => false,
        }
    }

    /// Whether a frame with such a function or file may match.
    pub(super) fn may_be(&self, name: &str) -> bool {
        match self {
            Step::Any => true,
            Step::Bare(glob) => glob.matches(name.trim_start_matches('<')),
            Step::Function(glob) | Step::Anything(glob) => glob.matches(name),
            Step::Source(glob, _) => glob.matches(name) || glob.matches(last_part(name)),
            Step::Module(_) => false,
        }
    }

    /// Whether it holds for the module whatever the frames are.
    pub(super) fn holds_for_module(&self, module: &str) -> bool {
        matches!(self, Step::Module(glob) | Step::Anything(glob) if is_module(glob, module))
    }
}

/// A module is known by its file's name, and a rule may give a path.
fn is_module(glob: &Glob, module: &str) -> bool {
    let is_path = || glob.pieces.iter().any(|piece| piece.contains('/'));
    !module.is_empty()
        && (glob.matches(module) || (is_path() && glob.matches(&format!("/{module}"))))
}

fn last_part(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A stack's pattern. What lies outside of its last step may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StackPattern {
    /// The steps, innermost first.
    pub(super) steps: Vec<Step>,
    /// Whether the first step may be the function that allocated.
    pub(super) names_allocator: bool,
}

impl StackPattern {
    pub(super) fn matches(&self, place: &Place<'_>) -> bool {
        if steps_match(&self.steps, place.frames, place.module) {
            return true;
        }
        let allocates = |step: &Step| self.names_allocator && step.matches_allocator(place);
        match self.steps.as_slice() {
            [first, rest @ ..] if allocates(first) => steps_match(rest, place.frames, place.module),
            // A stack that is not known is still of a module.
            [Step::Any, only] => place.frames.is_empty() && only.holds_for_module(place.module),
            _ => false,
        }
    }
}

/// Whether the innermost frames are those of the steps. Each run of frames behind an
/// [`Step::Any`] is looked for at its first place: if any place will do, the first will.
fn steps_match(steps: &[Step], frames: &[Frame], module: &str) -> bool {
    let mut frames = frames;
    for (index, run) in steps.split(|step| *step == Step::Any).enumerate() {
        let here = |at: usize| {
            let frames = &frames[at..];
            run.len() <= frames.len()
                && run.iter().zip(frames).all(|(step, frame)| step.matches_frame(frame, module))
        };
        let found = if index == 0 {
            here(0).then_some(0)
        } else {
            (0..=frames.len().saturating_sub(run.len())).find(|&at| here(at))
        };
        let Some(at) = found else { return false };
        frames = &frames[at + run.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars() {
        for (glob, text) in [
            ("a", "a"),
            ("*", ""),
            ("a*", "abc"),
            ("*c", "abc"),
            ("a*c*e", "abcde"),
            ("a**b", "ab"),
            ("a?b", "a?b"),
        ] {
            assert!(Glob::stars(glob).matches(text), "{glob} {text}");
        }
        for (glob, text) in
            [("a", "ab"), ("a*", "ba"), ("*c", "cb"), ("ab*ba", "aba"), ("", "a"), ("a?b", "axb")]
        {
            assert!(!Glob::stars(glob).matches(text), "{glob} {text}");
        }
    }

    #[test]
    fn question_marks() {
        for (glob, text) in
            [("a?c", "abc"), ("?", "é"), ("*?z", "xyz"), ("a*?c", "aéc"), ("?*?", "ab"), ("", "")]
        {
            assert!(Glob::wildcards(glob).matches(text), "{glob} {text}");
        }
        for (glob, text) in [("?", ""), ("a?", "a"), ("?*?", "a"), ("*b?d*", "abd"), ("a?", "abc")]
        {
            assert!(!Glob::wildcards(glob).matches(text), "{glob} {text}");
        }
    }

    #[test]
    fn anywhere_or_at_the_ends() {
        for (glob, text) in [
            ("foo", "a foo b"),
            ("^foo", "foo b"),
            ("foo$", "foo foo"),
            ("^foo$", "foo"),
            ("^a*b$", "axxb"),
            ("a*b", "-a-b-"),
        ] {
            assert!(Glob::within(glob).matches(text), "{glob} {text}");
        }
        for (glob, text) in [("^foo", "a foo"), ("foo$", "foo b"), ("^foo$", "foofoo")] {
            assert!(!Glob::within(glob).matches(text), "{glob} {text}");
        }
    }

    fn matches(pattern: &[&str], names: &[&str]) -> bool {
        let frames: Vec<Frame> = names.iter().map(|&name| Frame::function(name)).collect();
        let step = |text: &&str| match *text {
            "..." => Step::Any,
            name => Step::Function(Glob::stars(name)),
        };
        let steps = pattern.iter().map(step).collect();
        let pattern = StackPattern { steps, names_allocator: true };
        pattern.matches(&Place { module: "app.wasm", allocator: &["malloc"], frames: &frames })
    }

    #[test]
    fn stacks_match_from_the_inside() {
        assert!(matches(&["a", "...", "d"], &["a", "b", "c", "d", "e"]));
        assert!(matches(&["a", "...", "b"], &["a", "b"]));
        assert!(matches(&["...", "b", "c"], &["b", "a", "b", "c"]));
        assert!(matches(&["...", "b", "...", "c"], &["a", "b", "x", "b", "c"]));
        assert!(matches(&["malloc", "a"], &["a", "b"]));
        assert!(matches(&["malloc", "...", "b"], &["a", "b"]));
        assert!(!matches(&["b"], &["a", "b"]));
        assert!(!matches(&["a", "c"], &["a", "b", "c"]));
        assert!(!matches(&["a"], &[]));
        assert!(!matches(&["...", "c", "...", "b"], &["b", "c"]));
        assert!(matches(&["malloc"], &["a"]), "as Valgrind has it: whatever malloc gave out");
    }

    #[test]
    fn many_gaps_take_no_time() {
        let pattern: Vec<&str> = ["...", "a"].repeat(200).into_iter().chain(["b"]).collect();
        assert!(!matches(&pattern, &["a"; 500]));
    }
}
