//! TinyGo: `runtime.alloc`. Its collector takes blocks back without a call for each.

use super::{Family, Known};
use seepage_trace::Role;

pub(crate) const FAMILY: Family = Family {
    name: "tinygo",
    collected: true,
    inlined: false,
    functions: &[Known::new(
        Role::Malloc,
        &["runtime.alloc", "runtime.alloc_noheap"],
        &["size", "size _", "size _ _", "size _ _ _"],
    )],
};
