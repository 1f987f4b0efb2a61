//! What every host does to bound how many addresses the locals and operands of the calls under way may
//! hold, which stand nowhere else: [`State::hidden`].
//!
//! No engine shows them. But whoever has the code of a module can tell of each call how much it will
//! read again that could be an address. Without, some stacks are known to hold nothing: those that
//! only the runtime of the language is on.

use crate::{
    ids::ModuleId,
    message::{Frame, State},
};
use alloc::{sync::Arc, vec::Vec};

/// Functions of C's and Rust's runtimes that stand on the stack when a program exits after its
/// `main` has returned.
const AFTER_MAIN: [&str; 7] =
    ["_start", "_start.command_export", "exit", "_Exit", "__wasi_proc_exit", "__exit", "proc_exit"];
/// Without names: the entry, and libc's way from it to the host, when `main` returned a code.
const FEW_CALLS: usize = 4;
/// What a nameless function is called that reads the program's arguments: it calls `main`.
const CALLS_MAIN: &str = "(args_get)";

/// A call under way: a function of an instrumented module, and where in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallUnderWay {
    /// The module.
    pub module: ModuleId,
    /// The function, by its index in the instrumented module.
    pub function: u32,
    /// The call's offset in the instrumented module.
    pub offset: Option<u32>,
}

/// What comes of the innermost call of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Innermost {
    /// It goes on, as all the others do.
    GoesOn,
    /// It has ended the program.
    Exits,
    /// It cannot go on.
    Traps,
}

/// What a host knows of the modules whose calls are on a stack.
pub trait Code {
    /// Whether a call's function was in the module before it was instrumented.
    fn is_original(&self, call: CallUnderWay) -> bool;
    /// How many addresses the calls at these offsets of the instrumented module may keep together
    /// for when they go on; [`State::UNBOUNDED`] if there is no telling.
    fn kept(&self, module: ModuleId, offsets: &[u32]) -> u32;
    /// The frames of a call, innermost first.
    fn frames(&self, call: CallUnderWay) -> Vec<Frame>;
}

/// How many addresses the calls of a stack may hold, the innermost first. `None` stands for a call of
/// a module that nobody knows, and `is_cut` says that outer ones are missing.
pub fn hidden(
    stack: &[Option<CallUnderWay>],
    is_cut: bool,
    innermost: Innermost,
    code: &impl Code,
) -> u32 {
    if is_cut {
        return State::UNBOUNDED;
    }
    let is_injected = |call: &Option<CallUnderWay>| call.is_some_and(|it| !code.is_original(it));
    if innermost == Innermost::GoesOn && stack.iter().all(is_injected) {
        return 0;
    }
    let is_over = innermost != Innermost::GoesOn;
    let place = |call: &Option<CallUnderWay>| call.and_then(|it| Some((it.module, it.offset?)));
    let calls: Option<Vec<_>> = stack.iter().skip(usize::from(is_over)).map(place).collect();
    let hidden = calls.map_or(State::UNBOUNDED, |calls| {
        let kept = calls.chunk_by(|(a, _), (b, _)| a == b).map(|calls| {
            let offsets: Vec<u32> = calls.iter().map(|&(_, offset)| offset).collect();
            code.kept(calls[0].0, &offsets)
        });
        kept.fold(0, u32::saturating_add)
    });
    let is_known = hidden != State::UNBOUNDED;
    if !is_known && innermost == Innermost::Exits && is_after_main(stack, code) {
        0
    } else {
        hidden
    }
}

/// Whether all calls on a stack seem to be those of a runtime whose `main` has returned.
fn is_after_main(stack: &[Option<CallUnderWay>], code: &impl Code) -> bool {
    let calls: Option<Vec<CallUnderWay>> = stack.iter().copied().collect();
    let Some(calls) = calls else { return false };
    let functions = calls.into_iter().flat_map(|call| code.frames(call));
    let functions = functions.map(|frame| frame.function);
    let is_runtime = |function: &Arc<str>| AFTER_MAIN.contains(&&**function);
    let is_nameless = |function: &Arc<str>| {
        function.starts_with("wasm-function[") && !function.ends_with(CALLS_MAIN)
    };
    let others: Vec<Arc<str>> = functions.filter(|function| !is_runtime(function)).collect();
    others.len() <= FEW_CALLS && others.iter().all(is_nameless)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, vec};

    /// Functions below 10 are the module's own; a call at an offset keeps that many addresses.
    struct Known(&'static [&'static str]);

    impl Code for Known {
        fn is_original(&self, call: CallUnderWay) -> bool {
            call.function < 10
        }

        fn kept(&self, module: ModuleId, offsets: &[u32]) -> u32 {
            if module.0 == 0 { offsets.iter().sum() } else { State::UNBOUNDED }
        }

        fn frames(&self, call: CallUnderWay) -> Vec<Frame> {
            let name = self.0.get(call.function as usize);
            let unnamed = || format!("wasm-function[{}]", call.function);
            vec![Frame::function(name.map_or_else(unnamed, |&name| name.into()))]
        }
    }

    const NAMELESS: Known = Known(&[]);

    fn call(module: u32, function: u32, offset: u32) -> Option<CallUnderWay> {
        Some(CallUnderWay { module: ModuleId(module), function, offset: Some(offset) })
    }

    #[test]
    fn each_call_that_goes_on_counts() {
        use Innermost::{Exits, GoesOn, Traps};
        let stack = [call(0, 1, 3), call(0, 2, 4), call(0, 11, 5)];
        let bounds = [GoesOn, Exits, Traps].map(|way| hidden(&stack, false, way, &NAMELESS));
        assert_eq!(bounds, [12, 9, 9]);
        assert_eq!(hidden(&stack, true, GoesOn, &NAMELESS), State::UNBOUNDED);
        assert_eq!(hidden(&[], false, GoesOn, &NAMELESS), 0);
    }

    #[test]
    fn what_is_not_known_may_keep_any_number() {
        let way = Innermost::Traps;
        for unknown in
            [None, call(1, 1, 0), call(0, 1, 0).map(|it| CallUnderWay { offset: None, ..it })]
        {
            assert_eq!(hidden(&[call(0, 2, 1), unknown], false, way, &NAMELESS), State::UNBOUNDED);
            assert_eq!(hidden(&[unknown, call(0, 2, 1)], false, way, &NAMELESS), 1, "it is over");
        }
    }

    #[test]
    fn injected_code_alone_keeps_nothing() {
        assert_eq!(
            hidden(&[call(0, 11, 3), call(0, 12, 4)], false, Innermost::GoesOn, &NAMELESS),
            0
        );
    }

    #[test]
    fn a_runtime_whose_main_has_returned_keeps_nothing() {
        let code = Known(&["_start", "main", "exit"]);
        let after = [call(1, 2, 0), call(1, 0, 0)];
        let within = [call(1, 2, 0), call(1, 1, 0), call(1, 0, 0)];
        assert_eq!(hidden(&after, false, Innermost::Exits, &code), 0);
        assert_eq!(hidden(&after, false, Innermost::Traps, &code), State::UNBOUNDED);
        assert_eq!(hidden(&within, false, Innermost::Exits, &code), State::UNBOUNDED);
        let nameless = [call(1, 4, 0), call(1, 5, 0), call(1, 6, 0), call(1, 7, 0), call(1, 8, 0)];
        assert_eq!(hidden(&nameless[..4], false, Innermost::Exits, &code), 0);
        assert_eq!(hidden(&nameless, false, Innermost::Exits, &code), State::UNBOUNDED);
    }
}
