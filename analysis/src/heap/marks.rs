//! Marked moments, and how long the heap has been rising from one to the next.

use super::timeline::Thinned;
use crate::profile::{Mark, Rise};

/// Characters of a mark's name that are kept.
const MAX_NAME: usize = 200;

/// All marks so far.
#[derive(Clone, Debug)]
pub(crate) struct Marks {
    list: Thinned<Mark>,
    bytes: Rise,
    pages: Rise,
    last: Option<Mark>,
}

/// What is left of the marks.
#[derive(Clone, Debug)]
pub(crate) struct MarkFigures {
    pub(crate) list: Vec<Mark>,
    pub(crate) count: u64,
    pub(crate) bytes_rise: Rise,
    pub(crate) pages_rise: Rise,
}

impl Marks {
    pub(crate) fn new(cap: usize) -> Marks {
        Marks {
            list: Thinned::new(cap),
            bytes: Rise::default(),
            pages: Rise::default(),
            last: None,
        }
    }

    /// Marks a moment; whether a rise of live bytes may begin with it.
    pub(crate) fn mark(&mut self, mark: Mark) -> bool {
        let Mark { clock, live, pages, .. } = mark;
        let last = self.last.as_ref();
        let begins = step(&mut self.bytes, last.map(|last| last.live.bytes), live.bytes, clock);
        step(&mut self.pages, last.map(|last| last.pages), pages, clock);
        self.last = Some(mark.clone());
        self.list.offer(mark, |_, _| {});
        begins
    }

    pub(crate) fn finish(self) -> MarkFigures {
        let count = self.list.offered();
        let mut list = self.list.into_items();
        // The last mark is the one that a person compares with.
        if let Some(last) = self.last
            && list.last() != Some(&last)
        {
            list.push(last);
        }
        MarkFigures { list, count, bytes_rise: self.bytes, pages_rise: self.pages }
    }
}

/// A name of bounded length.
pub(crate) fn name(name: &str) -> String {
    name.chars().take(MAX_NAME).collect()
}

/// Continues a rise, or lets a new one begin.
fn step(rise: &mut Rise, before: Option<u64>, value: u64, clock: u64) -> bool {
    if before.is_some_and(|before| value > before) {
        rise.steps += 1;
        rise.to = value;
        return false;
    }
    *rise = Rise { steps: 0, from_clock: clock, from: value, to: value };
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Count;

    #[test]
    fn a_rise_begins_anew_after_every_fall() {
        let mut marks = Marks::new(8);
        let mut begins = Vec::new();
        for (clock, bytes) in (10u64..).zip([5, 7, 7, 8, 9]) {
            let live = Count { blocks: 1, bytes };
            begins.push(marks.mark(Mark { clock, live, pages: 1, ..Mark::default() }));
        }
        assert_eq!(begins, [true, false, true, false, false]);
        let figures = marks.finish();
        assert_eq!(figures.bytes_rise, Rise { steps: 2, from_clock: 12, from: 7, to: 9 });
        assert_eq!(figures.pages_rise.steps, 0);
        assert_eq!((figures.count, figures.list.len()), (5, 5));
    }
}
