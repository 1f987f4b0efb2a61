//! Decides which functions are hooked.
//!
//! ```text
//! names, exports, --alloc-fn ──► candidates ──► signature fits? ──► hooks
//!                                                    └► no: said, and left alone
//! hooks ──► inside: the hooked functions and all that only they call
//! ```
//!
//! A call from inside to inside is never booked, so a block counts once, for the outermost
//! function that the program calls, whatever calls what below it.

use crate::{
    allocators::{
        self, Family, Known,
        shape::{Parameter, Shape},
    },
    config::{AllocFn, Config},
    error::Error,
    facts::{Facts, Import},
    glue::{self, GlueName},
    graph::CallGraph,
    inspection::{Certainty, NotHooked},
    probe::ProbePair,
    ranking, structure,
    symbols::demangle::demangle,
};
use seepage_trace::{Frees, Role};
use std::collections::BTreeMap;
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
    /// Imports by which the module may ask its host for a larger memory.
    pub(crate) grow_imports: Vec<(String, String)>,
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
}

impl Hook {
    fn from_structure(finding: structure::Finding, certainty: Certainty) -> Hook {
        let structure::Finding { function, shape, family, evidence, is_collected } = finding;
        Hook {
            function,
            shape,
            family,
            how: STRUCTURE.into(),
            evidence,
            certainty,
            is_door: false,
            is_export: false,
            is_collected,
        }
    }
}

impl Discovery {
    pub(crate) fn is_inside(&self, function: u32) -> bool {
        self.inside.get(function as usize).copied().unwrap_or(false)
    }
}

/// Finds the functions to hook.
pub(crate) fn discover(
    module: &Module,
    facts: &Facts<'_>,
    graph: &CallGraph,
    config: &Config,
) -> Result<Discovery, Error> {
    let mut search = Search {
        facts,
        graph,
        hooks: BTreeMap::new(),
        candidates: Vec::new(),
        pairs: Vec::new(),
        grow_imports: Vec::new(),
        not_hooked: Vec::new(),
    };
    for asked in &config.alloc_fns {
        search.asked_for(asked)?;
    }
    search.by_name();
    if let Some(glue) = &config.glue {
        search.by_glue(&glue::read(glue));
    }
    search.by_structure(module);
    search.drop_lonely_doors();
    search.drop_outflanked_doors();
    let Search { hooks, candidates, pairs, grow_imports, not_hooked, .. } = search;
    let hooks: Vec<Hook> = hooks.into_values().collect();
    let inside = inside(graph, &hooks);
    // What only serves an allocator that was found is no other one.
    let candidates: Vec<Hook> =
        candidates.into_iter().filter(|candidate| !inside[candidate.function as usize]).collect();
    let candidates = ranking::ranked(candidates, &pairs);
    let frees = frees(facts, &hooks);
    let heap_before = structure::has_heap_before(module, hooks.iter().map(|hook| hook.function));
    let settles = ranking::option(&candidates, &pairs);
    let mut blind_spots = blind_spots(facts, graph, &hooks, settles, &not_hooked, frees);
    if heap_before {
        blind_spots.push(
            "the module begins with a heap in use, as a snapshot does: blocks from before the run \
             are not seen"
                .into(),
        );
    }
    Ok(Discovery {
        pairs,
        grow_imports,
        hooks,
        candidates,
        heap_before,
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
    grow_imports: Vec<(String, String)>,
    not_hooked: Vec<NotHooked>,
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

    fn refuse(&mut self, function: u32, family: &'static str, why: String) {
        let name = self.facts.function_name(function).to_string();
        self.not_hooked.push(NotHooked { index: function, name, family, why });
    }

    fn by_structure(&mut self, module: &Module) {
        // Doors do not settle who is behind them, and neither do exports of a stripped module: its
        // own code may pass them by.
        let named: Vec<Hook> =
            self.hooks.values().filter(|hook| !hook.is_door && !hook.is_export).cloned().collect();
        let inside = inside(self.graph, &named);
        let is_settled = |function: u32| inside[function as usize];
        let known: Vec<_> =
            self.hooks.values().map(|hook| (hook.function, hook.shape.role)).collect();
        let structure = structure::search(module, self.facts, self.graph, &known, is_settled);
        let before = self.hooks.len();
        for finding in structure.found {
            let hook = Hook::from_structure(finding, Certainty::Confirmed);
            self.hooks.entry(hook.function).or_insert(hook);
        }
        if self.hooks.len() > before {
            self.doubt_unexplained_growth(&structure.growers);
        }
        let hooks = &self.hooks;
        self.grow_imports = structure.grow_imports;
        self.pairs = structure
            .pairs
            .into_iter()
            .filter(|pair| !hooks.contains_key(&pair.malloc.index))
            .collect();
        let candidates = structure.candidates.into_iter();
        self.candidates = candidates
            .filter(|finding| !hooks.contains_key(&finding.function))
            .map(|finding| Hook::from_structure(finding, Certainty::Likely))
            .collect();
    }

    /// Where the memory also grows without what was found, another allocator may stand beside it,
    /// or the program grows its memory itself: what was found is right and may not be all.
    fn doubt_unexplained_growth(&mut self, growers: &[u32]) {
        let hooks: Vec<Hook> = self.hooks.values().cloned().collect();
        let inside = inside(self.graph, &hooks);
        let Some(grower) = growers.iter().find(|&&grower| !inside[grower as usize]) else { return };
        // A runtime with a collector grows its memory for its own start as well.
        let doubtful = |hook: &&mut Hook| hook.how == STRUCTURE && !hook.is_collected;
        for hook in self.hooks.values_mut().filter(doubtful) {
            hook.certainty = Certainty::Likely;
            hook.evidence.push(format!(
                "but f{grower} grows the memory for others too: there may be another allocator"
            ));
        }
    }

    /// Doors alone would show what the host allocates, and then every block that the module's own
    /// code frees would look like a leak.
    fn drop_lonely_doors(&mut self) {
        if self.hooks.values().any(|hook| !hook.is_door) {
            return;
        }
        for (function, hook) in std::mem::take(&mut self.hooks) {
            let why = "it only leads from the host to the allocator inside, which was not found";
            self.refuse(function, hook.family, why.into());
        }
    }
}

impl Search<'_> {
    /// A door that leads to the allocator through a function which the program calls as well, such
    /// as a shim without a name: the block would be booked at the door and again behind the shim.
    fn drop_outflanked_doors(&mut self) {
        let hooks: Vec<Hook> = self.hooks.values().cloned().collect();
        let inside = inside(self.graph, &hooks);
        let reaching = self.graph.reaching(hooks.iter().map(|hook| hook.function));
        let is_thin = |function: u32| {
            let bytes = self.facts.body_size(function);
            self.graph.callees(function).len() == 1 && bytes.is_some_and(|it| it <= THIN)
        };
        let outflanked: Vec<u32> = hooks
            .iter()
            .filter(|hook| hook.is_door || (hook.is_export && is_thin(hook.function)))
            .filter(|hook| {
                let callees = self.graph.callees(hook.function).iter();
                callees.into_iter().any(|&it| !inside[it as usize] && reaching.contains(it))
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

/// The hooked functions, and those that nothing but functions inside can enter.
fn inside(graph: &CallGraph, hooks: &[Hook]) -> Vec<bool> {
    let mut inside = vec![false; graph.functions().count()];
    let mut work = Vec::new();
    for hook in hooks {
        if let Some(flag) = inside.get_mut(hook.function as usize) {
            *flag = true;
            work.push(hook.function);
        }
    }
    while let Some(function) = work.pop() {
        for &callee in graph.callees(function) {
            let is_inner = !inside[callee as usize]
                && graph.is_only_called(callee)
                && graph.callers(callee).all(|caller| inside[caller as usize]);
            if is_inner {
                inside[callee as usize] = true;
                work.push(callee);
            }
        }
    }
    inside
}

fn frees(facts: &Facts<'_>, hooks: &[Hook]) -> Frees {
    // In a module that names its functions, a `free` that is not there was not linked, since
    // nothing calls it; in a stripped one it may be there unseen.
    let named = facts.names.len().max(facts.debug_names.len()) as u32;
    let is_named = named > facts.module.functions / 2;
    let takes_back = |hook: &&Hook| matches!(hook.shape.role, Role::Free);
    let collected: Vec<_> = hooks.iter().filter(|hook| hook.is_collected).collect();
    if !collected.is_empty() {
        let seen = collected.iter().any(takes_back);
        if seen { Frees::Collected } else { Frees::Unseen }
    } else if hooks.iter().any(|hook| takes_back(&hook)) || is_named && !hooks.is_empty() {
        Frees::Explicit
    } else {
        Frees::Unseen
    }
}

fn blind_spots(
    facts: &Facts<'_>,
    graph: &CallGraph,
    hooks: &[Hook],
    settles: Option<String>,
    not_hooked: &[NotHooked],
    frees: Frees,
) -> Vec<String> {
    let mut blind = Vec::new();
    if hooks.iter().any(|hook| hook.certainty == Certainty::Likely) {
        blind.push("the allocator that was found may not be the only one".to_string());
    }
    if hooks.is_empty() {
        let flag = settles.unwrap_or_else(|| "--alloc-fn NAME=ROLE".into());
        blind.push(format!(
            "no allocator was found for sure: only memory growth is seen; settle it with {flag}"
        ));
    } else if frees == Frees::Unseen {
        blind.push(
            "no function that frees was found: what is live cannot be told from what was freed"
                .to_string(),
        );
    } else if frees == Frees::Collected {
        blind.push(
            "the heap is garbage-collected: what is live at the end may only be waiting for the \
             collector"
                .to_string(),
        );
    }
    let is_blind = |refused: &&NotHooked| hooks.is_empty() || !refused.why.ends_with("booked");
    for refused in not_hooked.iter().filter(is_blind) {
        blind.push(format!("f{} `{}` is not hooked: {}", refused.index, refused.name, refused.why));
    }
    let is_allocator = |import: &&Import<'_>| {
        import.module == "env" && ["malloc", "free", "_Znwm", "_ZdlPv"].contains(&import.name)
    };
    if let Some(import) = facts.imports.iter().find(is_allocator) {
        blind.push(format!(
            "it imports `{}`: the allocator is the main module's, to be instrumented there",
            import.name
        ));
    }
    if facts.has_gc_types {
        blind.push(
            "structures and arrays of WebAssembly's own collected heap are not in linear memory, \
             and not traced"
                .into(),
        );
    }
    if facts.module.memories.is_empty() {
        blind.push("the module has no linear memory".into());
    } else if facts.module.memories.len() > 1 {
        blind.push("the allocator is taken to live in memory 0 of several".into());
    }
    if graph.growers().is_empty() && !facts.module.memories.is_empty() {
        blind.push("no code grows the memory: growth is the host's, seen when records are".into());
    }
    blind
}
