//! Names for functions that have none.

use crate::{facts::Facts, glue, graph::CallGraph};

/// WASI imports that, in every libc, one function calls for one purpose. A stripped program's
/// function that calls one is named after it, so that the libc's own blocks are known for what
/// they are.
const TELLING_IMPORTS: [&str; 4] =
    ["args_get", "environ_get", "fd_prestat_get", "fd_prestat_dir_name"];

/// How the imports begin, but for underscores, by which C++ tells JavaScript of its classes and
/// functions, with blocks that JavaScript keeps.
const EMBIND: &str = "embind_register_";

/// What is said of a function that calls one of these.
pub(crate) const REGISTERS: &str = "embind_register";

/// Bodies of at most so many bytes around a call of an import are taken for its wrapper.
const WRAPPER_BYTES: u32 = 64;

/// The telling import that a function serves: it calls the import, or a wrapper of it. Where imports
/// are minified, the `glue` may tell their names.
pub(crate) fn served_imports(
    facts: &Facts<'_>,
    graph: &CallGraph,
    glue: Option<&str>,
) -> Vec<(u32, &'static str)> {
    let mut served = Vec::new();
    let minified = glue.map(|text| glue::imports(text, EMBIND)).unwrap_or_default();
    for (index, import) in facts.imports.iter().enumerate() {
        let is_named = import.name.trim_start_matches('_').starts_with(EMBIND);
        if is_named || minified.contains(import.name) {
            served.extend(graph.callers(index as u32).map(|caller| (caller, REGISTERS)));
            continue;
        }
        let Some(telling) = TELLING_IMPORTS.into_iter().find(|name| *name == import.name) else {
            continue;
        };
        if !import.module.starts_with("wasi") {
            continue;
        }
        for caller in graph.callers(index as u32) {
            let is_wrapper = facts.body_size(caller).is_some_and(|size| size <= WRAPPER_BYTES);
            if is_wrapper {
                served.extend(graph.callers(caller).map(|user| (user, telling)));
            } else {
                served.push((caller, telling));
            }
        }
    }
    served.sort_unstable();
    served.dedup_by_key(|(function, _)| *function);
    served
}
