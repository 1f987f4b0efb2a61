//! The one driver: messages in, outcome out.

use crate::{
    account::{
        Account, BlockKind, Placed,
        take::{self, Moment},
    },
    analyses::{self, Findings, View},
    config::Config,
    finding::Abstention,
    heap::Heap,
    image::MemoryImage,
    kinds::{self, Image, Judge},
    outcome::{Drops, Outcome},
    profile::{Kinds, Reachability, StackId},
    suppressions::{self, Origin, Rule},
    whatif::{HeapShape, Remaining},
};
use seepage_trace::{End, Frees, MemoryPart, Message, ModuleId, ModuleInfo, State};

/// The most of a module's text of suppressions that is read.
const MAX_SUPPRESSIONS: usize = 1 << 20;

/// One run of a guest, live or from a trace.
///
/// ```text
///        feed(Module | Stack | Records | State, Memory … Mark | State, Memory … End) …
/// new ─────────────────────────────────────────────────────────────────────────────► finish
/// ```
///
/// A session can be finished at any moment: a trace that was cut off is a run whose end nobody
/// knows.
pub struct Session {
    config: Config,
    modules: Vec<ModuleInfo>,
    end: Option<End>,
    heap: Heap,
    images: Images,
    module_rules: Vec<Rule>,
    /// What is to be said of them.
    rule_remarks: Vec<String>,
    /// Early counts that [`Session::alarm`] has judged.
    judged: usize,
}

impl Session {
    /// A session that has seen nothing.
    pub fn new(config: Config) -> Session {
        let heap = Heap::new(&config.caps);
        let images = Images::new(config.caps.image_pages);
        Session {
            config,
            modules: Vec::new(),
            end: None,
            heap,
            images,
            module_rules: Vec::new(),
            rule_remarks: Vec::new(),
            judged: 0,
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
            Message::Records(records) => {
                if !records.is_empty() {
                    self.images.outdate(records.module);
                }
                self.heap.records(records);
            }
            Message::State(state) => self.images.begin(state),
            Message::Memory(part) => self.images.add(part),
            Message::OpenFile(_) => {}
            Message::Suppressions { origin, text } => self.suppressions(text, origin),
            Message::Mark { name } => {
                let kinds = self.kinds();
                self.heap.mark(name, kinds);
                self.images.clear();
            }
            Message::End(end) => self.end = Some(end.clone()),
        }
    }

    /// What points to the blocks now, if there is an image of every module that has some.
    fn kinds(&self) -> Option<Kinds> {
        let mut sum: Option<Kinds> = None;
        for module in &self.modules {
            let survey = self.heap.survey(module.id)?;
            let live = survey.live();
            if live.is_empty() {
                continue;
            }
            let image = self.images.of(module.id).filter(|_| module.frees == Frees::Explicit)?;
            let nodes = kinds::nodes(&live);
            let was_block = |addr| survey.was_block(addr);
            let judge = Judge::new(module, image, &survey, &live, &nodes, &was_block);
            sum.get_or_insert_default().merge(&judge.kinds());
        }
        sum
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

    fn conclude(self, mut remaining: Option<&mut Remaining>) -> Outcome {
        let Session { config, modules, end, heap, images, module_rules, rule_remarks, .. } = self;
        let end = end.unwrap_or_default();
        let (early, whole) = (heap.early_doubts().to_vec(), heap.doubts());
        let (mut profile, anomalies, drops, remains) = heap.finish(end.time_ns);
        let drops = Drops { lost_records: end.lost_records, images: images.dropped, ..drops };
        let mut rules = Vec::new();
        if config.builtin_suppressions {
            rules.extend(suppressions::builtin());
        }
        rules.extend(config.suppressions.iter().cloned());
        if config.module_suppressions {
            rules.extend(module_rules);
        }
        // Kinds are told without what is suppressed, and a few rules ask for them before that.
        let mut kinds = Vec::new();
        if rules.iter().any(Rule::asks_for_kinds) {
            let mut all = Reachability::default();
            for module in modules.iter().filter(|module| module.frees == Frees::Explicit) {
                let Some(survey) = remains.survey(module.id) else { continue };
                let (live, image) = (survey.live(), images.of(module.id));
                let nodes = kinds::nodes(&live);
                let was_block = |addr| survey.was_block(addr);
                if let Some(image) = image {
                    let judge = Judge::new(module, image, &survey, &live, &nodes, &was_block);
                    judge.judge(|_| false, 0, &mut all);
                }
            }
            let count = profile.contexts.len();
            kinds = suppressions::kinds_by_context(&all.records, count, config.leak_kinds);
        }
        let contexts = &mut profile.contexts;
        let suppressed = suppressions::apply_to_contexts(rules, contexts, &modules, &kinds);
        let is_suppressed = |stack: StackId| {
            let context = profile.contexts.get(stack.0 as usize);
            context.is_some_and(|context| context.suppressed_by.is_some())
        };
        let mut reachability = Reachability::default();
        let (mut account, mut peak_account) = (Account::default(), Account::default());
        for module in &modules {
            let Some(survey) = remains.survey(module.id) else { continue };
            let image = images.of(module.id);
            let live = survey.live();
            // What a collector has not got to yet is no loss.
            let judged = image.filter(|_| module.frees == Frees::Explicit).map(|image| {
                let nodes = kinds::nodes(&live);
                let was_block = |addr| survey.was_block(addr);
                let judge = Judge::new(module, image, &survey, &live, &nodes, &was_block);
                judge.judge(is_suppressed, config.caps.retained, &mut reachability)
            });
            if let Some(remaining) = &mut remaining {
                let memory = image.map(|image| &image.memory);
                remaining.heaps.extend(HeapShape::new(module, &survey, memory, &live));
                remaining.add(&live, judged.as_ref());
            }
            let kinds = judged.map(|judged| judged.kinds);
            let blocks = live.into_iter().enumerate().map(|(index, (addr, block))| Placed {
                addr,
                size: block.size,
                stack: block.stack,
                kind: kinds.as_ref().map_or(BlockKind::Unknown, |kinds| kinds[index]),
            });
            let image = image.map(|image| &image.memory);
            let blocks = blocks.collect();
            let end = Moment { module, survey: &survey, image, blocks, bytes: survey.main.bytes };
            end.add_to(&mut account);
            let blocks = take::placed(remains.at_peak(&survey));
            let bytes = survey.main.at_peak;
            Moment { module, survey: &survey, image: None, blocks, bytes }
                .add_to(&mut peak_account);
        }
        drop((remains, images));
        for account in [&mut account, &mut peak_account] {
            take::add_others(&profile.memories, account);
        }
        profile.account = Some(account);
        profile.peak_account = Some(peak_account);
        profile.reachability = (!reachability.modules.is_empty()).then_some(reachability);
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
        let drops = Drops { findings: dropped, ..drops };
        Outcome {
            leak_kinds: config.leak_kinds,
            modules,
            end,
            profile,
            anomalies,
            suppressed,
            findings: list,
            abstentions,
            remarks,
            drops,
            what_if: None,
        }
    }
}

/// The images of the moment that comes next in the trace, a mark or the end.
struct Images {
    list: Vec<Image>,
    max_pages: usize,
    pages_left: usize,
    /// Images that were larger than allowed.
    dropped: u64,
}

impl Images {
    fn new(max_pages: usize) -> Images {
        Images { list: Vec::new(), max_pages, pages_left: max_pages, dropped: 0 }
    }

    fn begin(&mut self, state: &State) {
        self.outdate(state.module);
        let memory = MemoryImage::new(state.memory_bytes);
        self.list.push(Image { state: state.clone(), memory });
    }

    fn add(&mut self, part: &MemoryPart<'_>) {
        let image = self.list.iter_mut().find(|image| image.state.module == part.module);
        let Some(image) = image.filter(|_| part.memory == 0) else { return };
        if image.memory.write(part.addr, &part.bytes, &mut self.pages_left).is_err() {
            // Half an image would make blocks look lost.
            self.outdate(part.module);
            self.dropped += 1;
        }
    }

    fn of(&self, module: ModuleId) -> Option<&Image> {
        self.list.iter().find(|image| image.state.module == module)
    }

    /// What happens after an image was taken makes it one of the past.
    fn outdate(&mut self, module: ModuleId) {
        self.list.retain(|image| image.state.module != module);
    }

    fn clear(&mut self) {
        self.list.clear();
        self.pages_left = self.max_pages;
    }
}
