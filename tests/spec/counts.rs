//! What is counted over all scripts.

use libtest_mimic::Failed;
use std::{collections::BTreeMap, fmt};

/// What became of the assertions.
#[derive(Debug, Default)]
pub struct Counts {
    /// Both worlds answer alike, and as the standard says.
    pub same: usize,
    /// About text alone: there is no module to instrument.
    pub text: usize,
    /// The module is refused, by the reason.
    pub refused: BTreeMap<String, usize>,
    /// The engine itself does not take the module, or answers otherwise than the standard says.
    pub engine: BTreeMap<String, usize>,
    /// Modules that were instrumented, and that were refused.
    pub modules: [usize; 2],
    /// Instrumented modules that have functions which were taken for an allocator's.
    pub hooked: usize,
    pub different: Vec<String>,
}

impl Counts {
    pub fn add(&mut self, other: Counts) {
        self.same += other.same;
        self.text += other.text;
        for (reason, count) in other.refused {
            *self.refused.entry(reason).or_default() += count;
        }
        for (reason, count) in other.engine {
            *self.engine.entry(reason).or_default() += count;
        }
        self.modules[0] += other.modules[0];
        self.modules[1] += other.modules[1];
        self.hooked += other.hooked;
        self.different.extend(other.different);
    }

    pub fn verdict(&self) -> Result<(), Failed> {
        match self.different.is_empty() {
            true => Ok(()),
            false => Err(self.different.join("\n").into()),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [instrumented, refused] = self.modules;
        writeln!(
            f,
            "modules: {instrumented} instrumented ({} with an allocator), {refused} refused",
            self.hooked
        )?;
        writeln!(f, "assertions: {} the same, {} different", self.same, self.different.len())?;
        writeln!(f, "            {} about text alone", self.text)?;
        for (reason, count) in &self.refused {
            writeln!(f, "            {count} about what seepage refuses: {reason}")?;
        }
        for (reason, count) in &self.engine {
            writeln!(f, "            {count} that wasmtime does not pass: {reason}")?;
        }
        Ok(())
    }
}
