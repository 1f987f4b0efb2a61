//! Emits the module, with the section that tells a host about it.
//!
//! The section names offsets in the very module that it ends, so it is made while walrus emits.

use super::context::OriginalSite;
use crate::{facts::Facts, instrumented::CodeMap, symbols::Symbols};
use seepage_trace::{
    Frame, ModuleInfo, RecordLayout, SiteTable, abi,
    sites::{Function, Site, Transport},
};
use std::{
    borrow::Cow,
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex},
};
use walrus::{CodeTransform, CustomSection, FunctionId, IdsToIndices, Module};

/// What the section is made from.
pub(crate) struct Content<'a> {
    pub(crate) info: ModuleInfo,
    pub(crate) transport: Transport,
    pub(crate) layout: RecordLayout,
    pub(crate) sites: Vec<OriginalSite>,
    /// The functions of the original, by index.
    pub(crate) functions: Vec<FunctionId>,
    pub(crate) facts: &'a Facts<'a>,
    pub(crate) symbols: &'a Symbols,
}

/// The module's bytes, its table, and where its instructions came from.
pub(crate) fn emit(module: &mut Module, content: Content<'_>) -> (Vec<u8>, SiteTable, CodeMap) {
    let moved = Arc::new(Mutex::new(Moved::default()));
    module.customs.add(Probe { moved: moved.clone(), functions: content.functions.clone() });
    let mut wasm = module.emit_wasm();
    let moved = std::mem::take(&mut *moved.lock().unwrap_or_else(|poison| poison.into_inner()));
    let table = table(content, &moved);
    // walrus wrote the probe's empty section last; the real one goes behind it, where a section
    // may always stand, and the empty one is cut off again.
    wasm.truncate(wasm.len() - EMPTY_SECTION.len());
    append_section(&mut wasm, abi::SECTION, &table.encode());
    (wasm, table, CodeMap::new(moved.instructions.into_iter()))
}

/// What walrus makes of [`Probe`]: id 0, length, and its name's length and text.
const EMPTY_SECTION: &[u8] = b"\0\x05\x04seep";

#[derive(Debug, Default)]
struct Moved {
    /// Offsets in the original and in the result.
    instructions: Vec<(u32, u32)>,
    /// New index of each function of the original.
    functions: Vec<u32>,
}

/// Learns what moved where.
#[derive(Debug)]
struct Probe {
    moved: Arc<Mutex<Moved>>,
    functions: Vec<FunctionId>,
}

impl CustomSection for Probe {
    fn name(&self) -> &str {
        "seep"
    }

    fn data(&self, ids: &IdsToIndices) -> Cow<'_, [u8]> {
        if let Ok(mut moved) = self.moved.lock() {
            moved.functions = self.functions.iter().map(|&id| ids.get_func_index(id)).collect();
        }
        Cow::Borrowed(&[])
    }

    fn apply_code_transform(&mut self, transform: &CodeTransform) {
        if let Ok(mut moved) = self.moved.lock() {
            moved.instructions = transform
                .instruction_map
                .iter()
                .map(|&(original, new)| (original.data(), new as u32))
                .collect();
        }
    }
}

fn table(content: Content<'_>, moved: &Moved) -> SiteTable {
    let mut frames = Frames::default();
    let mut sites: Vec<Site> = content
        .sites
        .iter()
        .filter_map(|site| {
            // The map is by rising original offset.
            let at = moved.instructions.binary_search_by_key(&site.offset, |pair| pair.0).ok()?;
            Some(Site {
                offset: moved.instructions[at].1,
                original: site.offset,
                recursive: site.is_recursive,
                frames: frames.intern(content.symbols.frames(site.offset)),
            })
        })
        .collect();
    sites.sort_unstable_by_key(|site| site.offset);
    let count = moved.functions.iter().max().map_or(0, |&max| max as usize + 1);
    let mut functions = vec![None; count];
    for (original, &new) in moved.functions.iter().enumerate() {
        let original = original as u32;
        let name = content.facts.known_name(original);
        functions[new as usize] = Some(Function { original, name });
    }
    SiteTable {
        module: content.info,
        transport: content.transport,
        layout: content.layout,
        sites,
        frames: frames.all,
        functions,
    }
}

#[derive(Default)]
struct Frames {
    all: Vec<Frame>,
    known: HashMap<Vec<Frame>, Range<u32>>,
}

impl Frames {
    fn intern(&mut self, frames: Vec<Frame>) -> Range<u32> {
        if let Some(range) = self.known.get(&frames) {
            return range.clone();
        }
        let start = self.all.len() as u32;
        self.all.extend(frames.iter().cloned());
        let range = start..self.all.len() as u32;
        self.known.insert(frames, range.clone());
        range
    }
}

fn append_section(wasm: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut header = Vec::new();
    write_u32(&mut header, name.len() as u32);
    header.extend(name.as_bytes());
    wasm.push(0);
    write_u32(wasm, (header.len() + data.len()) as u32);
    wasm.extend(header);
    wasm.extend(data);
}

fn write_u32(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
