//! The files of rules that people have: LeakSanitizer's lines and Valgrind's blocks, in one file
//! if need be.
//!
//! ```text
//! # LeakSanitizer's: a function, file or module anywhere in the stack
//! leak:parse_config
//! # and ours: frames next to one another, innermost first, with a limit
//! leak:^strdup$ < ... < load_*.c max=64KB blocks=10
//! # Valgrind's: from the innermost frame on, or from the function that allocated
//! {
//!    a name
//!    Memcheck:Leak
//!    match-leak-kinds: definite
//!    fun:malloc
//!    fun:parse_*
//!    ...
//!    obj:*/app.wasm
//! }
//! ```

use super::{
    Glob, Limit, Line, Origin, Rule,
    pattern::{StackPattern, Step},
};
use crate::{config::LeakKinds, profile::LeakKind, words};

/// The longest name of a rule that reports show in full.
const LONGEST_NAME: usize = 200;

/// A line that is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct SyntaxError {
    /// Where.
    pub place: Line,
    /// Why: a clause without a full stop.
    pub message: String,
}

/// The rules of a file of that name, or its first line that is none.
pub fn parse(text: &str, name: &str) -> Result<Vec<Rule>, SyntaxError> {
    let (rules, errors) = lenient(text, name, Origin::File);
    match errors.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(rules),
    }
}

/// The rules of a text, and the lines that are none.
pub(crate) fn lenient(
    text: &str,
    name: &str,
    origin: fn(Line) -> Origin,
) -> (Vec<Rule>, Vec<SyntaxError>) {
    let (mut rules, mut errors) = (Vec::new(), Vec::new());
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let place = |line: u32| Line { name: name.into(), line };
    let mut lines = (1u32..).zip(text.lines().map(str::trim));
    let mut lines = lines.by_ref().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    while let Some((number, line)) = lines.next() {
        let rule = if line == "{" {
            block(&mut lines).map_err(|(at, message)| (at.unwrap_or(number), message))
        } else {
            one_line(line).map(Some).map_err(|message| (number, message))
        };
        match rule {
            Ok(None) => {}
            Ok(Some(draft)) => rules.push(Rule {
                name: shortened(draft.name),
                reason: String::new(),
                origin: origin(place(number)),
                kinds: draft.kinds,
                limit: draft.limit,
                patterns: vec![draft.pattern],
                plumbing: Vec::new(),
                stacks: vec![draft.stack],
            }),
            Err((line, message)) => errors.push(SyntaxError { place: place(line), message }),
        }
    }
    (rules, errors)
}

/// A rule as it is written.
struct Draft {
    name: String,
    pattern: String,
    kinds: LeakKinds,
    limit: Limit,
    stack: StackPattern,
}

fn one_line(line: &str) -> Result<Draft, String> {
    let Some(body) = line.strip_prefix("leak:") else {
        return Err(format!(
            "`{}` is no rule: a line begins with `leak:`, or with `{{` for a block",
            shortened(line.into())
        ));
    };
    let mut body = body.trim();
    let mut limit = Limit::default();
    loop {
        let (front, word) = match body.rsplit_once(char::is_whitespace) {
            Some((front, word)) => (front, word),
            None => ("", body),
        };
        if let Some(size) = word.strip_prefix("max=") {
            limit.bytes = Some(bytes(size)?);
        } else if let Some(number) = word.strip_prefix("blocks=") {
            let blocks =
                number.parse().map_err(|_| format!("`{number}` is no number of blocks"))?;
            limit.blocks = Some(blocks);
        } else {
            break;
        }
        body = front.trim_end();
    }
    let mut steps = vec![Step::Any];
    for text in body.split(" < ").map(str::trim) {
        match text {
            "..." => steps.push(Step::Any),
            "" | "^" | "$" | "^$" => return Err("the pattern is empty".into()),
            text => steps.push(Step::Anything(Glob::within(text))),
        }
    }
    steps.dedup_by(|later, first| *later == Step::Any && *first == Step::Any);
    if steps.iter().all(|step| *step == Step::Any) {
        return Err("the pattern names no frame".into());
    }
    Ok(Draft {
        name: format!("leak:{body}"),
        pattern: body.into(),
        kinds: LeakKinds::ALL,
        limit,
        stack: StackPattern { steps, names_allocator: false },
    })
}

/// The rest of a block. One that is about something else than leaks is passed over.
fn block<'a>(
    lines: &mut impl Iterator<Item = (u32, &'a str)>,
) -> Result<Option<Draft>, (Option<u32>, String)> {
    let mut body = Vec::new();
    loop {
        match lines.next() {
            None => return Err((None, "the block that begins here does not end".into())),
            Some((_, "}")) => break,
            Some(line) => body.push(line),
        }
    }
    let &[(_, name), (number, tool), ref rest @ ..] = body.as_slice() else {
        return Err((None, "a block has a name, `Memcheck:Leak`, and the frames".into()));
    };
    let Some((tools, kind)) = tool.split_once(':') else {
        return Err((Some(number), format!("`{tool}` is no `Memcheck:Leak`")));
    };
    let is_ours = |tool: &str| matches!(tool.trim(), "Memcheck" | "seepage");
    if kind.trim() != "Leak" || !tools.split(',').any(is_ours) {
        return Ok(None);
    }
    let mut kinds = LeakKinds::ALL;
    let (mut steps, mut texts) = (Vec::new(), Vec::new());
    for &(number, line) in rest {
        let wrong = |message| (Some(number), message);
        if let Some(list) = line.strip_prefix("match-leak-kinds:") {
            kinds = leak_kinds(list).map_err(wrong)?;
            continue;
        }
        steps.push(step(line).map_err(wrong)?);
        texts.push(line);
    }
    if steps.is_empty() {
        return Err((None, "the block names no frame".into()));
    }
    Ok(Some(Draft {
        name: name.into(),
        pattern: texts.join(" < "),
        kinds,
        limit: Limit::default(),
        stack: StackPattern { steps, names_allocator: true },
    }))
}

/// A frame of a block.
fn step(line: &str) -> Result<Step, String> {
    if line == "..." {
        return Ok(Step::Any);
    }
    let (kind, text) = line.split_once(':').unwrap_or((line, ""));
    let text = text.trim();
    match (kind, text) {
        ("fun" | "obj" | "src", "") => Err(format!("`{kind}:` needs a name")),
        ("fun", name) => Ok(Step::Function(Glob::wildcards(name))),
        ("obj", name) => Ok(Step::Module(Glob::wildcards(name))),
        ("src", name) => {
            let numbered = name
                .rsplit_once(':')
                .and_then(|(file, line)| line.parse().ok().map(|line: u32| (file, Some(line))));
            let (file, line) = numbered.unwrap_or((name, None));
            Ok(Step::Source(Glob::wildcards(file), line))
        }
        _ => Err(format!("`{}` is no frame: fun:, obj:, src: or `...`", shortened(line.into()))),
    }
}

fn leak_kinds(list: &str) -> Result<LeakKinds, String> {
    let mut kinds = Vec::new();
    for word in list.split(',').map(str::trim) {
        let named = LeakKind::ALL.into_iter().find(|kind| kind.name() == word);
        match (word, named) {
            ("all", _) => kinds.extend(LeakKind::ALL),
            ("none", _) => {}
            (_, Some(kind)) => kinds.push(kind),
            (word, None) => {
                return Err(format!(
                    "`{word}` is no kind of leak: definite, indirect, possible, reachable, all"
                ));
            }
        }
    }
    Ok(LeakKinds::new(&kinds))
}

fn bytes(text: &str) -> Result<u64, String> {
    words::size(text).map_err(|_| format!("`{text}` is no size: 4096, 64KB or 1MiB"))
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(LONGEST_NAME) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text, "my.supp").expect_err("it is wrong").to_string()
    }

    #[test]
    fn both_forms_in_one_file() {
        let rules = parse(
            "\u{feff}# a comment\r\n\r\n  leak:foo  \nleak:^a$ < ... < ns::T<U>::b(char const*) \
             max=64KB blocks=10\n{\n  name of it\n  Memcheck,Other:Leak\n  # why\n  \
             match-leak-kinds: definite, possible\n  fun:malloc\n  ...\n  src:a.c:12\n  obj:*.wasm\n}\n\
             {\n other tools'\n Helgrind:Race\n whatever:x\n}\n{\n c\n Memcheck:Param\n write(buf)\n fun:f\n}",
            "my.supp",
        )
        .expect("it is right");
        let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        assert_eq!(names, ["leak:foo", "leak:^a$ < ... < ns::T<U>::b(char const*)", "name of it"]);
        let places: Vec<_> = rules.iter().filter_map(|rule| rule.origin.place()).collect();
        assert_eq!(places, ["my.supp:3", "my.supp:4", "my.supp:5"]);
        assert_eq!(rules[0].limit, Limit::default());
        assert_eq!(
            rules[1].limit,
            Limit { blocks: Some(10), bytes: Some(64_000), block_bytes: None }
        );
        assert_eq!(rules[2].kind_names(), ["definite", "possible"]);
        assert_eq!(rules[2].patterns, ["fun:malloc < ... < src:a.c:12 < obj:*.wasm"]);
        assert_eq!(rules[2].stacks[0].steps[2], Step::Source(Glob::wildcards("a.c"), Some(12)));
    }

    #[test]
    fn nothing_is_a_file_too() {
        assert_eq!(parse("", "x"), Ok(Vec::new()));
        assert_eq!(parse("# only this\n\n", "x"), Ok(Vec::new()));
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, expected) in [
            ("leak:ok\nfoo", "my.supp:2: `foo` is no rule"),
            ("race:foo", "my.supp:1: `race:foo` is no rule"),
            ("leak:", "my.supp:1: the pattern is empty"),
            ("leak: max=1", "my.supp:1: the pattern is empty"),
            ("leak:a <  < b", "my.supp:1: the pattern is empty"),
            ("leak:... < ...", "my.supp:1: the pattern names no frame"),
            ("leak:a max=lots", "my.supp:1: `lots` is no size"),
            ("leak:a max=99999999999GiB", "my.supp:1: `99999999999GiB` is no size"),
            ("leak:a blocks=x", "my.supp:1: `x` is no number of blocks"),
            ("#\n{\nname", "my.supp:2: the block that begins here does not end"),
            ("{\nname\n}", "my.supp:1: a block has a name"),
            ("{\nname\nMemcheck:Leak\n}", "my.supp:1: the block names no frame"),
            ("{\nname\nLeak\nfun:a\n}", "my.supp:3: `Leak` is no `Memcheck:Leak`"),
            ("{\nname\nMemcheck:Leak\nfun:\n}", "my.supp:4: `fun:` needs a name"),
            ("{\nn\nMemcheck:Leak\nfun:a\nfoo\n}", "my.supp:5: `foo` is no frame"),
            (
                "{\nn\nMemcheck:Leak\nmatch-leak-kinds: lost\nfun:a\n}",
                "my.supp:4: `lost` is no kind of leak",
            ),
        ] {
            assert!(error(text).starts_with(expected), "{text}: {}", error(text));
            assert!(!error(text).contains('\n'), "one line");
        }
    }

    #[test]
    fn a_modules_rules_survive_its_errors() {
        let (rules, errors) = lenient("leak:a\nnonsense\nleak:b", "app.wasm", Origin::Module);
        assert_eq!((rules.len(), errors.len()), (2, 1));
    }
}
