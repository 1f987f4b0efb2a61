//! What a message loses that would be longer than a chunk can be: a module may have names of
//! megabytes, and what is in the file must be readable all the same.
//!
//! Texts end in `…` where they were cut, a stack is marked as truncated, and what is missing of a list
//! is counted in its last line.

use crate::{
    decode::MAX_CHUNK,
    message::{Frame, ModuleInfo, Tracepoint},
};
use alloc::{format, string::String, vec::Vec};

/// What a frame takes beside its texts, and a text beside its bytes, at most.
const FRAME: usize = 48;
const TEXT: usize = 10;

/// Left for all that is not a text.
const LIMIT: usize = MAX_CHUNK - (1 << 16);

/// The longest text of a message with one or two of them.
const LONGEST: usize = 1 << 20;

/// Texts of a module that is cut: there are at most 65,536 tracepoints.
const FUNCTION: usize = 128;
const WORD: usize = 48;
const SPOTS: usize = 16;
const SPOT: usize = 1024;

/// How many of the innermost frames fit.
pub(crate) fn frames(frames: &[Frame]) -> usize {
    let mut left = LIMIT - LONGEST;
    frames
        .iter()
        .take_while(|frame| {
            let file = frame.file.as_ref().map_or(0, |file| file.len() + TEXT);
            let fits = left.checked_sub(FRAME + frame.function.len() + TEXT + file);
            left = fits.unwrap_or(0);
            fits.is_some()
        })
        .count()
}

/// The text, or as much of it as a message may have.
pub(crate) fn text(text: &str) -> String {
    cut(text, LONGEST)
}

/// The module with shorter texts, if it would not fit as it is.
pub(crate) fn module(module: &ModuleInfo) -> Option<ModuleInfo> {
    let texts = |it: &Tracepoint| it.function.len() + it.family.len() + it.how.len() + FRAME;
    let all = module.tracepoints.iter().map(texts).sum::<usize>()
        + module.blind_spots.iter().map(|spot| spot.len() + TEXT).sum::<usize>()
        + module.memories.len() * FRAME
        + module.name.len();
    if all <= LIMIT {
        return None;
    }
    let tracepoint = |it: &Tracepoint| Tracepoint {
        function: cut(&it.function, FUNCTION),
        family: cut(&it.family, WORD),
        how: cut(&it.how, WORD),
        ..it.clone()
    };
    let mut blind_spots: Vec<String> =
        module.blind_spots.iter().take(SPOTS).map(|spot| cut(spot, SPOT)).collect();
    let more = module.blind_spots.len() - blind_spots.len();
    if more > 0 {
        blind_spots.push(format!("{more} more that are too long to be listed"));
    }
    Some(ModuleInfo {
        name: cut(&module.name, SPOT),
        tracepoints: module.tracepoints.iter().map(tracepoint).collect(),
        blind_spots,
        ..module.clone()
    })
}

fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.into();
    }
    let end = (0..=most).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    format!("{}…", &text[..end])
}
