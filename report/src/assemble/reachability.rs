//! What points to the live blocks: kinds, loss records, blocks that the host holds.

use super::{count, place, stack_frames};
use crate::schema;
use seepage_analysis::{Kinds, LeakKind, Outcome, Reachability};

pub(super) fn leaks(found: &Reachability) -> schema::Leaks {
    let of = |kind| count(found.kinds.of(kind));
    let roots = &found.roots;
    schema::Leaks {
        definitely_lost: of(LeakKind::DefinitelyLost),
        indirectly_lost: of(LeakKind::IndirectlyLost),
        possibly_lost: of(LeakKind::PossiblyLost),
        still_reachable: of(LeakKind::StillReachable),
        suppressed: count(found.suppressed),
        maybe_in_locals: count(found.maybe_in_locals),
        roots: schema::Roots {
            globals: roots.globals,
            static_bytes: roots.static_bytes,
            stack_bytes: roots.stack_bytes,
            host: roots.host,
        },
    }
}

pub(super) fn kind_counts(
    kinds: &Kinds,
    suppressed: seepage_analysis::Count,
) -> schema::KindCounts {
    let of = |kind| count(kinds.of(kind));
    schema::KindCounts {
        definitely_lost: of(LeakKind::DefinitelyLost),
        indirectly_lost: of(LeakKind::IndirectlyLost),
        possibly_lost: of(LeakKind::PossiblyLost),
        still_reachable: of(LeakKind::StillReachable),
        suppressed: count(suppressed),
    }
}

/// At most `max` loss records, and how many are left out.
pub(super) fn loss_records(outcome: &Outcome, max: usize) -> (Vec<schema::LossRecord>, u64) {
    let all = outcome.profile.reachability.as_ref().map_or(&[][..], |found| &found.records);
    let listed = all.iter().take(max).map(|record| schema::LossRecord {
        kind: match record.kind {
            LeakKind::DefinitelyLost => schema::LeakKind::DefinitelyLost,
            LeakKind::IndirectlyLost => schema::LeakKind::IndirectlyLost,
            LeakKind::PossiblyLost => schema::LeakKind::PossiblyLost,
            LeakKind::StillReachable => schema::LeakKind::StillReachable,
        },
        blocks: record.count.blocks,
        bytes: record.count.bytes,
        indirect_blocks: record.indirect.blocks,
        indirect_bytes: record.indirect.bytes,
        retained_bytes: record.retained,
        module: outcome.context(record.stack).map_or(0, |context| place(outcome, context.module)),
        frames: stack_frames(outcome, record.stack),
    });
    (listed.collect(), all.len().saturating_sub(max) as u64)
}

pub(super) fn held(outcome: &Outcome) -> Vec<schema::Held> {
    let held = outcome.profile.reachability.iter().flat_map(|found| &found.held);
    held.map(|held| schema::Held {
        module: place(outcome, held.module),
        root: held.root,
        address: held.addr,
        bytes: held.bytes,
        retained_bytes: held.retained,
    })
    .collect()
}
