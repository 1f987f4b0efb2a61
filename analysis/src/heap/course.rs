//! The course of each context over a run: the least that it held in each of a few stretches.
//!
//! The run is cut into at most [`STRETCHES`] stretches of the same number of events; when there
//! would be more, two become one. The least counts and not what is there at some moment, for a
//! queue that is emptied between two moments is no container that only grows. Nothing is done at
//! an event but to keep that minimum when a block is freed: a context closes the stretches that
//! went by when it is next touched.

use crate::profile::Count;

/// Stretches that are told apart.
const STRETCHES: u64 = 16;
/// Events of a stretch at first.
const FIRST: u64 = 64;

/// How the run is cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stretches {
    /// Events of one.
    pub(crate) events: u64,
    /// Those that went by.
    closed: u64,
    /// How often two became one.
    halved: u32,
    /// When the one under way began.
    pub(crate) began: u64,
}

impl Default for Stretches {
    fn default() -> Stretches {
        Stretches { events: FIRST, closed: 0, halved: 0, began: 0 }
    }
}

impl Stretches {
    /// The clock has come to `clock`; whether a new stretch begins.
    pub(crate) fn tick(&mut self, clock: u64) -> bool {
        let before = (self.closed, self.halved);
        while clock / self.events >= STRETCHES {
            self.events = self.events.saturating_mul(2);
            self.halved += 1;
        }
        self.closed = clock / self.events;
        let is_new = before != (self.closed, self.halved);
        if is_new {
            self.began = clock;
        }
        is_new
    }
}

/// The course of one context.
#[derive(Clone, Debug, Default)]
pub(crate) struct Course {
    /// The least that was live in the stretch under way.
    low: Count,
    /// The same of those that went by. Empty as long as nothing was held in any.
    lows: Vec<Count>,
    halved: u32,
}

impl Course {
    /// Something was freed, and `live` is left.
    #[inline]
    pub(crate) fn fell_to(&mut self, live: Count) {
        self.low = least(self.low, live);
    }

    /// Closes the stretches that went by since the context was last touched; it has held `live`
    /// since the event `last_change`.
    pub(crate) fn catch_up(&mut self, stretches: &Stretches, live: Count, last_change: u64) {
        if self.lows.is_empty() && live.blocks == 0 && self.low.blocks == 0 {
            return;
        }
        if self.lows.is_empty() {
            let before = (last_change / stretches.events).min(stretches.closed);
            self.lows = vec![Count::default(); before as usize];
            self.halved = stretches.halved;
        }
        while self.halved < stretches.halved {
            self.halve();
        }
        if (self.lows.len() as u64) < stretches.closed {
            self.lows.push(self.low);
            self.lows.resize(stretches.closed as usize, live);
            self.low = live;
        }
    }

    /// Two stretches become one.
    fn halve(&mut self) {
        if self.lows.len() % 2 == 1
            && let Some(half) = self.lows.pop()
        {
            self.low = least(self.low, half);
        }
        let pairs = self.lows.chunks(2);
        self.lows =
            pairs.map(|pair| pair.iter().copied().reduce(least).unwrap_or_default()).collect();
        self.halved += 1;
    }

    /// The least of each stretch, the last of which may be shorter. Empty if nothing was held from
    /// one to the next.
    pub(crate) fn finish(mut self) -> Vec<Count> {
        if !self.lows.is_empty() {
            self.lows.push(self.low);
        }
        self.lows
    }
}

fn least(one: Count, other: Count) -> Count {
    Count { blocks: one.blocks.min(other.blocks), bytes: one.bytes.min(other.bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The blocks of a context that has `live(clock)` blocks after each event.
    fn course(events: u64, live: impl Fn(u64) -> u64) -> Vec<u64> {
        let (mut stretches, mut course) = (Stretches::default(), Course::default());
        let (mut now, mut last_change) = (Count::default(), 0);
        for clock in 1..=events {
            let blocks = live(clock);
            if blocks != now.blocks {
                course.catch_up(&stretches, now, last_change);
                let falls = blocks < now.blocks;
                now = Count { blocks, bytes: blocks * 8 };
                if falls {
                    course.fell_to(now);
                }
                last_change = clock;
            }
            stretches.tick(clock);
        }
        course.catch_up(&stretches, now, last_change);
        course.finish().into_iter().map(|count| count.blocks).collect()
    }

    #[test]
    fn what_only_grows_rises_in_every_stretch() {
        let rising = course(10_000, |clock| clock);
        assert!((8..=17).contains(&rising.len()), "{rising:?}");
        assert!(rising.windows(2).all(|pair| pair[1] > pair[0]), "{rising:?}");
        assert_eq!(rising[0], 0);
    }

    #[test]
    fn what_is_emptied_now_and_then_has_held_nothing() {
        let emptied = course(10_000, |clock| clock % 100);
        assert!(emptied.iter().all(|&blocks| blocks == 0), "{emptied:?}");
    }

    #[test]
    fn what_is_filled_at_the_start_is_flat() {
        let flat = course(10_000, |clock| clock.min(500));
        assert!(flat[2..].iter().all(|&blocks| blocks == 500), "{flat:?}");
        let late = course(10_000, |clock| if clock < 9_000 { 0 } else { 5 });
        assert_eq!((late[0], late.last()), (0, Some(&5)));
    }
}
