//! What the memories show at the end: what became of the blocks, what every byte is for there and at
//! the high-water mark, and what the growth went to. The blocks are judged once for all of these.

use super::images::Images;
use crate::{
    account::{
        Account, Known, Placed,
        map::{MapMoment, Maps},
        pins::Pins,
        shares::{self, Shares},
        take::{self, Moment},
    },
    config::{Config, LeakKinds},
    heap::{
        blocks::LiveBlock,
        survey::{Remains, Survey},
    },
    kinds::{self, Judged},
    profile::{Profile, Reachability, RootGroup, StackId},
    suppressions::{self, Rule},
    whatif::{HeapShape, Remaining},
};
use seepage_trace::ModuleInfo;

/// A run whose books are closed.
#[derive(Clone, Copy)]
pub(super) struct Last<'a> {
    pub(super) config: &'a Config,
    pub(super) modules: &'a [ModuleInfo],
    pub(super) images: &'a Images,
    pub(super) remains: &'a Remains,
}

/// What there is to see of its memories.
pub(super) struct Seen {
    reachability: Reachability,
    account: Account,
    peak_account: Account,
    shares: Shares,
    pins: Pins,
}

impl Last<'_> {
    /// By context, what of its blocks rules may ask for. Kinds are told without what is suppressed, and
    /// a few rules ask for them before that.
    pub(super) fn kinds_before_rules(
        &self,
        rules: &[Rule],
        contexts: usize,
    ) -> Vec<Option<LeakKinds>> {
        if !rules.iter().any(Rule::asks_for_kinds) {
            return Vec::new();
        }
        let mut all = Reachability::default();
        for module in self.modules.iter().filter(|module| kinds::can_judge(module)) {
            let Some(survey) = self.remains.survey(module.id) else { continue };
            let Some(image) = self.images.of(module.id) else { continue };
            let (live, unaligned) = (survey.live(), self.config.unaligned);
            kinds::judging(module, image, &survey, &live, unaligned, |judge| {
                judge.judge(|_| false, 0, &mut all)
            });
        }
        suppressions::kinds_by_context(&all.records, contexts, self.config.leak_kinds)
    }

    /// Looks at the memories of all modules. `remaining` takes what a [`crate::Plan`] asks for.
    pub(super) fn look(
        &self,
        is_suppressed: impl Fn(StackId) -> bool + Copy,
        groups: &[RootGroup],
        maps: &mut Maps,
        mut remaining: Option<&mut Remaining>,
    ) -> Seen {
        let mut seen = Seen {
            reachability: Reachability::default(),
            account: Account::default(),
            peak_account: Account::default(),
            shares: Shares::default(),
            pins: Pins::default(),
        };
        seen.reachability.held_by_group.resize(groups.len(), None);
        for module in self.modules {
            let Some(survey) = self.remains.survey(module.id) else { continue };
            let live = survey.live();
            let found = &mut seen.reachability;
            let judged = self.judged(module, &survey, &live, is_suppressed, groups, found);
            if let Some(remaining) = &mut remaining {
                let memory = self.images.of(module.id).map(|image| &image.memory);
                remaining.heaps.extend(HeapShape::new(module, &survey, memory, &live));
                remaining.add(&survey, &live, judged.as_ref());
            }
            let kinds = judged.as_ref().map(|judged| judged.kinds.as_slice());
            let blocks = take::judged(&live, kinds);
            // A list of tens of millions of blocks is given back before the next is made.
            drop(live);
            let known = self.at_end(module, &survey, blocks, judged, maps, &mut seen);
            self.at_peak(module, &survey, known, maps, &mut seen.peak_account);
        }
        seen
    }

    /// What became of a module's blocks, if there is an image to tell by.
    fn judged(
        &self,
        module: &ModuleInfo,
        survey: &Survey<'_>,
        live: &[LiveBlock],
        is_suppressed: impl Fn(StackId) -> bool,
        groups: &[RootGroup],
        found: &mut Reachability,
    ) -> Option<Judged> {
        let image = self.images.of(module.id).filter(|_| kinds::can_judge(module))?;
        let own = |(_, group): &(usize, &RootGroup)| group.module == module.id;
        let (places, groups): (Vec<_>, Vec<_>) = (0..)
            .zip(groups)
            .filter(own)
            .map(|(place, group)| (place, group.roots.as_slice()))
            .unzip();
        Some(kinds::judging(module, image, survey, live, self.config.unaligned, |judge| {
            if !groups.is_empty() {
                let retained = judge.retained_by(&groups);
                for (place, bytes) in places.into_iter().zip(retained) {
                    found.held_by_group[place] = Some(bytes);
                }
            }
            judge.judge(is_suppressed, self.config.caps.retained, found)
        }))
    }

    /// The main memory of a module. Tells its allocator.
    fn at_end(
        &self,
        module: &ModuleInfo,
        survey: &Survey<'_>,
        blocks: Vec<Placed>,
        judged: Option<Judged>,
        maps: &mut Maps,
        seen: &mut Seen,
    ) -> Option<Known> {
        let moment = Moment {
            module,
            survey,
            image: self.images.of(module.id).map(|image| &image.memory),
            blocks,
            bytes: survey.main.bytes,
            top: survey.extent.top,
            known: None,
            is_past: false,
        };
        let known = moment.add_to(&mut seen.account, |picture| {
            let owner = |index| shares::owner(index, picture.blocks, judged.as_ref());
            seen.shares.add_demand(picture, self.remains.grown_in(survey.main), owner);
            seen.pins.add(picture, survey.main.wanted, owner);
        });
        maps.draw(MapMoment::End, &moment);
        known
    }

    /// The same memory at the high-water mark, of which there is no image.
    fn at_peak(
        &self,
        module: &ModuleInfo,
        survey: &Survey<'_>,
        known: Option<Known>,
        maps: &mut Maps,
        account: &mut Account,
    ) {
        let moment = Moment {
            module,
            survey,
            image: None,
            blocks: take::placed(self.remains.at_peak(survey)),
            bytes: survey.main.at_peak,
            top: survey.top_at_peak,
            known,
            is_past: true,
        };
        moment.add_to(account, |_| ());
        maps.draw(MapMoment::Peak, &moment);
    }
}

impl Seen {
    /// Puts it into the figures of the run.
    pub(super) fn tell(mut self, profile: &mut Profile, remains: &Remains) {
        take::add_others(&profile.memories, &mut self.account);
        take::add_others(&remains.memories_at_peak, &mut self.peak_account);
        self.shares.add_others(&remains.grown);
        profile.growth_shares = self.shares.finish(&profile.growth);
        profile.fragmentation = self.pins.finish();
        profile.account = Some(self.account);
        profile.peak_account = Some(self.peak_account);
        profile.reachability = Some(self.reachability).filter(|found| !found.modules.is_empty());
    }
}
