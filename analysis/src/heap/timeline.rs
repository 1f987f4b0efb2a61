//! The course of a run in a bounded number of points.
//!
//! [`Thinned`] keeps every n-th of the items it is given, and doubles n when it is full, so that
//! the points are evenly spread whatever the length of the run. [`Timeline`] puts the heap into
//! it. The first point is the first event's.

use crate::profile::{Count, Point};

/// At most `cap` items, evenly spread over all that were offered.
#[derive(Clone, Debug)]
pub(crate) struct Thinned<T> {
    items: Vec<T>,
    cap: usize,
    stride: u64,
    offered: u64,
}

impl<T> Thinned<T> {
    pub(crate) fn new(cap: usize) -> Thinned<T> {
        Thinned { items: Vec::new(), cap: cap.max(2), stride: 1, offered: 0 }
    }

    /// Offers an item; `merge` makes one of a kept item and the later one that is given up for
    /// lack of room.
    pub(crate) fn offer(&mut self, item: T, merge: impl Fn(&mut T, T)) {
        let keep = self.offered.is_multiple_of(self.stride);
        self.offered += 1;
        if !keep {
            return;
        }
        if self.items.len() >= self.cap {
            self.halve(&merge);
            // What was offered now has an even number, so it stays if its half is even.
            if !(self.offered - 1).is_multiple_of(self.stride) {
                return;
            }
        }
        self.items.push(item);
    }

    fn halve(&mut self, merge: &impl Fn(&mut T, T)) {
        self.stride = self.stride.saturating_mul(2);
        let mut kept: Vec<T> = Vec::with_capacity(self.cap);
        for (index, item) in std::mem::take(&mut self.items).into_iter().enumerate() {
            match kept.last_mut() {
                Some(last) if index % 2 == 1 => merge(last, item),
                _ => kept.push(item),
            }
        }
        self.items = kept;
    }

    pub(crate) fn offered(&self) -> u64 {
        self.offered
    }

    pub(crate) fn into_items(self) -> Vec<T> {
        self.items
    }
}

/// The heap over the event clock.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    points: Vec<Point>,
    cap: usize,
    stride: u64,
    /// The event at which the next point is due.
    next: u64,
    max_bytes: u64,
}

impl Timeline {
    pub(crate) fn new(cap: usize) -> Timeline {
        Timeline { points: Vec::new(), cap: cap.max(4), stride: 1, next: 1, max_bytes: 0 }
    }

    /// Sees the heap after every event; whether it holds more than since the last point.
    #[inline(always)]
    pub(crate) fn rises(&mut self, live_bytes: u64) -> bool {
        let rises = live_bytes > self.max_bytes;
        if rises {
            self.max_bytes = live_bytes;
        }
        rises
    }

    /// Whether a point is due.
    #[inline(always)]
    pub(crate) fn is_due(&self, clock: u64) -> bool {
        clock >= self.next
    }

    /// Adds a point.
    pub(crate) fn add(&mut self, clock: u64, time_ns: u64, live: Count, pages: u64) {
        if self.points.len() + 1 >= self.cap {
            self.halve();
        }
        self.points.push(Point { clock, time_ns, live, max_bytes: self.max_bytes, pages });
        self.max_bytes = live.bytes;
        self.next = clock.saturating_add(self.stride);
    }

    /// Keeps the later point of each pair, which speaks for the stretch of both.
    fn halve(&mut self) {
        self.stride = self.stride.saturating_mul(2);
        self.points = self
            .points
            .chunks(2)
            .filter_map(|pair| {
                let last = pair.last()?;
                let max_bytes = pair.iter().map(|point| point.max_bytes).max()?;
                Some(Point { max_bytes, ..*last })
            })
            .collect();
    }

    /// All points; the last is the end of the run.
    pub(crate) fn finish(
        mut self,
        clock: u64,
        time_ns: u64,
        live: Count,
        pages: u64,
    ) -> Vec<Point> {
        if self.points.last().is_none_or(|last| last.clock < clock || last.pages != pages) {
            self.points.push(Point { clock, time_ns, live, max_bytes: self.max_bytes, pages });
        }
        self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_keeps_its_shape_in_few_points() {
        let mut timeline = Timeline::new(64);
        for clock in 1..=100_000u64 {
            let bytes = if clock == 54_321 { 1_000_000 } else { clock % 100 };
            timeline.rises(bytes);
            if timeline.is_due(clock) {
                timeline.add(clock, clock * 10, Count { blocks: 1, bytes }, 1);
            }
        }
        let points = timeline.finish(100_000, 1_000_000, Count::default(), 1);
        assert!((24..=64).contains(&points.len()), "{} points", points.len());
        assert!(points.windows(2).all(|pair| pair[0].clock < pair[1].clock));
        assert_eq!(points.iter().map(|point| point.max_bytes).max(), Some(1_000_000));
        assert_eq!(points.last().map(|point| point.clock), Some(100_000));
    }

    #[test]
    fn thinned_items_are_even() {
        let mut thinned = Thinned::new(4);
        (0..20u32).for_each(|item| thinned.offer(item, |_, _| {}));
        assert_eq!(thinned.offered(), 20);
        assert_eq!(thinned.into_items(), [0, 8, 16]);
    }
}
