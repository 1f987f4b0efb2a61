//! The suppressions that a program brings with it: what its `__lsan_default_suppressions` returns.

use crate::{instance::Shared, wasi::Host};
use seepage_trace::{Message, abi::SUPPRESSIONS};
use wasmtime::{Instance, Store, Val};

const NAME: &str = "__lsan_default_suppressions";
/// Bytes of text that are taken.
const MAX_TEXT: usize = 1 << 20;

/// Calls the function, if the module has it. What it does to the heap is no part of the run, which
/// must be over. Fails with what to say of it when it does not return.
pub(crate) fn told(
    shared: &Shared,
    store: &mut Store<Host>,
    instance: &Instance,
) -> Result<Option<Message<'static>>, String> {
    let found = instance.get_func(&mut *store, SUPPRESSIONS);
    let Some(function) = found.or_else(|| instance.get_func(&mut *store, NAME)) else {
        return Ok(None);
    };
    let ty = function.ty(&*store);
    if ty.params().len() != 0 || ty.results().len() != 1 {
        return Ok(None);
    }
    let mut results = [Val::I32(0)];
    if let Err(error) = function.call(&mut *store, &[], &mut results) {
        return Err(format!("its {NAME} failed: {}", error.root_cause()));
    }
    let at = match results[0] {
        Val::I32(at) => u64::from(at as u32),
        Val::I64(at) => at as u64,
        _ => return Ok(None),
    };
    let memory = shared.instances().first().and_then(|traced| traced.memory());
    let Some(memory) = memory.filter(|_| at != 0) else { return Ok(None) };
    let bytes = usize::try_from(at).ok().and_then(|at| memory.data(&*store).get(at..));
    let bytes = bytes.ok_or_else(|| format!("its {NAME} returned no address of its memory"))?;
    let bytes = &bytes[..bytes.len().min(MAX_TEXT)];
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
    Ok(Some(Message::Suppressions { origin: NAME.into(), text }))
}
