//! Tells doors apart: `new` from `malloc`, `new[]` from `new`, and Rust's shims from all of them.
//!
//! Who frees by `free` what came from `new` makes an error, but only who looks at whole doors may
//! say so. An optimiser dissolves a `delete` that only passes its pointer on, and folds two doors
//! of the same code into one. So a pair of doors is one of its own only where code of the program
//! still calls both its halves; else they all stay in the family of C++, which may take back any
//! block.
//!
//! Rust's shims are two functions deep, of which the outer one does nothing but call the inner. So
//! whatever dissolves shims, at link time or later, has left none of these pairs; where all pairs are
//! there, each block of Rust's goes through them. Where they are not, what calls `free` may be a shim
//! that was dissolved, and only lines can tell. In both cases Rust's allocator must stand on C's, as
//! std's does: beside one of its own, `malloc` may be one more name for it.

use crate::{
    allocators::{
        cpp::{self, Door},
        emscripten, libc,
        rust::{self, Shim},
    },
    discover::Hook,
    graph::CallGraph,
    inspection::NotHooked,
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

/// Gives Rust's shims a family that says whether all of Rust's blocks go through them.
pub(crate) fn tell_rust_apart(graph: &CallGraph, not_hooked: &[NotHooked], hooks: &mut [Hook]) {
    // What a shim without a hook calls would look like a call of the program's.
    if not_hooked.iter().any(|refused| refused.family == rust::FAMILY.name) {
        return;
    }
    let is_cs = |hook: &&Hook| [libc::FAMILY.name, emscripten::FAMILY.name].contains(&hook.family);
    let of_c: Vec<u32> = hooks.iter().filter(is_cs).map(|hook| hook.function).collect();
    let shims: Vec<&Hook> = hooks.iter().filter(|hook| is_rusts(hook)).collect();
    let above_rust = graph.reaching(shims.iter().map(|hook| hook.function));
    let above_c = graph.reaching(of_c.iter().copied());
    let is_above_c = |hook: &&Hook| above_c.contains(hook.function);
    // Without C there is nothing to be mistaken for.
    let stands_on_c = of_c.is_empty() || shims.iter().any(is_above_c);
    if !stands_on_c || of_c.iter().any(|&function| above_rust.contains(function)) {
        return;
    }
    let calls_c = |hook: &&Hook| graph.callees(hook.function).iter().any(|it| of_c.contains(it));
    let family = if are_paired(graph, &shims) {
        rust::SHIMS
    } else if shims.iter().any(calls_c) {
        rust::INLINED
    } else {
        // What stands between may be C code of an allocator that Rust brings along.
        return;
    };
    for hook in hooks.iter_mut().filter(|hook| is_rusts(hook)) {
        hook.family = family;
    }
}

fn is_rusts(hook: &Hook) -> bool {
    hook.family == rust::FAMILY.name
}

/// Whether blocks are allocated and freed through shims, each of which calls the one below it that
/// nobody else calls.
fn are_paired(graph: &CallGraph, shims: &[&Hook]) -> bool {
    let at = |level: Shim, role: Role| {
        let shims = shims.iter().filter(move |it| it.shim == Some(level) && it.shape.role == role);
        shims.map(|hook| hook.function)
    };
    let is_paired = |role: Role| {
        let upper: Vec<u32> = at(Shim::Upper, role).collect();
        let lower: Vec<u32> = at(Shim::Lower, role).collect();
        let calls = |it: &u32| graph.callees(*it).iter().any(|callee| lower.contains(callee));
        let is_called = |it: &u32| {
            graph.is_only_called(*it) && graph.callers(*it).all(|caller| upper.contains(&caller))
        };
        upper.iter().all(calls)
            && lower.iter().all(is_called)
            && upper.is_empty() == lower.is_empty()
    };
    let is_there = |role: Role| at(Shim::Upper, role).next().is_some();
    is_there(Role::Malloc)
        && is_there(Role::Free)
        && [Role::Malloc, Role::Calloc, Role::Realloc, Role::Free].into_iter().all(is_paired)
}
