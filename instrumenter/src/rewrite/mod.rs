//! The rewriting itself.
//!
//! ```text
//! (func $f                                  (func $f (local $caller i64)
//!                                             (local.set $caller (i64.mul (global.get $context) 3))
//!   (call $malloc (i32.const 8))       →      i32.const 8
//!                                             (global.set $context (i64.add $caller <site>))
//!                                             call $seepage:malloc
//!   (call $pure))                             (call $pure))
//! ```
//!
//! [`wrap`] makes the functions that stand before the allocator's, [`grow`] the one that stands
//! before `memory.grow` and its like, [`annotate`] those that book what the program says, [`fill`]
//! fills blocks, [`context`] counts calling contexts, [`record`] writes what happened, and
//! [`section`] tells the host about it all. Whatever is not on the way to an allocator stays as it
//! is, bit for bit.

mod annotate;
mod context;
mod export;
pub(crate) mod fill;
mod grow;
mod record;
mod section;
mod wrap;

use crate::{
    annotations::Annotations,
    config::{Config, Contexts},
    discover::Discovery,
    error::Error,
    facts::Facts,
    graph::{CallGraph, IndirectReach},
    inspection::Inspection,
    instrumented::Instrumented,
    layout,
    symbols::Symbols,
    usable::{Usable, teller},
};
use fill::Filler;
use record::Recorder;
use seepage_trace::{ModuleId, ModuleInfo, RecordLayout, Role, Tracepoint, TracepointId, abi};
use std::{borrow::Cow, collections::BTreeMap};
use walrus::{FunctionId, Module, ModuleConfig, TypeId};

/// More tracepoints than a record can name.
const MAX_TRACEPOINTS: usize = u16::MAX as usize;

/// Custom sections that say something about code at offsets, or about a module that is still to be
/// linked: neither holds after rewriting.
const STALE_SECTIONS: [&str; 4] =
    ["sourceMappingURL", "external_debug_info", "linking", "metadata.code.branch_hint"];

/// Reads the module for rewriting.
pub(crate) fn parse(wasm: &[u8]) -> Result<Module, Error> {
    let mut config = ModuleConfig::new();
    config.preserve_code_transform(true);
    config.parse(&without_dwarf(wasm)).map_err(|error| Error::Invalid(format!("{error:#}")))
}

/// The module without the DWARF behind its code. Rewriting would make it stale, what is wanted of
/// it goes into the section, and in a debug build it is the larger part of the file by far.
fn without_dwarf(wasm: &[u8]) -> Cow<'_, [u8]> {
    let (mut kept, mut end, mut is_behind_code) = (Vec::new(), 8, false);
    let sections = wasmparser::Parser::new(0).parse_all(wasm).map_while(Result::ok);
    let mut dropped = false;
    for payload in sections {
        is_behind_code |= matches!(payload, wasmparser::Payload::CodeSectionStart { .. });
        let Some((_, range)) = payload.as_section() else { continue };
        let is_dwarf = match &payload {
            wasmparser::Payload::CustomSection(section) => section.name().starts_with(".debug_"),
            _ => false,
        };
        // Before the code it would move the code, whose offsets are the original's.
        if is_dwarf && is_behind_code {
            if !dropped {
                kept.extend(&wasm[..end]);
                dropped = true;
            }
        } else if dropped {
            kept.extend(&wasm[end..range.end]);
        }
        end = range.end;
    }
    if dropped { kept.into() } else { wasm.into() }
}

/// What stands in for the module's own functions.
pub(crate) struct Replacements {
    /// A hooked function's wrapper.
    wrappers: BTreeMap<FunctionId, FunctionId>,
    /// By memory, in the module's order: the function that grows it.
    growers: BTreeMap<walrus::MemoryId, FunctionId>,
    /// By import through which the module asks its host for memory: the function that does.
    askers: BTreeMap<FunctionId, FunctionId>,
}

/// What is known of the module to rewrite.
#[derive(Clone, Copy)]
pub(crate) struct Original<'a> {
    pub(crate) facts: &'a Facts<'a>,
    pub(crate) graph: &'a CallGraph,
    pub(crate) discovery: &'a Discovery,
    pub(crate) annotations: &'a Annotations,
}

pub(crate) fn rewrite(
    module: &mut Module,
    original: &Original<'_>,
    inspection: Inspection,
    config: &Config,
) -> Result<Instrumented, Error> {
    let &Original { facts, graph, discovery, annotations } = original;
    let ids: Vec<FunctionId> = module.funcs.iter().map(|function| function.id()).collect();
    let is_wide = facts.module.memories.iter().any(|memory| memory.is_64);
    let layout = if is_wide { RecordLayout::Wide } else { RecordLayout::Narrow };
    let with_contexts = config.contexts == Contexts::On;

    // What the walk over the original must know is gathered before anything is added.
    let host_growth = &discovery.host_growth;
    let grown = host_growth.by_instruction(graph);
    let hooked = discovery.hooks.iter().map(|hook| hook.function);
    let said = annotations.booked();
    let reaching =
        graph.reaching(hooked.chain(grown.iter().chain(&host_growth.callers).copied()).chain(said));
    let indirect = IndirectReach::new(module, &reaching);
    let roots = layout::address_globals(module);
    let layout_of_memory = layout::layout(module);
    let memories: Vec<_> = module.memories.iter().map(|memory| memory.id()).collect();
    let usable = Usable::new(module, facts, graph, discovery);

    let mut tracepoints = Vec::new();
    let recorder = Recorder::new(module, config.transport, layout, with_contexts);
    let filler = Filler::new(module, facts, config.fill, config.transport);
    let works_outside: Vec<bool> =
        discovery.hooks.iter().map(|hook| discovery.works_outside(graph, hook)).collect();
    let nesting = works_outside.contains(&true).then(|| wrap::Nesting::new(module));
    let mut replacements = Replacements {
        wrappers: BTreeMap::new(),
        growers: BTreeMap::new(),
        askers: BTreeMap::new(),
    };
    for (hook, raises) in discovery.hooks.iter().zip(works_outside) {
        if hook.shape.role == Role::UsableSize {
            continue;
        }
        let tracepoint = TracepointId(tracepoints.len() as u16);
        let original = ids[hook.function as usize];
        let filling = filler.as_ref().filter(|_| fill::may_fill(hook)).map(|filler| {
            let usable = teller(discovery, hook).map(|it| ids[it.function as usize]);
            fill::Filling { filler, usable }
        });
        let asked = usable.of(discovery, hook).map(|function| ids[function as usize]);
        let nesting = nesting.map(|nesting| nesting.of(raises));
        let added = wrap::Added { recorder: &recorder, filling, nesting, asked };
        let wrapper = wrap::wrapper(module, added, original, hook, tracepoint);
        replacements.wrappers.insert(original, wrapper);
        tracepoints.push(Tracepoint {
            index: hook.function,
            function: facts.function_name(hook.function).to_string(),
            role: hook.shape.role,
            family: hook.family.into(),
            how: hook.how.clone(),
        });
    }
    if !grown.is_empty() {
        for (index, &memory) in memories.iter().enumerate() {
            let tracepoint = TracepointId(tracepoints.len() as u16);
            let grower = grow::grower(module, &recorder, memory, index as u32, tracepoint);
            replacements.growers.insert(memory, grower);
            tracepoints.push(Tracepoint {
                index: index as u32,
                function: "memory.grow".into(),
                role: Role::Grow,
                family: "wasm".into(),
                how: "instruction".into(),
            });
        }
    }
    for &import in host_growth.imports.iter().filter(|_| !host_growth.callers.is_empty()) {
        let (Some(&memory), Some(&id)) = (memories.first(), ids.get(import as usize)) else {
            continue;
        };
        let tracepoint = TracepointId(tracepoints.len() as u16);
        let asker = grow::asker(module, &recorder, id, memory, tracepoint);
        let Some(asker) = asker else { continue };
        replacements.askers.insert(id, asker);
        tracepoints.push(Tracepoint {
            index: import,
            function: facts.function_name(import).to_string(),
            role: Role::Grow,
            family: "host".into(),
            how: "import".into(),
        });
    }
    let first_said = tracepoints.len();
    tracepoints.extend(annotations.tracepoints());
    if tracepoints.len() > MAX_TRACEPOINTS {
        let (count, limit) = (tracepoints.len(), MAX_TRACEPOINTS);
        return Err(Error::TooMany { what: "allocator functions", count, limit });
    }

    let rewriter = context::Rewriter {
        graph,
        discovery,
        reaching: &reaching,
        indirect: &indirect,
        replacements: &replacements,
        groups: graph.recursion_groups(),
        context: recorder.context,
    };
    let sites = rewriter.functions(module, &ids);
    export::tables(module, &replacements, &ids);
    export::exports(module, graph, &reaching, &replacements, recorder.context);
    let annotator = annotate::Annotator { original, recorder: &recorder, first: first_said };
    annotator.annotate(module, &ids);
    for (index, memory) in memories.into_iter().enumerate() {
        module.exports.add(&format!("{}{index}", abi::MEMORY_EXPORT_PREFIX), memory);
    }
    for &(index, global) in &roots {
        module.exports.add(&format!("{}{index}", abi::GLOBAL_EXPORT_PREFIX), global);
    }
    recorder.finish(module);

    let info = ModuleInfo {
        id: ModuleId(0),
        name: config.module_name.clone(),
        bytes: facts.module.bytes,
        tracepoints,
        memories: facts.module.memories.clone(),
        contexts: with_contexts,
        frees: discovery.frees,
        heap_before: discovery.heap_before,
        globals: roots.iter().map(|&(index, _)| index).collect(),
        layout: layout_of_memory,
        blind_spots: inspection.blind_spots.clone(),
    };
    drop_stale_sections(module);
    module.producers.add_processed_by("seepage", env!("CARGO_PKG_VERSION"));
    let symbols = Symbols::new(facts);
    let (wasm, table, code_map) = section::emit(
        module,
        section::Content {
            info,
            transport: recorder.transport(),
            layout,
            sites,
            functions: ids,
            facts,
            symbols: &symbols,
        },
    );
    Ok(Instrumented { wasm, table, inspection, code_map, symbols })
}

fn drop_stale_sections(module: &mut Module) {
    let stale: Vec<_> = module
        .customs
        .iter()
        .filter(|(_, section)| {
            STALE_SECTIONS.contains(&section.name()) || section.name().starts_with("reloc.")
        })
        .map(|(id, _)| id)
        .collect();
    for id in stale {
        module.customs.delete(id);
    }
}

/// Whether a new function of the same parameters and results has the same type. Types that take
/// part in recursion or subtyping are told apart by more than that.
pub(crate) fn has_plain_type(module: &Module, ty: TypeId) -> bool {
    let plain_group = module
        .types
        .rec_group_for_type(ty)
        .is_none_or(|group| group.types.len() == 1 && !group.is_explicit);
    let ty = module.types.get(ty);
    plain_group && ty.is_final && ty.supertype.is_none()
}
