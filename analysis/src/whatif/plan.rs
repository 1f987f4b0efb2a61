//! Which blocks are taken away, and when a program that does not leak would have freed them.
//!
//! Blocks are taken away in groups: one, and the lost blocks that hang on it. A group is freed when
//! all of it is there, and
//!
//! 1. if its context has freed blocks, after their mean lifetime;
//! 2. else when the context allocates its next block, or at the next mark, whichever comes first.
//!
//! If neither comes it stays, and what the memory is said to need errs on the side of more.

use super::shape::HeapShape;
use crate::{
    account::BlockKind,
    config::LeakKinds,
    finding::FindingKind,
    heap::{blocks::LiveBlock, survey::Survey},
    kinds::Judged,
    outcome::Outcome,
    profile::{GrownFor, LeakKind, StackId},
    reachability::marking::NOBODY,
    suppressions::{Rule, matches},
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt;

/// The blocks that are live at the end of a run, for [`Plan::new`]; see
/// [`crate::Session::finish_for_what_if`].
#[derive(Clone, Debug, Default)]
pub struct Remaining {
    blocks: Vec<RemainingBlock>,
    pub(crate) heaps: Vec<HeapShape>,
}

#[derive(Clone, Copy, Debug)]
struct RemainingBlock {
    /// The event that put it where it is.
    clock: u64,
    stack: StackId,
    /// The place of the lost block that it hangs on; else its own.
    leader: u32,
    kind: BlockKind,
}

impl Remaining {
    /// Adds the blocks of one more module.
    pub(crate) fn add(&mut self, survey: &Survey<'_>, live: &[LiveBlock], judged: Option<&Judged>) {
        let first = self.blocks.len() as u32;
        let own = (0u32..).zip(live).map(|(place, block)| {
            let (kind, leader) = match judged {
                Some(it) => (it.kinds[place as usize], it.leaders[place as usize]),
                None => (BlockKind::Unknown, NOBODY),
            };
            let leader = if leader == NOBODY { place } else { leader };
            let (clock, stack) = (survey.since(block.addr), block.stack);
            RemainingBlock { clock, stack, leader: first + leader, kind }
        });
        self.blocks.extend(own);
    }
}

/// Whose blocks are to be taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Those of all findings of leaks.
    Leaks,
    /// Those of one finding, by its place in the report, from 1.
    Finding(usize),
    /// Those of all contexts that a rule matches, lost or not.
    Matching(Box<Rule>),
}

/// Why there is nothing to take away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NothingToRemove {
    /// No allocator was seen at work.
    #[error("no block was ever seen, so there is nothing to replay")]
    NoHeap,
    /// There is no finding of that number.
    #[error("there is no finding {0}; the report has {1}")]
    NoFinding(usize, usize),
    /// The finding is not about live blocks.
    #[error("finding {0} is not about blocks that are live at the end")]
    NoBlocks(usize),
    /// Nothing matches.
    #[error("no context that holds live blocks matches")]
    NoMatch,
}

/// What to take away, and when.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) without: String,
    /// The blocks, by the event that put them where they are.
    pub(super) victims: Vec<Victim>,
    pub(super) groups: Vec<Group>,
    pub(super) heaps: Vec<HeapShape>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Victim {
    pub(super) clock: u64,
    pub(super) group: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The event that completes it.
    pub(super) complete: u64,
    /// It is freed before the event after this one.
    pub(super) due: Option<u64>,
    /// It is freed at the first mark after it is complete.
    pub(super) at_mark: bool,
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selection::Leaks => f.write_str("the leaks"),
            Selection::Finding(number) => write!(f, "the blocks of finding {number}"),
            Selection::Matching(rule) => write!(f, "the blocks of `{}`", rule.name),
        }
    }
}

impl Plan {
    /// Looks for the blocks among those that are live at the end.
    pub fn new(
        outcome: &Outcome,
        remaining: Remaining,
        selection: &Selection,
    ) -> Result<Plan, NothingToRemove> {
        let Remaining { blocks, heaps } = remaining;
        if heaps.is_empty() {
            return Err(NothingToRemove::NoHeap);
        }
        let heads = Heads::new(outcome, selection)?;
        let victims = victims(&blocks, |block| heads.contains(block));
        if let (true, Some(nothing)) = (victims.is_empty(), heads.nothing) {
            return Err(nothing);
        }
        let mut by_stack: FxHashMap<StackId, Vec<u64>> = FxHashMap::default();
        for block in blocks.iter().filter(|block| heads.stacks.contains(&block.stack)) {
            by_stack.entry(block.stack).or_default().push(block.clock);
        }
        by_stack.values_mut().for_each(|clocks| clocks.sort_unstable());

        let mut numbers: FxHashMap<u32, u32> = FxHashMap::default();
        let mut leaders: Vec<u32> = Vec::new();
        let mut plan =
            Plan { without: selection.to_string(), victims: Vec::new(), groups: Vec::new(), heaps };
        for (place, leader) in victims {
            let clock = blocks[place as usize].clock;
            let group = *numbers.entry(leader).or_insert_with(|| {
                leaders.push(leader);
                plan.groups.push(Group { complete: 0, due: None, at_mark: false });
                leaders.len() as u32 - 1
            });
            let complete = &mut plan.groups[group as usize].complete;
            *complete = clock.max(*complete);
            plan.victims.push(Victim { clock, group });
        }
        plan.victims.sort_unstable_by_key(|victim| victim.clock);
        for (group, leader) in plan.groups.iter_mut().zip(leaders) {
            let RemainingBlock { clock, stack, .. } = blocks[leader as usize];
            let context = outcome.context(stack);
            let mean = context.and_then(|it| it.lifetime_sum.checked_div(it.freed_blocks));
            if let Some(mean) = mean {
                group.due = Some(group.complete.max(clock.saturating_add(mean)));
            } else {
                let siblings = by_stack.get(&stack).map_or(&[][..], Vec::as_slice);
                let next = siblings.partition_point(|&clock| clock <= group.complete);
                group.due = siblings.get(next).map(|clock| clock - 1);
                group.at_mark = true;
            }
        }
        Ok(plan)
    }
}

/// The contexts whose blocks go, and which of their blocks.
struct Heads {
    stacks: FxHashSet<StackId>,
    /// Only blocks of these kinds.
    lost: Option<LeakKinds>,
    /// What is wrong if there is none: that there is no leak is an answer.
    nothing: Option<NothingToRemove>,
}

impl Heads {
    fn new(outcome: &Outcome, selection: &Selection) -> Result<Heads, NothingToRemove> {
        let lost = Some(outcome.leak_kinds).filter(|&kinds| kinds != LeakKinds::ALL);
        match selection {
            Selection::Leaks => {
                let leaks = outcome.findings.iter().filter(|it| it.kind == FindingKind::Leak);
                let stacks = leaks.filter_map(|finding| finding.stack).collect();
                Ok(Heads { stacks, lost, nothing: None })
            }
            &Selection::Finding(number) => {
                let count = outcome.findings.len();
                let finding = number.checked_sub(1).and_then(|at| outcome.findings.get(at));
                let finding = finding.ok_or(NothingToRemove::NoFinding(number, count))?;
                let pin = outcome.profile.fragmentation.pins.first();
                let is_leak = match finding.kind {
                    FindingKind::Fragmentation => pin.is_some_and(|pin| pin.what == GrownFor::Lost),
                    kind => kind == FindingKind::Leak,
                };
                let stacks = match finding.kind {
                    // A place where the heap was misused holds no block for that.
                    FindingKind::HeapError => FxHashSet::default(),
                    // The others only asked for what fitted nowhere.
                    FindingKind::Fragmentation => finding.stack.into_iter().collect(),
                    _ => finding.stack.iter().chain(&finding.contexts).copied().collect(),
                };
                let lost = lost.filter(|_| is_leak);
                let nothing = Some(NothingToRemove::NoBlocks(number));
                Ok(Heads { stacks, lost, nothing })
            }
            Selection::Matching(rule) => {
                let contexts = (0u32..).zip(&outcome.profile.contexts);
                let own = contexts.filter(|(_, it)| matches(rule, it, &outcome.modules));
                let stacks = own.map(|(id, _)| StackId(id)).collect();
                Ok(Heads { stacks, lost: None, nothing: Some(NothingToRemove::NoMatch) })
            }
        }
    }

    /// Whether a block goes by itself, and not only because it hangs on one.
    fn contains(&self, block: &RemainingBlock) -> bool {
        let is_meant = match (self.lost, block.kind) {
            (None, _) => true,
            // What hangs on a lost block is told with it.
            (Some(kinds), BlockKind::Kind(LeakKind::IndirectlyLost)) => {
                kinds.contains(LeakKind::IndirectlyLost)
                    && !kinds.contains(LeakKind::DefinitelyLost)
            }
            (Some(kinds), BlockKind::Kind(kind)) => kinds.contains(kind),
            (Some(_), BlockKind::Suppressed | BlockKind::Unknown) => false,
        };
        is_meant && self.stacks.contains(&block.stack)
    }
}

/// The blocks that go, each with the one that it goes with.
fn victims(
    blocks: &[RemainingBlock],
    is_head: impl Fn(&RemainingBlock) -> bool,
) -> Vec<(u32, u32)> {
    let with = |(place, block): (u32, &RemainingBlock)| {
        let leader = blocks.get(block.leader as usize).filter(|leader| is_head(leader));
        let is_lost = block.kind == BlockKind::Kind(LeakKind::IndirectlyLost);
        if leader.is_some() && is_lost {
            return Some((place, block.leader));
        }
        is_head(block).then_some((place, place))
    };
    (0u32..).zip(blocks).filter_map(with).collect()
}
