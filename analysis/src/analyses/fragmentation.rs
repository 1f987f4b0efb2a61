//! Memory that had to grow although enough of it was free, in pieces that were too small.
//!
//! The growths have been judged one by one, each at its moment ([`crate::GrowthCause`]). If a good
//! part of all growth was for want of a piece, and a good part of that is still free in such pieces,
//! that is said, with who keeps them apart and who asked for what did not fit. Pieces that were
//! filled since have cost nothing: the memory would have grown for that. It is a fault of no single
//! line, so no verdict follows.

use super::{Analysis, Findings, View, plural, thousands};
use crate::{
    account::Overhead,
    finding::{Finding, FindingKind},
    profile::{Count, GrownFor, Profile, StackId},
};

/// Growth below which it is no matter: any heap of blocks of many sizes has some.
const MIN_GROWTH: u64 = 8 * 65_536;
/// So much of all growth must have been for want of a piece: one in so many bytes.
const MIN_SHARE: u64 = 10;
/// So much of what it grew must still be free in pieces that are too small: one in so many bytes.
const MIN_LEFT: u64 = 4;
/// Contexts that asked for what did not fit, of which a finding speaks.
const MAX_ASKERS: usize = 3;

pub(crate) struct FragmentationCheck;

impl Analysis for FragmentationCheck {
    fn name(&self) -> &'static str {
        "fragmentation"
    }

    fn run(&self, view: &View<'_>, findings: &mut Findings) {
        let profile = view.profile;
        let (grown, left) = (profile.growth.fragmentation, &profile.fragmentation);
        let is_matter = grown >= MIN_GROWTH
            && grown >= profile.growth.total() / MIN_SHARE
            && left.bytes >= grown / MIN_LEFT;
        // Where frees are not seen, what looks held may be free: the pieces are not what they seem.
        if !is_matter || view.misses_frees() {
            return;
        }
        let mut count = Count { blocks: 0, bytes: left.bytes };
        left.pins.iter().for_each(|pin| count.blocks += pin.blocks.blocks);
        findings.claim(Finding {
            analysis: self.name(),
            kind: FindingKind::Fragmentation,
            summary: summary(profile),
            stack: left.pins.first().map(|pin| pin.stack),
            contexts: askers(profile),
            count,
            rate: None,
        });
    }
}

/// Who asked for what did not fit, the one first for whom the memory grew most.
fn askers(profile: &Profile) -> Vec<StackId> {
    let shares = profile.growth_shares.iter();
    let asked = shares.filter(|share| share.what == GrownFor::Fragmentation);
    asked.filter_map(|share| share.stack).take(MAX_ASKERS).collect()
}

fn summary(profile: &Profile) -> String {
    let grown = plural(profile.growth.fragmentation, "byte");
    let left = &profile.fragmentation;
    let bytes = thousands(left.bytes);
    let now = match left.pieces {
        1 => format!("{bytes} bytes are free in one piece that is too small"),
        pieces => format!(
            "{bytes} bytes are free in {} pieces of at most {}",
            thousands(pieces),
            thousands(left.largest),
        ),
    };
    let estimated = match profile.account.as_ref().and_then(|account| account.how) {
        Some(Overhead::Estimated) => ", as far as the estimated overhead tells",
        _ => "",
    };
    let wanted = thousands(left.wanted);
    format!(
        "the memory grew by {grown} for want of a large enough piece (last, of {wanted}); {now}{estimated}"
    )
}
