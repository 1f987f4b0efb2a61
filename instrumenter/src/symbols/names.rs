//! Names for functions that have none.

use crate::{facts::Facts, graph::CallGraph};

/// WASI imports that, in every libc, one function calls for one purpose. A stripped program's
/// function that calls one is named after it, so that the libc's own blocks are known for what
/// they are.
const TELLING_IMPORTS: [&str; 4] =
    ["args_get", "environ_get", "fd_prestat_get", "fd_prestat_dir_name"];

/// Bodies of at most so many bytes around a call of an import are taken for its wrapper.
const WRAPPER_BYTES: u32 = 64;

/// The telling import that a function serves: it calls the import, or a wrapper of it.
pub(crate) fn served_imports(facts: &Facts<'_>, graph: &CallGraph) -> Vec<(u32, &'static str)> {
    let mut served = Vec::new();
    for (index, import) in facts.imports.iter().enumerate() {
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
