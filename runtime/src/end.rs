//! What a guest's last call came back with, in the words of a trace: its end, and for a trap the
//! stack in terms of the original module.

use crate::{
    instance::Instance,
    stacks::{Call, INNERMOST},
};
use seepage_trace::{End, Frame, Outcome};
use std::sync::Arc;
use wasmtime::{Error, FrameInfo, Module, ThrownException, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// Of a trap's stack, the outermost calls that are kept.
const OUTERMOST: usize = 16;

/// Tells the source frames of any instruction, innermost first, by its offset in the instrumented
/// module.
pub type Symbolize = dyn Fn(u32) -> Vec<Frame> + Send;

/// Puts names to the frames of a trap and of other stacks that are no context's.
pub(crate) struct Symbolizer<'a> {
    pub(crate) modules: &'a [Arc<Instance>],
    /// For the instructions that are no traced call, where somebody knows them.
    pub(crate) instruction: Option<&'a Symbolize>,
}

/// How a guest ended whose last call returned `error`.
pub(crate) fn of(error: Option<&Error>, symbolizer: &Symbolizer<'_>) -> End {
    let Some(error) = error else {
        return End { outcome: Outcome::Returned, ..End::default() };
    };
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return End { outcome: Outcome::Exited, exit_code: Some(exit.0), ..End::default() };
    }
    let (outcome, message) = if let Some(trap) = error.downcast_ref::<Trap>() {
        (Outcome::Trapped, trap.to_string())
    } else if error.is::<ThrownException>() {
        (Outcome::Trapped, "an exception was thrown and not caught".into())
    } else {
        (Outcome::Failed, host_message(error))
    };
    let trap_stack = match error.downcast_ref::<WasmBacktrace>() {
        Some(backtrace) => symbolizer.stack(backtrace),
        None => Vec::new(),
    };
    End { outcome, message: Some(message), trap_stack, ..End::default() }
}

/// A host function's error, without the wasm backtrace that wasmtime puts in front.
fn host_message(error: &Error) -> String {
    let messages = error.chain().map(ToString::to_string);
    let own: Vec<_> = messages.filter(|m| !m.contains("wasm backtrace:\n")).collect();
    if own.is_empty() { "the host failed".into() } else { own.join(": ") }
}

impl Symbolizer<'_> {
    pub(crate) fn stack(&self, backtrace: &WasmBacktrace) -> Vec<Frame> {
        let infos = backtrace.frames();
        if infos.len() <= INNERMOST + OUTERMOST {
            return infos.iter().flat_map(|info| self.frames(info)).collect();
        }
        let (inner, outer) = (&infos[..INNERMOST], &infos[infos.len() - OUTERMOST..]);
        let mut stack: Vec<_> = inner.iter().flat_map(|info| self.frames(info)).collect();
        // Deeper than anything but a recursion goes.
        if let Some(last) = stack.last_mut() {
            last.recursion = true;
        }
        stack.extend(outer.iter().flat_map(|info| self.frames(info)));
        stack
    }

    fn frames(&self, info: &FrameInfo) -> Vec<Frame> {
        let traced = self.modules.iter().find(|m| Module::same(m.module(), info.module()));
        let Some(traced) = traced else {
            let index = info.func_index();
            let name =
                info.func_name().map_or_else(|| format!("wasm-function[{index}]"), Into::into);
            return vec![Frame::function(name)];
        };
        self.call(traced, Call::of(info))
    }

    /// The frames of calls in one module, innermost first.
    pub(crate) fn calls(&self, traced: &Instance, calls: &[Call]) -> Vec<Frame> {
        calls.iter().flat_map(|&call| self.call(traced, call)).collect()
    }

    fn call(&self, traced: &Instance, Call { function: index, offset }: Call) -> Vec<Frame> {
        let table = traced.table();
        if !table.is_original(index) {
            return Vec::new();
        }
        let is_site = offset.is_some_and(|offset| table.site(offset).is_some());
        if let (false, Some(offset), Some(instruction)) = (is_site, offset, self.instruction) {
            let frames = instruction(offset);
            if !frames.is_empty() {
                return frames;
            }
        }
        table.frames(index, offset)
    }
}
