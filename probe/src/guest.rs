//! A function called as one of its readings says, in an instance of its own.

use crate::{Meaning, Reading, Result, Suspect, engine::Instance};
use std::ops::Range;

/// Where an allocator that is told where its state is may have it. Linkers keep the first page free
/// of static data, up to 1024 or the end of the stack; null would not do where code checks for it.
const OWN: u64 = 64;

/// Bytes of a page of memory.
const PAGE: u64 = 65536;

/// A function in one of its readings.
pub(crate) struct Function<'a> {
    pub(crate) export: &'a str,
    pub(crate) reading: &'a Reading,
}

impl<'a> Function<'a> {
    pub(crate) fn new(suspect: &'a Suspect, reading: usize) -> Function<'a> {
        Function { export: &suspect.export, reading: &suspect.readings[reading] }
    }

    pub(crate) fn takes(&self, meaning: Meaning) -> bool {
        self.reading.parameters.contains(&meaning)
    }
}

/// What is passed in one call.
#[derive(Clone, Copy)]
pub(crate) struct Values {
    pub(crate) size: u64,
    pub(crate) count: u64,
    pub(crate) pointer: u64,
    pub(crate) old: u64,
    pub(crate) align: u64,
}

impl Default for Values {
    fn default() -> Values {
        Values { size: 0, count: 1, pointer: 0, old: 0, align: 8 }
    }
}

/// One instance, with so much to spend.
pub(crate) struct Guest {
    instance: Box<dyn Instance>,
    given: u64,
}

impl Guest {
    pub(crate) fn new(mut instance: Box<dyn Instance>, fuel: u64) -> Guest {
        instance.set_fuel(i64::try_from(fuel).unwrap_or(i64::MAX));
        Guest { instance, given: fuel }
    }

    /// What it has spent.
    pub(crate) fn spent(&mut self) -> u64 {
        self.given.saturating_add_signed(-self.instance.fuel().max(0))
    }

    /// The size of the memory in pages.
    pub(crate) fn pages(&mut self) -> u64 {
        self.instance.size() / PAGE
    }

    pub(crate) fn allocate(&mut self, malloc: &Function<'_>, size: u64) -> Result<Range<u64>> {
        self.block(malloc, Values { size, ..Values::default() }, size)
    }

    /// Calls what answers a block of a size, which must lie in memory.
    pub(crate) fn block(
        &mut self,
        function: &Function<'_>,
        values: Values,
        size: u64,
    ) -> Result<Range<u64>> {
        match self.call(function, values)? {
            0 => Err(format!("it answers 0 to a request for {size} bytes")),
            start => self.range(start, size),
        }
    }

    /// The bytes from an address on, which must be in memory.
    pub(crate) fn range(&mut self, start: u64, size: u64) -> Result<Range<u64>> {
        let end = start.saturating_add(size);
        match end <= self.instance.size() {
            true => Ok(start..end),
            false => Err(outside(start)),
        }
    }

    pub(crate) fn free(&mut self, free: &Function<'_>, block: &Range<u64>) -> Result<()> {
        let (pointer, size) = (block.start, block.end - block.start);
        self.call(free, Values { pointer, size, ..Values::default() }).map(drop)
    }

    pub(crate) fn read(&mut self, block: &Range<u64>) -> Result<Vec<u8>> {
        // What lies in memory is no larger than that.
        let range = self.range(block.start, block.end.saturating_sub(block.start))?;
        let mut bytes = vec![0; (range.end - range.start) as usize];
        match self.instance.read(range.start, &mut bytes) {
            true => Ok(bytes),
            false => Err(outside(range.start)),
        }
    }

    pub(crate) fn write(&mut self, address: u64, bytes: &[u8]) -> Result<()> {
        match self.instance.write(address, bytes) {
            true => Ok(()),
            false => Err(outside(address)),
        }
    }

    /// Writes the same byte all over a block.
    pub(crate) fn fill(&mut self, block: &Range<u64>, byte: u8) -> Result<()> {
        self.write(block.start, &vec![byte; (block.end - block.start) as usize])
    }

    pub(crate) fn call(&mut self, function: &Function<'_>, values: Values) -> Result<u64> {
        let arguments: Vec<u64> = function
            .reading
            .parameters
            .iter()
            .map(|meaning| match meaning {
                Meaning::Size => values.size,
                Meaning::Count => values.count,
                Meaning::Pointer => values.pointer,
                Meaning::OldSize => values.old,
                Meaning::Align => values.align,
                Meaning::Own => OWN,
                Meaning::Other => 0,
            })
            .collect();
        self.instance.call(function.export, &arguments).map_err(|error| {
            match self.instance.fuel() {
                0.. => format!("it ends with: {error}"),
                _ => "it takes too long".into(),
            }
        })
    }
}

fn outside(address: u64) -> String {
    format!("{address:#x} is outside of the memory")
}
