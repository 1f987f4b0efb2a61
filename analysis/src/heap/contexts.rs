//! What each calling context costs, now and at chosen moments of the past.
//!
//! The high-water mark is known only afterwards, and copying every context each time it moves
//! would cost more than the program. So each context remembers when it last changed, and writes
//! down its live figures for a moment just before it first changes after that moment. Which
//! moments count is given by [`Moment`]; a moment may be moved forward at any time.

use super::course::{Course, Stretches};
use crate::profile::{Cost, Count, StackId};
use seepage_trace::TracepointId;

/// A moment for which the live figures of every context are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The high-water mark.
    Peak,
    /// The mark from which live bytes have been rising.
    RiseBegan,
    /// The last mark.
    LastMark,
}

const MOMENTS: usize = 3;

/// Tracepoints that are remembered for a context: it is one, or a few behind an indirect call.
const MAX_TRACEPOINTS: usize = 16;

#[derive(Clone, Debug, Default)]
pub(crate) struct ContextState {
    live: Count,
    allocated: Count,
    temporary: Count,
    last_change: u64,
    last_tracepoint: Option<TracepointId>,
    freed_blocks: u64,
    lifetime_sum: u64,
    failed: u64,
    at: [Count; MOMENTS],
    course: Course,
    tracepoints: Vec<TracepointId>,
}

/// All contexts; a [`StackId`] is an index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contexts {
    states: Vec<ContextState>,
    moments: [u64; MOMENTS],
    /// The latest of `moments`, and the beginning of the stretch under way.
    latest: u64,
    pub(crate) stretches: Stretches,
}

impl Contexts {
    /// Makes room for all ids below `count`.
    pub(crate) fn reserve(&mut self, count: usize) {
        if self.states.len() < count {
            self.states.resize_with(count, ContextState::default);
        }
    }

    /// The figures after event `clock` are those of the moment from now on.
    #[inline]
    pub(crate) fn set_moment(&mut self, moment: Moment, clock: u64) {
        self.moments[moment as usize] = clock;
        self.latest = self.latest.max(clock);
    }

    /// Sees the clock now and then: a stretch of the run may be over.
    pub(crate) fn tick(&mut self, clock: u64) {
        if self.stretches.tick(clock) {
            self.latest = self.latest.max(clock);
        }
    }

    #[inline(always)]
    pub(crate) fn allocated(
        &mut self,
        stack: StackId,
        tracepoint: TracepointId,
        bytes: u64,
        clock: u64,
    ) {
        let Some(state) = self.change(stack, clock) else { return };
        state.allocated.add(bytes);
        state.live.add(bytes);
        if state.last_tracepoint != Some(tracepoint) {
            state.saw(tracepoint);
        }
    }

    /// A block is gone from `stack`: moved by a reallocation, or taken for freed.
    #[inline(always)]
    pub(crate) fn removed(&mut self, stack: StackId, bytes: u64, clock: u64) {
        if let Some(state) = self.change(stack, clock) {
            state.live.remove(bytes);
        }
    }

    /// A block of `stack` has ended its life.
    #[inline(always)]
    pub(crate) fn ended(
        &mut self,
        stack: StackId,
        bytes: u64,
        lifetime: u64,
        temporary: bool,
        clock: u64,
    ) {
        let Some(state) = self.change(stack, clock) else { return };
        state.live.remove(bytes);
        state.freed_blocks += 1;
        state.course.fell_to(state.live);
        state.lifetime_sum = state.lifetime_sum.wrapping_add(lifetime);
        if temporary {
            state.temporary.add(bytes);
        }
    }

    pub(crate) fn failed(&mut self, stack: StackId, tracepoint: TracepointId) {
        let Some(state) = self.states.get_mut(stack.0 as usize) else { return };
        state.failed += 1;
        state.saw(tracepoint);
    }

    #[inline(always)]
    fn change(&mut self, stack: StackId, clock: u64) -> Option<&mut ContextState> {
        let state = self.states.get_mut(stack.0 as usize)?;
        if state.last_change <= self.latest {
            state.note(&self.moments);
            if state.last_change <= self.stretches.began {
                state.course.catch_up(&self.stretches, state.live, state.last_change);
            }
        }
        state.last_change = clock;
        Some(state)
    }

    /// What is live now, by id.
    pub(crate) fn live(&self) -> impl Iterator<Item = Count> + '_ {
        self.states.iter().map(|state| state.live)
    }

    /// The final figures, by id.
    pub(crate) fn finish(self) -> Vec<ContextFigures> {
        let (moments, stretches) = (self.moments, self.stretches);
        self.states
            .into_iter()
            .map(|mut state| {
                state.note(&moments);
                state.course.catch_up(&stretches, state.live, state.last_change);
                state.tracepoints.sort_unstable();
                ContextFigures {
                    cost: Cost {
                        allocated: state.allocated,
                        live: state.live,
                        peak: state.at[Moment::Peak as usize],
                        temporary: state.temporary,
                    },
                    live_at_rise: state.at[Moment::RiseBegan as usize],
                    live_at_mark: state.at[Moment::LastMark as usize],
                    tracepoints: state.tracepoints,
                    failed: state.failed,
                    freed_blocks: state.freed_blocks,
                    lifetime_sum: state.lifetime_sum,
                    course: state.course.finish(),
                }
            })
            .collect()
    }
}

/// What is left of a context when the run is over.
#[derive(Clone, Debug)]
pub(crate) struct ContextFigures {
    pub(crate) cost: Cost,
    pub(crate) live_at_rise: Count,
    pub(crate) live_at_mark: Count,
    pub(crate) tracepoints: Vec<TracepointId>,
    pub(crate) failed: u64,
    pub(crate) freed_blocks: u64,
    pub(crate) lifetime_sum: u64,
    pub(crate) course: Vec<Count>,
}

impl ContextState {
    /// Writes down the live figures for every moment since the last change.
    #[inline]
    fn note(&mut self, moments: &[u64; MOMENTS]) {
        for (at, &moment) in self.at.iter_mut().zip(moments) {
            if self.last_change <= moment {
                *at = self.live;
            }
        }
    }

    #[cold]
    fn saw(&mut self, tracepoint: TracepointId) {
        self.last_tracepoint = Some(tracepoint);
        if self.tracepoints.len() < MAX_TRACEPOINTS && !self.tracepoints.contains(&tracepoint) {
            self.tracepoints.push(tracepoint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINT: TracepointId = TracepointId(0);

    #[test]
    fn a_moment_is_remembered_whatever_comes_later() {
        let mut contexts = Contexts::default();
        contexts.reserve(2);
        contexts.allocated(StackId(0), POINT, 10, 1);
        contexts.allocated(StackId(1), POINT, 5, 2);
        contexts.set_moment(Moment::Peak, 2);
        contexts.removed(StackId(0), 10, 3);
        contexts.allocated(StackId(0), POINT, 1, 4);
        let figures = contexts.finish();
        assert_eq!(figures[0].cost.peak, Count { blocks: 1, bytes: 10 });
        assert_eq!(figures[0].cost.live, Count { blocks: 1, bytes: 1 });
        assert_eq!(figures[1].cost.peak, Count { blocks: 1, bytes: 5 });
    }

    #[test]
    fn a_moment_that_moves_takes_the_figures_along() {
        let mut contexts = Contexts::default();
        contexts.reserve(1);
        contexts.allocated(StackId(0), POINT, 10, 1);
        contexts.set_moment(Moment::Peak, 1);
        contexts.set_moment(Moment::LastMark, 1);
        contexts.allocated(StackId(0), TracepointId(4), 10, 2);
        contexts.set_moment(Moment::Peak, 2);
        contexts.removed(StackId(0), 10, 3);
        let figures = contexts.finish();
        assert_eq!(figures[0].cost.peak, Count { blocks: 2, bytes: 20 });
        assert_eq!(figures[0].live_at_mark, Count { blocks: 1, bytes: 10 });
        assert_eq!(figures[0].tracepoints, [POINT, TracepointId(4)]);
    }
}
