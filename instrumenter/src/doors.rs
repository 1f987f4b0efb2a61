//! Tells C++'s doors apart: `new` from `malloc`, and `new[]` from `new`.
//!
//! Who frees by `free` what came from `new` makes an error, but only who looks at whole doors may
//! say so. An optimiser dissolves a `delete` that only passes its pointer on, and folds two doors
//! of the same code into one. So a pair of doors is one of its own only where code of the program
//! still calls both its halves; else they all stay in the family of C++, which may take back any
//! block.

use crate::{
    allocators::cpp::{self, Door},
    discover::Hook,
    graph::CallGraph,
};
use seepage_trace::Role;

/// Gives the doors that the program calls families of their own. `inside` are the functions of
/// allocators, whose calls of each other do not count.
pub(crate) fn tell_apart(graph: &CallGraph, inside: &[bool], hooks: &mut [Hook]) {
    let is_called = |hook: &Hook| {
        let mut callers = graph.callers(hook.function);
        callers.any(|caller| !inside.get(caller as usize).copied().unwrap_or(true))
    };
    // The plain forms are those that every other one ends in.
    let called = |is_array: bool, is_free: bool| {
        let wanted = Door { is_array, is_plain: true };
        hooks.iter().any(|hook| {
            hook.door == Some(wanted)
                && (hook.shape.role == Role::Free) == is_free
                && is_called(hook)
        })
    };
    let are_whole = |is_array: bool| called(is_array, true) && called(is_array, false);
    let (scalar, array) = (are_whole(false), are_whole(true));
    for hook in hooks {
        hook.family = match hook.door {
            Some(Door { is_array: false, .. }) if scalar => cpp::NEW,
            // Without a pair of its own for one object, what is none of an array's is uncertain.
            Some(Door { is_array: true, .. }) if scalar && array => cpp::NEW_ARRAY,
            _ => hook.family,
        };
    }
}
