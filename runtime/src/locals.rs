//! What wasmtime's backtraces tell of the calls under way, for [`seepage_trace::locals`].

use crate::{
    end::Symbolizer,
    instance::{Instance, Shared, lock},
    stacks::{Call, MAX_FRAMES},
};
use seepage_trace::{
    Frame, ModuleId, State,
    locals::{CallUnderWay, Code, Innermost, hidden},
};
use std::sync::Arc;
use wasmtime::{AsContext, Error, FrameInfo, Module, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// Tells how many addresses the calls at these offsets of the instrumented module may keep together
/// for when they go on; `u32::MAX` if there is no telling.
pub type KeptInLocals = dyn Fn(&[u32]) -> u32 + Send + Sync;

/// Those of a guest whose last call returned `error`.
pub(crate) fn at_end(error: Option<&Error>, symbolizer: &Symbolizer<'_>) -> u32 {
    let Some(error) = error else { return 0 };
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return State::UNBOUNDED };
    let trapped = |trap: &Trap| *trap != Trap::Interrupt;
    let innermost = if error.is::<I32Exit>() {
        Innermost::Exits
    } else if error.downcast_ref().is_some_and(trapped) {
        Innermost::Traps
    } else {
        Innermost::GoesOn
    };
    of(symbolizer, backtrace, innermost)
}

impl Shared {
    /// Those of a guest that waits in a function of the host.
    pub(crate) fn hidden(&self, store: impl AsContext) -> u32 {
        let instances = lock(&self.instances);
        let symbolizer = Symbolizer { modules: &instances, instruction: None };
        of(&symbolizer, &WasmBacktrace::force_capture(store), Innermost::GoesOn)
    }
}

fn of(symbolizer: &Symbolizer<'_>, backtrace: &WasmBacktrace, innermost: Innermost) -> u32 {
    let call = |info: &FrameInfo| {
        let is_of = |instance: &&Arc<Instance>| Module::same(instance.module(), info.module());
        let module = symbolizer.modules.iter().find(is_of)?.id();
        let Call { function, offset } = Call::of(info);
        Some(CallUnderWay { module, function, offset })
    };
    let frames = backtrace.frames();
    let stack: Vec<Option<CallUnderWay>> = frames.iter().map(call).collect();
    hidden(&stack, frames.len() >= MAX_FRAMES, innermost, symbolizer)
}

impl Symbolizer<'_> {
    fn instance(&self, module: ModuleId) -> Option<&Instance> {
        self.modules.get(module.0 as usize).map(|instance| &**instance)
    }
}

impl Code for Symbolizer<'_> {
    fn is_original(&self, call: CallUnderWay) -> bool {
        let instance = self.instance(call.module);
        instance.is_none_or(|instance| instance.table().is_original(call.function))
    }

    fn kept(&self, module: ModuleId, offsets: &[u32]) -> u32 {
        let kept = self.instance(module).and_then(Instance::kept);
        kept.map_or(State::UNBOUNDED, |kept| kept(offsets))
    }

    fn frames(&self, call: CallUnderWay) -> Vec<Frame> {
        let CallUnderWay { module, function, offset } = call;
        let frames = |instance| self.calls(instance, &[Call { function, offset }]);
        self.instance(module).map(frames).unwrap_or_default()
    }
}
