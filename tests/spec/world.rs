//! A store with the test-suite's host module, and the instances of one script by their names.

use crate::values;
use anyhow::{Context, Result, anyhow};
use seepage_analysis::Session;
use seepage_runtime::{TracedModule, Tracer, configure};
use std::cell::LazyCell;
use wasmtime::{
    Config, Engine, Extern, Func, Global, GlobalType, Instance, Linker, Memory, MemoryType, Module,
    Mutability, OptLevel, Ref, RefType, SharedMemory, Store, Table, TableType, ThrownException,
    Trap, Val, ValType,
};
use wast::{WastArg, WastRet};

thread_local! {
    static ENGINE: LazyCell<Engine> = const { LazyCell::new(|| {
        let mut config = Config::new();
        config
            .cranelift_opt_level(OptLevel::None)
            .wasm_wide_arithmetic(true)
            .wasm_custom_page_sizes(true)
            .wasm_function_references(true)
            .wasm_gc(true)
            .wasm_exceptions(true)
            .wasm_threads(true)
            .shared_memory(true)
            // A script makes hundreds of instances, and each would reserve gigabytes of addresses.
            .memory_reservation(1 << 20)
            .memory_guard_size(1 << 16);
        Engine::new(configure(&mut config)).expect("an engine")
    }) };
}

pub fn engine() -> Engine {
    ENGINE.with(|engine| Engine::clone(engine))
}

/// How something ended, to compare by, and whether it is what was asserted.
#[derive(Debug, PartialEq)]
pub struct Ended {
    pub how: String,
    pub as_expected: bool,
}

/// What an assertion expects.
#[derive(Clone, Copy)]
pub enum Expected<'a> {
    Results(&'a [WastRet<'a>]),
    Trap,
    Exhaustion,
    Exception,
    Anything,
}

pub struct World {
    store: Store<()>,
    linker: Linker<()>,
    tracer: Option<Tracer<Session>>,
}

impl World {
    pub fn new(is_traced: bool) -> Result<World> {
        let mut store = Store::new(&engine(), ());
        let mut linker = Linker::new(store.engine());
        linker.allow_shadowing(true);
        host(&mut linker, &mut store)?;
        let tracer = match is_traced {
            true => Some(Tracer::new(Session::new(Default::default()))?),
            false => None,
        };
        Ok(World { store, linker, tracer })
    }

    pub fn instantiate(&mut self, module: &Module) -> wasmtime::Result<Instance> {
        self.linker.instantiate(&mut self.store, module)
    }

    pub fn instantiate_traced(&mut self, module: &TracedModule) -> wasmtime::Result<Instance> {
        let tracer = self.tracer.as_ref().expect("it is the traced world");
        tracer.instantiate(&mut self.store, &self.linker, module)
    }

    pub fn register(&mut self, name: &str, instance: Instance) -> Result<()> {
        Ok(self.linker.instance(&mut self.store, name, instance).map(drop)?)
    }

    /// What an instantiation came to, for those that are asserted to fail.
    pub fn ended<T>(&mut self, result: &wasmtime::Result<T>, expected: Expected<'_>) -> Ended {
        match result {
            Ok(_) => Ended {
                how: "it went well".into(),
                as_expected: matches!(expected, Expected::Anything),
            },
            Err(error) => self.failed(error, expected),
        }
    }

    pub fn invoke(
        &mut self,
        instance: Instance,
        name: &str,
        arguments: &[WastArg<'_>],
        expected: Expected<'_>,
    ) -> Result<Ended> {
        let arguments: Vec<Val> = arguments
            .iter()
            .map(|argument| values::argument(&mut self.store, argument))
            .collect::<Result<_>>()?;
        let function = instance
            .get_func(&mut self.store, name)
            .with_context(|| format!("there is no function {name}"))?;
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        match function.call(&mut self.store, &arguments, &mut results) {
            Ok(()) => self.returned(&results, expected),
            Err(error) => Ok(self.failed(&error, expected)),
        }
    }

    pub fn global(
        &mut self,
        instance: Instance,
        name: &str,
        expected: Expected<'_>,
    ) -> Result<Ended> {
        let global = instance
            .get_global(&mut self.store, name)
            .with_context(|| format!("there is no global {name}"))?;
        let value = global.get(&mut self.store);
        self.returned(&[value], expected)
    }

    fn returned(&mut self, results: &[Val], expected: Expected<'_>) -> Result<Ended> {
        let mut shown = Vec::new();
        for value in results {
            shown.push(values::show(&mut self.store, value)?);
        }
        let as_expected = match expected {
            Expected::Results(expected) if expected.len() == results.len() => {
                let mut all = true;
                for (value, expected) in results.iter().zip(expected) {
                    all &= values::is_as_expected(&mut self.store, value, expected)?;
                }
                all
            }
            Expected::Anything => true,
            _ => false,
        };
        Ok(Ended { how: format!("[{}]", shown.join(", ")), as_expected })
    }

    fn failed(&mut self, error: &wasmtime::Error, expected: Expected<'_>) -> Ended {
        if error.is::<ThrownException>() {
            let _ = self.store.take_pending_exception();
            let as_expected = matches!(expected, Expected::Exception);
            return Ended { how: "an exception".into(), as_expected };
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::StackOverflow) => Ended {
                how: "stack overflow".into(),
                as_expected: matches!(expected, Expected::Exhaustion),
            },
            Some(trap) => {
                Ended { how: trap.to_string(), as_expected: matches!(expected, Expected::Trap) }
            }
            // Not the whole of it: it may name what only instrumentation has added.
            None => {
                let text = format!("{error:#}");
                let how = text.split(':').next().unwrap_or_default().to_owned();
                Ended { how, as_expected: matches!(expected, Expected::Trap) }
            }
        }
    }

    /// Ends the trace: nothing that a script does may be an error for the model.
    pub fn finish(mut self) -> Result<()> {
        if let Some(tracer) = self.tracer {
            let finished = tracer.finish(&mut self.store, &Ok(()))?;
            if let Some(error) = finished.sink_error {
                return Err(anyhow!("the sink failed: {error}"));
            }
            let _ = finished.sink.finish();
        }
        Ok(())
    }
}

/// The module `spectest`, as the test-suite wants it of every host.
fn host(linker: &mut Linker<()>, store: &mut Store<()>) -> Result<()> {
    let module = "spectest";
    linker.func_wrap(module, "print", || {})?;
    linker.func_wrap(module, "print_i32", |_: i32| {})?;
    linker.func_wrap(module, "print_i64", |_: i64| {})?;
    linker.func_wrap(module, "print_f32", |_: f32| {})?;
    linker.func_wrap(module, "print_f64", |_: f64| {})?;
    linker.func_wrap(module, "print_i32_f32", |_: i32, _: f32| {})?;
    linker.func_wrap(module, "print_f64_f64", |_: f64, _: f64| {})?;
    let numbers = [
        ("global_i32", ValType::I32, Val::I32(666)),
        ("global_i64", ValType::I64, Val::I64(666)),
        ("global_f32", ValType::F32, Val::F32(666.6f32.to_bits())),
        ("global_f64", ValType::F64, Val::F64(666.6f64.to_bits())),
    ];
    for (name, ty, value) in numbers {
        let ty = GlobalType::new(ty, Mutability::Const);
        let global = Global::new(&mut *store, ty, value)?;
        linker.define(&mut *store, module, name, global)?;
    }
    let null = || Ref::Func(None::<Func>);
    let table = Table::new(&mut *store, TableType::new(RefType::FUNCREF, 10, Some(20)), null())?;
    linker.define(&mut *store, module, "table", table)?;
    let table = Table::new(&mut *store, TableType::new64(RefType::FUNCREF, 10, Some(20)), null())?;
    linker.define(&mut *store, module, "table64", table)?;
    let memory = Memory::new(&mut *store, MemoryType::new(1, Some(2)))?;
    linker.define(&mut *store, module, "memory", memory)?;
    let shared = SharedMemory::new(store.engine(), MemoryType::shared(1, 2))?;
    linker.define(&mut *store, module, "shared_memory", Extern::SharedMemory(shared))?;
    Ok(())
}
