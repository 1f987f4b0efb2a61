//! One pass over a module's sections: what is in it, and where, in the ORIGINAL's numbers.
//!
//! It reads no function body: that is the call graph's business.

use crate::{
    config::Config,
    error::Error,
    inspection::{ModuleFacts, Producer},
    symbols::{demangle::demangle, dwarf::Lines, names},
};
use seepage_trace::{Memory, abi};
use std::{collections::BTreeMap, ops::Range, sync::Arc};
use wasmparser::{
    BinaryReader, BinaryReaderError, CompositeInnerType, ExternalKind, FuncType, KnownCustom, Name,
    Parser, Payload, TypeRef, WasmFeatures,
};

/// Lists of names longer than this are cut: they are for a person to read.
const MAX_LISTED: usize = 10_000;

/// An imported function.
pub(crate) struct Import<'a> {
    pub(crate) module: &'a str,
    pub(crate) name: &'a str,
}

/// The export that a program for WASI begins with.
const ENTRY: &str = "_start";

/// What a module has.
pub(crate) struct Facts<'a> {
    pub(crate) module: ModuleFacts,
    /// The imported functions, by index.
    pub(crate) imports: Vec<Import<'a>>,
    /// Name section, by function index.
    pub(crate) names: BTreeMap<u32, &'a str>,
    /// Exported functions: export name and index, in the section's order.
    pub(crate) exports: Vec<(&'a str, u32)>,
    /// The first export name of each exported function.
    export_names: BTreeMap<u32, &'a str>,
    /// All exports by name, functions or not.
    pub(crate) all_exports: Vec<&'a str>,
    /// All imports.
    pub(crate) all_imports: Vec<(&'a str, &'a str)>,
    /// Range of each defined function's body, from the module's first byte.
    pub(crate) bodies: Vec<Range<u32>>,
    /// Where the code section's contents begin.
    pub(crate) code_start: u32,
    /// Index of the start function.
    pub(crate) start: Option<u32>,
    /// Names that only DWARF knows, by function index.
    pub(crate) debug_names: BTreeMap<u32, Arc<str>>,
    /// By function: a WASI import that it serves, which tells what it is for.
    served_imports: BTreeMap<u32, &'static str>,
    /// The function types, and whether each is told by its parameters and results alone.
    function_types: Vec<(FuncType, bool)>,
    /// It declares structures or arrays of the garbage-collected heap.
    pub(crate) has_gc_types: bool,
    debug: Vec<(&'a str, &'a [u8])>,
    is_instrumented: bool,
    has_shared_memory: bool,
    has_custom_page_size: bool,
    has_linking_section: bool,
}

impl<'a> Facts<'a> {
    pub(crate) fn read(wasm: &'a [u8]) -> Result<Facts<'a>, Error> {
        match wasm {
            [] => return Err(Error::NotWasm("the file is empty")),
            [0, b'a', b's', b'm', rest @ ..] => match rest {
                [1, 0, 0, 0, ..] => {}
                [_, _, 1, 0, ..] => return Err(Error::Component),
                [_, _, _, _, ..] => return Err(Error::NotWasm("its version is unknown")),
                _ => return Err(Error::NotWasm("it ends within its first 8 bytes")),
            },
            _ => return Err(Error::NotWasm("it does not begin with `\\0asm`")),
        }
        let mut facts = Facts {
            module: ModuleFacts { bytes: wasm.len() as u64, ..Default::default() },
            imports: Vec::new(),
            names: BTreeMap::new(),
            exports: Vec::new(),
            export_names: BTreeMap::new(),
            all_exports: Vec::new(),
            all_imports: Vec::new(),
            bodies: Vec::new(),
            code_start: 0,
            start: None,
            debug_names: BTreeMap::new(),
            served_imports: BTreeMap::new(),
            function_types: Vec::new(),
            has_gc_types: false,
            debug: Vec::new(),
            is_instrumented: false,
            has_shared_memory: false,
            has_custom_page_size: false,
            has_linking_section: false,
        };
        let mut parser = Parser::new(0);
        parser.set_features(WasmFeatures::all());
        for payload in parser.parse_all(wasm) {
            let payload = payload.map_err(invalid)?;
            facts.section(payload).map_err(invalid)?;
        }
        facts.list_for_people();
        Ok(facts)
    }

    /// Whether it is a module that can be rewritten.
    pub(crate) fn check_supported(&self, config: &Config) -> Result<(), Error> {
        let unsupported = |feature, hint| Err(Error::Unsupported { feature, hint });
        if self.is_instrumented {
            return Err(Error::AlreadyInstrumented);
        }
        if self.has_shared_memory && !config.shared_memory {
            return unsupported(
                "shared memory (threads)",
                "\nhint: build without threads, or wait for a version that traces them",
            );
        }
        if self.has_ambiguous_types() {
            return unsupported("function types that only their recursion groups tell apart", "");
        }
        if self.has_custom_page_size {
            return unsupported("custom page sizes", "");
        }
        // A linked module can keep these sections (`--emit-relocs`); only an object needs a linker
        // to give it its memory.
        if self.has_linking_section && self.all_imports.contains(&("env", "__linear_memory")) {
            return unsupported(
                "a relocatable object file, not a linked module",
                "\nhint: link it first",
            );
        }
        Ok(())
    }

    /// Whether a function type that takes part in recursion or subtyping has the same parameters and
    /// results as another, of the module's or of what is added to it: walrus takes them for one.
    fn has_ambiguous_types(&self) -> bool {
        let added = |ty: &FuncType| {
            use wasmparser::ValType::{I32, I64};
            let lists: [&[wasmparser::ValType]; 6] = [
                &[],
                &[I32],
                &[I64],
                &[I64, I64, I32],
                &[I32, I32, I64, I32, I32],
                &[I32, I64, I64, I64, I64],
            ];
            let grows = matches!((ty.params(), ty.results()), ([a], [b]) if a == b);
            grows || (ty.results().is_empty() && lists.contains(&ty.params()))
        };
        self.function_types.iter().enumerate().filter(|(_, (_, is_plain))| !is_plain).any(
            |(index, (ty, _))| {
                let mut others = self.function_types.iter().enumerate();
                added(ty) || others.any(|(other, (it, _))| other != index && it == ty)
            },
        )
    }

    /// The name a person knows a function by: the name section's, an export's, one that was made
    /// from what it does, or its index in the way that browsers write it.
    pub(crate) fn function_name(&self, index: u32) -> Arc<str> {
        let served = self.served_imports.get(&index);
        match (self.known_name(index), served) {
            // The first libcs for WASI did all that a program begins with in its entry.
            // And what registers is often inlined into constructors, whatever their names.
            (Some(name), Some(import)) if *name == *ENTRY || *import == names::REGISTERS => {
                format!("{name} ({import})").into()
            }
            (Some(name), _) => name,
            (None, Some(import)) => format!("wasm-function[{index}] ({import})").into(),
            (None, None) => format!("wasm-function[{index}]").into(),
        }
    }

    /// The name of a function that somebody gave it.
    pub(crate) fn known_name(&self, index: u32) -> Option<Arc<str>> {
        if let Some(name) = self.names.get(&index).filter(|name| !name.is_empty()) {
            return Some(demangle(name).into());
        }
        if let Some(import) = self.imports.get(index as usize) {
            return Some(format!("{}.{}", import.module, import.name).into());
        }
        if let Some(name) = self.debug_names.get(&index) {
            return Some(name.clone());
        }
        self.export_names.get(&index).map(|name| demangle(name).into())
    }

    /// Takes names and DWARF from the same module before it was stripped.
    pub(crate) fn adopt(&mut self, companion: Facts<'a>) -> Result<(), Error> {
        let unfit = |what: &str| Err(Error::Companion(what.into()));
        if companion.module.functions != self.module.functions {
            return unfit("it has another number of functions");
        }
        let sizes = |facts: &Facts<'_>| -> Vec<u32> {
            facts.bodies.iter().map(|body| body.end - body.start).collect()
        };
        // Another link of the same objects has the same functions in another order.
        if sizes(self) != sizes(&companion) {
            return unfit("its functions have other sizes");
        }
        if self.names.is_empty() {
            self.names = companion.names;
            self.module.named_functions = companion.module.named_functions;
        }
        if !self.module.dwarf && companion.module.dwarf {
            // DWARF counts from the code section's contents, which are the same in both.
            self.debug = companion.debug;
            self.module.dwarf = true;
        }
        Ok(())
    }

    /// Takes names from DWARF, in a module that has no better ones: some keep the one and strip
    /// the other.
    pub(crate) fn name_from_debug(&mut self) {
        if self.module.named_functions > 0 {
            return;
        }
        let Some(lines) = Lines::new(self) else { return };
        let first = self.module.imported_functions;
        let named = self.bodies.iter().enumerate().filter_map(|(defined, body)| {
            // Where a function ends, nothing is inlined.
            let outermost = lines.frames(body.end - 1).pop()?;
            let name = Some(outermost.function).filter(|name| !name.is_empty())?;
            Some((first + defined as u32, name))
        });
        self.debug_names = named.collect();
    }

    /// Names functions that have no name, the entry, and what registers after the import that each
    /// serves.
    pub(crate) fn name_after_imports(&mut self, served: Vec<(u32, &'static str)>) {
        self.served_imports = served.into_iter().collect();
    }

    pub(crate) fn debug_section(&self, name: &str) -> Option<&'a [u8]> {
        self.debug.iter().find(|(section, _)| *section == name).map(|(_, bytes)| *bytes)
    }

    pub(crate) fn body_size(&self, index: u32) -> Option<u32> {
        let defined = index.checked_sub(self.module.imported_functions)?;
        let body = self.bodies.get(defined as usize)?;
        Some(body.end - body.start)
    }

    fn section(&mut self, payload: Payload<'a>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    let group = group?;
                    let is_alone = !group.is_explicit_rec_group() && group.types().len() == 1;
                    for ty in group.into_types() {
                        let is_plain = is_alone && ty.is_final && ty.supertype_idx.is_none();
                        match ty.composite_type.inner {
                            CompositeInnerType::Func(ty) => {
                                self.function_types.push((ty, is_plain))
                            }
                            _ => self.has_gc_types = true,
                        }
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    self.all_imports.push((import.module, import.name));
                    match import.ty {
                        TypeRef::Func(_) | TypeRef::FuncExact(_) => {
                            self.imports.push(Import { module: import.module, name: import.name });
                        }
                        TypeRef::Memory(memory) => self.memory(memory, true),
                        _ => {}
                    }
                }
                self.module.imported_functions = self.imports.len() as u32;
                self.module.functions += self.module.imported_functions;
            }
            Payload::FunctionSection(section) => self.module.functions += section.count(),
            Payload::MemorySection(section) => {
                for memory in section {
                    self.memory(memory?, false);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.all_exports.push(export.name);
                    if matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact) {
                        self.exports.push((export.name, export.index));
                        self.export_names.entry(export.index).or_insert(export.name);
                    }
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::CodeSectionStart { range, .. } => self.code_start = range.start as u32,
            Payload::CodeSectionEntry(body) => {
                let range = body.range();
                self.bodies.push(range.start as u32..range.end as u32);
            }
            Payload::CustomSection(section) => {
                let name = section.name();
                let data = section.data();
                if self.module.custom_sections.len() < MAX_LISTED {
                    self.module.custom_sections.push((name.into(), data.len() as u64));
                }
                if name.starts_with(".debug_") {
                    self.debug.push((name, data));
                }
                self.module.dwarf |= name == ".debug_line" && !data.is_empty();
                self.is_instrumented |= name == abi::SECTION;
                self.has_linking_section |= name == "linking";
                if name == "target_features" {
                    // As with the producers, what can be read of it is used.
                    let _ = self.target_features(BinaryReader::new(data, 0));
                }
                match section.as_known() {
                    KnownCustom::Name(names) => self.name_section(names),
                    KnownCustom::Producers(producers) => {
                        // A malformed section of remarks must not make a module unusable.
                        let _ = self.producers(producers);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn memory(&mut self, memory: wasmparser::MemoryType, imported: bool) {
        self.has_shared_memory |= memory.shared;
        self.has_custom_page_size |= memory.page_size_log2.is_some();
        self.module.memories.push(Memory {
            initial_pages: memory.initial,
            maximum_pages: memory.maximum,
            page_size: 65536,
            is_64: memory.memory64,
            imported,
        });
    }

    fn name_section(&mut self, section: wasmparser::NameSectionReader<'a>) {
        // The section is a remark like any other: what can be read of it is used.
        for part in section.into_iter().map_while(Result::ok) {
            if let Name::Function(functions) = part {
                for naming in functions.into_iter().map_while(Result::ok) {
                    self.names.insert(naming.index, naming.name);
                }
            }
        }
        self.module.named_functions = self.names.len() as u32;
    }

    fn producers(
        &mut self,
        section: wasmparser::ProducersSectionReader<'a>,
    ) -> Result<(), BinaryReaderError> {
        for field in section {
            let field = field?;
            for value in field.values {
                let value = value?;
                self.module.producers.push(Producer {
                    field: field.name.into(),
                    name: value.name.into(),
                    version: value.version.into(),
                });
            }
        }
        Ok(())
    }

    fn list_for_people(&mut self) {
        let mut modules: Vec<_> = self.all_imports.iter().map(|(module, _)| *module).collect();
        modules.sort_unstable();
        modules.dedup();
        let owned = |names: &[&str]| names.iter().take(MAX_LISTED).map(|&n| n.into()).collect();
        self.module.import_modules = owned(&modules);
        let exports: Vec<_> = self.exports.iter().map(|(name, _)| *name).collect();
        self.module.exported_functions = owned(&exports);
        let features = &mut self.module.features;
        if self.module.memories.len() > 1 {
            features.push("multimemory".into());
        }
        if self.module.memories.iter().any(|memory| memory.is_64) {
            features.push("memory64".into());
        }
        if self.has_gc_types {
            features.push("gc".into());
        }
        features.sort_unstable();
        features.dedup();
    }

    fn target_features(&mut self, mut reader: BinaryReader<'a>) -> Result<(), BinaryReaderError> {
        for _ in 0..reader.read_var_u32()? {
            let used = reader.read_u8()? == b'+';
            let feature = reader.read_string()?;
            if used {
                self.module.features.push(feature.into());
            }
        }
        Ok(())
    }
}

fn invalid(error: BinaryReaderError) -> Error {
    Error::Invalid(format!("{} (at byte {})", error.message(), error.offset()))
}
