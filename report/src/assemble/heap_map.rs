//! The maps of the memories: states in words, contexts by their place in the report.

use super::place;
use crate::schema;
use seepage_analysis::{BlockKind, LeakKind, MapMoment, Outcome, StackId, Use};

/// All maps. `order` are the contexts that the report lists.
pub(super) fn heap_maps(outcome: &Outcome, order: &[StackId]) -> Vec<schema::HeapMap> {
    let mut indices = vec![None; outcome.profile.contexts.len()];
    for (index, stack) in (0u64..).zip(order) {
        if let Some(slot) = indices.get_mut(stack.0 as usize) {
            *slot = Some(index);
        }
    }
    let context = |what| match what {
        Use::Live { stack, .. } => indices.get(stack.0 as usize).copied().flatten(),
        _ => None,
    };
    let maps = outcome.heap_maps.iter().map(|map| {
        let (moment, mark) = match &map.moment {
            MapMoment::End => ("end", None),
            MapMoment::Peak => ("peak", None),
            MapMoment::Mark(name) => ("mark", Some(name.clone())),
        };
        let cells = map.cells.iter().map(|run| schema::CellRun {
            state: state(run.what).into(),
            context: context(run.what),
            count: run.count,
        });
        schema::HeapMap {
            moment: moment.into(),
            mark,
            module: place(outcome, map.module),
            cell_bytes: map.cell_bytes,
            cells: cells.collect(),
        }
    });
    maps.collect()
}

fn state(what: Use) -> &'static str {
    match what {
        Use::Static => "static",
        Use::Stack => "stack",
        Use::Live { kind: BlockKind::Kind(kind), .. } => match kind {
            LeakKind::DefinitelyLost => "definitely-lost",
            LeakKind::IndirectlyLost => "indirectly-lost",
            LeakKind::PossiblyLost => "possibly-lost",
            LeakKind::StillReachable => "still-reachable",
        },
        Use::Live { kind: BlockKind::Suppressed, .. } => "suppressed",
        Use::Live { kind: BlockKind::Unknown, .. } => "live",
        Use::Overhead => "overhead",
        Use::FreeFitting => "free-fitting",
        Use::FreeFragmented => "free-fragmented",
        Use::Tail => "tail",
        Use::Untracked => "untracked",
    }
}
