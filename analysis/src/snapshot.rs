//! What each context held at some moments, and what rose between them.
//!
//! For a caller that does the same thing over and over: a context that holds more after each
//! repetition than before it is one that the repetition does not clean up. Like the analysis of
//! growth it makes no estimate of chance; unlike it, it looks at each context by itself, so a heap
//! that falls elsewhere hides nothing.

use crate::profile::{Count, StackId};

/// What each context held at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// By [`StackId`]; contexts that appeared later are missing.
    pub live: Vec<Count>,
    /// Size of all memories, in pages of 64 KiB.
    pub pages: u64,
}

/// How far one context rose from a snapshot to a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rising {
    /// The context.
    pub stack: StackId,
    /// What it held at the last moment and not at the first.
    pub risen: Count,
    /// By how much it rose from each moment to the next, where that was always the same.
    pub each: Option<Count>,
}

impl Snapshot {
    fn of(&self, index: usize) -> Count {
        self.live.get(index).copied().unwrap_or_default()
    }
}

/// The contexts that rose at every step from snapshot to snapshot, by bytes, the most first.
pub fn rising(snapshots: &[Snapshot]) -> Vec<Rising> {
    let (Some(first), Some(last)) = (snapshots.first(), snapshots.last()) else {
        return Vec::new();
    };
    let mut list: Vec<Rising> = (0..last.live.len())
        .filter_map(|index| {
            let mut steps = snapshots.windows(2).map(|pair| step(&pair[0], &pair[1], index));
            let one = steps.next()??;
            let mut same = true;
            for step in steps {
                same &= step? == one;
            }
            let (from, to) = (first.of(index), last.of(index));
            Some(Rising {
                stack: StackId(u32::try_from(index).ok()?),
                risen: Count { blocks: to.blocks - from.blocks, bytes: to.bytes - from.bytes },
                each: same.then_some(one),
            })
        })
        .collect();
    list.sort_by_key(|rising| {
        (std::cmp::Reverse((rising.risen.bytes, rising.risen.blocks)), rising.stack)
    });
    list
}

/// By how much a context rose; nothing if it did not.
fn step(before: &Snapshot, after: &Snapshot, index: usize) -> Option<Count> {
    let (from, to) = (before.of(index), after.of(index));
    let rise = Count {
        blocks: to.blocks.checked_sub(from.blocks)?,
        bytes: to.bytes.checked_sub(from.bytes)?,
    };
    (rise != Count::default()).then_some(rise)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshots(of: &[&[u64]]) -> Vec<Snapshot> {
        let count = |&blocks: &u64| Count { blocks, bytes: blocks * 10 };
        of.iter()
            .map(|live| Snapshot { live: live.iter().map(count).collect(), pages: 1 })
            .collect()
    }

    #[test]
    fn what_rises_at_every_step_is_told_and_nothing_else() {
        // Rises by two; rises unevenly; stays; falls once; appears late and rises since.
        let list = rising(&snapshots(&[
            &[2, 1, 5, 1],
            &[4, 2, 5, 2, 1],
            &[6, 4, 5, 1, 2],
            &[8, 5, 5, 9, 3],
        ]));
        let told: Vec<_> = list
            .iter()
            .map(|it| (it.stack.0, it.risen.blocks, it.each.map(|e| e.blocks)))
            .collect();
        assert_eq!(told, [(0, 6, Some(2)), (1, 4, None), (4, 3, Some(1))]);
    }

    #[test]
    fn without_a_step_nothing_rises() {
        assert_eq!(rising(&snapshots(&[])), []);
        assert_eq!(rising(&snapshots(&[&[1]])), []);
        assert_eq!(rising(&snapshots(&[&[1], &[1]])), []);
    }
}
