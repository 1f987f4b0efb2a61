//! The one driver: messages in, outcome out.

use crate::{
    Count,
    account::{map::Maps, shares},
    analyses::{self, Findings, View},
    config::Config,
    finding::Abstention,
    heap::Heap,
    host::HostCourse,
    image::LentMemory,
    open_files::OpenFileList,
    outcome::{Drops, Outcome},
    profile::{RootGroup, StackId, Totals},
    snapshot::Snapshot,
    suppressions,
    whatif::Remaining,
};
use seepage_trace::{Context, End, Frame, Message, ModuleId, ModuleInfo, State};
use std::sync::Arc;

mod images;
mod last;
mod marks;
mod rules;

use images::Images;
use last::Last;
use rules::Rules;

/// One run of a guest, live or from a trace.
///
/// ```text
///        feed(Module | Stack | Records | State, Memory … Mark | State, Memory … End) …
/// new ─────────────────────────────────────────────────────────────────────────────► finish
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
    images: Images,
    host: HostCourse,
    open_files: OpenFileList,
    rules: Rules,
    root_groups: Vec<RootGroup>,
    /// Early counts that [`Session::alarm`] has judged.
    judged: usize,
    maps: Maps,
}

impl Session {
    /// A session that has seen nothing.
    pub fn new(config: Config) -> Session {
        let heap = Heap::new(&config.caps, config.crossing_frees);
        let images = Images::new(config.caps.image_pages);
        let host = HostCourse::new(config.caps.timeline);
        let open_files = OpenFileList::new(config.caps.open_files);
        let maps = Maps::new(if config.heap_map { config.caps.heap_maps } else { 0 });
        Session {
            rules: Rules::new(&config),
            config,
            modules: Vec::new(),
            end: None,
            heap,
            images,
            host,
            open_files,
            root_groups: Vec::new(),
            maps,
            judged: 0,
        }
    }

    /// Takes the suppressions that a module brings along: what its `__lsan_default_suppressions`
    /// returned. They are tried after all others. `origin` is the module's name. What is no rule
    /// in it is passed over, and said.
    pub fn suppressions(&mut self, text: &str, origin: &str) {
        self.rules.add(text, origin);
    }

    /// Says which addresses that the host holds at the end belong together: what each group
    /// retains is told then.
    pub fn group_roots(&mut self, groups: Vec<RootGroup>) {
        self.root_groups = groups;
    }

    /// Takes the image of a module's memory at the mark or the end that comes next, as the messages
    /// `State` and `Memory` would bring it, and reads the memory where it is, until then. Nothing
    /// may write to it meanwhile.
    pub fn lend(&mut self, state: &State, memory: Arc<dyn LentMemory>) {
        self.images.lend(state, memory);
    }

    /// Says that there is no room for an image of the mark or the end that comes next.
    pub fn drop_image(&mut self) {
        self.images.dropped += 1;
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
            Message::Records(records) => {
                if !records.is_empty() {
                    self.images.outdate(records.module);
                }
                self.heap.records(records);
            }
            Message::State(state) => self.images.begin(state),
            Message::Memory(part) => self.images.add(part),
            Message::OpenFile(file) => {
                let stack = self.heap.place(file.module, &file.frames);
                self.open_files.add(file, stack);
            }
            Message::Suppressions { origin, text } => self.suppressions(text, origin),
            Message::Host(memory) => {
                let totals = self.heap.totals();
                self.host.add(*memory, totals.events, totals.live, self.heap.pages());
            }
            Message::Mark { name } => {
                self.collect();
                let (found, not_judged) = self.at_mark(name);
                self.heap.mark(name, found, not_judged);
                self.images.clear();
            }
            Message::End(end) => {
                self.collect();
                self.end = Some(end.clone());
            }
        }
    }

    /// Takes note of what collectors have taken back without a call, where an image of their books
    /// shows it. What is live then may still only wait for the collector.
    fn collect(&mut self) {
        for module in &self.modules {
            if let Some(image) = self.images.of(module.id) {
                self.heap.collect(module.id, &image.memory);
            }
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

    /// What was live at the high-water mark so far.
    pub fn peak(&self) -> Count {
        self.heap.peak()
    }

    /// The serial number of the live block at an address of a module, or around it: no other block
    /// ever has the same.
    pub fn block_at(&mut self, module: ModuleId, addr: u64) -> Option<u64> {
        self.heap.birth_at(module, addr)
    }

    /// The values that stand for a context in the records of its module.
    pub fn values(&self, stack: StackId) -> Vec<(ModuleId, Context)> {
        self.heap.values(stack)
    }

    /// The module and the frames of a context, innermost first.
    pub fn frames(&self, stack: StackId) -> Option<(ModuleId, &[Frame])> {
        self.heap.frames(stack)
    }

    /// Why the verdicts will be withdrawn, if what was fed since the last call has shown it: for a
    /// run that is still going on. [`Session::finish`] says so by itself.
    pub fn alarm(&mut self) -> Option<Abstention> {
        let early = self.heap.early_doubts();
        let unjudged = early.get(self.judged..)?;
        self.judged = early.len();
        analyses::self_check::early_doubt(&self.modules, unjudged)
    }

    /// Judges what was seen.
    pub fn finish(self) -> Outcome {
        self.conclude(None)
    }

    /// The same, and the blocks that are live at the end, for a [`crate::Plan`].
    pub fn finish_for_what_if(self) -> (Outcome, Remaining) {
        let mut remaining = Remaining::default();
        let outcome = self.conclude(Some(&mut remaining));
        (outcome, remaining)
    }

    fn conclude(self, remaining: Option<&mut Remaining>) -> Outcome {
        let Session { config, modules, end, heap, images, open_files, rules, mut maps, .. } = self;
        let (root_groups, host) = (self.root_groups, self.host.finish());
        let end = end.unwrap_or_default();
        let (early, whole) = (heap.early_doubts().to_vec(), heap.doubts());
        let (mut profile, anomalies, drops, remains) = heap.finish(end.time_ns);
        let drops = Drops {
            lost_records: end.lost_records,
            images: images.dropped,
            open_files: open_files.dropped,
            ..drops
        };
        let open_files = open_files.finish();
        let Rules { list: rules, remarks: rule_remarks, .. } = rules;
        let last = Last { config: &config, modules: &modules, images: &images, remains: &remains };
        let kinds = last.kinds_before_rules(&rules, profile.contexts.len());
        let contexts = &mut profile.contexts;
        let suppressed = suppressions::apply_to_contexts(&rules, contexts, &modules, &kinds);
        let is_suppressed = |stack: StackId| {
            let context = profile.contexts.get(stack.0 as usize);
            context.is_some_and(|context| context.suppressed_by.is_some())
        };
        let seen = last.look(is_suppressed, &root_groups, &mut maps, remaining);
        seen.tell(&mut profile, &remains);
        drop((remains, images));
        let view = View {
            config: &config,
            modules: &modules,
            end: &end,
            profile: &profile,
            anomalies: &anomalies,
            open_files: &open_files,
            drops: &drops,
        };
        let mut findings = Findings::new(config.caps.findings);
        rule_remarks.into_iter().for_each(|remark| findings.remark(remark));
        if analyses::self_check::withdraws(&view, &early, &whole, &mut findings) {
            analyses::budget::pages(&view, &mut findings);
        } else {
            for analysis in analyses::LIST {
                analysis.run(&view, &mut findings);
            }
        }
        let Findings { mut list, abstentions, remarks, dropped, .. } = findings;
        // Stable: within a kind the analyses' own order stays.
        list.sort_by_key(|finding| finding.kind);
        shares::link(&mut profile.growth_shares, &list, config.leak_kinds);
        let drops = Drops { findings: dropped, heap_maps: maps.dropped, ..drops };
        Outcome {
            leak_kinds: config.leak_kinds,
            modules,
            end,
            profile,
            heap_maps: maps.list,
            host,
            anomalies,
            open_files,
            suppressed,
            findings: list,
            abstentions,
            remarks,
            drops,
            what_if: None,
        }
    }
}
