//! Asks functions that may be an allocator's to behave like one, in an instance of their own.
//!
//! The instance has no host: its imports are stubs that answer 0, its memory is bounded, and so is
//! the work it may do. What an allocator must do is checked on the real code: blocks that lie in
//! memory, do not overlap and keep what is written into them; freed blocks that serve again; memory
//! that grows for what is kept and not for what comes and goes. A function that passes is an
//! allocator in every way that matters to a trace, whatever it is called.
//!
//! ```text
//! malloc ─ passes ──► free ─ passes ──► every other function, by itself
//!    └► next reading    └► next function    └► resize, zeroed or aligned · returned · exact
//! ```

mod basics;
mod blocks;
mod guest;
mod others;

use crate::error::Error;
use guest::{Function, Guest};
use std::cell::Cell;
use wasmtime::{Config, Engine, Module, OptLevel};

/// Instructions that one check of `malloc` and `free` may take.
const FUEL: u64 = 400_000_000;

/// Instructions that one check of another function may take, and all of those together.
const OTHER_FUEL: u64 = 100_000_000;
const OTHERS_FUEL: u64 = 2_000_000_000;

/// What to pass for a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// The size of the block.
    Size,
    /// How many of that size.
    Count,
    /// The block.
    Pointer,
    /// The size that the block has.
    OldSize,
    /// The alignment.
    Align,
    /// The allocator: an address below all static data, where nothing but zeros is.
    Own,
    /// 0.
    Zero,
}

/// What a function must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Give a block.
    Allocate,
    /// Take one back.
    Free,
    /// Resize a block, and move it where it must.
    Resize,
    /// Resize a block and answer its address, or answer 0 and leave it as it is.
    ResizeOrRefuse,
    /// Resize a block where it is and answer 1, or answer 0 and leave it as it is.
    ResizeInPlace,
    /// Give a block that holds zeros.
    AllocateZeroed,
    /// Give a block of the alignment asked for.
    AllocateAligned,
}

/// One way to take a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What it must do.
    pub service: Service,
    /// What its parameters mean.
    pub arguments: Vec<Argument>,
}

/// A function to try, by its export, with its readings to try in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// The export's name.
    pub export: String,
    /// What it may be.
    pub readings: Vec<Reading>,
}

/// What may be one allocator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspects {
    /// What may be the `malloc`.
    pub malloc: Suspect,
    /// What may be its `free`, the likeliest first.
    pub frees: Vec<Suspect>,
    /// What may be its other functions.
    pub others: Vec<Suspect>,
}

/// One check and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// The export of the function that it is about, if it is about one.
    pub export: Option<String>,
    /// Whether it passed.
    pub passed: bool,
    /// What was seen, a sentence.
    pub detail: String,
}

/// What a probe has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probed {
    /// The checks, in the order in which they were made. Of a function that failed, only those of
    /// the reading that went furthest.
    pub checks: Vec<Check>,
    /// The reading of the `malloc` that passed, by index.
    pub malloc: Option<usize>,
    /// The `free` that passed, and its reading, by index.
    pub free: Option<(usize, usize)>,
    /// The others that passed, and their readings, by index.
    pub others: Vec<(usize, usize)>,
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
        let bench = Bench { probe: self, module: &module, fuel: Cell::new(u64::MAX), share: FUEL };
        bench.guest()?;
        let mut probed = Probed::default();
        let Some((reading, checks)) = bench.try_readings(
            &suspects.malloc,
            |malloc, checks| {
                basics::blocks(&bench, malloc, checks) && basics::growth(&bench, malloc, checks)
            },
            &mut probed.checks,
        ) else {
            return Ok(probed);
        };
        probed.malloc = Some(reading);
        probed.checks = checks;
        let malloc = Function::new(&suspects.malloc, reading);
        for (index, free) in suspects.frees.iter().enumerate() {
            let passed = bench.try_readings(
                free,
                |free, checks| {
                    basics::reuse(&bench, &malloc, free, checks)
                        && basics::refill(&bench, &malloc, free, checks)
                },
                &mut Vec::new(),
            );
            if let Some((reading, checks)) = passed {
                probed.checks.extend(checks);
                probed.free = Some((index, reading));
                break;
            }
        }
        let Some((index, reading)) = probed.free else {
            let detail = format!("none of {} functions gives blocks back", suspects.frees.len());
            probed.checks.push(Check { name: "free", export: None, passed: false, detail });
            return Ok(probed);
        };
        let free = Function::new(&suspects.frees[index], reading);
        let bench = Bench { fuel: Cell::new(OTHERS_FUEL), share: OTHER_FUEL, ..bench };
        others::run(&bench, &malloc, &free, &suspects.others, &mut probed);
        Ok(probed)
    }
}

/// Where checks are made: each in instances of its own, out of one purse.
struct Bench<'a> {
    probe: &'a Probe,
    module: &'a Module,
    /// Instructions that are left for all checks.
    fuel: Cell<u64>,
    /// Instructions that one check may take.
    share: u64,
}

impl Bench<'_> {
    fn guest(&self) -> std::result::Result<Guest, Error> {
        Guest::new(self.probe, self.module, self.share.min(self.fuel.get()))
    }

    /// Runs one check in a fresh instance.
    fn check(
        &self,
        name: &'static str,
        function: &Function<'_>,
        checks: &mut Vec<Check>,
        run: impl FnOnce(&mut Guest) -> Result<String>,
    ) -> bool {
        let result = match self.guest() {
            Ok(mut guest) => {
                let result = run(&mut guest);
                self.fuel.set(self.fuel.get().saturating_sub(guest.used()));
                result
            }
            Err(error) => Err(error.to_string()),
        };
        let passed = result.is_ok();
        let (Ok(detail) | Err(detail)) = result;
        checks.push(Check { name, export: Some(function.export.into()), passed, detail });
        passed
    }

    /// The first reading that passes, with its checks; if none does, `furthest` gets those of the
    /// one that went furthest.
    fn try_readings(
        &self,
        suspect: &Suspect,
        passes: impl Fn(&Function<'_>, &mut Vec<Check>) -> bool,
        furthest: &mut Vec<Check>,
    ) -> Option<(usize, Vec<Check>)> {
        for reading in 0..suspect.readings.len() {
            let mut checks = Vec::new();
            if passes(&Function::new(suspect, reading), &mut checks) {
                return Some((reading, checks));
            }
            if checks.len() > furthest.len() {
                *furthest = checks;
            }
        }
        None
    }
}
