//! wasmtime for a probe: what is probed needs no host and bounds itself, so there is little to it.

use seepage_probe::engine::{self, FUEL, MEMORY};
use wasmtime::{Config, Engine, Extern, Global, Instance, Memory, Module, OptLevel, Store, Val};

/// The engine of a probe.
#[derive(Default)]
pub struct Wasmtime {
    module: Option<Module>,
}

impl engine::Engine for Wasmtime {
    fn compile(&mut self, wasm: &[u8]) -> Result<(), String> {
        let mut config = Config::new();
        config.cranelift_opt_level(OptLevel::None).wasm_multi_memory(true);
        let module = Engine::new(&config).and_then(|engine| Module::new(&engine, wasm));
        self.module = Some(module.map_err(|error| error.root_cause().to_string())?);
        Ok(())
    }

    fn instantiate(&mut self) -> Result<Box<dyn engine::Instance>, String> {
        let module = self.module.as_ref().ok_or("there is no module")?;
        let mut store = Store::new(module.engine(), ());
        let instance = Instance::new(&mut store, module, &[]);
        let instance = instance.map_err(|error| error.root_cause().to_string())?;
        let memory = instance.get_memory(&mut store, MEMORY);
        let fuel = instance.get_global(&mut store, FUEL).ok_or("it would not be bounded")?;
        Ok(Box::new(Probed { store, instance, memory, fuel }))
    }
}

struct Probed {
    store: Store<()>,
    instance: Instance,
    memory: Option<Memory>,
    fuel: Global,
}

impl engine::Instance for Probed {
    fn call(&mut self, export: &str, arguments: &[u64]) -> Result<u64, String> {
        let Some(Extern::Func(function)) = self.instance.get_export(&mut self.store, export) else {
            return Err("it is not exported".into());
        };
        let arguments: Vec<Val> = arguments.iter().map(|&it| Val::I64(it as i64)).collect();
        let mut answer = [Val::I64(0)];
        let called = function.call(&mut self.store, &arguments, &mut answer);
        called.map_err(|error| error.root_cause().to_string())?;
        Ok(answer[0].i64().unwrap_or(0) as u64)
    }

    fn size(&mut self) -> u64 {
        self.memory.map_or(0, |memory| memory.data_size(&self.store) as u64)
    }

    fn read(&mut self, address: u64, bytes: &mut [u8]) -> bool {
        let Some(memory) = self.memory else { return false };
        usize::try_from(address).is_ok_and(|at| memory.read(&self.store, at, bytes).is_ok())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> bool {
        let Some(memory) = self.memory else { return false };
        usize::try_from(address).is_ok_and(|at| memory.write(&mut self.store, at, bytes).is_ok())
    }

    fn fuel(&mut self) -> i64 {
        self.fuel.get(&mut self.store).i64().unwrap_or(0)
    }

    fn set_fuel(&mut self, fuel: i64) {
        // The instrumenter has made the global, and it is a 64-bit number that can be set.
        _ = self.fuel.set(&mut self.store, Val::I64(fuel));
    }
}
