//! What seepage says to a person: errors, warnings and a spinner on standard error.
//!
//! Colour and motion only where standard error is a terminal; nothing here fails, for whoever has
//! closed standard error does not want to know.

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use seepage_report::{TextOptions, formats::printable};
use std::{
    borrow::Cow,
    io::{self, ErrorKind, IsTerminal, Write},
    time::Duration,
};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// No message of our own is longer; one with names in it can be.
const LONGEST_LINE: usize = 2000;

/// A module of this size takes long enough to show that something happens.
const LONG: u64 = 3 << 20;

/// Says why seepage failed.
pub(crate) fn error(error: &anyhow::Error) {
    say("error", ERROR, &format!("{error:#}"));
}

/// Says what may surprise.
pub(crate) fn warning(message: &str) {
    say("warning", WARNING, message);
}

/// Says what could be tidied up.
pub(crate) fn notice(message: &str) {
    say("note", HINT, message);
}

/// Says something by the way.
pub(crate) fn note(message: &str) {
    let _ = writeln!(anstream::stderr(), "seepage: {}", name(message, LONGEST_LINE));
}

/// Text with names from a module in it, or such a name, in at most `most` characters, and without
/// any that do something to a terminal: a module may be hostile.
pub(crate) fn name(text: &str, most: usize) -> Cow<'_, str> {
    let Some((cut, _)) = text.char_indices().nth(most) else { return printable(text) };
    Cow::Owned(format!("{}…", printable(&text[..cut])))
}

fn say(label: &str, style: Style, message: &str) {
    let mut out = anstream::stderr().lock();
    let _ = write!(out, "seepage: {style}{label}:{style:#} ");
    for (index, line) in message.lines().enumerate() {
        let line = &*name(line, LONGEST_LINE);
        let _ = match line.strip_prefix("hint: ") {
            Some(hint) if index > 0 => writeln!(out, "{HINT}hint:{HINT:#} {hint}"),
            _ => writeln!(out, "{line}"),
        };
    }
}

/// How text reports look on a stream.
pub(crate) fn text_options(to_terminal: bool, color: bool, top: Option<usize>) -> TextOptions {
    let default = TextOptions::default();
    let width = terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| width.0.into());
    TextOptions {
        color,
        width: width.filter(|_| to_terminal).unwrap_or(default.width),
        top: top.unwrap_or(default.top),
        unicode: !to_terminal || is_unicode(),
    }
}

/// Whether standard error takes colour.
pub(crate) fn stderr_color() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

/// Whether standard output takes colour.
pub(crate) fn stdout_color() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

fn is_unicode() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].iter().filter_map(std::env::var_os);
    let first =
        set.filter(|value| !value.is_empty()).map(|value| value.to_string_lossy().to_lowercase());
    first.into_iter().next().is_none_or(|value| value.contains("utf"))
}

/// Writes to standard output. A reader that has gone away has had enough: that is success.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Writes a report to standard error.
pub(crate) fn print_to_stderr(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

/// Shows a spinner while something works on so many bytes, if that takes long enough to be seen.
pub(crate) fn spinning<T>(
    what: impl Into<Cow<'static, str>>,
    bytes: u64,
    work: impl FnOnce() -> T,
) -> T {
    if bytes < LONG || !io::stderr().is_terminal() {
        return work();
    }
    let spinner = ProgressBar::new_spinner().with_message(what);
    spinner.set_style(ProgressStyle::default_spinner());
    spinner.enable_steady_tick(Duration::from_millis(100));
    let result = work();
    spinner.finish_and_clear();
    result
}
