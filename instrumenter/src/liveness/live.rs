//! Which locals are read behind a place before they are written: liveness, as compilers know it
//! (Aho, Lam, Sethi, Ullman, "Compilers", section 9.2.5), backwards over structured code.

use super::Body;
use std::collections::BTreeMap;
use wasmparser::Operator;

/// Walks over a body; a few find everything.
const MAX_ROUNDS: usize = 64;
/// Words of sets that one walk may have to copy.
const MAX_WORDS: usize = 1 << 26;

/// What a block is by its first operator.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Block,
    Loop,
    If,
}

/// A block that the walk is in.
struct Open {
    kind: Kind,
    /// Where it begins.
    start: usize,
    behind: Locals,
    /// What is live where its `else` begins.
    other: Option<Locals>,
}

/// A set of locals, by their place among those that matter.
#[derive(Clone, Default)]
struct Locals(Vec<u64>);

/// One walk from the function's end to its start, and what walks before it have found out.
struct Backwards<'a> {
    /// By local: its place among those that matter.
    places: &'a [Option<usize>],
    live: Locals,
    open: Vec<Open>,
    /// What is live where a loop begins.
    loops: BTreeMap<usize, Locals>,
    /// Whether this walk has found more of that.
    changed: bool,
}

/// Which of the locals that matter are live behind the operator at `place`: all, if that would take
/// too long to find out.
pub(super) fn behind(body: &Body<'_>, place: usize, matters: &[bool]) -> Vec<bool> {
    let mut count = 0;
    let number = |&matters: &bool| {
        matters.then(|| {
            count += 1;
            count - 1
        })
    };
    let places: Vec<Option<usize>> = matters.iter().map(number).collect();
    if count == 0 {
        return Vec::new();
    }
    if body.operators.len().saturating_mul(count.div_ceil(64)) > MAX_WORDS {
        return matters.to_vec();
    }
    let Some(blocks) = blocks(body) else { return matters.to_vec() };
    let mut walk = Backwards {
        places: &places,
        live: Locals::default(),
        open: Vec::new(),
        loops: BTreeMap::new(),
        changed: true,
    };
    // What is live where a loop begins only grows.
    for _ in 0..MAX_ROUNDS {
        walk.changed = false;
        let live = walk.round(body, &blocks, place);
        if !walk.changed {
            return places.iter().map(|it| it.is_some_and(|place| live.contains(place))).collect();
        }
    }
    matters.to_vec()
}

/// The blocks in the order of their ends; `None` in code with handlers, to which an exception
/// leads from anywhere.
fn blocks(body: &Body<'_>) -> Option<Vec<(usize, Kind)>> {
    let mut open = vec![(0, Kind::Block)];
    let mut blocks = Vec::new();
    for (place, (operator, _)) in body.operators.iter().enumerate() {
        match operator {
            Operator::Block { .. } => open.push((place, Kind::Block)),
            Operator::Loop { .. } => open.push((place, Kind::Loop)),
            Operator::If { .. } => open.push((place, Kind::If)),
            Operator::End => blocks.push(open.pop()?),
            Operator::Try { .. } | Operator::TryTable { .. } => return None,
            Operator::Resume { .. } | Operator::ResumeThrow { .. } => return None,
            Operator::ResumeThrowRef { .. } | Operator::Switch { .. } => return None,
            _ => {}
        }
    }
    Some(blocks)
}

impl Backwards<'_> {
    /// Walks once, and tells what is live behind `place`.
    fn round(&mut self, body: &Body<'_>, blocks: &[(usize, Kind)], place: usize) -> Locals {
        let mut blocks = blocks.iter().rev();
        let mut behind = Locals::default();
        self.live = Locals::default();
        self.open.clear();
        for (at, (operator, _)) in body.operators.iter().enumerate().rev() {
            if at == place {
                behind = self.live.clone();
            }
            if matches!(operator, Operator::End) {
                if let Some(&(start, kind)) = blocks.next() {
                    let behind = self.live.clone();
                    self.open.push(Open { kind, start, behind, other: None });
                }
            } else {
                self.step(operator);
            }
        }
        behind
    }

    fn step(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::LocalGet { local_index } => {
                if let Some(place) = self.place(*local_index) {
                    self.live.insert(place);
                }
            }
            Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                if let Some(place) = self.place(*local_index) {
                    self.live.remove(place);
                }
            }
            Operator::Else => {
                if let Some(block) = self.open.last_mut() {
                    block.other = Some(std::mem::replace(&mut self.live, block.behind.clone()));
                }
            }
            Operator::If { .. } => {
                if let Some(block) = self.open.pop() {
                    self.live.unite(&block.other.unwrap_or(block.behind));
                }
            }
            Operator::Block { .. } => drop(self.open.pop()),
            Operator::Loop { .. } => {
                if let Some(block) = self.open.pop() {
                    let known = self.loops.entry(block.start).or_default();
                    self.changed |= known.unite(&self.live);
                }
            }
            Operator::Br { relative_depth } => self.live = self.label(*relative_depth),
            Operator::BrTable { targets } => {
                let mut live = self.label(targets.default());
                for target in targets.targets().flatten() {
                    live.unite(&self.label(target));
                }
                self.live = live;
            }
            Operator::BrIf { relative_depth }
            | Operator::BrOnNull { relative_depth }
            | Operator::BrOnNonNull { relative_depth }
            | Operator::BrOnCast { relative_depth, .. }
            | Operator::BrOnCastFail { relative_depth, .. } => {
                let target = self.label(*relative_depth);
                self.live.unite(&target);
            }
            Operator::Return
            | Operator::Unreachable
            | Operator::ReturnCall { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::ReturnCallRef { .. }
            | Operator::Throw { .. }
            | Operator::ThrowRef => self.live = Locals::default(),
            _ => {}
        }
    }

    fn place(&self, local: u32) -> Option<usize> {
        self.places.get(local as usize).copied().flatten()
    }

    /// What is live where a branch leads.
    fn label(&self, depth: u32) -> Locals {
        let block = self.open.iter().rev().nth(depth as usize);
        match block {
            None => Locals::default(),
            Some(block) if block.kind == Kind::Loop => {
                self.loops.get(&block.start).cloned().unwrap_or_default()
            }
            Some(block) => block.behind.clone(),
        }
    }
}

impl Locals {
    fn insert(&mut self, place: usize) {
        if self.0.len() <= place / 64 {
            self.0.resize(place / 64 + 1, 0);
        }
        self.0[place / 64] |= 1 << (place % 64);
    }

    fn remove(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word &= !(1 << (place % 64));
        }
    }

    /// Whether that has added something.
    fn unite(&mut self, other: &Locals) -> bool {
        let mut more = false;
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, &added) in self.0.iter_mut().zip(&other.0) {
            more |= added & !*word != 0;
            *word |= added;
        }
        more
    }

    fn contains(&self, place: usize) -> bool {
        self.0.get(place / 64).is_some_and(|word| word & 1 << (place % 64) != 0)
    }
}
