//! One line of a log that somebody's bindings write:
//!
//! ```text
//! @ALLOCATE type size file:line id
//! @DROP     type size           id
//! ```
//!
//! Anything may stand before the verb: a time, a level. A type may have spaces, as in
//! `Map<string, Field>`, and so may a path: the size is the first word behind the type that is a
//! number, the id is the last word, and what is left between the two is the place. A verb whose
//! fields cannot be told apart makes a damaged line; without a verb a line is none of ours.

use std::borrow::Cow;

/// What a line says has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Allocate,
    Drop,
}

const VERBS: [(&[u8], Verb); 2] = [(b"@ALLOCATE", Verb::Allocate), (b"@DROP", Verb::Drop)];

/// A size from here on is none: no program that logs its objects can count that far.
const SIZES: u64 = 1 << 53;

/// A line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) verb: Verb,
    pub(super) kind: Cow<'a, str>,
    pub(super) size: u64,
    /// As it is written; empty if there is none.
    pub(super) place: Cow<'a, str>,
    pub(super) id: &'a [u8],
}

/// What became of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Parsed<'a> {
    Line(Line<'a>),
    Damaged,
    Other,
}

pub(super) fn parse(line: &[u8]) -> Parsed<'_> {
    let Some((verb, rest)) = verb(line) else { return Parsed::Other };
    // What a colour's end would glue to the id.
    let rest = rest.split(|&byte| byte == 0x1b).next().unwrap_or_default();
    match fields(rest) {
        Some((kind, size, place, id)) => Parsed::Line(Line {
            verb,
            kind: String::from_utf8_lossy(kind),
            size,
            place: String::from_utf8_lossy(place),
            id,
        }),
        None => Parsed::Damaged,
    }
}

/// The first verb of a line that is a word of its own, and what follows it.
fn verb(line: &[u8]) -> Option<(Verb, &[u8])> {
    let mut from = 0;
    while let Some(found) = line.get(from..)?.iter().position(|&byte| byte == b'@') {
        let at = from + found;
        for (word, verb) in VERBS {
            let Some(rest) = line[at..].strip_prefix(word) else { continue };
            let before = &line[..at];
            let stands_alone = before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric())
                || ends_with_color(before);
            if stands_alone && rest.first().is_none_or(u8::is_ascii_whitespace) {
                return Some((verb, rest));
            }
        }
        from = at + 1;
    }
    None
}

/// Whether a terminal is told a colour there: `ESC [ 3 2 m`.
fn ends_with_color(text: &[u8]) -> bool {
    let Some(text) = text.strip_suffix(b"m") else { return false };
    let digits = text.iter().rev().take_while(|&&byte| byte.is_ascii_digit() || byte == b';');
    text[..text.len() - digits.count()].ends_with(b"\x1b[")
}

type Fields<'a> = (&'a [u8], u64, &'a [u8], &'a [u8]);

fn fields(text: &[u8]) -> Option<Fields<'_>> {
    let text = text.trim_ascii();
    let last = text.iter().rposition(u8::is_ascii_whitespace)?;
    let (front, id) = (&text[..last], &text[last + 1..]);
    let mut words = Words { text: front, at: 0 };
    let kind_start = words.next()?.0;
    let (size_start, size_end, size) = words.find_map(|(start, end)| {
        let size = std::str::from_utf8(&front[start..end]).ok()?.parse::<u64>().ok()?;
        Some((start, end, size))
    })?;
    let kind = front[kind_start..size_start].trim_ascii();
    let place = front[size_end..].trim_ascii();
    (size < SIZES).then_some((kind, size, place, id))
}

/// Where the words of a text begin and end.
struct Words<'a> {
    text: &'a [u8],
    at: usize,
}

impl Iterator for Words<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        let rest = &self.text[self.at..];
        let start = self.at + rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let rest = &self.text[start..];
        let length = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        self.at = start + length;
        Some((start, self.at))
    }
}

/// File, line and column of a place, such as `src/a b.ts:10:5`.
pub(super) fn place(text: &str) -> (Option<&str>, Option<u32>, Option<u32>) {
    fn number(text: &str) -> Option<(&str, u32)> {
        let (front, number) = text.rsplit_once(':')?;
        Some((front, number.parse().ok()?)).filter(|(front, _)| !front.is_empty())
    }
    // As stacks have it: `(src/a.ts:10:5)`.
    let bare = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text);
    let (file, line, column) = match number(bare) {
        None => (bare, None, None),
        Some((file, line)) => match number(file) {
            None => (file, Some(line), None),
            Some((file, outer)) => (file, Some(outer), Some(line)),
        },
    };
    let from_1 = |number: Option<u32>| number.filter(|&number| number > 0);
    (Some(file).filter(|file| !file.is_empty()), from_1(line), from_1(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(Verb, String, u64, String, String)> {
        match parse(text.as_bytes()) {
            Parsed::Line(Line { verb, kind, size, place, id }) => {
                let id = String::from_utf8_lossy(id).into_owned();
                Some((verb, kind.into_owned(), size, place.into_owned(), id))
            }
            _ => None,
        }
    }

    fn line(verb: Verb, kind: &str, size: u64, place: &str, id: &str) -> Option<Read> {
        Some((verb, kind.into(), size, place.into(), id.into()))
    }

    type Read = (Verb, String, u64, String, String);

    #[test]
    fn lines_as_people_write_them() {
        use Verb::{Allocate, Drop};
        let lines = [
            (
                "@ALLOCATE Proof 5242880 prove.js:41 7",
                Allocate,
                "Proof",
                5_242_880,
                "prove.js:41",
                "7",
            ),
            ("@DROP Proof 5242880 7", Drop, "Proof", 5_242_880, "", "7"),
            ("12:00 INFO [wasm] @DROP  Field\t32   obj-17\r", Drop, "Field", 32, "", "obj-17"),
            ("@ALLOCATE Field 32 17", Allocate, "Field", 32, "", "17"),
            (
                "@ALLOCATE Map<string, Field> 0 C:\\a b\\x 2.ts:10:5 0xff",
                Allocate,
                "Map<string, Field>",
                0,
                "C:\\a b\\x 2.ts:10:5",
                "0xff",
            ),
            ("@DROP Field 32 src/free.ts:3 17", Drop, "Field", 32, "src/free.ts:3", "17"),
            ("\x1b[32m@DROP Feld·ä 1 é\x1b[0m", Drop, "Feld·ä", 1, "", "é"),
            ("a@DROP b @DROP Field 8 1", Drop, "Field", 8, "", "1"),
        ];
        for (text, verb, kind, size, place, id) in lines {
            assert_eq!(read(text), line(verb, kind, size, place, id), "{text}");
        }
    }

    #[test]
    fn damaged_lines_and_others() {
        for text in [
            "@ALLOCATE",
            "@DROP ",
            "@DROP Field",
            "@DROP Field 17",
            "@ALLOCATE Field -5 17",
            "@ALLOCATE Field 1e3 a.ts:1 17",
            "@ALLOCATE Field 9007199254740992 17",
            "@ALLOCATE Field 99999999999999999999 17",
            "call @DROP to free it",
        ] {
            assert_eq!(parse(text.as_bytes()), Parsed::Damaged, "{text}");
        }
        for text in ["", "@", "@ALLOC a 1 2", "me@DROP Field 8 1", "@DROPPED Field 8 1", "ALLOCATE"]
        {
            assert_eq!(parse(text.as_bytes()), Parsed::Other, "{text}");
        }
        assert!(matches!(parse(b"@DROP \xff\xfe 8 \xff"), Parsed::Line(_)));
    }

    #[test]
    fn places() {
        assert_eq!(place("src/a.ts:10"), (Some("src/a.ts"), Some(10), None));
        assert_eq!(place("(src/a b.ts:10:5)"), (Some("src/a b.ts"), Some(10), Some(5)));
        assert_eq!(place("C:\\x.ts:10"), (Some("C:\\x.ts"), Some(10), None));
        assert_eq!(place("C:\\x.ts"), (Some("C:\\x.ts"), None, None));
        assert_eq!(place("file:///a.mjs:0:7"), (Some("file:///a.mjs"), None, Some(7)));
        assert_eq!(place(":10"), (Some(":10"), None, None));
        assert_eq!(place(""), (None, None, None));
    }
}
