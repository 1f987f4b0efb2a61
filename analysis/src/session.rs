//! The one driver: messages in, outcome out.

use crate::{
    analyses::{self, Findings, View},
    config::Config,
    heap::Heap,
    outcome::{Drops, Outcome},
    suppressions::{self, Origin, Rule},
};
use seepage_trace::{End, Message, ModuleInfo};

/// The most of a module's text of suppressions that is read.
const MAX_SUPPRESSIONS: usize = 1 << 20;

/// One run of a guest, live or from a trace.
///
/// ```text
///        feed(Module | Stack | Records | Mark | End) …
/// new ──────────────────────────────────────────────────► finish ──► Outcome
/// ```
///
/// A session can be finished at any moment: a trace that was cut off is a run whose end nobody
/// knows.
pub struct Session {
    config: Config,
    modules: Vec<ModuleInfo>,
    end: Option<End>,
    heap: Heap,
    module_rules: Vec<Rule>,
    /// What is to be said of them.
    rule_remarks: Vec<String>,
}

impl Session {
    /// A session that has seen nothing.
    pub fn new(config: Config) -> Session {
        let heap = Heap::new(&config.caps);
        Session {
            config,
            modules: Vec::new(),
            end: None,
            heap,
            module_rules: Vec::new(),
            rule_remarks: Vec::new(),
        }
    }

    /// Takes the suppressions that a module brings along: what its `__lsan_default_suppressions`
    /// returned. They are tried after all others. `origin` is the module's name. What is no rule
    /// in it is passed over, and said.
    pub fn suppressions(&mut self, text: &str, origin: &str) {
        let mut end = text.len().min(MAX_SUPPRESSIONS);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let (rules, errors) = suppressions::lenient(&text[..end], origin, Origin::Module);
        let room = self.config.caps.module_rules.saturating_sub(self.module_rules.len());
        let dropped = rules.len().saturating_sub(room);
        self.module_rules.extend(rules.into_iter().take(room));
        if let Some(error) = errors.first() {
            let more = match errors.len() - 1 {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            let remark = format!("a suppression of the module is not understood: {error}{more}");
            self.remark(remark);
        }
        if dropped > 0 {
            self.remark(format!("{dropped} suppressions of the module are too many"));
        }
        if end < text.len() {
            self.remark("the module's suppressions are cut off at 1 MiB".into());
        }
    }

    fn remark(&mut self, remark: String) {
        if self.rule_remarks.len() < self.config.caps.modules {
            self.rule_remarks.push(remark);
        }
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

    /// Judges what was seen.
    pub fn finish(self) -> Outcome {
        let Session { config, modules, end, heap, module_rules, rule_remarks } = self;
        let end = end.unwrap_or_default();
        let (mut profile, anomalies, drops) = heap.finish(end.time_ns);
        let drops = Drops { lost_records: end.lost_records, ..drops };
        let mut rules = Vec::new();
        if config.builtin_suppressions {
            rules.extend(suppressions::builtin());
        }
        rules.extend(config.suppressions.iter().cloned());
        if config.module_suppressions {
            rules.extend(module_rules);
        }
        let suppressed = suppressions::apply_to_contexts(rules, &mut profile.contexts, &modules);
        let view = View {
            config: &config,
            modules: &modules,
            end: &end,
            profile: &profile,
            anomalies: &anomalies,
            drops: &drops,
        };
        let mut findings = Findings::new(config.caps.findings);
        rule_remarks.into_iter().for_each(|remark| findings.remark(remark));
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
