//! The one driver: messages in, outcome out.

use crate::{
    analyses::{self, Findings, View},
    config::Config,
    heap::Heap,
    outcome::{Drops, Outcome},
    profile::{StackId, Totals},
    snapshot::Snapshot,
    suppressions,
};
use seepage_trace::{Context, End, Frame, Message, ModuleId, ModuleInfo};

/// One run of a guest, live or from a trace.
///
/// ```text
///        feed(Module | Stack | Records | Mark | End) …
/// new ──────────────────────────────────────────────────► finish ──► Outcome
/// ```
///
/// A session can be finished at any moment: a trace that was cut off is a run whose end nobody
/// knows.
#[derive(Clone)]
pub struct Session {
    config: Config,
    modules: Vec<ModuleInfo>,
    end: Option<End>,
    heap: Heap,
}

impl Session {
    /// A session that has seen nothing.
    pub fn new(config: Config) -> Session {
        let heap = Heap::new(&config.caps);
        Session { config, modules: Vec::new(), end: None, heap }
    }

    /// Takes the next message.
    pub fn feed(&mut self, message: &Message<'_>) {
        match message {
            Message::Module(module) => {
                if self.heap.module(module) {
                    self.modules.push(module.clone());
                }
            }
            Message::Stack(stack) => self.heap.stack(stack),
            Message::Records(records) => self.heap.records(records),
            Message::Mark { name } => self.heap.mark(name),
            Message::End(end) => self.end = Some(end.clone()),
        }
    }

    /// What each context holds now. Cheap beside [`Session::finish`], and the session goes on.
    pub fn snapshot(&self) -> Snapshot {
        self.heap.snapshot()
    }

    /// The sums so far.
    pub fn totals(&self) -> Totals {
        self.heap.totals()
    }

    /// The values that stand for a context in the records of its module.
    pub fn values(&self, stack: StackId) -> Vec<(ModuleId, Context)> {
        self.heap.values(stack)
    }

    /// The module and the frames of a context, innermost first.
    pub fn frames(&self, stack: StackId) -> Option<(ModuleId, &[Frame])> {
        self.heap.frames(stack)
    }

    /// Judges what was seen.
    pub fn finish(self) -> Outcome {
        let Session { config, modules, end, heap } = self;
        let end = end.unwrap_or_default();
        let (mut profile, anomalies, drops) = heap.finish(end.time_ns);
        let drops = Drops { lost_records: end.lost_records, ..drops };
        let suppressed = if config.builtin_suppressions {
            suppressions::apply(&mut profile.contexts)
        } else {
            Vec::new()
        };
        let view = View {
            config: &config,
            modules: &modules,
            end: &end,
            profile: &profile,
            anomalies: &anomalies,
            drops: &drops,
        };
        let mut findings = Findings::new(config.caps.findings);
        if !analyses::self_check::withdraws(&view, &mut findings) {
            for analysis in analyses::LIST {
                analysis.run(&view, &mut findings);
            }
        }
        let Findings { mut list, abstentions, remarks, dropped, .. } = findings;
        // Stable: within a kind the analyses' own order stays.
        list.sort_by_key(|finding| finding.kind);
        let drops = Drops { findings: dropped, ..drops };
        Outcome {
            modules,
            end,
            profile,
            anomalies,
            suppressed,
            findings: list,
            abstentions,
            remarks,
            drops,
        }
    }
}
