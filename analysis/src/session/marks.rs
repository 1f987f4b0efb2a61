//! What the images of a mark show: what became of the blocks, what the memories are for, and, if
//! that was asked for, their maps. The blocks are judged once for all of these.

use super::Session;
use crate::{
    account::{
        Account,
        map::MapMoment,
        take::{self, Moment},
    },
    kinds,
    profile::{AtMark, NotJudged, Reachability, StackId},
    suppressions,
};
use seepage_trace::{Frees, ModuleInfo};

impl Session {
    /// What there is to see of a marked moment, and why it is not told what is lost, if it is not.
    pub(super) fn at_mark(&mut self, name: &str) -> (Option<AtMark>, Option<NotJudged>) {
        if self.images.list.is_empty() {
            return (None, self.modules.iter().find_map(cannot_judge).or(Some(NotJudged::NoImage)));
        }
        let mut contexts = self.heap.live_contexts();
        suppressions::apply_to_contexts(&self.rules.list, &mut contexts, &self.modules, &[]);
        let is_suppressed = |stack: StackId| {
            let context = contexts.get(stack.0 as usize);
            context.is_some_and(|context| context.suppressed_by.is_some())
        };
        let mut found = Reachability::default();
        let mut account = Account::default();
        let mut not_judged = None;
        for module in &self.modules {
            let Some(survey) = self.heap.survey(module.id) else { continue };
            let live = survey.live();
            let image = self.images.of(module.id);
            let judged = image.filter(|_| kinds::can_judge(module)).map(|image| {
                kinds::judging(module, image, &survey, &live, self.config.unaligned, |judge| {
                    judge.judge(is_suppressed, 0, &mut found).kinds
                })
            });
            if judged.is_none() && !live.is_empty() {
                not_judged = not_judged.or(cannot_judge(module)).or(Some(NotJudged::NoImage));
            }
            let moment = Moment {
                module,
                survey: &survey,
                image: image.map(|image| &image.memory),
                blocks: take::judged(&live, judged.as_deref()),
                bytes: survey.main.bytes,
                known: None,
                top: survey.extent.top,
                is_past: false,
            };
            moment.add_to(&mut account, |_| ());
            if image.is_some() {
                self.maps.draw(MapMoment::Mark(name.to_owned()), &moment);
            }
        }
        take::add_others(self.heap.memories(), &mut account);
        let kinds = not_judged.is_none().then_some(found.kinds);
        (Some(AtMark { kinds, suppressed: found.suppressed, account }), not_judged)
    }
}

/// Why it can never be told what is lost in a module.
fn cannot_judge(module: &ModuleInfo) -> Option<NotJudged> {
    if kinds::can_judge(module) {
        return None;
    }
    match module.frees {
        Frees::Unseen => Some(NotJudged::FreesUnseen),
        Frees::Collected | Frees::Explicit => Some(NotJudged::Collected),
    }
}
