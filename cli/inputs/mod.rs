//! What `analyze` and `diff` can read: each input is turned into the messages of a trace, and given
//! to the one feed. To add one, write its reader beside these and put it into [`LIST`].

mod alloc_log;
mod trace;

use crate::terminal;
use anyhow::{Context, Result};
use seepage_trace::Message;
use std::io::{self, Read};

/// Takes the messages of an input.
pub(crate) type Feed<'a> = dyn FnMut(&Message<'_>) + 'a;

/// A kind of input.
pub(crate) struct Input {
    /// As `--format-in` has it.
    pub(crate) name: &'static str,
    /// Reads all of it.
    read: fn(&mut dyn Read, name: &str, feed: &mut Feed<'_>) -> Result<Reading>,
}

/// All kinds.
pub(crate) const LIST: &[Input] = &[
    Input { name: "trace", read: trace::read },
    Input { name: "alloc-log", read: alloc_log::read },
];

/// How far an input could be read.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// What a person has to know of it.
    pub(crate) warnings: Vec<String>,
    /// What may be of interest.
    pub(crate) notes: Vec<String>,
    /// Why it could not be read to its end.
    pub(crate) damage: Option<anyhow::Error>,
}

impl Reading {
    /// Says what is to be said; of damage it is for the caller to speak.
    pub(crate) fn tell(&self) {
        self.warnings.iter().for_each(|warning| terminal::warning(warning));
        self.notes.iter().for_each(|note| terminal::note(note));
    }
}

/// Gives the feed all that an input has. Without a format it is a trace, or what it looks like.
pub(crate) fn read(
    input: &mut dyn Read,
    name: &str,
    format: Option<&str>,
    feed: &mut Feed<'_>,
) -> Result<Reading> {
    if let Some(format) = format {
        let input_kind = LIST.iter().find(|input| input.name == format);
        let input_kind = input_kind.with_context(|| format!("`{format}` is no format"))?;
        return (input_kind.read)(input, name, feed);
    }
    let mut head = Vec::new();
    input.take(trace::HEAD).read_to_end(&mut head)?;
    if trace::is_trace(&head) {
        return trace::read(&mut head.chain(input), name, feed);
    }
    // Only now, since any trace may hold a line of a log.
    let found = alloc_log::try_read(&mut head.chain(input), name, feed)?;
    found.map_or_else(
        || trace::read(&mut &head[..], name, feed),
        |mut reading| {
            reading.notes.insert(0, format!("`{name}` is no trace, and read as an alloc-log"));
            Ok(reading)
        },
    )
}

/// Calls `take` with one piece of the input after the other, as long as it wants more.
fn pieces(input: &mut dyn Read, mut take: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    let mut piece = vec![0; 256 * 1024];
    loop {
        match input.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) if take(&piece[..length]) => {}
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
