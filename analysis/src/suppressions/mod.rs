//! Suppressions: rules for blocks that are left live and that nobody wants to hear of.
//!
//! There is one engine. The built-in rules, those of the user's files and those that a module brings
//! along become [`Rule`]s, which are tried in that order; a context belongs to the first that
//! matches. Nothing is hidden by it: a suppressed block counts in every total, and the outcome says
//! which rule took how much out of the verdict, and which of the user's took nothing.

mod builtin;
mod generate;
mod index;
mod parse;
mod pattern;

use crate::{
    config::LeakKinds,
    profile::{ContextCost, Count, LeakKind, LossRecord},
};
pub use builtin::{KnownNoise, RULES};
pub use generate::generate;
use index::Index;
pub(crate) use parse::lenient;
pub use parse::{SyntaxError, parse};
use pattern::{Glob, Place, StackPattern, Step};
use seepage_trace::{ModuleId, ModuleInfo};
use std::fmt;

/// A rule: which contexts are suppressed, and how much of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, in reports and options.
    pub name: String,
    /// Why such blocks are no leak of the program: a clause without a full stop, or nothing.
    pub reason: String,
    /// Who wrote it.
    pub origin: Origin,
    /// The kinds of leaks that it is about.
    pub kinds: LeakKinds,
    /// How much it suppresses at most.
    pub limit: Limit,
    /// What it looks for, as text: one of these stacks, innermost frame first.
    pub patterns: Vec<String>,
    plumbing: Vec<Glob>,
    stacks: Vec<StackPattern>,
}

/// Who wrote a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It comes with seepage.
    Builtin,
    /// The user, in a file.
    File(Line),
    /// The module that runs, by `__lsan_default_suppressions`.
    Module(Line),
}

/// A line of a file or of a module's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The file's name, or the module's.
    pub name: String,
    /// The line, from 1.
    pub line: u32,
}

/// How much a rule suppresses. A context with more than is left of it is not touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// Blocks; of a built-in rule in each module, else in all.
    pub blocks: Option<u64>,
    /// Bytes.
    pub bytes: Option<u64>,
    /// Bytes of a block, on average over each context.
    pub block_bytes: Option<u64>,
}

/// A rule that applied, or one of the user's that did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppressed {
    /// The rule.
    pub rule: Rule,
    /// What is live of it.
    pub live: Count,
    /// What it matches and does not suppress, because its limit is reached.
    pub beyond: Count,
}

/// What a rule may apply to: live blocks of one context, and of certain kinds.
pub(crate) struct Candidate<'a> {
    pub(crate) module: ModuleId,
    /// The kinds of its blocks, of those kinds that would be reported; nothing if nobody looked.
    pub(crate) kinds: Option<LeakKinds>,
    pub(crate) live: Count,
    pub(crate) place: Place<'a>,
}

impl Origin {
    fn line(&self) -> Option<&Line> {
        match self {
            Origin::Builtin => None,
            Origin::File(line) | Origin::Module(line) => Some(line),
        }
    }

    /// Where it is written, if it is not built in: `file:3`.
    pub fn place(&self) -> Option<String> {
        self.line().map(Line::to_string)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.line)
    }
}

impl Suppressed {
    /// Whether the rule is the user's and matches nothing, so that it may as well be removed.
    pub fn is_unused(&self) -> bool {
        matches!(self.rule.origin, Origin::File(_)) && self.live.blocks == 0 && !self.is_exceeded()
    }

    /// Whether the rule's limit left something in the verdict.
    pub fn is_exceeded(&self) -> bool {
        self.beyond.blocks > 0
    }
}

impl From<&KnownNoise> for Rule {
    fn from(noise: &KnownNoise) -> Rule {
        let stack = |stack: &&[&str]| StackPattern {
            steps: stack
                .iter()
                .map(|text| match *text {
                    "..." => Step::Any,
                    name => Step::Bare(Glob::stars(name)),
                })
                .collect(),
            names_allocator: false,
        };
        Rule {
            name: noise.name.into(),
            reason: noise.reason.into(),
            origin: Origin::Builtin,
            kinds: LeakKinds::ALL,
            limit: Limit {
                blocks: Some(noise.max_blocks),
                bytes: None,
                block_bytes: noise.max_block_bytes,
            },
            patterns: noise.stacks.iter().map(|stack| stack.join(" < ")).collect(),
            plumbing: noise.plumbing.iter().map(|name| Glob::stars(name)).collect(),
            stacks: noise.stacks.iter().map(stack).collect(),
        }
    }
}

/// The built-in rules.
pub fn builtin() -> impl Iterator<Item = Rule> {
    RULES.iter().map(Rule::from)
}

impl Rule {
    fn matches(&self, place: &Place<'_>) -> bool {
        let is_plumbing = |name: &str| self.plumbing.iter().any(|glob| glob.matches(name));
        let bare = place.frames.iter().map(|frame| frame.function.trim_start_matches('<'));
        let start = bare.take_while(|name| is_plumbing(name)).count();
        let place = Place { frames: &place.frames[start..], ..*place };
        self.stacks.iter().any(|stack| stack.matches(&place))
    }

    /// Whether it is about blocks of these kinds. It must be about all of them, so that it hides no
    /// more than it says; of blocks that nobody looked at it is taken to be.
    fn is_about(&self, kinds: Option<LeakKinds>) -> bool {
        match kinds {
            Some(kinds) => LeakKind::ALL
                .into_iter()
                .all(|kind| !kinds.contains(kind) || self.kinds.contains(kind)),
            None => !self.kind_names().is_empty(),
        }
    }

    /// The names of the kinds of leaks that it is about.
    pub fn kind_names(&self) -> Vec<&'static str> {
        let own = LeakKind::ALL.into_iter().filter(|kind| self.kinds.contains(*kind));
        own.map(LeakKind::name).collect()
    }

    /// Whether it has to be known of what kinds blocks are.
    pub(crate) fn asks_for_kinds(&self) -> bool {
        self.kinds != LeakKinds::ALL
    }

    /// Whether it suppresses so much, and with it what is in one context.
    fn allows(&self, count: Count, context: Count) -> bool {
        let is_small = |most: u64| context.bytes <= context.blocks.saturating_mul(most);
        self.limit.block_bytes.is_none_or(is_small)
            && self.limit.blocks.is_none_or(|most| count.blocks <= most)
            && self.limit.bytes.is_none_or(|most| count.bytes <= most)
    }
}

/// Applies the rules to what is live, by first appearance: what a runtime allocates, it allocates
/// before the program does. Gives the rules that are to be reported, and for each candidate the
/// place among them of the one that takes it out of the verdict.
pub(crate) fn apply(
    rules: &[Rule],
    candidates: &[Candidate<'_>],
) -> (Vec<Suppressed>, Vec<Option<usize>>) {
    let mut suppressed = Vec::new();
    let mut taken = vec![None; candidates.len()];
    // The built-in rules look at the innermost frames only, and need none.
    let needs_index = rules.iter().any(|rule| rule.origin != Origin::Builtin);
    let index = needs_index.then(|| Index::new(candidates));
    let all: Vec<u32> = (0u32..).zip(candidates).map(|(place, _)| place).collect();
    for rule in rules {
        let own = rule.origin != Origin::Builtin;
        let possible = index.as_ref().filter(|_| own).and_then(|index| index.candidates(rule));
        let (mut live, mut beyond) = (Count::default(), Count::default());
        // A built-in rule is about one runtime, and each module has its own.
        let mut used: Vec<(Option<ModuleId>, Count)> = Vec::new();
        for &place in possible.as_ref().unwrap_or(&all) {
            let place = place as usize;
            let (candidate, taken) = (&candidates[place], &mut taken[place]);
            let is_open = candidate.live.blocks > 0 && taken.is_none();
            if !is_open || !rule.is_about(candidate.kinds) || !rule.matches(&candidate.place) {
                continue;
            }
            let key = (rule.origin == Origin::Builtin).then_some(candidate.module);
            let slot = match used.iter().position(|(known, _)| *known == key) {
                Some(slot) => slot,
                None => {
                    used.push((key, Count::default()));
                    used.len() - 1
                }
            };
            let mut sum = used[slot].1;
            sum.merge(candidate.live);
            if !rule.allows(sum, candidate.live) {
                beyond.merge(candidate.live);
                continue;
            }
            used[slot].1 = sum;
            live.merge(candidate.live);
            *taken = Some(suppressed.len());
        }
        let is_users = matches!(rule.origin, Origin::File(_));
        if live.blocks > 0 || is_users {
            suppressed.push(Suppressed { rule: rule.clone(), live, beyond });
        }
    }
    (suppressed, taken)
}

/// The same for whole contexts, of which `kinds` says what kinds of blocks they hold.
pub(crate) fn apply_to_contexts(
    rules: &[Rule],
    contexts: &mut [ContextCost],
    modules: &[ModuleInfo],
    kinds: &[Option<LeakKinds>],
) -> Vec<Suppressed> {
    let live = |context: &ContextCost| context.cost.live.blocks > 0;
    let open = || contexts.iter().enumerate().filter(|(_, context)| live(context));
    let names: Vec<(&str, Vec<&str>)> =
        open().map(|(_, context)| names(context, modules)).collect();
    let candidates: Vec<Candidate<'_>> = open()
        .zip(&names)
        .map(|((number, context), (module, allocator))| Candidate {
            module: context.module,
            kinds: kinds.get(number).copied().flatten(),
            live: context.cost.live,
            place: Place { module, allocator, frames: &context.frames },
        })
        .collect();
    let (suppressed, taken) = apply(rules, &candidates);
    let open = contexts.iter_mut().filter(|context| live(context));
    open.zip(taken).for_each(|(context, taken)| context.suppressed_by = taken);
    suppressed
}

/// Whether a rule is about a context, whatever it holds.
pub(crate) fn matches(rule: &Rule, context: &ContextCost, modules: &[ModuleInfo]) -> bool {
    let (module, allocator) = names(context, modules);
    rule.matches(&Place { module, allocator: &allocator, frames: &context.frames })
}

/// For each context the kinds of its blocks that would be reported, as far as the records tell.
pub(crate) fn kinds_by_context(
    records: &[LossRecord],
    contexts: usize,
    reported: LeakKinds,
) -> Vec<Option<LeakKinds>> {
    let mut held: Vec<Vec<LeakKind>> = vec![Vec::new(); contexts];
    for record in records {
        if let Some(kinds) = held.get_mut(record.stack.0 as usize) {
            kinds.push(record.kind);
        }
    }
    let would_be = |kinds: Vec<LeakKind>| {
        let mut own: Vec<LeakKind> =
            kinds.iter().copied().filter(|kind| reported.contains(*kind)).collect();
        // What hangs on a lost block is told with it.
        if own.contains(&LeakKind::DefinitelyLost) {
            own.retain(|kind| *kind != LeakKind::IndirectlyLost);
        }
        let own = if own.is_empty() { kinds } else { own };
        (!own.is_empty()).then(|| LeakKinds::new(&own))
    };
    held.into_iter().map(would_be).collect()
}

/// The name of a context's module, and what Valgrind would call the function that allocated.
pub(crate) fn names<'a>(
    context: &ContextCost,
    modules: &'a [ModuleInfo],
) -> (&'a str, Vec<&'a str>) {
    let Some(module) = modules.iter().find(|module| module.id == context.module) else {
        return ("", Vec::new());
    };
    let mut names = Vec::new();
    for id in &context.tracepoints {
        let Some(tracepoint) = module.tracepoints.get(usize::from(id.0)) else { continue };
        let function = tracepoint.function.as_str();
        names.extend([function, tracepoint.role.name()]);
        if function.starts_with("operator new[]") {
            names.extend(["_Znam", "_Znaj"]);
        } else if function.starts_with("operator new") {
            names.extend(["_Znwm", "_Znwj"]);
        }
    }
    (&module.name, names)
}
