//! The hooked functions of a made-up guest.

use seepage_trace::{Role, Tracepoint};

/// One for each role, named after it, of one family: the place in the list is the number by which
/// records name it.
pub fn tracepoints<const COUNT: usize>(roles: [Role; COUNT]) -> Vec<Tracepoint> {
    let tracepoint = |role: Role| Tracepoint {
        index: role as u32,
        function: role.name().into(),
        role,
        family: "c".into(),
        how: String::new(),
    };
    roles.map(tracepoint).to_vec()
}
