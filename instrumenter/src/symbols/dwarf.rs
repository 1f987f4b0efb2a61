//! Files, lines and inlined frames from DWARF.

use crate::{facts::Facts, symbols::demangle::demangle};
use gimli::{Dwarf, EndianArcSlice, LittleEndian};
use seepage_trace::Frame;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

type Slice = EndianArcSlice<LittleEndian>;

/// More frames inlined into one than any compiler makes; a hostile module's DWARF may claim more.
const MAX_INLINED: usize = 64;

/// The line table of a module.
pub(crate) struct Lines {
    context: Mutex<addr2line::Context<Slice>>,
    strings: Mutex<HashMap<String, Arc<str>>>,
    /// DWARF counts from the code section's contents.
    code_start: u32,
}

impl Lines {
    /// `None` when the module has no DWARF, or none that can be read.
    pub(crate) fn new(facts: &Facts<'_>) -> Option<Lines> {
        if !facts.module.dwarf {
            return None;
        }
        let empty: Slice = EndianArcSlice::new(Arc::from([]), LittleEndian);
        let dwarf = Dwarf::load(|id| {
            Ok::<_, gimli::Error>(match facts.debug_section(id.name()) {
                Some(bytes) => EndianArcSlice::new(Arc::from(bytes), LittleEndian),
                None => empty.clone(),
            })
        })
        .ok()?;
        Some(Lines {
            context: Mutex::new(addr2line::Context::from_dwarf(dwarf).ok()?),
            strings: Mutex::default(),
            code_start: facts.code_start,
        })
    }

    /// The frames at an offset of the module, innermost first; empty when DWARF says nothing.
    pub(crate) fn frames(&self, offset: u32) -> Vec<Frame> {
        let Some(address) = offset.checked_sub(self.code_start) else { return Vec::new() };
        let Ok(context) = self.context.lock() else { return Vec::new() };
        let mut frames = Vec::new();
        let Ok(mut found) = context.find_frames(u64::from(address)).skip_all_loads() else {
            return frames;
        };
        while let Ok(Some(frame)) = found.next() {
            if frames.len() == MAX_INLINED {
                break;
            }
            let function = match &frame.function {
                Some(name) => self.intern(readable(name)),
                None => "".into(),
            };
            let location = frame.location.as_ref();
            frames.push(Frame {
                function,
                file: location.and_then(|at| at.file).map(|file| self.intern(file.to_owned())),
                line: location.and_then(|at| at.line).filter(|&line| line > 0),
                column: location.and_then(|at| at.column).filter(|&column| column > 0),
                inlined: true,
                recursion: false,
            });
        }
        if let Some(outermost) = frames.last_mut() {
            outermost.inlined = false;
        }
        frames
    }

    fn intern(&self, text: String) -> Arc<str> {
        match self.strings.lock() {
            Ok(mut strings) => {
                strings.entry(text).or_insert_with_key(|text| Arc::from(text.as_str())).clone()
            }
            Err(_) => text.into(),
        }
    }
}

fn readable(name: &addr2line::FunctionName<Slice>) -> String {
    match name.raw_name() {
        Ok(name) => demangle(&name).into_owned(),
        Err(_) => String::new(),
    }
}
