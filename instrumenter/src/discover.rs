//! Decides which functions are hooked.
//!
//! ```text
//! names, exports, --alloc-fn ──► candidates ──► signature fits? ──► hooks
//!                                                    └► no: said, and left alone
//! hooks ──► inside: the hooked functions and all that only they call
//! ```
//!
//! A call from inside to inside is never booked, so a block counts once, for the outermost
//! function that the program calls, whatever calls what below it. Of two allocators one above the
//! other, what leads from the upper to the lower is inside too: the lower one's blocks are its pages.

mod blindness;

use crate::{
    allocators::{
        self, Family, Known, cpp, rust,
        shape::{Parameter, Shape},
    },
    config::{AllocFn, Config},
    doors,
    error::Error,
    facts::Facts,
    glue::{self, GlueName},
    graph::CallGraph,
    growth::HostGrowth,
    inspection::{Certainty, NotHooked},
    probe::ProbePair,
    ranking, structure,
    symbols::demangle::demangle,
};
use seepage_trace::{Frees, Role};
use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};
use walrus::{Module, ValType};

/// What was found.
#[derive(Debug)]
pub(crate) struct Discovery {
    /// The functions to hook, by rising index.
    pub(crate) hooks: Vec<Hook>,
    /// Functions for which something speaks, but not enough.
    pub(crate) candidates: Vec<Hook>,
    /// By function: it is hooked, or only hooked functions call it.
    inside: Vec<bool>,
    pub(crate) not_hooked: Vec<NotHooked>,
    pub(crate) blind_spots: Vec<String>,
    pub(crate) frees: Frees,
    /// The module begins with a heap in use.
    pub(crate) heap_before: bool,
    /// What a probe could settle.
    pub(crate) pairs: Vec<ProbePair>,
    /// Where the module asks its host for a larger memory.
    pub(crate) host_growth: HostGrowth,
}

/// A body of at most so many bytes with one call passes its parameters on.
const THIN: u32 = 32;

/// How a function was recognised that only its code gave away.
const STRUCTURE: &str = "structure";

/// A function to hook.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    pub(crate) function: u32,
    pub(crate) shape: Shape,
    pub(crate) family: &'static str,
    pub(crate) how: String,
    pub(crate) evidence: Vec<String>,
    pub(crate) certainty: Certainty,
    is_door: bool,
    is_export: bool,
    is_collected: bool,
    /// The user or a probe says so.
    is_asked: bool,
    /// Why it may not be all there is.
    doubt: Option<String>,
    /// Which of C++'s doors it is, if it is one.
    pub(crate) door: Option<cpp::Door>,
    /// Which of Rust's shims it is, if it is one.
    pub(crate) shim: Option<rust::Shim>,
}

impl Hook {
    fn from_structure(finding: structure::Finding, certainty: Certainty) -> Hook {
        let structure::Finding { function, shape, family, evidence, is_collected, doubt } = finding;
        let mut hook = Hook {
            function,
            shape,
            family,
            how: STRUCTURE.into(),
            evidence,
            certainty,
            is_door: false,
            is_export: false,
            is_collected,
            is_asked: false,
            doubt: None,
            door: None,
            shim: None,
        };
        if let Some(doubt) = doubt {
            hook.doubt(doubt);
        }
        hook
    }

    /// Something speaks against its being all there is.
    fn doubt(&mut self, why: String) {
        self.certainty = Certainty::Likely;
        self.evidence.push(format!("but {why}"));
        self.doubt = Some(why);
    }
}

impl Discovery {
    pub(crate) fn is_inside(&self, function: u32) -> bool {
        self.inside.get(function as usize).copied().unwrap_or(false)
    }

    /// Whether a reallocation works through a function that others call as well, and so is not
    /// inside: what that calls would be booked beside the reallocation.
    pub(crate) fn works_outside(&self, graph: &CallGraph, hook: &Hook) -> bool {
        if hook.shape.role != Role::Realloc {
            return false;
        }
        let reached = graph.reached_from(hook.function);
        let is_hooked = |it: &u32| self.hooks.iter().any(|hook| hook.function == *it);
        let outside = graph.functions().filter(|&it| reached[it as usize] && !self.is_inside(it));
        outside.into_iter().any(|it| graph.callees(it).iter().any(is_hooked))
    }
}

/// Finds the functions to hook.
pub(crate) fn discover(
    module: &Module,
    facts: &Facts<'_>,
    graph: &CallGraph,
    config: &Config,
) -> Result<Discovery, Error> {
    let host_growth = HostGrowth::find(facts, graph, config.glue.as_deref());
    let mut search = Search {
        facts,
        graph,
        hooks: BTreeMap::new(),
        candidates: Vec::new(),
        pairs: Vec::new(),
        host_growth: &host_growth,
        not_hooked: Vec::new(),
        own: Vec::new(),
    };
    for asked in &config.alloc_fns {
        search.asked_for(asked)?;
    }
    search.by_name();
    if let Some(glue) = &config.glue {
        search.by_glue(&glue::read(glue));
    }
    search.drop_inlined(module);
    search.by_structure(module);
    let is_elsewhere = search.by_import();
    search.drop_what_shows_half();
    search.drop_outflanked_doors();
    let Search { hooks, candidates, pairs, not_hooked, own, .. } = search;
    let mut hooks: Vec<Hook> = hooks.into_values().collect();
    let inside = graph.enclosed(functions(&hooks).chain(own));
    doors::tell_apart(graph, &inside, &mut hooks);
    doors::tell_rust_apart(graph, &not_hooked, &mut hooks);
    let is_traced = !hooks.is_empty() || !blindness::is_go(facts);
    // What only serves an allocator that was found is no other one; and Go has none to be found.
    let candidates: Vec<Hook> =
        candidates.into_iter().filter(|it| is_traced && !inside[it.function as usize]).collect();
    let pairs = if is_traced { pairs } else { Vec::new() };
    let candidates = ranking::ranked(candidates, &pairs);
    let is_elsewhere = is_elsewhere && !hooks.is_empty();
    let frees = if is_elsewhere { Frees::Unseen } else { blindness::frees(facts, &hooks) };
    let heap_before = structure::has_heap_before(module, hooks.iter().map(|hook| hook.function));
    let settles = ranking::option(&candidates, &pairs);
    let growers = host_growth.growers(graph);
    let mut blind_spots = blindness::spots(facts, &growers, &hooks, settles, &not_hooked, frees);
    if heap_before {
        blind_spots.push(
            "the module begins with a heap in use, as a snapshot does: blocks from before the run \
             are not seen"
                .into(),
        );
    }
    Ok(Discovery {
        pairs,
        host_growth,
        hooks,
        candidates,
        // What others allocated may be given back here: no more an error than after a snapshot.
        heap_before: heap_before || is_elsewhere,
        inside,
        not_hooked,
        blind_spots,
        frees,
    })
}

struct Search<'a> {
    facts: &'a Facts<'a>,
    graph: &'a CallGraph,
    hooks: BTreeMap<u32, Hook>,
    candidates: Vec<Hook>,
    pairs: Vec<ProbePair>,
    host_growth: &'a HostGrowth,
    not_hooked: Vec<NotHooked>,
    /// Functions of the allocators that were found, from which calls of another are not booked.
    own: Vec<u32>,
}

impl Search<'_> {
    fn asked_for(&mut self, asked: &AllocFn) -> Result<(), Error> {
        let fail = |why: String| Err(Error::AllocFn { name: asked.name.clone(), why });
        let functions = self.functions_called(&asked.name);
        let function = match functions[..] {
            [function] => function,
            [] => return fail("the module has no function of that name".into()),
            _ => {
                let list: Vec<_> = functions.iter().map(|f| format!("f{f}")).collect();
                return fail(format!("several functions have that name: {}", list.join(", ")));
            }
        };
        let Some((parameters, results)) = self.graph.signature(function) else {
            return fail("it is imported, so its code is elsewhere".into());
        };
        let lists = match &asked.parameters {
            Some(list) => vec![list.clone()],
            None => Shape::default_parameters(asked.role)
                .iter()
                .filter_map(|list| Parameter::list(list).ok())
                .collect(),
        };
        let known = Known::new(asked.role, &[], &[]);
        let known = Known { result: asked.answer.unwrap_or(known.result), ..known };
        match fit(&known, &lists, parameters, results) {
            Ok(shape) => {
                let (family, how, evidence) = if asked.is_probed {
                    let place = match asked.role {
                        Role::Malloc => "it stands before the growth of the memory",
                        Role::Free => "it shares state or helpers with malloc",
                        _ => {
                            "it calls malloc or free, shares their state, or stands beside them in a \
                             table"
                        }
                    };
                    let probe = "it behaves as an allocator does, in a probe";
                    ("unknown", "structure and probe".into(), vec![place.into(), probe.into()])
                } else {
                    let how = format!("--alloc-fn {}", asked.name);
                    ("custom", how, vec!["the user says so".into()])
                };
                self.hooks.insert(
                    function,
                    Hook {
                        function,
                        shape,
                        family,
                        how,
                        evidence,
                        certainty: Certainty::Confirmed,
                        is_door: false,
                        is_export: false,
                        is_collected: false,
                        is_asked: true,
                        doubt: None,
                        door: None,
                        shim: None,
                    },
                );
                Ok(())
            }
            Err(why) => fail(why),
        }
    }

    fn functions_called(&self, name: &str) -> Vec<u32> {
        if let Some(Ok(index)) = name.strip_prefix('f').map(str::parse)
            && index < self.facts.module.functions
        {
            return vec![index];
        }
        let exported = self.facts.exports.iter().filter(|(export, _)| *export == name);
        let named =
            self.facts.names.iter().filter(|(_, known)| **known == name || demangle(known) == name);
        let debug = self.facts.debug_names.iter().filter(|(_, known)| &***known == name);
        let named = named.map(|(index, _)| *index).chain(debug.map(|(index, _)| *index));
        let mut functions: Vec<u32> = exported.map(|(_, index)| *index).chain(named).collect();
        functions.sort_unstable();
        functions.dedup();
        functions
    }

    fn by_name(&mut self) {
        for (&function, name) in &self.facts.names {
            self.consider(function, name, "name");
        }
        for (&function, name) in &self.facts.debug_names {
            self.consider(function, name, "DWARF name");
        }
        for &(name, function) in &self.facts.exports {
            self.consider(function, name, "export");
        }
    }

    fn by_glue(&mut self, names: &[GlueName]) {
        for GlueName { export, name } in names {
            let exports = self.facts.exports.iter();
            let found = exports.into_iter().find(|(known, _)| known == export);
            if let Some(&(_, function)) = found {
                self.consider(function, name, "glue");
            }
        }
    }

    fn consider(&mut self, function: u32, name: &str, source: &str) {
        if self.hooks.contains_key(&function) {
            return;
        }
        let name = demangle(name);
        let families = allocators::LIST
            .iter()
            .flat_map(|family| family.functions.iter().map(move |known| (*family, known)));
        let mut refused: Option<(&Family, String)> = None;
        for (family, known) in families.filter(|(_, known)| known.is_called(&name)) {
            let Some((parameters, results)) = self.graph.signature(function) else { return };
            let lists: Vec<_> =
                known.parameters.iter().filter_map(|list| Parameter::list(list).ok()).collect();
            match fit(known, &lists, parameters, results) {
                Ok(shape) => {
                    let hook = Hook {
                        function,
                        shape,
                        family: family.name,
                        how: format!("{source} `{name}`"),
                        evidence: vec![format!(
                            "the {source} `{name}`, with a signature that fits"
                        )],
                        certainty: Certainty::Confirmed,
                        is_door: known.is_door,
                        is_export: matches!(source, "export" | "glue"),
                        is_collected: family.collected,
                        is_asked: false,
                        doubt: None,
                        door: (family.name == cpp::FAMILY.name).then(|| cpp::door(&name)),
                        shim: rust::shim(&name).filter(|_| family.name == rust::FAMILY.name),
                    };
                    self.hooks.insert(function, hook);
                    return;
                }
                Err(why) => refused = refused.or(Some((family, why))),
            }
        }
        if let Some((family, why)) = refused {
            self.refuse(function, family.name, why);
        }
    }

    /// A module that is linked into another at run time shares its allocator: the calls of it are
    /// imports. They show who allocates how much; what the other modules give back they do not.
    fn by_import(&mut self) -> bool {
        let sections = &self.facts.module.custom_sections;
        let is_linked = sections.iter().any(|(name, _)| name.starts_with("dylink"));
        if !is_linked || !self.hooks.is_empty() {
            return false;
        }
        let imports = self.facts.imports.iter().enumerate();
        for (index, import) in imports.filter(|(_, import)| import.module == "env") {
            let function = index as u32;
            let Some((parameters, results)) = self.graph.declared(function) else { continue };
            let found = allocators::LIST.iter().find_map(|family| {
                let known = family.functions.iter().find(|known| known.is_called(import.name))?;
                let lists = known.parameters.iter();
                let lists: Vec<_> = lists.filter_map(|list| Parameter::list(list).ok()).collect();
                Some((*family, fit(known, &lists, parameters, results).ok()?))
            });
            let Some((family, shape)) = found else { continue };
            let mut hook = Hook {
                function,
                shape,
                family: family.name,
                how: format!("import `{}`", import.name),
                evidence: vec![format!("the import `{}`, with a signature that fits", import.name)],
                certainty: Certainty::Confirmed,
                is_door: false,
                is_export: false,
                is_collected: false,
                is_asked: false,
                doubt: None,
                // What it gives may be taken back by any other door, in another module.
                door: None,
                shim: None,
            };
            hook.doubt(
                "the allocator is the main module's: what other modules do with the same heap is \
                 not seen"
                    .into(),
            );
            self.hooks.insert(function, hook);
        }
        !self.hooks.is_empty()
    }

    fn refuse(&mut self, function: u32, family: &'static str, why: String) {
        let name = self.facts.function_name(function).to_string();
        self.not_hooked.push(NotHooked { index: function, name, family, why });
    }

    /// Of what compilers inline, names may be left though much of it is elsewhere: then frees would be
    /// lost, and their blocks look leaked.
    fn drop_inlined(&mut self, module: &Module) {
        for family in allocators::LIST.iter().filter(|family| family.inlined) {
            let with = |role: Role| {
                let mut hooks = self.hooks.values();
                let hook = hooks.find(|it| it.family == family.name && it.shape.role == role)?;
                Some(hook.function)
            };
            let Some(pair) = with(Role::Malloc).zip(with(Role::Free)) else { continue };
            let all = self.hooks.keys().copied();
            let outsider = structure::outsider(module, self.facts, self.graph, pair, all);
            let Some(outsider) = outsider else { continue };
            let functions: Vec<u32> = self.hooks.keys().copied().collect();
            for function in functions {
                if self.hooks[&function].family == family.name {
                    self.hooks.remove(&function);
                    let why = format!("f{outsider} has parts of the allocator inlined");
                    self.refuse(function, family.name, why);
                }
            }
        }
    }

    fn by_structure(&mut self, module: &Module) {
        // Doors do not settle who is behind them, and neither do exports of a stripped module: its
        // own code may pass them by.
        let named: Vec<Hook> =
            self.hooks.values().filter(|hook| !hook.is_door && !hook.is_export).cloned().collect();
        let inside = self.graph.enclosed(functions(&named));
        let mut growers = self.host_growth.growers(self.graph);
        growers.retain(|&grower| !inside[grower as usize]);
        let known: Vec<_> =
            self.hooks.values().map(|hook| (hook.function, hook.shape.role)).collect();
        let from_outside = self.hooks.values().filter(|hook| hook.is_export && !hook.is_collected);
        let doors: Vec<_> = from_outside.map(|hook| (hook.function, hook.shape.role)).collect();
        let structure = structure::search(module, self.facts, self.graph, &known, &doors, &growers);
        for finding in structure.found {
            match self.hooks.entry(finding.function) {
                Entry::Vacant(entry) => {
                    entry.insert(Hook::from_structure(finding, Certainty::Confirmed));
                }
                // Who has named it does not say that it is all there is.
                Entry::Occupied(mut entry) => {
                    if let Some(doubt) = finding.doubt {
                        entry.get_mut().doubt(doubt);
                    }
                }
            }
        }
        self.doubt_unexplained_growth(&growers, &structure.own);
        let hooks = &self.hooks;
        self.own = structure.own;
        self.pairs = structure
            .pairs
            .into_iter()
            .filter(|pair| !hooks.contains_key(&pair.malloc.index))
            .collect();
        let mut seen = BTreeSet::new();
        let candidates = structure.candidates.into_iter();
        self.candidates = candidates
            .filter(|it| !hooks.contains_key(&it.function) && seen.insert(it.function))
            .map(|finding| Hook::from_structure(finding, Certainty::Likely))
            .collect();
    }

    /// Where the memory also grows without what was found, another allocator may stand beside it,
    /// or the program grows its memory itself: what was found is right and may not be all. An
    /// export may even be no more than a door, as TinyGo's `malloc` is. Only a name from the
    /// inside says enough.
    fn doubt_unexplained_growth(&mut self, growers: &[u32], own: &[u32]) {
        let hooks: Vec<Hook> = self.hooks.values().cloned().collect();
        let inside = self.graph.enclosed(functions(&hooks).chain(own.iter().copied()));
        // What only the host calls, as old Emscripten's `__growWasmMemory`, grows it when the
        // allocator asks the host.
        let is_explained =
            |grower: u32| inside[grower as usize] || self.graph.is_only_exported(grower);
        let Some(grower) = growers.iter().find(|&&grower| !is_explained(grower)) else { return };
        let is_told = |hook: &Hook| {
            hook.is_asked || !(hook.is_door || hook.is_export || hook.how == STRUCTURE)
        };
        let is_settled = hooks.iter().any(|it| is_told(it) && it.shape.role == Role::Malloc);
        // A runtime with a collector grows its memory for its own start as well.
        let is_doubtful = |hook: &&mut Hook| {
            let is_named = hook.how != STRUCTURE;
            !(hook.is_collected || hook.is_asked || is_named && is_settled)
        };
        for hook in self.hooks.values_mut().filter(is_doubtful) {
            hook.doubt(format!(
                "f{grower} grows the memory for others too: there may be another allocator"
            ));
        }
    }

    /// Doors alone would show what the host allocates, and then every block that the module's own
    /// code frees would look like a leak. What only resizes or frees, such as a shim of Rust's that
    /// the compiler has not inlined, would show nothing, and call a heap clean that nobody saw.
    fn drop_what_shows_half(&mut self) {
        let hands_out =
            |hook: &Hook| !matches!(hook.shape.role, Role::Realloc | Role::Free | Role::UsableSize);
        let is_enough = |hook: &Hook| hook.is_asked || (hands_out(hook) && !hook.is_door);
        if self.hooks.values().any(is_enough) {
            return;
        }
        for (function, hook) in std::mem::take(&mut self.hooks) {
            let why = match hook.is_door {
                true => "it only leads from the host to the allocator inside, which was not found",
                false => "nothing was found that hands out the blocks it takes",
            };
            self.refuse(function, hook.family, why.into());
        }
    }
}

impl Search<'_> {
    /// A door that leads to the allocator through a function which the program calls as well, such
    /// as a shim without a name: the block would be booked at the door and again behind the shim.
    fn drop_outflanked_doors(&mut self) {
        let hooks: Vec<Hook> = self.hooks.values().cloned().collect();
        let inside = self.graph.enclosed(functions(&hooks));
        // By signature alone a call through a table might lead anywhere.
        let reaching = |is_booked: fn(Role) -> bool| {
            let booked = hooks.iter().filter(|hook| is_booked(hook.shape.role));
            self.graph.reaching_directly(booked.map(|hook| hook.function))
        };
        // What hands out blocks may free one of its own on the way.
        let takes = reaching(|role| matches!(role, Role::Free | Role::Realloc));
        let gives = reaching(|role| !matches!(role, Role::Free | Role::UsableSize));
        let is_thin = |function: u32| {
            let bytes = self.facts.body_size(function);
            self.graph.callees(function).len() == 1 && bytes.is_some_and(|it| it <= THIN)
        };
        let outflanked: Vec<u32> = hooks
            .iter()
            .filter(|hook| hook.is_door || (hook.is_export && is_thin(hook.function)))
            .filter(|hook| {
                let reaching = if hook.shape.role == Role::Free { &takes } else { &gives };
                let callees = self.graph.callees(hook.function).iter();
                callees.into_iter().any(|&it| !inside[it as usize] && reaching[it as usize])
            })
            .map(|hook| hook.function)
            .collect();
        for function in outflanked {
            if let Some(hook) = self.hooks.remove(&function) {
                let why = "it leads to the allocator inside, where its blocks are booked";
                self.refuse(function, hook.family, why.into());
            }
        }
    }
}

/// The meaning of a function's parameters, or why it cannot be what its name says.
fn fit(
    known: &Known,
    lists: &[Vec<Parameter>],
    parameters: &[ValType],
    results: &[ValType],
) -> Result<Shape, String> {
    let is_integer = |ty: &ValType| matches!(ty, ValType::I32 | ValType::I64);
    if !parameters.iter().chain(results).all(is_integer) {
        return Err("it takes or returns what is no integer".into());
    }
    let Some(list) = lists.iter().find(|list| list.len() == parameters.len()) else {
        return Err(format!("it has {} parameters", parameters.len()));
    };
    if let Some(missing) = Shape::lacks(known.role, list) {
        return Err(format!("no parameter is its `{missing}`"));
    }
    let wanted = usize::from(known.role != Role::Free);
    if results.len() != wanted && !(known.role == Role::Free && results.len() == 1) {
        return Err(format!("it has {} results", results.len()));
    }
    Ok(Shape {
        role: known.role,
        parameters: list.clone(),
        answer: known.result,
        offset: known.offset,
    })
}

fn functions(hooks: &[Hook]) -> impl Iterator<Item = u32> + '_ {
    hooks.iter().map(|hook| hook.function)
}
