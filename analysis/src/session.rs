//! The one driver: messages in, outcome out.

use crate::{
    account::{
        Account,
        map::{MapMoment, Maps},
        take::{self, Moment},
    },
    analyses::{self, Findings, View},
    config::Config,
    heap::Heap,
    image::MemoryImage,
    kinds::{self, Image, Judge},
    outcome::{Drops, Outcome},
    profile::{Kinds, Reachability, StackId},
    suppressions,
};
use seepage_trace::{End, Frees, MemoryPart, Message, ModuleId, ModuleInfo, State};

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
    maps: Maps,
}

impl Session {
    /// A session that has seen nothing.
    pub fn new(config: Config) -> Session {
        let heap = Heap::new(&config.caps);
        let images = Images::new(config.caps.image_pages);
        let maps = Maps::new(if config.heap_map { config.caps.heap_maps } else { 0 });
        Session { config, modules: Vec::new(), end: None, heap, images, maps }
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
            Message::OpenFile(_) | Message::Suppressions { .. } => {}
            Message::Mark { name } => {
                let kinds = self.kinds();
                self.draw(name);
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

    /// Draws the memories of which there is an image, if that was asked for.
    fn draw(&mut self, mark: &str) {
        if !self.maps.are_wanted() {
            return;
        }
        for module in &self.modules {
            let image = self.images.of(module.id);
            let (Some(image), Some(survey)) = (image, self.heap.survey(module.id)) else {
                continue;
            };
            let live = survey.live();
            let nodes = kinds::nodes(&live);
            let was_block = |addr| survey.was_block(addr);
            let kinds = (module.frees == Frees::Explicit).then(|| {
                let judge = Judge::new(module, image, &survey, &live, &nodes, &was_block);
                judge.judge(|_| false, 0, &mut Reachability::default())
            });
            let moment = Moment {
                module,
                survey: &survey,
                image: Some(&image.memory),
                blocks: take::judged(&live, kinds.as_deref()),
                bytes: image.memory.bytes,
            };
            self.maps.draw(MapMoment::Mark(mark.to_owned()), &moment);
        }
    }

    /// Judges what was seen.
    pub fn finish(self) -> Outcome {
        let Session { config, modules, end, heap, images, mut maps } = self;
        let end = end.unwrap_or_default();
        let (mut profile, anomalies, drops, remains) = heap.finish(end.time_ns);
        let drops = Drops { lost_records: end.lost_records, images: images.dropped, ..drops };
        let suppressed = if config.builtin_suppressions {
            suppressions::apply(&mut profile.contexts)
        } else {
            Vec::new()
        };
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
            let kinds = image.filter(|_| module.frees == Frees::Explicit).map(|image| {
                let nodes = kinds::nodes(&live);
                let was_block = |addr| survey.was_block(addr);
                let judge = Judge::new(module, image, &survey, &live, &nodes, &was_block);
                judge.judge(is_suppressed, config.caps.retained, &mut reachability)
            });
            let blocks = take::judged(&live, kinds.as_deref());
            let image = image.map(|image| &image.memory);
            let end = Moment { module, survey: &survey, image, blocks, bytes: survey.main.bytes };
            end.add_to(&mut account);
            maps.draw(MapMoment::End, &end);
            let blocks = take::placed(remains.at_peak(&survey));
            let bytes = survey.main.at_peak;
            let peak = Moment { module, survey: &survey, image: None, blocks, bytes };
            peak.add_to(&mut peak_account);
            maps.draw(MapMoment::Peak, &peak);
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
        if !analyses::self_check::withdraws(&view, &mut findings) {
            for analysis in analyses::LIST {
                analysis.run(&view, &mut findings);
            }
        }
        let Findings { mut list, abstentions, remarks, dropped, .. } = findings;
        // Stable: within a kind the analyses' own order stays.
        list.sort_by_key(|finding| finding.kind);
        let drops = Drops { findings: dropped, heap_maps: maps.dropped, ..drops };
        Outcome {
            leak_kinds: config.leak_kinds,
            modules,
            end,
            profile,
            heap_maps: maps.list,
            anomalies,
            suppressed,
            findings: list,
            abstentions,
            remarks,
            drops,
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
