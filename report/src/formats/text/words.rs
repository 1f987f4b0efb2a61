//! Names that come from a module, made safe and short enough to print.

use std::borrow::Cow;

/// Whether a character does something to a terminal, or to the order of the text, instead of
/// being seen.
pub(crate) fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The text with everything unprintable escaped as `\u{1b}`.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let escape = |character: char| {
        if is_unprintable(character) {
            character.escape_unicode().to_string()
        } else {
            character.to_string()
        }
    };
    Cow::Owned(text.chars().map(escape).collect())
}

/// The text in at most `width` characters, the middle cut out.
pub(super) fn shorten(text: &str, width: usize, ellipsis: &str) -> String {
    let count = text.chars().count();
    if count <= width {
        return text.into();
    }
    let room = width.saturating_sub(ellipsis.chars().count());
    let (front, back) = (room - room / 2, room / 2);
    let head: String = text.chars().take(front).collect();
    let tail: String = text.chars().skip(count - back).collect();
    format!("{head}{ellipsis}{tail}")
}

/// The word for a shell, quoted if it must be.
pub(super) fn shell(word: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "-_./:=+,@%".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into();
    }
    format!("'{}'", clean(word).replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal() {
        assert_eq!(clean("main"), "main");
        assert_eq!(clean("a\x1b[2Jb\n"), "a\\u{1b}[2Jb\\u{a}");
        assert_eq!(clean("\u{202e}x\u{9b}é"), "\\u{202e}x\\u{9b}é");
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(shorten("abcdefghij", 10, "…"), "abcdefghij");
        assert_eq!(shorten("abcdefghij", 6, "…"), "abc…ij");
        assert_eq!(shorten("abcdefghij", 0, "…"), "…");
        assert_eq!(shorten("äöüß", 3, "…"), "ä…ß");
    }

    #[test]
    fn shell_words_are_quoted_when_needed() {
        assert_eq!(shell("app.wasm"), "app.wasm");
        assert_eq!(shell("my app's.wasm"), "'my app'\\''s.wasm'");
        assert_eq!(shell(""), "''");
    }
}
