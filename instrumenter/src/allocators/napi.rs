//! napi-rs on wasm: the door through which the JavaScript side allocates.

use super::{Family, Known};
use seepage_trace::Role;

pub(crate) const FAMILY: Family = Family {
    name: "napi",
    collected: false,
    inlined: false,
    functions: &[
        Known::new(Role::Malloc, &["napi_wasm_malloc"], &["size"]).door(),
        Known::new(Role::Free, &["napi_wasm_free"], &["ptr"]).door(),
    ],
};
