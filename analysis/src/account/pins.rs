//! Which blocks keep free memory in pieces that are too small: those that lie between them.
//!
//! Too small is a piece in which that does not fit for which the memory last grew, though enough
//! was free. The account's measure is another: what the program usually asks for.
//!
//! A piece is bounded by a block on each side, and would be larger without either, so each is
//! answerable for half of it; where there is a block on one side alone, for all of it. What a block
//! stands for is told as in [`super::shares`]: one that hangs on a lost one stands for that.

use super::{Picture, Use, walk};
use crate::profile::{Count, Fragmentation, GrownFor, Pin, StackId};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// The pins of all memories, under way.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    found: Fragmentation,
    by_owner: FxHashMap<(GrownFor, StackId), (Count, u64)>,
}

/// A block next to a piece.
#[derive(Clone, Copy)]
struct Neighbour {
    /// Its place among the blocks of the picture.
    index: usize,
    /// It already counts for the piece in front of it.
    is_counted: bool,
}

impl Pins {
    /// Adds a memory, which last grew because `wanted` bytes fitted nowhere. `owner` tells of a block
    /// by its place for what it stands.
    pub(crate) fn add(
        &mut self,
        picture: &Picture<'_>,
        wanted: u64,
        owner: impl Fn(usize) -> (GrownFor, StackId),
    ) {
        self.found.wanted = self.found.wanted.max(wanted);
        if wanted == 0 {
            return;
        }
        let picture = &Picture { fitting: wanted, stack: picture.stack.clone(), ..*picture };
        let mut before: Option<Neighbour> = None;
        let (mut piece, mut next) = (0, 0);
        walk(picture, &mut |range, what| match what {
            Use::FreeFragmented => piece += range.end - range.start,
            Use::Overhead => (),
            Use::Live { .. } => {
                while picture.blocks[next].addr < range.start {
                    next += 1;
                }
                let mut after = Neighbour { index: next, is_counted: false };
                if piece > 0 {
                    self.piece(piece, before, Some(&mut after), picture, &owner);
                    piece = 0;
                }
                before = Some(after);
            }
            // A piece that others have grown a part of ends there, as it does at the heap's ends.
            _ => {
                if piece > 0 {
                    self.piece(piece, before, None, picture, &owner);
                    piece = 0;
                }
                before = None;
            }
        });
        if piece > 0 {
            self.piece(piece, before, None, picture, &owner);
        }
    }

    fn piece(
        &mut self,
        bytes: u64,
        before: Option<Neighbour>,
        after: Option<&mut Neighbour>,
        picture: &Picture<'_>,
        owner: impl Fn(usize) -> (GrownFor, StackId),
    ) {
        self.found.bytes += bytes;
        self.found.pieces += 1;
        self.found.largest = self.found.largest.max(bytes);
        let mut pin = |neighbour: Neighbour, share: u64| {
            let (blocks, pinned) = self.by_owner.entry(owner(neighbour.index)).or_default();
            if !neighbour.is_counted {
                blocks.add(picture.blocks[neighbour.index].size);
            }
            *pinned += share;
        };
        match (before, after) {
            (Some(before), Some(after)) => {
                pin(before, bytes - bytes / 2);
                pin(*after, bytes / 2);
                after.is_counted = true;
            }
            (Some(only), None) => pin(only, bytes),
            (None, Some(after)) => {
                pin(*after, bytes);
                after.is_counted = true;
            }
            (None, None) => (),
        }
    }

    /// All of it, with the context first that keeps most.
    pub(crate) fn finish(self) -> Fragmentation {
        let pin = |((what, stack), (blocks, bytes))| Pin { what, stack, blocks, bytes };
        let mut pins: Vec<Pin> = self.by_owner.into_iter().map(pin).collect();
        pins.sort_unstable_by_key(|pin| (Reverse(pin.bytes), pin.what, pin.stack));
        Fragmentation { pins, ..self.found }
    }
}
