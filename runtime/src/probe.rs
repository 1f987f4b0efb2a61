//! Asks functions that may be an allocator's to behave like one, in an instance of their own.
//!
//! The instance has no host: its imports are stubs that answer 0, its memory is bounded, and so is
//! the work it may do. What an allocator must do is checked on the real code: blocks that lie in
//! memory, do not overlap and keep what is written into them; freed blocks that serve again; memory
//! that grows for what is kept and not for what comes and goes. A function that passes is an
//! allocator in every way that matters to a trace, whatever it is called.

use crate::error::Error;
use std::ops::Range;
use wasmtime::{
    Caller, Config, Engine, Func, Instance, Linker, Memory, Module, OptLevel, Store, StoreLimits,
    StoreLimitsBuilder, Val, ValType,
};

/// Memory that a probed module may have.
const MAX_MEMORY: usize = 256 << 20;

/// Instructions that one check may take.
const FUEL: u64 = 400_000_000;

/// Calls of the churn check, and blocks of the check that keeps them.
const PAIRS: u32 = 20_000;
const KEPT: u32 = 2_000;
const KEPT_SIZE: u32 = 5_000;

/// What to pass for a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// The size of the block.
    Size,
    /// The block.
    Pointer,
    /// An alignment of 8.
    Align,
    /// 0.
    Zero,
}

/// A function to try, by its export, with the readings of its parameters to try in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// The export's name.
    pub export: String,
    /// What the parameters may mean.
    pub readings: Vec<Vec<Argument>>,
}

/// A `malloc` to try, and the functions that may be its `free`, the likeliest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspects {
    /// What may be the `malloc`.
    pub malloc: Suspect,
    /// What may be its `free`.
    pub frees: Vec<Suspect>,
}

/// One check and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// Whether it passed.
    pub passed: bool,
    /// What was seen, a sentence.
    pub detail: String,
}

/// What a probe has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probed {
    /// The checks, in the order in which they were made.
    pub checks: Vec<Check>,
    /// The reading of the `malloc` that passed, by index.
    pub malloc: Option<usize>,
    /// The `free` that passed, and its reading, by index.
    pub free: Option<(usize, usize)>,
}

/// A module to probe: an original with exports for the suspects.
#[derive(Clone, Debug, Default)]
pub struct Probe {
    /// The module's bytes.
    pub wasm: Vec<u8>,
    /// Export name of the memory that the allocator works on.
    pub memory: String,
    /// Imports by which the module asks its host to grow the memory to a number of bytes.
    pub grow_imports: Vec<(String, String)>,
}

type Result<T> = std::result::Result<T, String>;

impl Probe {
    /// Tries the suspects.
    ///
    /// # Errors
    /// When the module does not compile, or cannot be instantiated with stubs.
    pub fn run(&self, suspects: &Suspects) -> std::result::Result<Probed, Error> {
        let mut config = Config::new();
        config.consume_fuel(true).cranelift_opt_level(OptLevel::None).wasm_multi_memory(true);
        let compile = |error| Error::Compile(format!("{error:#}"));
        let engine = Engine::new(&config).map_err(compile)?;
        let module = Module::new(&engine, &self.wasm).map_err(compile)?;
        Guest::new(self, &module)?;
        let mut probed = Probed::default();
        for (reading, arguments) in suspects.malloc.readings.iter().enumerate() {
            let malloc = Function { export: &suspects.malloc.export, arguments };
            let mut checks = Vec::new();
            let passed = self.blocks(&module, &malloc, &mut checks);
            if passed || probed.checks.is_empty() {
                probed.checks = checks;
            }
            if !passed {
                continue;
            }
            probed.malloc = Some(reading);
            probed.free = self.find_free(&module, &malloc, suspects, &mut probed.checks);
            break;
        }
        Ok(probed)
    }

    fn find_free(
        &self,
        module: &Module,
        malloc: &Function<'_>,
        suspects: &Suspects,
        all: &mut Vec<Check>,
    ) -> Option<(usize, usize)> {
        for (index, free) in suspects.frees.iter().enumerate() {
            for (reading, arguments) in free.readings.iter().enumerate() {
                let free = Function { export: &free.export, arguments };
                let mut checks = Vec::new();
                if self.reuse(module, malloc, &free, &mut checks) {
                    all.extend(checks);
                    return Some((index, reading));
                }
            }
        }
        all.push(Check {
            name: "free",
            passed: false,
            detail: format!("none of {} functions gives blocks back", suspects.frees.len()),
        });
        None
    }

    /// Blocks lie in memory, apart from each other, and keep what is written into them.
    fn blocks(&self, module: &Module, malloc: &Function<'_>, checks: &mut Vec<Check>) -> bool {
        let run = |guest: &mut Guest| -> Result<String> {
            let mut blocks: Vec<(Range<u64>, u8)> = Vec::new();
            let before = guest.memory.size(&guest.store);
            for round in 0u32..200 {
                let size = [1, 8, 24, 40, 100, 500, 1500, 5000][round as usize % 8];
                let block = guest.allocate(malloc, size)?;
                if block.start % 4 != 0 {
                    return Err(format!("{:#x} is not aligned", block.start));
                }
                if let Some((other, _)) =
                    blocks.iter().find(|(b, _)| b.start < block.end && block.start < b.end)
                {
                    return Err(format!("{block:x?} overlaps {other:x?}"));
                }
                let mark = round as u8 ^ 0x5a;
                guest.bytes(&block)?.fill(mark);
                blocks.push((block, mark));
            }
            for (block, mark) in &blocks {
                if guest.bytes(block)?.iter().any(|byte| byte != mark) {
                    return Err(format!("what was written to {block:x?} has changed"));
                }
            }
            let grown = (guest.memory.size(&guest.store) - before) * 64;
            let asked: u64 = blocks.iter().map(|(block, _)| block.end - block.start).sum();
            if grown * 1024 > asked * 4 + (4 << 20) {
                return Err(format!("the memory grew by {grown} KiB for {} KiB", asked / 1024));
            }
            Ok("200 blocks of 1 to 5000 bytes are aligned, apart, and keep what is written".into())
        };
        self.check("blocks", module, run, checks)
            && self.check("growth", module, |guest| self.keeps(guest, malloc), checks)
    }

    /// What is kept makes the memory grow, and by no more than it needs.
    fn keeps(&self, guest: &mut Guest, malloc: &Function<'_>) -> Result<String> {
        let before = guest.memory.size(&guest.store);
        for _ in 0..KEPT {
            guest.allocate(malloc, KEPT_SIZE)?;
        }
        let pages = guest.memory.size(&guest.store) - before;
        let needed = u64::from(KEPT) * u64::from(KEPT_SIZE) / 65536;
        // What was there before may have room for a part of it.
        let room = before.min(needed);
        if pages + room < needed || pages > needed * 3 + 64 {
            return Err(format!("the memory grew by {pages} pages for {needed}"));
        }
        Ok(format!("{KEPT} kept blocks of {KEPT_SIZE} bytes grow the memory by {pages} pages"))
    }

    /// Freed blocks serve again.
    fn reuse(
        &self,
        module: &Module,
        malloc: &Function<'_>,
        free: &Function<'_>,
        checks: &mut Vec<Check>,
    ) -> bool {
        let churn = |guest: &mut Guest| -> Result<String> {
            // Neighbours keep a freed block from melting into the free space around it.
            let _fence = guest.allocate(malloc, 64)?;
            let block = guest.allocate(malloc, 64)?;
            let _fence = guest.allocate(malloc, 64)?;
            let before = guest.memory.size(&guest.store);
            guest.free(free, block.start, 64)?;
            let mut seen = Vec::new();
            for _ in 0..PAIRS {
                let again = guest.allocate(malloc, 64)?;
                if seen.len() < 64 && !seen.contains(&again.start) {
                    seen.push(again.start);
                }
                guest.bytes(&again)?.fill(0xa5);
                guest.free(free, again.start, 64)?;
            }
            let pages = guest.memory.size(&guest.store) - before;
            if pages > 8 || seen.len() > 16 {
                return Err(format!(
                    "{PAIRS} pairs of malloc and free touch {} addresses or more and grow the \
                     memory by {pages} pages",
                    seen.len()
                ));
            }
            if !seen.contains(&block.start) {
                return Err("a freed block does not serve again".into());
            }
            Ok(format!("{PAIRS} pairs of malloc and free use {} addresses", seen.len()))
        };
        let refill = |guest: &mut Guest| -> Result<String> {
            let mut blocks = Vec::new();
            for _ in 0..KEPT / 2 {
                blocks.push(guest.allocate(malloc, KEPT_SIZE)?);
            }
            let full = guest.memory.size(&guest.store);
            for block in blocks {
                guest.free(free, block.start, u64::from(KEPT_SIZE))?;
            }
            let mut again: Vec<Range<u64>> = Vec::new();
            for _ in 0..KEPT / 2 {
                again.push(guest.allocate(malloc, KEPT_SIZE)?);
            }
            again.sort_by_key(|block| block.start);
            if let Some(pair) = again.windows(2).find(|pair| pair[0].end > pair[1].start) {
                return Err(format!("{:x?} and {:x?} overlap", pair[0], pair[1]));
            }
            let pages = guest.memory.size(&guest.store) - full;
            if pages > full / 10 + 2 {
                return Err(format!("after all was freed the memory grew by {pages} pages more"));
            }
            Ok(format!("{} freed blocks serve again; {pages} pages more", KEPT / 2))
        };
        self.check("reuse", module, churn, checks) && self.check("refill", module, refill, checks)
    }

    /// Runs one check in a fresh instance.
    fn check(
        &self,
        name: &'static str,
        module: &Module,
        run: impl FnOnce(&mut Guest) -> Result<String>,
        checks: &mut Vec<Check>,
    ) -> bool {
        let result = match Guest::new(self, module) {
            Ok(mut guest) => run(&mut guest),
            Err(error) => Err(error.to_string()),
        };
        let passed = result.is_ok();
        let (Ok(detail) | Err(detail)) = result;
        checks.push(Check { name, passed, detail });
        passed
    }
}

struct Function<'a> {
    export: &'a str,
    arguments: &'a [Argument],
}

/// One instance with stubs for a host.
struct Guest {
    store: Store<StoreLimits>,
    instance: Instance,
    memory: Memory,
}

impl Guest {
    fn new(probe: &Probe, module: &Module) -> std::result::Result<Guest, Error> {
        let link = |error: wasmtime::Error| Error::Link(format!("{error:#}"));
        let limits = StoreLimitsBuilder::new().memory_size(MAX_MEMORY).build();
        let mut store = Store::new(module.engine(), limits);
        store.limiter(|limits| limits);
        store.set_fuel(FUEL).map_err(link)?;
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
        Ok(Guest { store, instance, memory })
    }

    fn allocate(&mut self, malloc: &Function<'_>, size: u32) -> Result<Range<u64>> {
        let start = self.call(malloc, u64::from(size), 0)?.ok_or("it answers nothing")?;
        let end = start.saturating_add(u64::from(size));
        if start == 0 {
            return Err(format!("it answers 0 to a request for {size} bytes"));
        }
        if end > self.memory.data_size(&self.store) as u64 {
            return Err(format!("{start:#x} is outside of the memory"));
        }
        Ok(start..end)
    }

    fn free(&mut self, free: &Function<'_>, pointer: u64, size: u64) -> Result<()> {
        self.call(free, size, pointer).map(drop)
    }

    fn bytes(&mut self, block: &Range<u64>) -> Result<&mut [u8]> {
        let range = block.start as usize..block.end as usize;
        self.memory.data_mut(&mut self.store).get_mut(range).ok_or("it is outside".into())
    }

    fn call(&mut self, function: &Function<'_>, size: u64, pointer: u64) -> Result<Option<u64>> {
        let target =
            self.instance.get_func(&mut self.store, function.export).ok_or("it is not exported")?;
        let ty = target.ty(&self.store);
        let values = function.arguments.iter().map(|argument| match argument {
            Argument::Size => size,
            Argument::Pointer => pointer,
            Argument::Align => 8,
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
