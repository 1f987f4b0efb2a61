//! Random graphs of blocks, against a marker and dominators that are too simple to be wrong.

use super::{
    dominators::Dominators,
    graph::{Addresses, Graph, NodeId, Reference},
    marking::{NOBODY, Reached, RootReferences, leaders, mark, retained_together},
};
use crate::{
    heap::blocks::LiveBlock,
    image::{MemoryImage, Word},
    profile::StackId,
};
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeSet;

/// A heap: block sizes in words, and what some words hold: a block and an offset in it, in words.
#[derive(Clone, Debug)]
struct Heap {
    nodes: Vec<LiveBlock>,
    image_words: Vec<(u64, u64)>,
    roots: Vec<(usize, bool)>,
    word: Word,
}

const BASE: u64 = 70_000;

fn node(addr: u64, size: u64) -> LiveBlock {
    LiveBlock { addr, size, stack: StackId(0), ignored: false }
}

fn heap() -> impl Strategy<Value = Heap> {
    let blocks = vec((0..6u64, 0..3u64), 1..14);
    let edges =
        vec((any::<prop::sample::Index>(), 0..6u64, any::<prop::sample::Index>(), 0..4u64), 0..30);
    let roots = vec((any::<prop::sample::Index>(), any::<bool>()), 0..5);
    (blocks, edges, roots, any::<bool>()).prop_map(|(blocks, edges, roots, wide)| {
        let word = if wide { Word::Eight } else { Word::Four };
        let bytes = word.size();
        let mut at = BASE / 8 * 8;
        let mut nodes = Vec::new();
        for (size, gap) in blocks {
            at += (gap + 1) * 8;
            nodes.push(node(at, size * bytes));
            at += (size * bytes).next_multiple_of(8);
        }
        let mut image_words = Vec::new();
        for (from, slot, to, offset) in edges {
            let (from, to) = (from.get(&nodes), to.get(&nodes));
            if slot * bytes < from.size {
                image_words.push((from.addr + slot * bytes, to.addr + offset * bytes));
            }
        }
        let roots = roots.iter().map(|(root, sure)| (root.index(nodes.len()), *sure)).collect();
        Heap { nodes, image_words, roots, word }
    })
}

impl Heap {
    fn image(&self) -> MemoryImage {
        let mut image = MemoryImage::new(1 << 20);
        let size = self.word.size() as usize;
        for &(at, value) in &self.image_words {
            image.write(at, &value.to_le_bytes()[..size], &mut 1000).expect("there is room");
        }
        image
    }

    /// The last word written counts.
    fn edges(&self) -> Vec<(usize, usize, Reference)> {
        let mut edges = Vec::new();
        for (index, &(at, value)) in self.image_words.iter().enumerate() {
            if self.image_words[index + 1..].iter().any(|&(other, _)| other == at) {
                continue;
            }
            let from = self.nodes.iter().position(|n| n.addr <= at && at < n.addr + n.size);
            let start = self.nodes.iter().position(|n| n.addr == value);
            let inner = self.nodes.iter().position(|n| n.addr < value && value <= n.addr + n.size);
            let to = start.map(|to| (to, Reference::Start));
            let to = to.or(inner.map(|to| (to, Reference::Interior)));
            if let (Some(from), Some((to, reference))) = (from, to) {
                edges.push((from, to, reference));
            }
        }
        edges
    }

    fn root_references(&self) -> RootReferences {
        let of = |wanted| {
            let roots = self.roots.iter().filter(move |(_, sure)| *sure == wanted);
            roots.map(|&(root, _)| root as NodeId).collect()
        };
        RootReferences { surely: of(true), possibly: of(false) }
    }

    /// Everything that chains from `starts` lead to, over the allowed kinds of reference, not
    /// through `without`.
    fn closure(&self, starts: &[usize], interior: bool, without: &[usize]) -> BTreeSet<usize> {
        let mut reached: BTreeSet<usize> =
            starts.iter().copied().filter(|start| !without.contains(start)).collect();
        loop {
            let more: Vec<usize> = self
                .edges()
                .into_iter()
                .filter(|&(from, to, reference)| {
                    reached.contains(&from)
                        && !reached.contains(&to)
                        && !without.contains(&to)
                        && (interior || reference == Reference::Start)
                })
                .map(|(_, to, _)| to)
                .collect();
            if more.is_empty() {
                return reached;
            }
            reached.extend(more);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn marking_agrees_with_a_naive_marker(heap in heap()) {
        let image = heap.image();
        let graph = Graph::new(&heap.nodes, &image, heap.word, Addresses::default(), &|_| false);
        let reached = mark(&graph, &heap.root_references());
        let sure: Vec<usize> = heap.roots.iter().filter(|r| r.1).map(|r| r.0).collect();
        let all: Vec<usize> = heap.roots.iter().map(|r| r.0).collect();
        let surely = heap.closure(&sure, false, &[]);
        let possibly = heap.closure(&all, true, &[]);
        for (index, &is) in reached.iter().enumerate() {
            let expected = match (surely.contains(&index), possibly.contains(&index)) {
                (true, _) => Reached::Surely,
                (false, true) => Reached::Possibly,
                _ => Reached::Lost,
            };
            prop_assert_eq!(is, expected, "block {}", index);
        }
    }

    #[test]
    fn leaders_are_few_and_lead_to_all_that_is_lost(heap in heap()) {
        let image = heap.image();
        let graph = Graph::new(&heap.nodes, &image, heap.word, Addresses::default(), &|_| false);
        let reached = mark(&graph, &heap.root_references());
        let leaders = leaders(&graph, &reached);
        let lost: Vec<usize> = (0..reached.len()).filter(|&i| reached[i] == Reached::Lost).collect();
        let direct: Vec<usize> =
            lost.iter().copied().filter(|&i| leaders[i] == i as NodeId).collect();
        for (index, &leader) in leaders.iter().enumerate() {
            prop_assert_eq!(leader == NOBODY, !lost.contains(&index));
        }
        for &index in &lost {
            let leader = leaders[index] as usize;
            prop_assert!(direct.contains(&leader));
            prop_assert!(heap.closure(&[leader], true, &[]).contains(&index));
        }
        // No leader can be done without, and each is the first of its circle.
        for &leader in &direct {
            let others: Vec<usize> = direct.iter().copied().filter(|&l| l != leader).collect();
            prop_assert!(!heap.closure(&others, true, &[]).contains(&leader));
            let circle = heap.closure(&[leader], true, &[]).into_iter().filter(|&member| {
                lost.contains(&member) && heap.closure(&[member], true, &[]).contains(&leader)
            });
            prop_assert_eq!(circle.min(), Some(leader));
        }
    }

    #[test]
    fn retained_sizes_are_what_becomes_unreachable(heap in heap()) {
        let image = heap.image();
        let graph = Graph::new(&heap.nodes, &image, heap.word, Addresses::default(), &|_| false);
        let reached = mark(&graph, &heap.root_references());
        let leaders = leaders(&graph, &reached);
        let mut roots: Vec<usize> = heap.roots.iter().map(|r| r.0).collect();
        roots.extend((0..leaders.len()).filter(|&index| leaders[index] == index as NodeId));
        let tree = |max: usize| {
            Dominators::new(&graph, roots.iter().map(|&root| root as NodeId), max)
        };
        let mut references = 0;
        for node in 0..heap.nodes.len() as NodeId {
            graph.edges(node, |to, _| references += usize::from(to != node));
        }
        if let Some(fewer) = references.checked_sub(1) {
            prop_assert!(tree(fewer).is_none());
        }
        let tree = tree(references).expect("these are all");
        let everything = heap.closure(&roots, true, &[]);
        prop_assert_eq!(everything.len(), heap.nodes.len());
        let lone = |index: usize| {
            let rest = heap.closure(&roots, true, &[index]);
            everything.difference(&rest).map(|&gone| heap.nodes[gone].size).sum::<u64>()
        };
        let retained = tree.retained(&graph);
        for (index, &bytes) in retained.iter().enumerate() {
            prop_assert_eq!(bytes, lone(index), "block {}", index);
        }
        // With every block a group of its own, and with one group of all.
        let own = tree.retained_by_group(&graph, |node| node as usize, heap.nodes.len());
        prop_assert_eq!(&own, &retained);
        let all = tree.retained_by_group(&graph, |_| 0, 1);
        prop_assert_eq!(all[0], heap.nodes.iter().map(|node| node.size).sum::<u64>());
    }

    #[test]
    fn groups_retain_what_becomes_unreachable_without_them(heap in heap()) {
        let image = heap.image();
        let graph = Graph::new(&heap.nodes, &image, heap.word, Addresses::default(), &|_| false);
        let roots: BTreeSet<usize> = heap.roots.iter().map(|r| r.0).collect();
        let roots: Vec<usize> = roots.into_iter().collect();
        let of = |number: usize| roots.iter().copied().skip(number).step_by(3).collect();
        let [first, second, others]: [Vec<usize>; 3] = [of(0), of(1), of(2)];
        let ids = |list: &[usize]| list.iter().map(|&it| it as NodeId).collect::<Vec<_>>();
        let groups = [ids(&first), ids(&second)];
        let retained = retained_together(&graph, &groups, ids(&others).into_iter());
        let everything = heap.closure(&roots, true, &[]);
        for (group, rest) in [(&first, &second), (&second, &first)] {
            let rest: Vec<usize> = rest.iter().chain(&others).copied().collect();
            let left = heap.closure(&rest, true, group);
            let gone = everything.difference(&left).map(|&gone| heap.nodes[gone].size);
            let place = usize::from(std::ptr::eq(group, &second));
            prop_assert_eq!(retained[place], gone.sum::<u64>());
        }
    }
}

#[test]
fn one_past_the_end_counts_unless_a_block_was_there() {
    let nodes = [node(64, 16), node(96, 0)];
    let image = MemoryImage::new(65_536);
    let graph = Graph::new(&nodes, &image, Word::Four, Addresses::default(), &|_| false);
    let at = |addr| graph.target(addr);
    assert_eq!(at(63), None);
    assert_eq!(at(64), Some((0, Reference::Start)));
    assert_eq!(at(79), Some((0, Reference::Interior)));
    assert_eq!(at(80), Some((0, Reference::Interior)));
    assert_eq!(at(81), None);
    assert_eq!(at(96), Some((1, Reference::Start)));
    assert_eq!(at(97), None);
    let graph = Graph::new(&nodes, &image, Word::Four, Addresses::default(), &|addr| addr == 80);
    assert_eq!(graph.target(80), None);
}

#[test]
fn managed_objects_are_known_by_their_fields_and_by_the_collectors_links() {
    let nodes = [node(64, 28), node(96, 28)];
    let image = MemoryImage::new(65_536);
    let addresses = Addresses { managed: true, ..Addresses::default() };
    let graph = Graph::new(&nodes, &image, Word::Four, addresses, &|_| false);
    for (addr, node) in [(60, 0), (62, 0), (64, 0), (80, 0), (93, 1), (112, 1)] {
        assert_eq!(graph.target(addr), Some((node, Reference::Start)), "{addr}");
    }
    assert_eq!(graph.target(84), Some((0, Reference::Interior)));
    assert_eq!(graph.target(59), None);
}
