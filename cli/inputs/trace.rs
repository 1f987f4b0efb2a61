//! Traces that `--trace FILE` has written.

use super::{Feed, Reading, pieces};
use anyhow::{Result, anyhow};
use seepage_trace::{Decoder, Message, encode::MAGIC};
use std::io::Read;

/// Bytes by which a trace is known.
pub(super) const HEAD: u64 = MAGIC.len() as u64;

/// Whether an input that begins so is a trace, or so short that it may become one.
pub(super) fn is_trace(head: &[u8]) -> bool {
    MAGIC.starts_with(head)
}

pub(super) fn read(input: &mut dyn Read, name: &str, feed: &mut Feed<'_>) -> Result<Reading> {
    let mut decoder = Decoder::new();
    let (mut messages, mut has_end, mut damage) = (0u64, false, None);
    pieces(input, |piece| {
        decoder.push(piece);
        loop {
            match decoder.next() {
                Ok(None) => return true,
                Ok(Some(message)) => {
                    messages += 1;
                    has_end |= matches!(message, Message::End(_));
                    feed(&message);
                }
                Err(error) => {
                    damage = Some(error);
                    return false;
                }
            }
        }
    })?;
    let mut reading = Reading::default();
    match damage {
        Some(damage) if messages == 0 => return Err(damage.into()),
        None if messages == 0 => {
            let is_empty = decoder.left_over() == 0;
            let what = if is_empty { "it holds nothing" } else { "it is cut off" };
            return Err(anyhow!("{what}\nhint: `seepage run --trace FILE MODULE` writes a trace"));
        }
        Some(damage) => {
            let warning = format!("`{name}`: {damage}; the report is of what came before");
            reading.warnings.push(warning);
            reading.damage = Some(damage.into());
        }
        None if !has_end => reading.warnings.push(format!(
            "`{name}` is cut off: it does not say how the guest ended, and the report is of what \
             came before"
        )),
        None => {}
    }
    let unknown = decoder.unknown_chunks();
    if unknown > 0 {
        let warning = format!("`{name}`: {unknown} chunks of unknown kinds passed over");
        reading.warnings.push(warning);
    }
    Ok(reading)
}
