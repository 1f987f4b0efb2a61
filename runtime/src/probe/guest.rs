//! The instance in which functions are tried: stubs for a host, and bounds for memory and work.

use super::{Argument, Probe, Reading, Result, Suspect};
use crate::error::Error;
use std::ops::Range;
use wasmtime::{
    Caller, Func, Instance, Linker, Memory, Module, Store, StoreLimits, StoreLimitsBuilder, Val,
    ValType,
};

/// Memory that a probed module may have.
const MAX_MEMORY: usize = 256 << 20;

/// Where an allocator that is told where its state is may have it. Linkers keep the first page free
/// of static data, up to 1024 or the end of the stack; null would not do where code checks for it.
const OWN: u64 = 64;

/// A function in one of its readings.
pub(super) struct Function<'a> {
    pub(super) export: &'a str,
    pub(super) reading: &'a Reading,
}

impl<'a> Function<'a> {
    pub(super) fn new(suspect: &'a Suspect, reading: usize) -> Function<'a> {
        Function { export: &suspect.export, reading: &suspect.readings[reading] }
    }

    pub(super) fn takes(&self, argument: Argument) -> bool {
        self.reading.arguments.contains(&argument)
    }
}

/// What is passed in one call.
#[derive(Clone, Copy)]
pub(super) struct Values {
    pub(super) size: u64,
    pub(super) count: u64,
    pub(super) pointer: u64,
    pub(super) old: u64,
    pub(super) align: u64,
}

impl Default for Values {
    fn default() -> Values {
        Values { size: 0, count: 1, pointer: 0, old: 0, align: 8 }
    }
}

/// One instance with stubs for a host.
pub(super) struct Guest {
    store: Store<StoreLimits>,
    instance: Instance,
    memory: Memory,
    fuel: u64,
}

impl Guest {
    pub(super) fn new(
        probe: &Probe,
        module: &Module,
        fuel: u64,
    ) -> std::result::Result<Guest, Error> {
        let link = |error: wasmtime::Error| Error::Link(format!("{error:#}"));
        let limits = StoreLimitsBuilder::new().memory_size(MAX_MEMORY).build();
        let mut store = Store::new(module.engine(), limits);
        store.limiter(|limits| limits);
        store.set_fuel(fuel).map_err(link)?;
        let mut linker = Linker::new(module.engine());
        for import in module.imports() {
            let name = (import.module().to_string(), import.name().to_string());
            if probe.grow_imports.contains(&name)
                && let Some(ty) = import.ty().func()
            {
                let memory = probe.memory.clone();
                let grow = Func::new(&mut store, ty.clone(), move |caller, arguments, results| {
                    grow(caller, &memory, arguments, results);
                    Ok(())
                });
                linker.define(&store, import.module(), import.name(), grow).map_err(link)?;
            }
        }
        linker.define_unknown_imports_as_default_values(&mut store, module).map_err(link)?;
        let instance = linker.instantiate(&mut store, module).map_err(link)?;
        let memory = instance
            .get_memory(&mut store, &probe.memory)
            .ok_or_else(|| Error::Link("the module has no memory".into()))?;
        Ok(Guest { store, instance, memory, fuel })
    }

    /// Instructions that were run.
    pub(super) fn used(&self) -> u64 {
        self.fuel.saturating_sub(self.store.get_fuel().unwrap_or(0))
    }

    /// The size of the memory in pages.
    pub(super) fn pages(&self) -> u64 {
        self.memory.size(&self.store)
    }

    pub(super) fn allocate(&mut self, malloc: &Function<'_>, size: u32) -> Result<Range<u64>> {
        let values = Values { size: size.into(), ..Values::default() };
        self.block(malloc, values, size.into())
    }

    /// Calls what answers a block of a size, which must lie in memory.
    pub(super) fn block(
        &mut self,
        function: &Function<'_>,
        values: Values,
        size: u64,
    ) -> Result<Range<u64>> {
        let start = self.call(function, values)?.ok_or("it answers nothing")?;
        if start == 0 {
            return Err(format!("it answers 0 to a request for {size} bytes"));
        }
        self.range(start, size)
    }

    /// The bytes from an address on, which must be in memory.
    pub(super) fn range(&self, start: u64, size: u64) -> Result<Range<u64>> {
        let end = start.saturating_add(size);
        if end > self.memory.data_size(&self.store) as u64 {
            return Err(format!("{start:#x} is outside of the memory"));
        }
        Ok(start..end)
    }

    pub(super) fn free(&mut self, free: &Function<'_>, pointer: u64, size: u64) -> Result<()> {
        self.call(free, Values { pointer, size, ..Values::default() }).map(drop)
    }

    pub(super) fn bytes(&mut self, block: &Range<u64>) -> Result<&mut [u8]> {
        let range = block.start as usize..block.end as usize;
        self.memory.data_mut(&mut self.store).get_mut(range).ok_or("it is outside".into())
    }

    pub(super) fn call(&mut self, function: &Function<'_>, values: Values) -> Result<Option<u64>> {
        let target =
            self.instance.get_func(&mut self.store, function.export).ok_or("it is not exported")?;
        let ty = target.ty(&self.store);
        let values = function.reading.arguments.iter().map(|argument| match argument {
            Argument::Size => values.size,
            Argument::Count => values.count,
            Argument::Pointer => values.pointer,
            Argument::OldSize => values.old,
            Argument::Align => values.align,
            Argument::Own => OWN,
            Argument::Zero => 0,
        });
        let arguments: Vec<Val> = values
            .zip(ty.params())
            .map(|(value, ty)| match ty {
                ValType::I64 => Val::I64(value as i64),
                _ => Val::I32(value as i32),
            })
            .collect();
        let mut results = vec![Val::I32(0); ty.results().len()];
        target
            .call(&mut self.store, &arguments, &mut results)
            .map_err(|error| format!("it ends with: {}", error.root_cause()))?;
        Ok(results.first().and_then(|value| match value {
            Val::I32(value) => Some(u64::from(*value as u32)),
            Val::I64(value) => Some(*value as u64),
            _ => None,
        }))
    }
}

/// What an Emscripten host does when it is asked for a larger memory.
fn grow(mut caller: Caller<'_, StoreLimits>, memory: &str, arguments: &[Val], results: &mut [Val]) {
    let wanted = match arguments.first() {
        Some(Val::I32(bytes)) => u64::from(*bytes as u32),
        Some(Val::I64(bytes)) => *bytes as u64,
        _ => 0,
    };
    let Some(memory) = caller.get_export(memory).and_then(|export| export.into_memory()) else {
        return;
    };
    let pages = wanted.div_ceil(65536).saturating_sub(memory.size(&caller));
    let grown = memory.grow(&mut caller, pages).is_ok();
    for result in results {
        *result = match result.ty(&caller) {
            Ok(ValType::I64) => Val::I64(grown.into()),
            _ => Val::I32(grown.into()),
        };
    }
}
