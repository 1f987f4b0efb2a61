//! The memories: what they are for, and why they grew.

use super::{place, stack_frames};
use crate::schema::{self, GrownBy};
use seepage_analysis::{LeakKind, Outcome};

pub(super) fn memory(outcome: &Outcome, max_contexts: usize) -> schema::Memory {
    let profile = &outcome.profile;
    schema::Memory {
        initial_pages: profile.initial_pages,
        final_pages: profile.final_pages,
        peak_pages: profile.final_pages,
        page_size: 65_536,
        account: profile.account.as_ref().map(account),
        overhead: (profile.account.as_ref())
            .and_then(|account| account.how)
            .map(|how| how.name().into()),
        peak_account: profile.peak_account.as_ref().map(account),
        growth: growth(&profile.growth),
        growth_shares: growth_shares(outcome, max_contexts),
        fragmentation: fragmentation(outcome, max_contexts),
        grows: profile
            .grows
            .iter()
            .map(|grow| schema::Grow {
                clock: grow.clock,
                time_ns: grow.time_ns,
                module: place(outcome, grow.module),
                memory: grow.memory,
                from_pages: grow.from_pages,
                to_pages: grow.to_pages,
                delta: grow.delta,
                refused: grow.refused,
                by: match grow.by {
                    seepage_analysis::GrownBy::Guest => GrownBy::Guest,
                    seepage_analysis::GrownBy::Host => GrownBy::Host,
                },
                cause: grow.cause.map(|cause| cause.name().into()),
                live_bytes: grow.live_bytes,
                request: grow.request,
                free: grow.free.map(free_space),
                frames: grow.stack.map(|stack| stack_frames(outcome, stack)).unwrap_or_default(),
            })
            .collect(),
    }
}

pub(super) fn account(account: &seepage_analysis::Account) -> schema::Account {
    let live = |kind| account.live.of(kind);
    schema::Account {
        static_bytes: account.static_bytes,
        stack: account.stack,
        live: schema::LiveBytes {
            definitely_lost: live(LeakKind::DefinitelyLost),
            indirectly_lost: live(LeakKind::IndirectlyLost),
            possibly_lost: live(LeakKind::PossiblyLost),
            still_reachable: live(LeakKind::StillReachable),
            suppressed: account.live.suppressed,
            unknown: account.live.unknown,
        },
        overhead: account.overhead,
        free_fitting: account.free_fitting,
        free_fragmented: account.free_fragmented,
        tail: account.tail,
        untracked: account.untracked,
    }
}

fn growth(growth: &seepage_analysis::Growth) -> schema::MemoryGrowth {
    schema::MemoryGrowth {
        bytes: growth.total(),
        demand: growth.demand,
        fragmentation: growth.fragmentation,
        policy: growth.policy,
        direct: growth.direct,
        unexplained: growth.unexplained,
    }
}

/// At most `max` shares, and the rest as one more.
fn growth_shares(outcome: &Outcome, max: usize) -> Vec<schema::GrowthShare> {
    let all = &outcome.profile.growth_shares;
    let (listed, rest) = all.split_at(max.min(all.len()));
    let share = |share: &seepage_analysis::GrowthShare| schema::GrowthShare {
        what: share.what.name().into(),
        bytes: share.bytes,
        finding: share.finding.map(|index| index as u64),
        frames: share.stack.map(|stack| stack_frames(outcome, stack)).unwrap_or_default(),
    };
    let other = schema::GrowthShare {
        what: "other".into(),
        bytes: rest.iter().fold(0, |sum, share| sum.saturating_add(share.bytes)),
        finding: None,
        frames: Vec::new(),
    };
    let other = Some(other).filter(|other| other.bytes > 0);
    listed.iter().map(share).chain(other).collect()
}

/// At most `max` pins, and the rest as one more.
fn fragmentation(outcome: &Outcome, max: usize) -> schema::Fragmentation {
    let found = &outcome.profile.fragmentation;
    let (listed, rest) = found.pins.split_at(max.min(found.pins.len()));
    let pin = |pin: &seepage_analysis::Pin| schema::Pin {
        what: pin.what.name().into(),
        blocks: pin.blocks.blocks,
        block_bytes: pin.blocks.bytes,
        bytes: pin.bytes,
        frames: stack_frames(outcome, pin.stack),
    };
    let sum = |figure: fn(&seepage_analysis::Pin) -> u64| {
        rest.iter().fold(0, |sum: u64, pin| sum.saturating_add(figure(pin)))
    };
    let other = (!rest.is_empty()).then(|| schema::Pin {
        what: "other".into(),
        blocks: sum(|pin| pin.blocks.blocks),
        block_bytes: sum(|pin| pin.blocks.bytes),
        bytes: sum(|pin| pin.bytes),
        frames: Vec::new(),
    });
    schema::Fragmentation {
        wanted: found.wanted,
        bytes: found.bytes,
        pieces: found.pieces,
        largest: found.largest,
        pins: listed.iter().map(pin).chain(other).collect(),
    }
}

fn free_space(free: seepage_analysis::FreeSpace) -> schema::FreeSpace {
    schema::FreeSpace {
        bytes: free.bytes,
        tail: free.tail,
        runs: free.runs.map(|runs| runs.count),
        largest: free.runs.map(|runs| runs.largest),
    }
}
