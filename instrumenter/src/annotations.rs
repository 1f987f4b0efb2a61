//! The functions by which a program speaks to whoever watches its heap.
//!
//! They are known by their names, wherever these stand: as imports of any module, as exports, in the
//! name section or in DWARF. What a program defines itself keeps its body. An import is the
//! watcher's to provide, so that its call must not depend on a host: it becomes a function.

use crate::{
    config::Config,
    error::Error,
    facts::Facts,
    graph::{CallGraph, index_of},
    inspection::AnnotationFunction,
};
use seepage_trace::{Role, Tracepoint};
use std::collections::BTreeMap;
use walrus::{FunctionKind, Module, ValType};

/// A name, what it says, and how many parameters matter.
const KNOWN: [(&str, Role, usize); 8] = [
    ("seepage_mark", Role::Mark, 0),
    ("__lsan_do_leak_check", Role::Mark, 0),
    ("__lsan_do_recoverable_leak_check", Role::Mark, 0),
    ("__lsan_ignore_object", Role::IgnoreObject, 1),
    ("__lsan_disable", Role::Disable, 0),
    ("__lsan_enable", Role::Enable, 0),
    ("__lsan_register_root_region", Role::RegisterRegion, 2),
    ("__lsan_unregister_root_region", Role::UnregisterRegion, 2),
];

/// The function that tells a program's own suppressions.
const SUPPRESSIONS: &str = "__lsan_default_suppressions";

/// A function by which the program says something.
#[derive(Clone, Debug)]
pub(crate) struct Annotation {
    pub(crate) function: u32,
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    how: String,
}

/// An export whose return is a mark.
#[derive(Clone, Debug)]
pub(crate) struct MarkedExport {
    pub(crate) function: u32,
    pub(crate) name: String,
}

/// What there is to hear.
#[derive(Clone, Debug, Default)]
pub(crate) struct Annotations {
    /// By rising index of the function.
    pub(crate) functions: Vec<Annotation>,
    pub(crate) marked: Vec<MarkedExport>,
    /// The function that tells the suppressions, for its own callers.
    pub(crate) suppressions: Option<u32>,
}

impl Annotations {
    pub(crate) fn find(
        module: &Module,
        facts: &Facts<'_>,
        graph: &CallGraph,
        config: &Config,
    ) -> Result<Annotations, Error> {
        let mut found: BTreeMap<u32, Annotation> = BTreeMap::new();
        let mut suppressions = None;
        for (function, name, source) in names(facts) {
            if name == SUPPRESSIONS && graph.signature(function).is_some_and(tells_text) {
                suppressions = suppressions.or(Some(function));
            }
            let Some(&(name, role, needs)) = KNOWN.iter().find(|known| known.0 == name) else {
                continue;
            };
            let how = format!("{source} `{name}`");
            let annotation = Annotation { function, name, role, how };
            if fits(module, function, needs) {
                found.entry(function).or_insert(annotation);
            }
        }
        // The linker's door for the host calls the function that the program calls.
        let is_door = |annotation: &Annotation| {
            let mut callees = graph.callees(annotation.function).iter();
            callees.any(|it| found.get(it).is_some_and(|inner| inner.name == annotation.name))
        };
        let doors: Vec<u32> =
            found.values().filter(|it| is_door(it)).map(|it| it.function).collect();
        found.retain(|function, _| !doors.contains(function));
        let marked = config.mark_exports.iter().map(|name| marked(module, facts, name));
        let marked = marked.collect::<Result<_, _>>()?;
        Ok(Annotations { functions: found.into_values().collect(), marked, suppressions })
    }

    /// The functions whose calls are records, and so have a context.
    pub(crate) fn booked(&self) -> impl Iterator<Item = u32> + '_ {
        let booked = self.functions.iter().filter(|annotation| annotation.role != Role::Mark);
        booked.map(|annotation| annotation.function)
    }

    /// Whether anything marks a moment.
    pub(crate) fn marks(&self) -> bool {
        !self.marked.is_empty() || self.functions.iter().any(|it| it.role == Role::Mark)
    }

    /// A tracepoint for each function, and then for each marked export.
    pub(crate) fn tracepoints(&self) -> impl Iterator<Item = Tracepoint> + '_ {
        self.describe().into_iter().map(|AnnotationFunction { index, name, role, how }| {
            let family = if name.starts_with("__lsan") { "lsan" } else { "seepage" };
            Tracepoint { index, function: name, role, family: family.into(), how }
        })
    }

    pub(crate) fn describe(&self) -> Vec<AnnotationFunction> {
        let functions = self.functions.iter().map(|it| AnnotationFunction {
            index: it.function,
            name: it.name.into(),
            role: it.role,
            how: it.how.clone(),
        });
        let marked = self.marked.iter().map(|it| AnnotationFunction {
            index: it.function,
            name: it.name.clone(),
            role: Role::Mark,
            how: format!("--mark-export {}", it.name),
        });
        functions.chain(marked).collect()
    }
}

/// Functions by all names they have, the best source first.
fn names<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = (u32, &'a str, &'static str)> {
    let imports = (0u32..).zip(&facts.imports).map(|(index, it)| (index, it.name, "import"));
    let named = facts.names.iter().map(|(&index, &name)| (index, name, "name"));
    let debug = facts.debug_names.iter().map(|(&index, name)| (index, &**name, "DWARF name"));
    let exports = facts.exports.iter().map(|&(name, index)| (index, name, "export"));
    // An import's name in the name section is no more than a remark.
    let defined = named.chain(debug).chain(exports);
    let first = facts.module.imported_functions;
    imports.chain(defined.filter(move |&(index, ..)| index >= first))
}

/// Whether the parameters that matter are there; an import says nothing with others either.
fn fits(module: &Module, function: u32, needs: usize) -> bool {
    let Some(function) = module.funcs.iter().find(|it| index_of(it.id()) == function) else {
        return false;
    };
    let (parameters, _) = module.types.params_results(function.ty());
    let is_integer = |ty: &ValType| matches!(ty, ValType::I32 | ValType::I64);
    let has = parameters.get(..needs).is_some_and(|needed| needed.iter().all(is_integer));
    has && !matches!(function.kind, FunctionKind::Uninitialized(_))
}

fn tells_text((parameters, results): (&[ValType], &[ValType])) -> bool {
    parameters.is_empty() && matches!(results, [ValType::I32 | ValType::I64])
}

fn marked(module: &Module, facts: &Facts<'_>, name: &str) -> Result<MarkedExport, Error> {
    let fail = |why| Error::MarkExport { name: name.into(), why };
    let export = facts.exports.iter().find(|(export, _)| *export == name);
    let &(_, function) =
        export.ok_or_else(|| fail("the module exports no function of that name"))?;
    let found = module.funcs.iter().find(|it| index_of(it.id()) == function);
    match found {
        Some(it) if crate::rewrite::has_plain_type(module, it.ty()) => {
            Ok(MarkedExport { function, name: name.into() })
        }
        _ => Err(fail("its type takes part in recursion or subtyping")),
    }
}
