//! Names and lines for code of the ORIGINAL module: rewriting moves code, so this is asked before.
//!
//! Sources in order of trust: DWARF (function, file, line, inlined frames), the name section, an
//! export's name, and for functions without any the WASI import they serve (see [`names`]).

pub(crate) mod demangle;
pub(crate) mod dwarf;
pub(crate) mod names;

use crate::facts::Facts;
use dwarf::Lines;
use seepage_trace::Frame;
use std::sync::Arc;

/// Answers who is at an offset of the original module.
pub(crate) struct Symbols {
    /// First offset of each function's body, its index, its name; by rising offset.
    functions: Vec<(u32, u32, Arc<str>)>,
    lines: Option<Lines>,
}

impl std::fmt::Debug for Symbols {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Symbols of {} functions", self.functions.len())
    }
}

impl Symbols {
    pub(crate) fn new(facts: &Facts<'_>) -> Symbols {
        let functions = facts
            .bodies
            .iter()
            .enumerate()
            .map(|(defined, body)| {
                let index = facts.module.imported_functions + defined as u32;
                (body.start, index, facts.function_name(index))
            })
            .collect();
        Symbols { functions, lines: Lines::new(facts) }
    }

    /// The frames at an offset, innermost first.
    pub(crate) fn frames(&self, offset: u32) -> Vec<Frame> {
        let Some(at) = self.functions.partition_point(|f| f.0 <= offset).checked_sub(1) else {
            return Vec::new();
        };
        let (_, _, name) = &self.functions[at];
        let mut frames = match &self.lines {
            Some(lines) => lines.frames(offset),
            None => Vec::new(),
        };
        match frames.last_mut() {
            // The name section knows the function that really stands in the module; DWARF may
            // name another one that was folded into it, or none.
            Some(outermost) if outermost.function.is_empty() => outermost.function = name.clone(),
            Some(_) => {}
            None => frames.push(Frame::function(name.clone())),
        }
        frames
    }
}
