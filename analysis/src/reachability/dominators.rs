//! What would go if a block went: the dominator tree of the graph, and retained sizes.
//!
//! A block dominates another if every chain from the roots to the other leads through it. The tree
//! is built by semidominators and nearest common ancestors (Georgiadis 2005, "SNCA", after
//! Lengauer and Tarjan 1979). Lost blocks hang on those that stand for them, as if these were held
//! by a root.
//!
//! Nodes are numbered by depth-first search here, so that a dominator has a lower number than
//! whatever it dominates; 0 is the root of all.

use super::graph::{Graph, NodeId};

const NONE: u32 = u32::MAX;

/// References between blocks up to which a tree is made. Each takes up to 16 bytes for a while, and
/// blocks that lie over each other, as in a forged trace, may have any number of them.
pub(crate) const MAX_REFERENCES: usize = 1 << 28;

/// The dominator tree.
pub(crate) struct Dominators {
    /// By number: the block; the root of all has none.
    blocks: Vec<NodeId>,
    /// By number: the immediate dominator's.
    dominator: Vec<u32>,
}

impl Dominators {
    /// `roots` are blocks that are held from outside. Nothing if there are more references.
    pub(crate) fn new(
        graph: &Graph<'_>,
        roots: impl Iterator<Item = NodeId>,
        max_references: usize,
    ) -> Option<Dominators> {
        let search = Search::new(graph, roots, max_references)?;
        let count = search.blocks.len();
        let Searched { blocks, parent, is_root, start, from } = search.turn_around();
        let mut semi: Vec<u32> = (0..count as u32).collect();
        let mut forest = Forest {
            links: (0..count as u32).map(|node| Link { above: NONE, lowest: node }).collect(),
            path: Vec::new(),
        };
        for node in (1..count).rev() {
            let mut lowest = parent[node];
            if is_root[node] {
                lowest = 0;
            }
            for &before in &from[start[node] as usize..start[node + 1] as usize] {
                lowest = lowest.min(forest.lowest(before));
            }
            semi[node] = lowest;
            forest.links[node] = Link { above: parent[node], lowest };
        }
        drop((start, from, forest));
        let mut dominator = parent;
        for node in 1..count {
            let mut candidate = dominator[node];
            while candidate > semi[node] {
                candidate = dominator[candidate as usize];
            }
            dominator[node] = candidate;
        }
        Some(Dominators { blocks, dominator })
    }

    /// Bytes that each block retains: its own and those of all that it dominates.
    pub(crate) fn retained(&self, graph: &Graph<'_>) -> Vec<u64> {
        let by_number = self.retained_by_number(graph);
        let mut retained = vec![0; graph.nodes.len()];
        for (number, &block) in self.blocks.iter().enumerate().skip(1) {
            retained[block as usize] = by_number[number];
        }
        retained
    }

    /// Bytes that the blocks of each group retain, blocks within what another of the group retains
    /// counted once. `group` tells that of each block, below `count`.
    pub(crate) fn retained_by_group(
        &self,
        graph: &Graph<'_>,
        group: impl Fn(NodeId) -> usize,
        count: usize,
    ) -> Vec<u64> {
        let retained = self.retained_by_number(graph);
        let (start, children) = self.children();
        let mut sums = vec![0u64; count];
        // How many blocks of each group the path to the current block holds.
        let mut depth = vec![0u32; count];
        let mut path: Vec<(u32, u32)> = vec![(0, start[0])];
        while let Some((number, next)) = path.last_mut() {
            if *next < start[*number as usize + 1] {
                let child = children[*next as usize];
                *next += 1;
                let group = group(self.blocks[child as usize]);
                if depth[group] == 0 {
                    sums[group] = sums[group].wrapping_add(retained[child as usize]);
                }
                depth[group] += 1;
                path.push((child, start[child as usize]));
            } else {
                let number = *number;
                path.pop();
                if number > 0 {
                    depth[group(self.blocks[number as usize])] -= 1;
                }
            }
        }
        sums
    }

    fn retained_by_number(&self, graph: &Graph<'_>) -> Vec<u64> {
        let size = |&block: &NodeId| graph.nodes.get(block as usize).map_or(0, |node| node.size);
        let mut retained: Vec<u64> = self.blocks.iter().map(size).collect();
        for number in (1..retained.len()).rev() {
            let above = self.dominator[number] as usize;
            retained[above] = retained[above].wrapping_add(retained[number]);
        }
        retained
    }

    /// Where each number's children begin, and the children.
    fn children(&self) -> (Vec<u32>, Vec<u32>) {
        let count = self.dominator.len();
        let mut start = vec![0u32; count + 2];
        for &above in self.dominator.iter().skip(1) {
            start[above as usize + 2] += 1;
        }
        (2..start.len()).for_each(|index| start[index] += start[index - 1]);
        let mut children = vec![0; count - 1];
        for (number, &above) in (0u32..).zip(&self.dominator).skip(1) {
            let place = &mut start[above as usize + 1];
            children[*place as usize] = number;
            *place += 1;
        }
        start.pop();
        (start, children)
    }
}

/// A depth-first search from the root of all.
struct Search {
    blocks: Vec<NodeId>,
    parent: Vec<u32>,
    is_root: Vec<bool>,
    /// By block: its number.
    number: Vec<u32>,
    /// By number: where its references end. Finding them costs far more than keeping them.
    ends: Vec<u32>,
    /// The blocks that these lead to.
    targets: Vec<NodeId>,
}

impl Search {
    fn new(
        graph: &Graph<'_>,
        roots: impl Iterator<Item = NodeId>,
        max_references: usize,
    ) -> Option<Search> {
        let mut search = Search {
            blocks: vec![NodeId::MAX],
            parent: vec![0],
            is_root: vec![false],
            number: vec![NONE; graph.nodes.len()],
            ends: vec![0],
            targets: Vec::new(),
        };
        let roots: Vec<NodeId> = roots.collect();
        // Blocks to visit, and from which number.
        let mut pending: Vec<(NodeId, u32)> = Vec::new();
        for &root in &roots {
            pending.push((root, 0));
            while let Some((block, parent)) = pending.pop() {
                if search.number[block as usize] != NONE {
                    continue;
                }
                let number = search.blocks.len() as u32;
                search.number[block as usize] = number;
                search.blocks.push(block);
                search.parent.push(parent);
                search.is_root.push(false);
                graph.edges(block, |to, _| {
                    if search.targets.len() > max_references {
                        return;
                    }
                    if search.number[to as usize] == NONE {
                        pending.push((to, number));
                    }
                    if to != block {
                        search.targets.push(to);
                    }
                });
                if search.targets.len() > max_references {
                    return None;
                }
                search.ends.push(search.targets.len() as u32);
            }
        }
        for &root in &roots {
            search.is_root[search.number[root as usize] as usize] = true;
        }
        Some(search)
    }

    /// References by where they lead to, instead of by where they come from.
    fn turn_around(self) -> Searched {
        let Search { blocks, parent, is_root, number, ends, mut targets } = self;
        let mut start = vec![0u32; blocks.len() + 2];
        // From here on a target is a number.
        for target in &mut targets {
            *target = number[*target as usize];
            start[*target as usize + 2] += 1;
        }
        drop(number);
        (2..start.len()).for_each(|index| start[index] += start[index - 1]);
        let mut from = vec![0; targets.len()];
        let mut next = 0;
        for (number, &end) in (0u32..).zip(&ends) {
            for &to in &targets[next..end as usize] {
                let place = &mut start[to as usize + 1];
                from[*place as usize] = number;
                *place += 1;
            }
            next = end as usize;
        }
        start.pop();
        Searched { blocks, parent, is_root, start, from }
    }
}

/// What a search has found, by number.
struct Searched {
    blocks: Vec<NodeId>,
    parent: Vec<u32>,
    is_root: Vec<bool>,
    /// Where a block's predecessors begin in `from`.
    start: Vec<u32>,
    /// The predecessors, without the root of all.
    from: Vec<u32>,
}

/// The part of the search tree that has been dealt with.
struct Forest {
    /// By number. What is asked for together lies together: of tens of millions, each look at
    /// another array would wait for memory.
    links: Vec<Link>,
    path: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Link {
    /// A node further up; [`NONE`] for a tree's root.
    above: u32,
    /// The lowest semidominator of the nodes from here to below that one.
    lowest: u32,
}

impl Forest {
    /// The lowest semidominator of the nodes between `node` and its tree's root, without the root.
    /// Shortens the way for whoever comes next.
    fn lowest(&mut self, node: u32) -> u32 {
        let mut at = node;
        let mut link = self.links[at as usize];
        if link.above == NONE {
            return link.lowest;
        }
        loop {
            let next = self.links[link.above as usize];
            if next.above == NONE {
                break;
            }
            self.path.push(at);
            (at, link) = (link.above, next);
        }
        while let Some(below) = self.path.pop() {
            let own = &mut self.links[below as usize];
            own.lowest = own.lowest.min(link.lowest);
            own.above = link.above;
            link = *own;
        }
        link.lowest
    }
}
