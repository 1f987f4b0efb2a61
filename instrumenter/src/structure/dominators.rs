//! Which functions every path from outside to a function goes through.
//!
//! Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm" (2001), over direct calls, from a
//! root that stands for the host and for every indirect call.

use crate::graph::CallGraph;

/// The dominator tree of a call graph.
pub(crate) struct Dominators {
    /// By function: its immediate dominator, the root, or nothing for what cannot be reached.
    parents: Vec<Option<u32>>,
    root: u32,
}

impl Dominators {
    pub(crate) fn new(graph: &CallGraph) -> Dominators {
        let count = graph.functions().count();
        let root = count as u32;
        let is_entry = |function: u32| {
            !graph.is_only_called(function) || graph.callers(function).next().is_none()
        };
        let entries: Vec<u32> = graph.functions().filter(|&function| is_entry(function)).collect();
        let order = postorder(graph, &entries, root);
        let mut number = vec![0u32; count + 1];
        for (position, &node) in order.iter().enumerate() {
            number[node as usize] = position as u32;
        }
        let mut is_from_root = vec![false; count];
        entries.iter().for_each(|&function| is_from_root[function as usize] = true);

        let mut parents: Vec<Option<u32>> = vec![None; count + 1];
        parents[root as usize] = Some(root);
        let mut changed = true;
        while changed {
            changed = false;
            for &node in order.iter().rev().filter(|&&node| node != root) {
                let from_root = is_from_root[node as usize].then_some(root);
                let callers = graph.callers(node).chain(from_root);
                let mut parent = None;
                for caller in callers.filter(|&caller| parents[caller as usize].is_some()) {
                    parent = Some(match parent {
                        None => caller,
                        Some(other) => meet(&parents, &number, caller, other),
                    });
                }
                if parent.is_some() && parents[node as usize] != parent {
                    parents[node as usize] = parent;
                    changed = true;
                }
            }
        }
        Dominators { parents, root }
    }

    /// The dominators of a function, itself included, from the outside in.
    pub(crate) fn chain(&self, function: u32) -> Vec<u32> {
        let mut chain = Vec::new();
        let mut at = function;
        while at != self.root {
            chain.push(at);
            match self.parents[at as usize] {
                Some(parent) => at = parent,
                None => break,
            }
        }
        chain.reverse();
        chain
    }
}

fn meet(parents: &[Option<u32>], number: &[u32], mut a: u32, mut b: u32) -> u32 {
    while a != b {
        let lower = if number[a as usize] < number[b as usize] { &mut a } else { &mut b };
        match parents[*lower as usize] {
            Some(parent) => *lower = parent,
            None => break,
        }
    }
    a
}

fn postorder(graph: &CallGraph, entries: &[u32], root: u32) -> Vec<u32> {
    let mut order = Vec::new();
    let mut seen = vec![false; root as usize];
    for &entry in entries {
        if std::mem::replace(&mut seen[entry as usize], true) {
            continue;
        }
        let mut path = vec![(entry, 0)];
        while let Some((node, site)) = path.last_mut() {
            match graph.callees(*node).get(*site) {
                Some(&callee) => {
                    *site += 1;
                    if !std::mem::replace(&mut seen[callee as usize], true) {
                        path.push((callee, 0));
                    }
                }
                None => {
                    order.push(*node);
                    path.pop();
                }
            }
        }
    }
    order.push(root);
    order
}
