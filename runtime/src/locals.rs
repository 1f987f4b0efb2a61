//! What is known of the locals and operands of the calls that are under way: how many addresses they
//! may hold that stand nowhere else.
//!
//! wasmtime does not show them. But whoever has the module's code can tell of each call how much it
//! will read again that could be an address ([`KeptInLocals`]). Without, some stacks are
//! known to hold nothing: those that only the runtime of the language is on.

use crate::{
    end::Symbolizer,
    instance::{Instance, Shared, lock},
    stacks::{Call, MAX_FRAMES},
};
use seepage_trace::{Frame, State};
use std::sync::Arc;
use wasmtime::{AsContext, Error, FrameInfo, Module, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// Tells how many addresses the calls at these offsets of the instrumented module may keep together
/// for when they go on; `u32::MAX` if there is no telling.
pub type KeptInLocals = dyn Fn(&[u32]) -> u32 + Send + Sync;

/// Functions of C's and Rust's runtimes that stand on the stack when a program exits after its
/// `main` has returned.
const AFTER_MAIN: [&str; 7] =
    ["_start", "_start.command_export", "exit", "_Exit", "__wasi_proc_exit", "__exit", "proc_exit"];
/// Without names: the entry, and libc's way from it to the host, when `main` returned a code.
const FEW_CALLS: usize = 4;
/// What a nameless function is called that reads the program's arguments: it calls `main`.
const CALLS_MAIN: &str = "(args_get)";

/// Those of a guest whose last call returned `error`.
pub(crate) fn at_end(error: Option<&Error>, symbolizer: &Symbolizer<'_>) -> u32 {
    let Some(error) = error else { return 0 };
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return State::UNBOUNDED };
    let has_exited = error.is::<I32Exit>();
    let trapped = |trap: &Trap| *trap != Trap::Interrupt;
    // Where it has exited or trapped, the innermost call does not go on.
    let is_over = has_exited || error.downcast_ref().is_some_and(trapped);
    let hidden = hidden(symbolizer.modules, backtrace, usize::from(is_over));
    let is_known = hidden != State::UNBOUNDED;
    if !is_known && has_exited && is_after_main(symbolizer, backtrace) { 0 } else { hidden }
}

/// Whether all calls on a stack seem to be those of a runtime whose `main` has returned.
fn is_after_main(symbolizer: &Symbolizer<'_>, backtrace: &WasmBacktrace) -> bool {
    let stack = symbolizer.stack(backtrace);
    let is_runtime = |frame: &&Frame| AFTER_MAIN.contains(&&*frame.function);
    let is_nameless = |frame: &Frame| {
        frame.function.starts_with("wasm-function[") && !frame.function.ends_with(CALLS_MAIN)
    };
    let others: Vec<&Frame> = stack.iter().filter(|frame| !is_runtime(frame)).collect();
    others.len() <= FEW_CALLS && others.into_iter().all(is_nameless)
}

impl Shared {
    /// Those of a guest that waits in a function of the host.
    pub(crate) fn hidden(&self, store: impl AsContext) -> u32 {
        let instances = lock(&self.instances);
        let is_own = |info: &FrameInfo| {
            let traced = of(&instances, info);
            traced.is_none_or(|traced| traced.table().is_original(info.func_index()))
        };
        let backtrace = WasmBacktrace::force_capture(store);
        if !backtrace.frames().iter().any(is_own) {
            return 0;
        }
        hidden(&instances, &backtrace, 0)
    }
}

/// How many addresses the calls of a stack may hold, without the `innermost` ones.
fn hidden(modules: &[Arc<Instance>], backtrace: &WasmBacktrace, innermost: usize) -> u32 {
    let frames = backtrace.frames();
    if frames.len() >= MAX_FRAMES {
        return State::UNBOUNDED;
    }
    let call = |info: &FrameInfo| Some((of(modules, info)?, Call::of(info).offset?));
    let calls: Option<Vec<_>> = frames.iter().skip(innermost).map(call).collect();
    let Some(calls) = calls else { return State::UNBOUNDED };
    let kept = calls.chunk_by(|(a, _), (b, _)| Arc::ptr_eq(a, b)).map(|calls| {
        let offsets: Vec<u32> = calls.iter().map(|&(_, offset)| offset).collect();
        calls[0].0.kept().map_or(State::UNBOUNDED, |kept| kept(&offsets))
    });
    kept.fold(0, u32::saturating_add)
}

fn of<'a>(modules: &'a [Arc<Instance>], info: &FrameInfo) -> Option<&'a Arc<Instance>> {
    modules.iter().find(|it| Module::same(it.module(), info.module()))
}
