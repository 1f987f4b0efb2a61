//! Which blocks can still be reached, and how the lost ones hang together.
//!
//! The kinds are Valgrind Memcheck's, the method LeakSanitizer's: from the roots, a chain of
//! addresses of block starts makes a block reachable; one with an address inside of a block makes
//! it possibly lost. What no chain reaches is lost: directly, or indirectly if another lost block
//! leads to it. Of blocks that lead to each other in a circle, and to which no other lost block
//! leads, the one with the lowest address stands for all.
//!
//! Each block is looked at a bounded number of times; nothing recurses.

use super::graph::{Graph, NodeId, Reference};

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reached {
    /// No chain of addresses leads to it.
    Lost,
    /// One leads to it that is no proof.
    Possibly,
    /// One leads to it.
    Surely,
}

/// The references that do not come from a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RootReferences {
    pub(crate) surely: Vec<NodeId>,
    pub(crate) possibly: Vec<NodeId>,
}

/// What leads to each block.
pub(crate) fn mark(graph: &Graph<'_>, roots: &RootReferences) -> Vec<Reached> {
    let mut reached = vec![Reached::Lost; graph.nodes.len()];
    let mut pending: Vec<NodeId> = Vec::new();
    // Blocks that a reachable one has an interior address of, to be followed when the sure chains
    // are through.
    let mut doubtful: Vec<NodeId> = roots.possibly.clone();
    for &root in &roots.surely {
        raise(&mut reached, root, Reached::Surely, &mut pending);
    }
    while let Some(node) = pending.pop() {
        graph.edges(node, |to, reference| match reference {
            Reference::Start => raise(&mut reached, to, Reached::Surely, &mut pending),
            Reference::Interior if reached[to as usize] == Reached::Lost => doubtful.push(to),
            Reference::Interior => {}
        });
    }
    for root in doubtful {
        raise(&mut reached, root, Reached::Possibly, &mut pending);
    }
    while let Some(node) = pending.pop() {
        graph.edges(node, |to, _| raise(&mut reached, to, Reached::Possibly, &mut pending));
    }
    reached
}

/// Bytes that each group of blocks retains together: its own and those of all blocks to which every
/// chain leads through one of it. `others` are held by somebody else.
pub(crate) fn retained_together(
    graph: &Graph<'_>,
    groups: &[Vec<NodeId>],
    others: impl Iterator<Item = NodeId>,
) -> Vec<u64> {
    const UNSEEN: u32 = u32::MAX;
    const SHARED: u32 = u32::MAX - 1;
    let mut owner = vec![UNSEEN; graph.nodes.len()];
    // A block of a group is freed with the group, whoever else leads to it.
    let mut is_fixed = vec![false; graph.nodes.len()];
    let mut pending: Vec<NodeId> = Vec::new();
    for (group, blocks) in (0u32..).zip(groups) {
        for &block in blocks {
            let place = &mut owner[block as usize];
            *place = if *place == UNSEEN || *place == group { group } else { SHARED };
            is_fixed[block as usize] = true;
            pending.push(block);
        }
    }
    for block in others {
        if !is_fixed[block as usize] && owner[block as usize] == UNSEEN {
            owner[block as usize] = SHARED;
            pending.push(block);
        }
    }
    // An owner changes twice at most: to a group, and to nobody's own.
    while let Some(node) = pending.pop() {
        let from = owner[node as usize];
        graph.edges(node, |to, _| {
            let place = &mut owner[to as usize];
            if is_fixed[to as usize] || *place == from || *place == SHARED {
                return;
            }
            *place = if *place == UNSEEN { from } else { SHARED };
            pending.push(to);
        });
    }
    let mut retained = vec![0u64; groups.len()];
    for (node, &group) in graph.nodes.iter().zip(&owner) {
        if let Some(sum) = retained.get_mut(group as usize) {
            *sum = sum.wrapping_add(node.size);
        }
    }
    retained
}

fn raise(reached: &mut [Reached], node: NodeId, to: Reached, pending: &mut Vec<NodeId>) {
    let state = &mut reached[node as usize];
    if *state < to {
        *state = to;
        pending.push(node);
    }
}

/// No leader: the block is not lost.
pub(crate) const NOBODY: NodeId = NodeId::MAX;

/// For each lost block the lost block that stands for it: itself, if it is directly lost.
///
/// A block to which several lead belongs to the one with the lowest address.
pub(crate) fn leaders(graph: &Graph<'_>, reached: &[Reached]) -> Vec<NodeId> {
    let mut leaders = vec![NOBODY; reached.len()];
    let mut pending: Vec<NodeId> = Vec::new();
    for start in sources(graph, reached) {
        leaders[start as usize] = start;
        pending.push(start);
        while let Some(node) = pending.pop() {
            graph.edges(node, |to, _| {
                let leader = &mut leaders[to as usize];
                if *leader == NOBODY && reached[to as usize] == Reached::Lost {
                    *leader = start;
                    pending.push(to);
                }
            });
        }
    }
    leaders
}

/// Of every group of lost blocks that lead to each other, and that no other lost block leads to,
/// the first; by address.
fn sources(graph: &Graph<'_>, reached: &[Reached]) -> Vec<NodeId> {
    let groups = groups(graph, reached);
    let count = groups.iter().filter(|&&group| group != NOBODY).max().map_or(0, |&max| max + 1);
    let mut is_led_to = vec![false; count as usize];
    for (node, &group) in (0..).zip(&groups) {
        if group != NOBODY {
            graph.edges(node, |to, _| {
                let other = groups[to as usize];
                if other != NOBODY && other != group {
                    is_led_to[other as usize] = true;
                }
            });
        }
    }
    let mut sources = Vec::new();
    for (node, &group) in (0..).zip(&groups) {
        if group != NOBODY && !std::mem::replace(&mut is_led_to[group as usize], true) {
            sources.push(node);
        }
    }
    sources
}

/// The strongly connected groups of the lost blocks (Tarjan 1972, without recursion).
fn groups(graph: &Graph<'_>, reached: &[Reached]) -> Vec<NodeId> {
    const UNSEEN: u32 = u32::MAX;
    let mut groups = vec![NOBODY; reached.len()];
    let mut order = vec![UNSEEN; reached.len()];
    let mut low = vec![0u32; reached.len()];
    let mut open: Vec<NodeId> = Vec::new();
    // A block under way, and where its targets are in `targets`: those not yet looked at.
    let mut path: Vec<(NodeId, usize)> = Vec::new();
    let mut targets: Vec<NodeId> = Vec::new();
    let (mut next_order, mut next_group) = (0, 0);
    let mut enter = |node: NodeId,
                     order: &mut [u32],
                     low: &mut [u32],
                     open: &mut Vec<NodeId>,
                     path: &mut Vec<(NodeId, usize)>,
                     targets: &mut Vec<NodeId>| {
        order[node as usize] = next_order;
        low[node as usize] = next_order;
        next_order += 1;
        open.push(node);
        path.push((node, targets.len()));
        graph.edges(node, |to, _| {
            if reached[to as usize] == Reached::Lost && to != node {
                targets.push(to);
            }
        });
    };
    for start in 0..reached.len() as NodeId {
        if reached[start as usize] != Reached::Lost || order[start as usize] != UNSEEN {
            continue;
        }
        enter(start, &mut order, &mut low, &mut open, &mut path, &mut targets);
        while let Some(&(node, first)) = path.last() {
            if targets.len() > first {
                let Some(to) = targets.pop() else { break };
                if order[to as usize] == UNSEEN {
                    enter(to, &mut order, &mut low, &mut open, &mut path, &mut targets);
                } else if groups[to as usize] == NOBODY {
                    low[node as usize] = low[node as usize].min(order[to as usize]);
                }
                continue;
            }
            path.pop();
            if let Some(&(parent, _)) = path.last() {
                low[parent as usize] = low[parent as usize].min(low[node as usize]);
            }
            if low[node as usize] == order[node as usize] {
                while let Some(member) = open.pop() {
                    groups[member as usize] = next_group;
                    if member == node {
                        break;
                    }
                }
                next_group += 1;
            }
        }
    }
    groups
}
