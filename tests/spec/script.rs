//! One script in both worlds, directive by directive.

use crate::counts::Counts;
use crate::support::differential::planted;
use crate::world::{Ended, Expected, World, engine};
use anyhow::Result;
use seepage_instrumenter::{Config, Error, TransportKind, instrument};
use seepage_runtime::TracedModule;
use std::{collections::HashMap, fmt};
use wasmtime::{Instance, Module};
use wast::{QuoteWat, WastDirective, WastExecute, Wat, token::Id};

/// How a module fared on its way into the two worlds.
#[derive(Clone)]
enum Status {
    Traced,
    Refused(String),
    Engine(String),
}

#[derive(Clone)]
struct Pair {
    instances: Option<(Instance, Instance)>,
    status: Status,
}

/// A module ready for both worlds.
#[derive(Clone)]
struct Ready {
    original: Option<Module>,
    traced: Option<TracedModule>,
    status: Status,
}

pub struct Script {
    plain: World,
    traced: World,
    modules: usize,
    definitions: HashMap<String, Ready>,
    named: HashMap<String, Pair>,
    current: Option<Pair>,
    counts: Counts,
}

impl Script {
    pub fn new() -> Result<Script> {
        Ok(Script {
            plain: World::new(false)?,
            traced: World::new(true)?,
            modules: 0,
            definitions: HashMap::new(),
            named: HashMap::new(),
            current: None,
            counts: Counts::default(),
        })
    }

    pub fn finish(self) -> Result<Counts> {
        self.plain.finish()?;
        self.traced.finish()?;
        Ok(self.counts)
    }

    pub fn directive(&mut self, directive: WastDirective<'_>, line: usize) {
        let before = self.counts.different.len();
        if let Err(error) = self.follow(directive) {
            self.count_engine(format!("{error:#}"));
        }
        for text in &mut self.counts.different[before..] {
            *text = format!("line {line}: {text}");
        }
    }

    fn follow(&mut self, directive: WastDirective<'_>) -> Result<()> {
        match directive {
            WastDirective::Module(mut wat) => {
                let name = wat.name();
                let ready = self.ready(&wat.encode()?);
                self.instance(name, ready);
            }
            WastDirective::ModuleDefinition(mut wat) => {
                let ready = self.ready(&wat.encode()?);
                self.definitions.insert(key(wat.name()), ready);
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                if let Some(ready) = self.definitions.get(&key(module)).cloned() {
                    self.instance(instance, ready);
                }
            }
            WastDirective::Register { name, module, .. } => {
                if let Some((one, other)) = self.pair(module).and_then(|pair| pair.instances) {
                    self.plain.register(name, one)?;
                    self.traced.register(name, other)?;
                }
            }
            WastDirective::Invoke(invoke) => {
                self.execute(WastExecute::Invoke(invoke), Expected::Anything)?;
            }
            WastDirective::AssertReturn { exec, results, .. } => {
                self.execute(exec, Expected::Results(&results))?;
            }
            WastDirective::AssertTrap { exec, .. } => self.execute(exec, Expected::Trap)?,
            WastDirective::AssertException { exec, .. } => {
                self.execute(exec, Expected::Exception)?;
            }
            WastDirective::AssertExhaustion { call, .. } => {
                self.execute(WastExecute::Invoke(call), Expected::Exhaustion)?;
            }
            WastDirective::AssertUnlinkable { module, .. } => {
                self.execute(WastExecute::Wat(module), Expected::Trap)?;
            }
            WastDirective::AssertMalformed { module, .. }
            | WastDirective::AssertInvalid { module, .. } => self.not_valid(module),
            // Custom sections that only some tools read are no engine's business.
            WastDirective::AssertInvalidCustom { .. }
            | WastDirective::AssertMalformedCustom { .. } => self.counts.text += 1,
            WastDirective::AssertSuspension { .. }
            | WastDirective::Thread(_)
            | WastDirective::Wait { .. } => self.count_engine("threads and suspension".into()),
        }
        Ok(())
    }

    fn count_engine(&mut self, reason: String) {
        *self.counts.engine.entry(one_line(&reason)).or_default() += 1;
    }

    fn ready(&mut self, wasm: &[u8]) -> Ready {
        let original = match Module::new(&engine(), wasm) {
            Ok(module) => module,
            Err(error) => {
                let status = Status::Engine(one_line(error.root_cause()));
                return Ready { original: None, traced: None, status };
            }
        };
        self.modules += 1;
        let transport =
            if self.modules.is_multiple_of(2) { TransportKind::Call } else { TransportKind::Ring };
        let config = Config { module_name: "spec".into(), transport, ..Config::default() };
        let asked = Config { alloc_fns: planted(wasm), ..config.clone() };
        let instrumented = match instrument(wasm, &asked) {
            Err(Error::AllocFn { .. }) => instrument(wasm, &config),
            result => result,
        };
        let (traced, status) = match instrumented {
            Ok(instrumented) => {
                self.counts.hooked += usize::from(!instrumented.inspection.allocators.is_empty());
                match TracedModule::new(&engine(), &instrumented.wasm) {
                    Ok(traced) => (Some(traced), Status::Traced),
                    Err(error) => {
                        self.counts.different.push(format!("it does not compile: {error:#}"));
                        (None, Status::Refused("a defect".into()))
                    }
                }
            }
            Err(Error::Verify(error)) => {
                self.counts.different.push(format!("it is not valid: {error}"));
                (None, Status::Refused("a defect".into()))
            }
            Err(error) => (None, Status::Refused(one_line(&error))),
        };
        self.counts.modules[usize::from(traced.is_none())] += 1;
        Ready { original: Some(original), traced, status }
    }

    fn both(&mut self, ready: &Ready) -> Option<[wasmtime::Result<Instance>; 2]> {
        let original = ready.original.as_ref()?;
        let one = self.plain.instantiate(original);
        let other = match &ready.traced {
            Some(traced) => self.traced.instantiate_traced(traced),
            None => self.traced.instantiate(original),
        };
        Some([one, other])
    }

    fn instance(&mut self, name: Option<Id<'_>>, ready: Ready) {
        let mut pair = Pair { instances: None, status: ready.status.clone() };
        match self.both(&ready) {
            Some([Ok(one), Ok(other)]) => pair.instances = Some((one, other)),
            Some([one, other]) => {
                let one = self.plain.ended(&one, Expected::Anything);
                let other = self.traced.ended(&other, Expected::Anything);
                if one != other {
                    self.counts.different.push(format!("{one:?}, but instrumented: {other:?}"));
                }
                pair.status = Status::Engine(format!("the module has no instance: {}", one.how));
            }
            None => {}
        }
        if let Some(name) = name {
            self.named.insert(name.name().to_owned(), pair.clone());
        }
        self.current = Some(pair);
    }

    fn pair(&self, name: Option<Id<'_>>) -> Option<Pair> {
        match name {
            Some(name) => self.named.get(name.name()).cloned(),
            None => self.current.clone(),
        }
    }

    fn execute(&mut self, execute: WastExecute<'_>, expected: Expected<'_>) -> Result<()> {
        let (what, status, one, other) = match execute {
            WastExecute::Wat(mut wat) => {
                let wasm = wat.encode()?;
                let ready = self.ready(&wasm);
                let status = ready.status.clone();
                let Some([one, other]) = self.both(&ready) else {
                    self.count(&status, "", None);
                    return Ok(());
                };
                let one = self.plain.ended(&one, expected);
                let other = self.traced.ended(&other, expected);
                ("the module".to_owned(), status, one, other)
            }
            WastExecute::Invoke(invoke) => {
                let Some((pair, one, other)) = self.instances(invoke.module) else { return Ok(()) };
                let one = self.plain.invoke(one, invoke.name, &invoke.args, expected)?;
                let other = self.traced.invoke(other, invoke.name, &invoke.args, expected)?;
                (format!("invoke {:?}", invoke.name), pair.status, one, other)
            }
            WastExecute::Get { module, global, .. } => {
                let Some((pair, one, other)) = self.instances(module) else { return Ok(()) };
                let one = self.plain.global(one, global, expected)?;
                let other = self.traced.global(other, global, expected)?;
                (format!("get {global:?}"), pair.status, one, other)
            }
        };
        self.count(&status, &what, Some((one, other)));
        Ok(())
    }

    fn instances(&mut self, name: Option<Id<'_>>) -> Option<(Pair, Instance, Instance)> {
        let pair = self.pair(name)?;
        match pair.instances {
            Some((one, other)) => Some((pair, one, other)),
            None => {
                self.count(&pair.status, "", None);
                None
            }
        }
    }

    fn count(&mut self, status: &Status, what: &str, ended: Option<(Ended, Ended)>) {
        if let Some((one, other)) = &ended
            && one != other
        {
            self.counts.different.push(format!("{what}: {one:?}, but instrumented: {other:?}"));
            return;
        }
        match status {
            Status::Engine(reason) => self.count_engine(reason.clone()),
            Status::Refused(reason) => {
                *self.counts.refused.entry(reason.clone()).or_default() += 1;
            }
            Status::Traced => match ended {
                Some((one, _)) if one.as_expected => self.counts.same += 1,
                Some((one, _)) => self.count_engine(format!("it answers {}", one.how)),
                None => self.count_engine("no instance".into()),
            },
        }
    }

    /// A module that no engine may take.
    fn not_valid(&mut self, mut module: QuoteWat<'_>) {
        let is_core = matches!(module, QuoteWat::Wat(Wat::Module(_)) | QuoteWat::QuoteModule(..));
        let wasm = match module.encode() {
            Ok(wasm) if is_core => wasm,
            _ => {
                self.counts.text += 1;
                return;
            }
        };
        let is_taken = Module::validate(&engine(), &wasm).is_ok();
        match (is_taken, instrument(&wasm, &Config::default())) {
            (true, _) => self.count_engine("it takes what is not valid".into()),
            (false, Err(_)) => self.counts.same += 1,
            (false, Ok(_)) => {
                self.counts.different.push("what is not valid is instrumented".into())
            }
        }
    }
}

fn key(id: Option<Id<'_>>) -> String {
    id.map(|id| id.name().to_owned()).unwrap_or_default()
}

fn one_line(error: impl fmt::Display) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    // Where in the module it is does not make it another reason.
    line.split(" (at offset").next().unwrap_or_default().to_owned()
}
