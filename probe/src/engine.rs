//! What a probe asks of an engine: to run a module that needs no host and bounds itself.
//!
//! All that engines differ in stays out of it. The module imports nothing; what can be called takes
//! and answers 64-bit numbers; its memory has a maximum; and it pays for what it does out of a
//! global, so that the same work is cut off at the same instruction everywhere.

/// The export of the memory that the candidates work on.
pub const MEMORY: &str = "seepage:probe:memory";

/// The export of the global, a 64-bit number, that what the module does is taken from. Below zero
/// everything traps.
pub const FUEL: &str = "seepage:probe:fuel";

/// The export by which a function can be called, whose index is that in the original.
pub fn export(function: u32) -> String {
    format!("seepage:probe:{function}")
}

/// Who can run a module.
pub trait Engine {
    /// Compiles the module of which the instances will be.
    ///
    /// # Errors
    /// When the engine does not take it: why.
    fn compile(&mut self, wasm: &[u8]) -> Result<(), String>;

    /// A fresh instance of it.
    ///
    /// # Errors
    /// When there can be none: why.
    fn instantiate(&mut self) -> Result<Box<dyn Instance>, String>;
}

/// A module with memory and globals of its own.
pub trait Instance {
    /// Calls an export.
    ///
    /// # Errors
    /// When there is none of that name, or the call does not return: why.
    fn call(&mut self, export: &str, arguments: &[u64]) -> Result<u64, String>;

    /// Bytes of the memory; none if there is no memory.
    fn size(&mut self) -> u64;

    /// Fills the buffer with what stands at an address. Whether that is in memory.
    fn read(&mut self, address: u64, bytes: &mut [u8]) -> bool;

    /// Writes to an address. Whether that is in memory.
    fn write(&mut self, address: u64, bytes: &[u8]) -> bool;

    /// What is left to spend; below zero once it is spent.
    fn fuel(&mut self) -> i64;

    /// Gives it so much to spend.
    fn set_fuel(&mut self, fuel: i64);
}
