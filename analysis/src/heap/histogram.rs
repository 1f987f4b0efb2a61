//! Blocks and bytes by powers of two of some figure.

use crate::profile::{Count, LifetimeBucket, SizeBucket};

/// One bucket for 0 and one for each power of two.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    buckets: [Count; 65],
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { buckets: [Count::default(); 65] }
    }
}

impl Histogram {
    #[inline]
    pub(crate) fn add(&mut self, figure: u64, bytes: u64) {
        let bucket = 64 - figure.leading_zeros();
        self.buckets[bucket as usize].add(bytes);
    }

    pub(crate) fn sizes(&self) -> Vec<SizeBucket> {
        self.filled().map(|(from, to, allocated)| SizeBucket { from, to, allocated }).collect()
    }

    pub(crate) fn lifetimes(&self) -> Vec<LifetimeBucket> {
        self.filled().map(|(from, to, freed)| LifetimeBucket { from, to, freed }).collect()
    }

    fn filled(&self) -> impl Iterator<Item = (u64, u64, Count)> {
        (0u32..).zip(self.buckets).filter(|(_, count)| count.blocks > 0).map(|(bucket, count)| {
            let to = u64::MAX.checked_shr(64 - bucket).unwrap_or(0);
            (to - to / 2, to, count)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_meet() {
        let mut histogram = Histogram::default();
        for figure in [0, 1, 2, 3, 4, 7, 8, u64::MAX] {
            histogram.add(figure, 10);
        }
        let ranges: Vec<_> =
            histogram.sizes().iter().map(|b| (b.from, b.to, b.allocated.blocks)).collect();
        let top = (1 << 63, u64::MAX, 1);
        assert_eq!(ranges, [(0, 0, 1), (1, 1, 1), (2, 3, 2), (4, 7, 2), (8, 15, 1), top]);
    }
}
