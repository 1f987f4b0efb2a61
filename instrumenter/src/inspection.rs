//! What `inspect` tells: plain data for a person or a program to read.

use crate::{
    annotations::Annotations,
    config::{Config, Contexts},
    discover::{Discovery, Hook},
    facts::Facts,
    graph::CallGraph,
    rewrite::fill,
};
use seepage_trace::{Memory, Role};

/// How sure a discovery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Not sure enough: nothing is hooked.
    Abstain,
    /// One sign speaks for it.
    Likely,
    /// A name whose signature fits, or several independent signs in the code.
    Confirmed,
}

impl Certainty {
    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            Certainty::Abstain => "abstain",
            Certainty::Likely => "likely",
            Certainty::Confirmed => "confirmed",
        }
    }
}

/// What is known of a module before it runs.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// How sure it is that the hooked functions are the module's allocator.
    pub verdict: Certainty,
    /// What the module is and has.
    pub module: ModuleFacts,
    /// The functions that will be hooked, by rising index.
    pub allocators: Vec<AllocatorFunction>,
    /// Functions for which something speaks, but not enough to hook them.
    pub candidates: Vec<AllocatorFunction>,
    /// Functions that look like an allocator's and will not be hooked.
    pub not_hooked: Vec<NotHooked>,
    /// Functions by which the program speaks to whoever watches its heap.
    pub annotations: Vec<AnnotationFunction>,
    /// What seepage will not see, a sentence each.
    pub blind_spots: Vec<String>,
}

/// What a module is and has.
#[derive(Clone, Debug, Default)]
pub struct ModuleFacts {
    /// What it is called.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Functions, imported ones included.
    pub functions: u32,
    /// Functions that it imports.
    pub imported_functions: u32,
    /// Functions with a name in the name section.
    pub named_functions: u32,
    /// Functions whose names only DWARF knows.
    pub debug_named_functions: u32,
    /// Functions that contain `memory.grow`, by index.
    pub growers: Vec<u32>,
    /// Whether there is DWARF with line numbers.
    pub dwarf: bool,
    /// The linear memories, imported ones first.
    pub memories: Vec<Memory>,
    /// Features beyond WebAssembly 1.0 that the module says or shows it uses.
    pub features: Vec<String>,
    /// What made it, by the producers section.
    pub producers: Vec<Producer>,
    /// Names of the modules it imports from.
    pub import_modules: Vec<String>,
    /// Names of its exported functions.
    pub exported_functions: Vec<String>,
    /// Custom sections: name and size.
    pub custom_sections: Vec<(String, u64)>,
}

/// A line of the producers section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    /// `language`, `processed-by` or `sdk`.
    pub field: String,
    /// The tool's name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A function of an allocator, or what may be one.
#[derive(Clone, Debug)]
pub struct AllocatorFunction {
    /// Its index in the original module.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// The family of allocators.
    pub family: &'static str,
    /// How sure that is.
    pub certainty: Certainty,
    /// How it was recognised, in a few words.
    pub how: String,
    /// What speaks for it, a sentence each.
    pub evidence: Vec<String>,
    /// What its parameters were taken for.
    pub parameters: String,
    /// Calls of it that will be booked.
    pub calls: u32,
}

/// A function by which the program speaks to whoever watches its heap.
#[derive(Clone, Debug)]
pub struct AnnotationFunction {
    /// Its index in the original module.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// What a call of it says.
    pub role: Role,
    /// How it was recognised, in a few words.
    pub how: String,
}

/// A function that looks like an allocator's and will not be hooked.
#[derive(Clone, Debug)]
pub struct NotHooked {
    /// Its index in the original module.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// The family that knows the name.
    pub family: &'static str,
    /// Why it is left alone.
    pub why: String,
}

impl Inspection {
    pub(crate) fn new(
        facts: &Facts<'_>,
        graph: &CallGraph,
        discovery: &Discovery,
        annotations: &Annotations,
        config: &Config,
    ) -> Inspection {
        let mut module = facts.module.clone();
        module.name = config.module_name.clone();
        module.growers = graph.growers();
        module.debug_named_functions = facts.debug_names.len() as u32;
        let describe = |hook: &Hook| AllocatorFunction {
            index: hook.function,
            name: facts.function_name(hook.function).to_string(),
            role: hook.shape.role,
            family: hook.family,
            certainty: hook.certainty,
            how: hook.how.clone(),
            evidence: hook.evidence.clone(),
            parameters: hook.shape.describe(),
            calls: graph
                .callers(hook.function)
                .filter(|&caller| !discovery.is_inside(caller))
                .count() as u32,
        };
        let allocators: Vec<_> = discovery.hooks.iter().map(describe).collect();
        let candidates: Vec<_> = discovery.candidates.iter().map(describe).collect();
        let verdict = match allocators.iter().map(|function| function.certainty).min() {
            Some(verdict) => verdict,
            None if candidates.is_empty() => Certainty::Abstain,
            None => Certainty::Likely,
        };
        let mut blind_spots = Vec::new();
        if let Err(refusal) = facts.check_supported(config) {
            let refusal = refusal.to_string();
            let first = refusal.lines().next().unwrap_or_default();
            blind_spots.push(format!("it cannot be instrumented: {first}"));
        }
        blind_spots.extend(discovery.blind_spots.iter().cloned());
        if config.contexts == Contexts::Off {
            blind_spots.push("calling contexts are switched off: no stacks".into());
        } else if !module.dwarf {
            blind_spots.push(
                if module.named_functions == 0 {
                    "no function names and no DWARF: stacks show function indices"
                } else {
                    "no DWARF: stacks show functions without lines"
                }
                .into(),
            );
        }
        if config.fill.is_some() {
            blind_spots.extend(fill::not_filled(discovery));
        }
        let not_hooked = discovery.not_hooked.clone();
        let annotations = annotations.describe();
        Inspection { verdict, module, allocators, candidates, not_hooked, annotations, blind_spots }
    }
}
