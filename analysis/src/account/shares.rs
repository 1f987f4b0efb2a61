//! What the memories' growth went to: which blocks are in what was grown, and for whom the rest was.
//!
//! Growth for more live bytes is told by what its bytes hold at the end: a block, with what the
//! allocator took for it, stands for what became of it and for its context, and a block that hangs on
//! a lost one for that one. What is free there now goes to the context whose request grew it. All
//! other growth goes by its cause to whoever asked for it. Whatever else there is to say of a growth
//! is lost in this, but no byte is: the shares add up to the growth.

use super::{BlockKind, Picture, Placed};
use crate::{
    config::LeakKinds,
    finding::{Finding, FindingKind},
    heap::space::Stretch,
    kinds::Judged,
    profile::{GrownFor, Growth, GrowthCause, GrowthShare, LeakKind, StackId},
};
use rustc_hash::FxHashMap;
use std::{cmp::Reverse, ops::Range};

/// The shares of all growth, under way.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    bytes: FxHashMap<(GrownFor, Option<StackId>), u64>,
    /// By cause: what of its growth is in `bytes`.
    told: [u64; GrowthCause::ALL.len()],
}

impl Shares {
    fn add(&mut self, cause: GrowthCause, what: GrownFor, stack: Option<StackId>, bytes: u64) {
        if bytes > 0 {
            let sum = self.bytes.entry((what, stack)).or_default();
            for sum in [sum, &mut self.told[cause as usize]] {
                *sum = sum.saturating_add(bytes);
            }
        }
    }

    /// Adds what was grown for more live bytes in the memory of the picture. `stretches` are that
    /// memory's, by address; `owner` tells of a block by its place for what it stands.
    pub(crate) fn add_demand(
        &mut self,
        picture: &Picture<'_>,
        stretches: &[Stretch],
        owner: impl Fn(usize) -> (GrownFor, StackId),
    ) {
        let demand = stretches.iter().filter(|stretch| stretch.cause == GrowthCause::Demand);
        let mut left: Vec<(Range<u64>, StackId, u64)> = demand
            .map(|stretch| {
                let Range { start, end } = stretch.range;
                let end = end.min(picture.bytes).max(start);
                (start..end, stretch.stack, end - start)
            })
            .collect();
        let (mut at, mut first) = (0, 0);
        for (index, block) in picture.blocks.iter().enumerate() {
            let next = picture.blocks.get(index + 1).map_or(u64::MAX, |next| next.addr);
            let (start, end) = picture.geometry.chunk(block.addr, block.size);
            // As in the account: a byte is counted once, and the next block begins where it begins.
            let end = end.max(block.addr.saturating_add(block.size)).min(next);
            let chunk = start.max(at)..end;
            if chunk.is_empty() {
                continue;
            }
            at = end;
            while left.get(first).is_some_and(|(stretch, ..)| stretch.end <= chunk.start) {
                first += 1;
            }
            for (stretch, _, free) in left[first..].iter_mut() {
                if stretch.start >= chunk.end {
                    break;
                }
                let bytes = stretch.end.min(chunk.end) - stretch.start.max(chunk.start);
                *free -= bytes;
                let (what, stack) = owner(index);
                self.add(GrowthCause::Demand, what, Some(stack), bytes);
            }
        }
        for (_, stack, free) in left {
            self.add(GrowthCause::Demand, GrownFor::Free, Some(stack), free);
        }
    }

    /// Adds what was grown for any other cause, in all memories.
    pub(crate) fn add_others(&mut self, stretches: &[Stretch]) {
        for stretch in stretches {
            let Stretch { ref range, cause, stack, .. } = *stretch;
            if cause != GrowthCause::Demand {
                self.add(cause, by_cause(cause), Some(stack), range.end - range.start);
            }
        }
    }

    /// All shares, the largest first. What of the growth was not followed is added by its cause.
    pub(crate) fn finish(mut self, growth: &Growth) -> Vec<GrowthShare> {
        for cause in GrowthCause::ALL {
            let rest = growth.of(cause).saturating_sub(self.told[cause as usize]);
            self.add(cause, by_cause(cause), None, rest);
        }
        let share = |((what, stack), bytes)| GrowthShare { what, stack, bytes, finding: None };
        let mut shares: Vec<GrowthShare> = self.bytes.into_iter().map(share).collect();
        shares.sort_unstable_by_key(|share| (Reverse(share.bytes), share.what, share.stack));
        shares
    }
}

/// What growth of a cause goes to, if nothing else is known.
fn by_cause(cause: GrowthCause) -> GrownFor {
    match cause {
        GrowthCause::Fragmentation => GrownFor::Fragmentation,
        GrowthCause::Policy => GrownFor::Policy,
        GrowthCause::Direct => GrownFor::Direct,
        GrowthCause::Demand | GrowthCause::Unexplained => GrownFor::Unexplained,
    }
}

/// For what the block at a place among the live ones stands: one that hangs on a lost one for that.
pub(crate) fn owner(
    index: usize,
    blocks: &[Placed],
    judged: Option<&Judged>,
) -> (GrownFor, StackId) {
    let block = &blocks[index];
    let what = match block.kind {
        BlockKind::Kind(LeakKind::DefinitelyLost | LeakKind::IndirectlyLost) => GrownFor::Lost,
        BlockKind::Kind(LeakKind::PossiblyLost) => GrownFor::PossiblyLost,
        BlockKind::Kind(LeakKind::StillReachable) => GrownFor::Held,
        BlockKind::Suppressed => GrownFor::Suppressed,
        BlockKind::Unknown => GrownFor::Live,
    };
    let leader = judged.filter(|_| what == GrownFor::Lost).map(|judged| judged.leaders[index]);
    let leader = leader.and_then(|leader| blocks.get(leader as usize));
    (what, leader.unwrap_or(block).stack)
}

/// Says which finding is about a share. What a container that only grows holds is a share of its
/// own, and one finding speaks of all fragmentation.
pub(crate) fn link(shares: &mut [GrowthShare], findings: &[Finding], leaks: LeakKinds) {
    let mut by_stack: FxHashMap<(&str, StackId), usize> = FxHashMap::default();
    for (index, finding) in findings.iter().enumerate() {
        if let Some(stack) = finding.stack {
            by_stack.entry((finding.analysis, stack)).or_insert(index);
        }
    }
    let fragmentation = findings.iter().position(|it| it.kind == FindingKind::Fragmentation);
    for share in shares {
        if share.what == GrownFor::Fragmentation {
            share.finding = fragmentation;
        }
        let Some(stack) = share.stack else { continue };
        let of = |analysis| by_stack.get(&(analysis, stack)).copied();
        let is_leak = match share.what {
            GrownFor::Lost => true,
            GrownFor::PossiblyLost => leaks.contains(LeakKind::PossiblyLost),
            GrownFor::Held | GrownFor::Live => leaks == LeakKinds::ALL,
            _ => continue,
        };
        share.finding = Some("leaks").filter(|_| is_leak).and_then(of);
        if let (None, GrownFor::Held | GrownFor::Live) = (share.finding, share.what) {
            share.finding = of("containers");
            if share.finding.is_some() {
                share.what = GrownFor::Container;
            }
        }
    }
}
