//! Asks functions that may be an allocator's to behave like one, in instances of their own.
//!
//! What an allocator must do is checked on the real code: blocks that lie in memory, do not overlap
//! and keep what is written into them; freed blocks that serve again; memory that grows for what is
//! kept and not for what comes and goes. A function that passes is an allocator in every way that
//! matters to a trace, whatever it is called.
//!
//! The crate knows no engine: [`engine`] says what it asks of one, and of the module that it runs.
//! The same checks on the same module come out the same in any.
//!
//! ```text
//! malloc ─ passes ──► free ─ passes ──► every other function, by itself
//!    └► next reading    └► next function    └► resize, zeroed or aligned · returned · exact
//! ```
#![deny(missing_docs)]

mod basics;
mod blocks;
pub mod engine;
mod guest;
mod others;

use basics::Sizes;
use engine::Engine;
use guest::{Function, Guest};

/// What all checks of a `malloc` and its `free` may spend, and what one of them may: instructions,
/// of which those of a branch that is not taken count as well.
const FUEL: u64 = 2_000_000_000;
const SHARE: u64 = 400_000_000;

/// The same for the other functions.
const OTHERS_FUEL: u64 = 1_000_000_000;
const OTHERS_SHARE: u64 = 100_000_000;

/// What a single call may spend that is only to show whether there is an answer.
const CALL: u64 = 10_000_000;

/// A parameter's meaning, as far as a probe needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The size of the block.
    Size,
    /// How many of that size.
    Count,
    /// The block.
    Pointer,
    /// The size that the block has.
    OldSize,
    /// The alignment wanted.
    Align,
    /// The allocator itself: where it keeps its state.
    Own,
    /// Anything.
    Other,
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
    pub parameters: Vec<Meaning>,
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

type Result<T> = std::result::Result<T, String>;

/// Tries the suspects in instances of the module that the engine has compiled.
///
/// # Errors
/// When there can be no instance: why.
pub fn run(engine: &mut dyn Engine, suspects: &Suspects) -> Result<Probed> {
    engine.instantiate()?;
    let mut bench = Bench { engine, fuel: FUEL, share: SHARE };
    let mut probed = Probed::default();
    let Some((reading, sizes, checks)) = malloc(&mut bench, &suspects.malloc, &mut probed.checks)
    else {
        return Ok(probed);
    };
    probed.malloc = Some(reading);
    probed.checks = checks;
    let malloc = Function::new(&suspects.malloc, reading);
    for (index, free) in suspects.frees.iter().enumerate() {
        let passed = bench.try_readings(
            free,
            |bench, free, checks| {
                basics::reuse(bench, &malloc, free, checks)
                    && basics::refill(bench, &malloc, free, &sizes, checks)
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
    (bench.fuel, bench.share) = (OTHERS_FUEL, OTHERS_SHARE);
    others::run(&mut bench, &malloc, &free, &suspects.others, &mut probed);
    Ok(probed)
}

/// The reading of a `malloc` that passes, and the sizes that it takes.
fn malloc(
    bench: &mut Bench<'_>,
    suspect: &Suspect,
    furthest: &mut Vec<Check>,
) -> Option<(usize, Sizes, Vec<Check>)> {
    let mut sizes = Sizes::default();
    let (reading, checks) = bench.try_readings(
        suspect,
        |bench, malloc, checks| {
            sizes = Sizes::of(bench, malloc);
            basics::blocks(bench, malloc, &sizes, checks)
                && basics::growth(bench, malloc, &sizes, checks)
        },
        furthest,
    )?;
    Some((reading, sizes, checks))
}

/// Where checks are made: each in instances of its own, out of one purse.
struct Bench<'a> {
    engine: &'a mut dyn Engine,
    /// What is left to spend for all checks.
    fuel: u64,
    /// What one check may spend.
    share: u64,
}

impl Bench<'_> {
    /// Runs something in a fresh instance, for no more than so much.
    fn run<T>(&mut self, most: u64, run: impl FnOnce(&mut Guest) -> Result<T>) -> Result<T> {
        let instance = self.engine.instantiate()?;
        let mut guest = Guest::new(instance, most.min(self.fuel));
        let result = run(&mut guest);
        self.fuel = self.fuel.saturating_sub(guest.spent());
        result
    }

    /// Runs one check in a fresh instance.
    fn check(
        &mut self,
        name: &'static str,
        function: &Function<'_>,
        checks: &mut Vec<Check>,
        run: impl FnOnce(&mut Guest) -> Result<String>,
    ) -> bool {
        let result = self.run(self.share, run);
        let passed = result.is_ok();
        let (Ok(detail) | Err(detail)) = result;
        checks.push(Check { name, export: Some(function.export.into()), passed, detail });
        passed
    }

    /// The first reading that passes, with its checks; if none does, `furthest` gets those of the
    /// one that went furthest.
    fn try_readings(
        &mut self,
        suspect: &Suspect,
        mut passes: impl FnMut(&mut Self, &Function<'_>, &mut Vec<Check>) -> bool,
        furthest: &mut Vec<Check>,
    ) -> Option<(usize, Vec<Check>)> {
        for reading in 0..suspect.readings.len() {
            let mut checks = Vec::new();
            if passes(self, &Function::new(suspect, reading), &mut checks) {
                return Some((reading, checks));
            }
            if checks.len() > furthest.len() {
                *furthest = checks;
            }
        }
        None
    }
}
