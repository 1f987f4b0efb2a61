//! The host's own memory beside that of the modules: on which side it grew.
//!
//! A host such as a JavaScript engine has a collector, and what it has in use is partly garbage. So
//! its growth is read off the lows between which the use goes up and down, and it is only claimed
//! where a collection was seen in the second half of the run. Memories of modules never shrink:
//! what they grew by is exact. This compares sizes and is no verdict on a leak.

use crate::profile::Count;
use seepage_trace::HostMemory;

/// Less than that is the noise of a host that runs.
const NOTICEABLE: u64 = 8 << 20;
/// One side is said to be the one that grew if the other did not grow by one part of so many.
const CLEARLY: u64 = 4;

/// The host's memory at a moment, and the modules' beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostPoint {
    /// What the host told.
    pub memory: HostMemory,
    /// The least of heap and buffers since the point before.
    pub least: u64,
    /// Heap and buffers have shrunk since the point before: something was collected.
    pub fell: bool,
    /// Events so far.
    pub clock: u64,
    /// What was live in the modules.
    pub live: Count,
    /// Size of all their memories, in pages of 64 KiB.
    pub pages: u64,
}

/// From how many bytes to how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rose {
    /// In the beginning.
    pub from: u64,
    /// At the end.
    pub to: u64,
}

impl Rose {
    /// By how much.
    pub fn by(self) -> u64 {
        self.to.saturating_sub(self.from)
    }
}

/// Which of the two grew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The host's own memory.
    Host,
    /// The memories of the modules.
    Modules,
    /// Both of them.
    Both,
}

/// The host's memory over a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostUse {
    /// By time, evenly thinned out if there were many.
    pub points: Vec<HostPoint>,
    /// The lows of the host's heap and buffers in the first and the last quarter of the time.
    pub host: Rose,
    /// The memories of the modules.
    pub modules: Rose,
    /// Which of the two grew; nothing where neither did, or where that cannot be said.
    pub side: Option<Side>,
}

/// Takes the host's memory as it is told, and keeps every n-th moment: when there are too many, n
/// doubles. The first one is always kept.
#[derive(Clone)]
pub(crate) struct HostCourse {
    points: Vec<HostPoint>,
    cap: usize,
    stride: u64,
    /// Moments since the last one that was kept.
    passed: u64,
    /// The last moment, and the stretch since the one that was kept.
    last: Option<HostPoint>,
}

impl HostCourse {
    pub(crate) fn new(cap: usize) -> HostCourse {
        HostCourse { points: Vec::new(), cap: cap.max(4), stride: 1, passed: 0, last: None }
    }

    pub(crate) fn add(&mut self, memory: HostMemory, clock: u64, live: Count, pages: u64) {
        let least = own(&memory);
        let fell = self.last.is_some_and(|last| least < own(&last.memory));
        let mut point = HostPoint { memory, least, fell, clock, live, pages };
        self.passed += 1;
        if let Some(last) = self.last.filter(|_| self.passed > 1) {
            point = after(&last, point);
        }
        self.last = Some(point);
        if self.points.is_empty() || self.passed >= self.stride {
            if self.points.len() >= self.cap {
                self.halve();
            }
            self.points.push(point);
            self.passed = 0;
        }
    }

    fn halve(&mut self) {
        self.stride = self.stride.saturating_mul(2);
        let Some((&first, rest)) = self.points.split_first() else { return };
        let pair = |pair: &[HostPoint]| match *pair {
            [earlier, later] => after(&earlier, later),
            _ => pair[0],
        };
        self.points = std::iter::once(first).chain(rest.chunks(2).map(pair)).collect();
    }

    /// Nothing unless the host has told of two moments.
    pub(crate) fn finish(self) -> Option<HostUse> {
        let last = self.last?;
        let mut points = self.points;
        if self.passed > 0 {
            points.push(last);
        }
        let first = *points.first().filter(|_| points.len() > 1)?;
        let (begin, end) = (first.memory.time_ns, last.memory.time_ns);
        let quarter = end.saturating_sub(begin) / 4;
        let least = |points: &mut dyn Iterator<Item = &HostPoint>| {
            points.map(|point| point.least).min().unwrap_or_default()
        };
        let opening = |point: &&HostPoint| point.memory.time_ns <= begin.saturating_add(quarter);
        let closing = |point: &&HostPoint| point.memory.time_ns >= end.saturating_sub(quarter);
        let host = Rose {
            from: least(&mut points.iter().take_while(opening)),
            to: least(&mut points.iter().rev().take_while(closing)),
        };
        let bytes = |pages: u64| pages.saturating_mul(65_536);
        let modules = Rose { from: bytes(first.pages), to: bytes(last.pages) };
        let late = begin.saturating_add(end.saturating_sub(begin) / 2);
        let collected = points.iter().any(|point| point.fell && point.memory.time_ns >= late);
        Some(HostUse { points, host, modules, side: side(host, modules, collected) })
    }
}

/// A moment, and the stretch before it together with that of the one before.
fn after(before: &HostPoint, point: HostPoint) -> HostPoint {
    let (least, fell) = (before.least.min(point.least), before.fell || point.fell);
    HostPoint { least, fell, ..point }
}

/// What is the host's own at a moment, garbage included.
fn own(memory: &HostMemory) -> u64 {
    memory.heap.saturating_add(memory.buffers.unwrap_or(0))
}

fn side(host: Rose, modules: Rose, collected: bool) -> Option<Side> {
    let (ours, theirs) = (host.by(), modules.by());
    // Garbage makes the host's growth larger, never smaller: against the modules it proves nothing.
    if theirs >= NOTICEABLE && ours <= theirs / CLEARLY {
        return Some(Side::Modules);
    }
    if !collected || ours < NOTICEABLE {
        return None;
    }
    if theirs <= ours / CLEARLY {
        return Some(Side::Host);
    }
    (theirs >= NOTICEABLE).then_some(Side::Both)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// Heaps in MiB and pages, one of each a second.
    fn course(heaps: &[u64], pages: &[u64]) -> Option<HostUse> {
        let mut course = HostCourse::new(16);
        for (second, (&heap, &pages)) in (0..).zip(heaps.iter().zip(pages.iter().cycle())) {
            let time_ns = second * 1_000_000_000;
            let memory = HostMemory { time_ns, heap: heap * MIB, ..HostMemory::default() };
            course.add(memory, second, Count::default(), pages);
        }
        course.finish()
    }

    fn side_of(heaps: &[u64], pages: &[u64]) -> Option<Side> {
        course(heaps, pages).and_then(|course| course.side)
    }

    #[test]
    fn the_lows_tell_who_grew() {
        let rising: Vec<u64> = (0..200).map(|i| 12 + i / 2 + i % 7 * 3).collect();
        assert_eq!(side_of(&rising, &[272]), Some(Side::Host));
        let steady: Vec<u64> = (0..200).map(|i| 12 + i % 20 * 3).collect();
        assert_eq!(side_of(&steady, &[272]), None);
        let pages: Vec<u64> = (0..200).map(|i| 272 + i * 10).collect();
        assert_eq!(side_of(&steady, &pages), Some(Side::Modules));
        assert_eq!(side_of(&rising, &pages), Some(Side::Both));
    }

    #[test]
    fn what_was_never_collected_is_no_growth() {
        let garbage: Vec<u64> = (0..100).map(|i| 12 + i).collect();
        assert_eq!(side_of(&garbage, &[272]), None);
        assert_eq!(side_of(&[12, 90], &[272]), None);
        // Nor does it hide what a module grew by.
        assert_eq!(side_of(&[12, 14], &[272, 2720]), Some(Side::Modules));
    }

    #[test]
    fn a_long_run_has_few_points_and_its_lows() {
        let heaps: Vec<u64> = (0..10_000).map(|i| if i == 9_001 { 20 } else { 100 }).collect();
        let course = course(&heaps, &[1]).expect("there are moments");
        assert!((8..=17).contains(&course.points.len()), "{}", course.points.len());
        assert_eq!((course.host.from, course.host.to), (100 * MIB, 20 * MIB));
        assert_eq!(course.points.last().map(|point| point.clock), Some(9_999));
        assert!(course.points.windows(2).all(|pair| pair[0].clock < pair[1].clock));
    }

    #[test]
    fn one_moment_is_no_course() {
        assert_eq!(course(&[], &[1]), None);
        assert_eq!(course(&[12], &[1]), None);
    }
}
