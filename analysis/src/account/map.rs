//! The heap map: the address space as cells, each of which shows what most of its bytes are for.
//!
//! It draws what [`walk`] says, and so agrees with the account. A memory of any size has a bounded
//! number of cells, and equal neighbours are one run.

use super::{BlockKind, Picture, Use, take::Moment, walk};
use crate::profile::{LeakKind, StackId};
use rustc_hash::FxHashMap;
use seepage_trace::ModuleId;

/// Cells of a map at most.
const MAX_CELLS: u64 = 4096;
/// A smaller cell would show what nobody asks for.
const MIN_CELL: u64 = 64;

/// A memory at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeapMap {
    /// When.
    pub moment: MapMoment,
    /// The module whose main memory it is.
    pub module: ModuleId,
    /// Bytes of a cell; the last may be cut off by the memory's end.
    pub cell_bytes: u64,
    /// The cells by address.
    pub cells: Vec<CellRun>,
}

/// A moment of which there is a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapMoment {
    /// The end of the run.
    End,
    /// The high-water mark.
    Peak,
    /// A mark of that name.
    Mark(String),
}

/// Neighbouring cells that show the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellRun {
    /// What most of the bytes of each are for.
    pub what: Use,
    /// How many there are.
    pub count: u64,
}

/// The maps of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Maps {
    pub(crate) list: Vec<HeapMap>,
    cap: usize,
    /// Maps that were turned away.
    pub(crate) dropped: u64,
}

impl Maps {
    /// At most so many maps, none if nobody asked for any.
    pub(crate) fn new(cap: usize) -> Maps {
        Maps { cap, ..Maps::default() }
    }

    pub(crate) fn are_wanted(&self) -> bool {
        self.cap > 0
    }

    /// Draws a memory, unless no block was ever seen in it.
    pub(crate) fn draw(&mut self, moment: MapMoment, at: &Moment<'_>) {
        if !self.are_wanted() {
            return;
        }
        if self.list.len() >= self.cap {
            self.dropped += 1;
            return;
        }
        if let Some((cell_bytes, cells)) = at.picture(rasterise) {
            self.list.push(HeapMap { moment, module: at.module.id, cell_bytes, cells });
        }
    }
}

/// Bytes of a cell, and the cells.
fn rasterise(picture: &Picture<'_>) -> (u64, Vec<CellRun>) {
    let cell_bytes = picture.bytes.div_ceil(MAX_CELLS).max(MIN_CELL).next_power_of_two();
    let mut runs: Vec<CellRun> = Vec::new();
    let mut cell = Cell::default();
    walk(picture, &mut |range, what| {
        let mut at = range.start;
        while at < range.end {
            let cell_end = (at / cell_bytes + 1).saturating_mul(cell_bytes);
            if at.is_multiple_of(cell_bytes) && range.end >= cell_end {
                // Whole cells of one use need no counting.
                let count = (range.end - at) / cell_bytes;
                push(&mut runs, CellRun { what, count });
                at += count * cell_bytes;
                continue;
            }
            let end = range.end.min(cell_end);
            cell.add(what, end - at);
            if end == cell_end || end == picture.bytes {
                push(&mut runs, CellRun { what: cell.take(), count: 1 });
            }
            at = end;
        }
    });
    (cell_bytes, runs)
}

fn push(runs: &mut Vec<CellRun>, next: CellRun) {
    match runs.last_mut() {
        Some(last) if last.what == next.what => last.count += next.count,
        _ => runs.push(next),
    }
}

/// The uses of one cell: first it is judged which kind of use has the most bytes, then, of live
/// blocks, whose they are, so that many small contexts are not outvoted by one free run.
#[derive(Default)]
struct Cell {
    states: [u64; STATES],
    uses: [Option<Use>; STATES],
    contexts: FxHashMap<(usize, StackId), u64>,
}

const STATES: usize = 13;

fn state(what: Use) -> usize {
    match what {
        Use::Live { kind, .. } => match kind {
            BlockKind::Kind(LeakKind::DefinitelyLost) => 0,
            BlockKind::Kind(LeakKind::IndirectlyLost) => 1,
            BlockKind::Kind(LeakKind::PossiblyLost) => 2,
            BlockKind::Kind(LeakKind::StillReachable) => 3,
            BlockKind::Suppressed => 4,
            BlockKind::Unknown => 5,
        },
        Use::Static => 6,
        Use::Stack => 7,
        Use::Overhead => 8,
        Use::FreeFitting => 9,
        Use::FreeFragmented => 10,
        Use::Tail => 11,
        Use::Untracked => 12,
    }
}

impl Cell {
    fn add(&mut self, what: Use, bytes: u64) {
        let state = state(what);
        self.states[state] += bytes;
        self.uses[state] = Some(what);
        if let Use::Live { stack, .. } = what {
            *self.contexts.entry((state, stack)).or_default() += bytes;
        }
    }

    /// What the cell shows; the next one begins. Of equals the first in the order of states and
    /// contexts is taken.
    fn take(&mut self) -> Use {
        let states = (0..STATES).rev();
        let state = states.max_by_key(|&state| self.states[state]).unwrap_or(0);
        let mut what = self.uses[state].unwrap_or(Use::Tail);
        if let Use::Live { stack: shown, .. } = &mut what {
            let contexts = self.contexts.iter().filter(|((of, _), _)| *of == state);
            let most =
                contexts.max_by_key(|((_, stack), bytes)| (**bytes, std::cmp::Reverse(*stack)));
            if let Some(((_, stack), _)) = most {
                *shown = *stack;
            }
        }
        self.states = [0; STATES];
        self.uses = [None; STATES];
        self.contexts.clear();
        what
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::{Geometry, Placed},
        image::Word,
    };

    fn live(stack: u32) -> Use {
        Use::Live { stack: StackId(stack), kind: BlockKind::Unknown }
    }

    fn map(bytes: u64, blocks: &[(u64, u64, u32)]) -> (u64, Vec<(Use, u64)>) {
        let sizes: Vec<(u64, u64)> = blocks.iter().map(|&(addr, size, _)| (addr, size)).collect();
        let geometry = Geometry::new(&["dlmalloc"], None, None, Word::Four, &sizes, None);
        let kind = BlockKind::Unknown;
        let blocks: Vec<Placed> = blocks
            .iter()
            .map(|&(addr, size, stack)| Placed { addr, size, stack: StackId(stack), kind })
            .collect();
        let top = blocks.last().map_or(0, |last| last.addr + last.size);
        let (cell_bytes, runs) = rasterise(&Picture {
            bytes,
            static_end: 1024,
            stack: Some(256..512),
            blocks: &blocks,
            geometry: &geometry,
            top,
            fitting: 16,
            untracked: &[],
        });
        (cell_bytes, runs.into_iter().map(|run| (run.what, run.count)).collect())
    }

    #[test]
    fn a_cell_shows_what_has_the_most_bytes() {
        let (cell_bytes, cells) = map(65_536, &[(1032, 24, 1), (1060, 20, 2), (1092, 60, 3)]);
        assert_eq!(cell_bytes, 64);
        let expected = [
            (Use::Static, 4),
            (Use::Stack, 4),
            (Use::Static, 8),
            (live(1), 1),
            (live(3), 1),
            (Use::Tail, 1024 - 18),
        ];
        assert_eq!(cells, expected);
        assert_eq!(cells.iter().map(|cell| cell.1).sum::<u64>(), 1024);
    }

    #[test]
    fn any_memory_has_a_bounded_number_of_cells() {
        for bytes in [0, 1, 65_536, 65_536 * 3, 1 << 32, u64::MAX / 2] {
            let (cell_bytes, cells) = map(bytes, &[(4096, 100, 1)]);
            let count: u64 = cells.iter().map(|cell| cell.1).sum();
            assert!(count <= MAX_CELLS, "{bytes}: {count}");
            assert_eq!(count, bytes.div_ceil(cell_bytes), "{bytes}");
        }
    }
}
