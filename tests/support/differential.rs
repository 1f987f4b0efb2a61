//! Runs a generated module and its instrumented self side by side.
#![allow(dead_code)] // each test file uses a part of it

use seepage_analysis::Session;
use seepage_instrumenter::{AllocFn, Config, TransportKind, instrument};
use seepage_runtime::{TracedModule, Tracer, configure};
use std::cell::LazyCell;
use wasm_smith::{Config as Shape, Module as Generated};
use wasmparser::TypeRef;
use wasmtime::{
    Config as EngineConfig, Engine, ExternType, Instance, Linker, Module, OptLevel, Ref, Store,
    StoreLimits, StoreLimitsBuilder, Val,
};

/// What a comparison says.
pub enum Verdict {
    Same,
    Refused(String),
    Different(String),
}

/// Loops are cut off after so much work. Instrumented code does more of it, so the generator bounds
/// loops in the module itself, which both sides share.
const LOOPS: u32 = 100;

thread_local! {
    static ENGINE: LazyCell<Engine> = const { LazyCell::new(|| {
        let mut config = EngineConfig::new();
        config.cranelift_opt_level(OptLevel::None).wasm_wide_arithmetic(true);
        Engine::new(configure(&mut config)).expect("an engine")
    }) };
}

/// Generates a module from the bytes, with functions of it taken for an allocator, and compares.
pub fn compare(bytes: &[u8]) -> Verdict {
    let mut shape = Shape {
        max_imports: 0,
        max_memories: 2,
        min_funcs: 4,
        max_funcs: 24,
        min_exports: 4,
        export_everything: true,
        max_memory32_bytes: 16 * 65536,
        max_memory64_bytes: 16 * 65536,
        max_table_elements: 1000,
        threads_enabled: false,
        custom_descriptors_enabled: false,
        shared_everything_threads_enabled: false,
        custom_page_sizes_enabled: false,
        allow_start_export: true,
        ..Shape::default()
    };
    // Some of the modules have the newest features, which fewer tools take, and all have a few.
    let choice = bytes.first().copied().unwrap_or(0);
    shape.gc_enabled = choice % 8 == 0;
    shape.exceptions_enabled = choice % 8 == 1;
    shape.memory64_enabled = choice % 8 == 2;
    shape.simd_enabled = choice % 8 == 3;
    shape.relaxed_simd_enabled = false;
    let mut input = arbitrary::Unstructured::new(bytes);
    let mut generated = match Generated::new(shape, &mut input) {
        Ok(generated) => generated,
        Err(error) => return Verdict::Refused(format!("not generated: {error}")),
    };
    if let Err(error) = generated.ensure_termination(LOOPS) {
        return Verdict::Refused(format!("does not end: {error}"));
    }
    compare_module(&generated.to_bytes(), choice)
}

/// Compares a module, with functions planted as its allocator.
pub fn compare_module(wasm: &[u8], choice: u8) -> Verdict {
    let engine = ENGINE.with(|engine| Engine::clone(engine));
    let original = match Module::new(&engine, wasm) {
        Ok(module) => module,
        Err(error) => return Verdict::Refused(format!("wasmtime does not take it: {error:#}")),
    };
    let config = Config {
        module_name: "generated".into(),
        transport: if choice & 8 == 0 { TransportKind::Ring } else { TransportKind::Call },
        alloc_fns: planted(wasm),
        ..Config::default()
    };
    let instrumented = match instrument(wasm, &config) {
        Ok(instrumented) => instrumented.wasm,
        Err(seepage_instrumenter::Error::Verify(error)) => return Verdict::Different(error),
        Err(error) => return Verdict::Refused(error.to_string()),
    };
    let traced = match TracedModule::new(&engine, &instrumented) {
        Ok(traced) => traced,
        Err(error) => return Verdict::Different(format!("does not compile: {error}")),
    };
    let tracer = Tracer::new(Session::new(Default::default())).expect("a thread");
    let mut first = store(&engine);
    let second = &mut store(&engine);
    let linker = Linker::new(&engine);
    let before = linker.instantiate(&mut first, &original);
    let after = tracer.instantiate(second, &linker, &traced);
    let (before, after) = match (before, after) {
        (Ok(before), Ok(after)) => (before, after),
        (before, after) => {
            let (before, after) = (ended(&before), ended(&after));
            return verdict("instantiation", before, after);
        }
    };
    // In the order of the original's exports, each function is called with the same arguments.
    for export in original.exports() {
        let ExternType::Func(ty) = export.ty() else { continue };
        let args: Vec<Val> = ty.params().map(|ty| value(&ty)).collect();
        let results = ty.results().len();
        let one = call(&mut first, &before, export.name(), &args, results);
        let other = call(second, &after, export.name(), &args, results);
        if one != other {
            return verdict(export.name(), one, other);
        }
    }
    let end = state(&mut first, &before, &original);
    let other = state(second, &after, &original);
    let finished = tracer.finish(second, &Ok(())).expect("the tracer ends");
    // Nothing that a guest does may be an error for the model.
    let _ = finished.sink.finish();
    verdict("the final state", end, other)
}

/// The functions of the module whose signature could be an allocator's, as the user would name
/// them: the first of each kind.
pub fn planted(wasm: &[u8]) -> Vec<AllocFn> {
    let (mut signatures, mut functions, mut imported) = (Vec::new(), Vec::new(), 0);
    for payload in wasmparser::Parser::new(0).parse_all(wasm).map_while(Result::ok) {
        match payload {
            wasmparser::Payload::TypeSection(section) => {
                for group in section.into_iter().map_while(Result::ok) {
                    signatures.extend(group.into_types().map(|ty| match ty.composite_type.inner {
                        wasmparser::CompositeInnerType::Func(ty) => {
                            (ty.params().to_vec(), ty.results().to_vec())
                        }
                        _ => (Vec::new(), Vec::new()),
                    }));
                }
            }
            wasmparser::Payload::ImportSection(section) => {
                let imports = section.into_imports().map_while(Result::ok);
                let functions = imports
                    .filter(|import| matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)));
                imported += functions.count();
            }
            wasmparser::Payload::FunctionSection(section) => {
                functions.extend(section.into_iter().map_while(Result::ok));
            }
            _ => {}
        }
    }
    let integers = |types: &[wasmparser::ValType]| {
        types.iter().all(|ty| matches!(ty, wasmparser::ValType::I32 | wasmparser::ValType::I64))
    };
    let mut planted: Vec<AllocFn> = Vec::new();
    let mut roles = vec!["malloc", "realloc", "free", "calloc", "posix_memalign"];
    for (index, &ty) in functions.iter().enumerate() {
        let Some((parameters, results)) = signatures.get(ty as usize) else { continue };
        let fits = integers(parameters) && integers(results) && results.len() <= 1;
        let list = match (parameters.len(), results.len()) {
            (1, 1) => [("malloc", "size"), ("malloc", "size")],
            (2, 1) => [("realloc", "ptr,size"), ("calloc", "count,size")],
            (3, 1) => [("posix_memalign", "out,align,size"), ("realloc", "ptr,_,size")],
            (1 | 2, 0) => [("free", "ptr"), ("free", "ptr,size")],
            _ => continue,
        };
        for (role, parameters_of) in list {
            let arity = parameters_of.split(',').count();
            if fits && arity == parameters.len() && roles.contains(&role) {
                roles.retain(|known| *known != role);
                let text = format!("f{}={role}({parameters_of})", imported + index);
                planted.push(text.parse().expect("it is well-formed"));
                break;
            }
        }
    }
    planted
}

fn store(engine: &Engine) -> Store<StoreLimits> {
    let limits = StoreLimitsBuilder::new().memory_size(64 << 20).build();
    let mut store = Store::new(engine, limits);
    store.limiter(|limits| limits);
    store
}

fn verdict(what: &str, before: String, after: String) -> Verdict {
    if before == after {
        Verdict::Same
    } else {
        Verdict::Different(format!("{what}: {before}, but instrumented: {after}"))
    }
}

fn ended<T>(result: &wasmtime::Result<T>) -> String {
    match result {
        Ok(_) => "it went well".into(),
        Err(error) => error.root_cause().to_string(),
    }
}

fn value(ty: &wasmtime::ValType) -> Val {
    match ty {
        wasmtime::ValType::I32 => Val::I32(40),
        wasmtime::ValType::I64 => Val::I64(72),
        _ => Val::default_for_ty(ty).unwrap_or(Val::I32(0)),
    }
}

fn call(
    store: &mut Store<StoreLimits>,
    instance: &Instance,
    name: &str,
    args: &[Val],
    results: usize,
) -> String {
    let Some(function) = instance.get_func(&mut *store, name) else { return "gone".into() };
    let mut answers = vec![Val::I32(0); results];
    match function.call(&mut *store, args, &mut answers) {
        Ok(()) => answers.iter().map(show).collect::<Vec<_>>().join(", "),
        Err(error) => error.root_cause().to_string(),
    }
}

/// A value; of a reference, whether there is one.
fn show(value: &Val) -> String {
    let is_there = |there: bool| if there { "a reference" } else { "null" }.to_string();
    match value {
        Val::F32(bits) if f32::from_bits(*bits).is_nan() => "NaN".into(),
        Val::F64(bits) if f64::from_bits(*bits).is_nan() => "NaN".into(),
        Val::V128(_) => "a vector".into(),
        Val::FuncRef(reference) => is_there(reference.is_some()),
        Val::ExternRef(reference) => is_there(reference.is_some()),
        Val::AnyRef(reference) => is_there(reference.is_some()),
        Val::ExnRef(reference) => is_there(reference.is_some()),
        other => format!("{other:?}"),
    }
}

/// All exported memories, globals and tables.
fn state(store: &mut Store<StoreLimits>, instance: &Instance, module: &Module) -> String {
    let mut text = String::new();
    for export in module.exports() {
        match instance.get_export(&mut *store, export.name()) {
            Some(wasmtime::Extern::Memory(memory)) => {
                let data = memory.data(&*store);
                let sum = data
                    .iter()
                    .fold(0u64, |sum, &byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
                text += &format!("{}: {} bytes, {sum:x}; ", export.name(), data.len());
            }
            Some(wasmtime::Extern::Global(global)) => {
                let value = global.get(&mut *store);
                text += &format!("{}: {}; ", export.name(), show(&value));
            }
            Some(wasmtime::Extern::Table(table)) => {
                let size = table.size(&*store);
                let set = (0..size.min(256))
                    .filter(|&index| !table.get(&mut *store, index).is_none_or(|r| r.is_null()));
                text += &format!("{}: {size} elements, {} set; ", export.name(), set.count());
            }
            Some(_) => {}
            None => text += &format!("{} is gone; ", export.name()),
        }
    }
    text
}

/// `Ref` has no word for it.
trait IsNull {
    fn is_null(&self) -> bool;
}

impl IsNull for Ref {
    fn is_null(&self) -> bool {
        match self {
            Ref::Func(reference) => reference.is_none(),
            Ref::Extern(reference) => reference.is_none(),
            Ref::Any(reference) => reference.is_none(),
            Ref::Exn(reference) => reference.is_none(),
        }
    }
}
