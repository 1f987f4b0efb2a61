//! Which frames of a long stack are shown: those that the reader can change come first.
//!
//! Of an unoptimised Rust or C++ program the innermost dozen frames are the standard library's.
//! What a person looks for is the own function that called it, so that is never left out.

use crate::schema::Frame;
use std::collections::BTreeSet;

/// The places of about `most` frames, in order; between them, "… n frames" is to stand.
pub(super) fn select(frames: &[Frame], most: usize) -> Vec<usize> {
    if frames.len() <= most {
        return (0..frames.len()).collect();
    }
    let room = most.saturating_sub(1).max(1);
    let own: Vec<usize> = (0..frames.len()).filter(|&at| !is_library(&frames[at])).collect();
    let mut chosen = BTreeSet::new();
    let mut choose = |places: &mut dyn Iterator<Item = usize>| {
        for place in places {
            if chosen.len() == room {
                return;
            }
            chosen.insert(place);
        }
    };
    if let Some(&first) = own.first() {
        // Who called the library, and what of it.
        choose(&mut [first, first.saturating_sub(1)].into_iter());
    }
    choose(&mut from_both_ends(own.len()).map(|index| own[index]));
    choose(&mut from_both_ends(frames.len()));
    // A single frame takes no more room than the line that says it was left out.
    let alone = |at: &usize| {
        let shown = |at: usize| chosen.contains(&at) || at == frames.len();
        !shown(*at) && (*at == 0 || shown(at - 1)) && shown(at + 1)
    };
    (0..frames.len()).filter(|at| chosen.contains(at) || alone(at)).collect()
}

/// The innermost of the program's own frames; of all, if none is its own.
pub(super) fn own(frames: &[Frame]) -> Option<&Frame> {
    frames.iter().find(|frame| !is_library(frame)).or(frames.first())
}

/// 0, the last, 1, the last but one, and so on.
fn from_both_ends(count: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |step| if step % 2 == 0 { step / 2 } else { count - 1 - step / 2 })
}

/// Whether the code came with the toolchain.
fn is_library(frame: &Frame) -> bool {
    const BEGIN: [&str; 4] = ["/rustc/", "library/", "wasisdk://", "~lib/"];
    const WITHIN: [&str; 6] = [
        "/rustlib/src/",
        "/include/c++/",
        "/libc-bottom-half/",
        "/libc-top-half/",
        "/dlmalloc/src/",
        "/lib/std/",
    ];
    const NAMES: [&str; 6] = ["alloc::", "core::", "std::", "operator new", "__", "_start"];
    match &frame.file {
        Some(file) => {
            BEGIN.iter().any(|begin| file.starts_with(begin))
                || WITHIN.iter().any(|part| file.contains(part))
        }
        None => {
            let name = frame.function.trim_start_matches(['<', '&']);
            NAMES.iter().any(|begin| name.starts_with(begin))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame for each letter: `l`ibrary, `o`wn, or `n`ameless library.
    fn stack(letters: &str) -> Vec<Frame> {
        letters
            .chars()
            .map(|letter| Frame {
                function: if letter == 'o' { "app::main" } else { "<alloc::vec::Vec<T>>::f" }
                    .into(),
                file: (letter != 'n').then(|| match letter {
                    'l' => "/rustc/0123/library/alloc/src/vec.rs".into(),
                    _ => "src/main.rs".into(),
                }),
                line: None,
                column: None,
                inlined: false,
                recursion: false,
            })
            .collect()
    }

    #[test]
    fn a_short_stack_is_shown_whole() {
        assert_eq!(select(&stack("lolo"), 4), [0, 1, 2, 3]);
        assert!(select(&[], 4).is_empty());
    }

    #[test]
    fn without_a_library_the_middle_is_left_out() {
        assert_eq!(select(&stack("oooooooooo"), 6), [0, 1, 2, 8, 9]);
        assert_eq!(select(&stack("llllllllll"), 6), [0, 1, 2, 8, 9]);
    }

    #[test]
    fn own_frames_come_first() {
        assert_eq!(select(&stack("llllllllloollllll"), 6), [0, 8, 9, 10, 16]);
        assert_eq!(select(&stack("nnnnnnnnnoonnnnnn"), 6), [0, 8, 9, 10, 16]);
        assert_eq!(select(&stack("llllllllll"), 2), [0]);
        assert_eq!(select(&stack("lllllllllo"), 2), [9]);
        assert_eq!(select(&stack("lllololll"), 6), [0, 1, 2, 3, 4, 5, 8], "1 and 4 fill gaps");
    }
}
