//! Running a module as a program of its own, with WASI.
//!
//! ```text
//! caller's thread            guest's thread              consumer's thread
//!   Runner::run ─ spawns ──►   instantiate
//!        │        ─ spawns ───────────────────────────►    Sink::message …
//!     waits for: done ◄──────  _start, or invoke × N
//!                timeout       (epoch check in loops)
//!                interrupt     drain the rings
//!        └─ End ──────────────────────────────────────►    End, and the sink comes back
//! ```
//!
//! A guest that is to stop does so where it calls the host or, if its loops are checked, anywhere
//! else. One that does neither is given up on after a grace period: if it sits in a host function,
//! all its records were taken before; if it computes, those since it last came by are missing,
//! and the end says so.

use crate::collector::Sink;
use crate::{
    embed::{Finished, TracedModule, Tracer, configure, end_image, flush_before_host_calls, link},
    end::{self, Symbolizer},
    error::Error,
    instance::{Shared, lock},
    interrupt::Signal,
    invoke, locals,
    memory::Limiter,
    options::RunOptions,
    suppressions,
    wasi::{self, Host},
};
use seepage_trace::{End, Outcome, Role, SiteTable, abi::IMPORT_MODULE, sites::Transport};
use std::{
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant},
};
use wasmtime::{Config, Engine, Instance, Linker, Module, Store, Trap, Val};

/// How long a guest may take to notice that it has been stopped.
const GRACE: Duration = Duration::from_millis(500);

/// How often what was taken from a guest is sent on while it does not come by.
const HEARTBEAT: Duration = Duration::from_millis(100);

/// Stack of the guest's thread for what is not wasm.
const HOST_STACK: usize = 2 << 20;

/// An instrumented module that is ready to run.
pub struct Runner {
    module: TracedModule,
    store: Store<Host>,
    linker: Linker<Host>,
    entry: Entry,
    options: RunOptions,
}

/// A run that is over.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ran<S> {
    /// What the tracer left behind: the end and the sink.
    pub trace: Finished<S>,
    /// The results of the last call of the invoked export, as text.
    pub values: Vec<String>,
    /// Descriptors that the guest opened when too many were open to follow them.
    pub untracked_files: u64,
    /// The guest did not answer and was given up on; its thread may still be there.
    pub abandoned: bool,
}

/// What the guest's thread reports.
#[derive(Debug)]
pub(crate) struct Done {
    end: End,
    values: Vec<String>,
    untracked_files: u64,
    /// wasmtime stopped it where it was told to.
    stopped: bool,
}

enum Entry {
    Start,
    Export { name: String, parameters: Vec<Val>, repeat: u32 },
}

impl Runner {
    /// Compiles an instrumented module and checks all that can be checked before it runs.
    ///
    /// # Errors
    /// When the module is not instrumented, does not compile, or cannot be run with the options.
    pub fn new(wasm: &[u8], options: RunOptions) -> Result<Runner, Error> {
        let engine = engine(&options)?;
        let mut module = TracedModule::new(&engine, wasm)?;
        if let Some(kept) = &options.kept {
            module = module.asking(kept.clone());
        }
        let entry = Entry::new(module.module(), &options)?;
        check_memory(module.table(), options.max_memory)?;
        let ring = match module.table().transport {
            Transport::Ring(ring) => u64::from(ring.pages) << 16,
            Transport::Call => 0,
        };
        let limiter = Limiter::new(options.max_memory, ring);
        let mut store = Store::new(&engine, Host::new(&options, limiter)?);
        store.limiter(|host| &mut host.limiter);
        let linker = wasi::linker(&engine).map_err(|error| Error::Link(format!("{error:#}")))?;
        if !options.unknown_imports_trap {
            check_imports(module.module(), &linker, &mut store)?;
        }
        Ok(Runner { module, store, linker, entry, options })
    }

    /// What instrumentation left in the module.
    pub fn table(&self) -> &SiteTable {
        self.module.table()
    }

    /// Runs it, with everything it does traced into `sink`. However the guest ends, the trace ends
    /// with it.
    ///
    /// # Errors
    /// When a thread cannot be started, or the sink panicked.
    pub fn run<S: Sink>(self, sink: S) -> Result<Ran<S>, Error> {
        let RunOptions { stacks, images, ref mark_request, .. } = self.options;
        let tracer = Tracer::with_requests(sink, stacks, images, mark_request.clone())?;
        let engine = self.store.engine().clone();
        let (timeout, interrupt) = (self.options.timeout, self.options.interrupt.clone());
        let (signal, signals) = mpsc::channel();
        if let Some(interrupt) = interrupt {
            interrupt.watch(signal.clone());
        }
        let shared = tracer.shared();
        let guests = shared.clone();
        std::thread::Builder::new()
            .name("seepage-guest".into())
            .stack_size(self.options.max_stack.saturating_add(HOST_STACK))
            .spawn(move || {
                let done = self.guest(&guests);
                // Nobody listens when the guest was given up on.
                let _ = signal.send(Signal::Done(Box::new(done)));
            })
            .map_err(Error::Thread)?;

        let mut deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut stop: Option<Outcome> = None;
        loop {
            let outcome = match receive(&signals, deadline, || shared.send()) {
                Ok(Signal::Done(done)) => return done.finish(stop, tracer),
                Err(RecvTimeoutError::Disconnected) => {
                    let message = Some("the guest's thread panicked".into());
                    let end = End { outcome: Outcome::Failed, message, ..End::default() };
                    return Ok(Ran {
                        trace: tracer.end(end)?,
                        values: Vec::new(),
                        untracked_files: 0,
                        abandoned: true,
                    });
                }
                Ok(Signal::Interrupted) => Outcome::Interrupted,
                Err(RecvTimeoutError::Timeout) => match stop {
                    None => Outcome::TimedOut,
                    Some(outcome) => {
                        let why = says(outcome) + abandonment(&shared);
                        let end = End { outcome, message: Some(why), ..End::default() };
                        let trace = tracer.end(end)?;
                        return Ok(Ran {
                            trace,
                            values: Vec::new(),
                            untracked_files: 0,
                            abandoned: true,
                        });
                    }
                },
            };
            if stop.is_none() {
                stop = Some(outcome);
                deadline = Some(Instant::now() + GRACE);
                shared.stop.store(true, Ordering::Relaxed);
                engine.increment_epoch();
            }
        }
    }

    fn guest(mut self, shared: &Arc<Shared>) -> Done {
        let (mut values, mut instance) = (Vec::new(), None);
        let result = self.call(shared, &mut values, &mut instance);
        shared.drain(&mut self.store);
        let instances = shared.instances();
        let instruction = self.options.symbolize.as_deref();
        let symbolizer = Symbolizer { modules: &instances, instruction };
        let mut end = end::of(result.as_ref().err(), &symbolizer);
        let hidden = locals::at_end(result.as_ref().err(), &symbolizer);
        end.refused_growths = self.store.data().limiter.refused();
        if end.outcome == Outcome::Trapped && end.refused_growths > 0 {
            end.outcome = Outcome::MemoryLimit;
        }
        end_image(shared, &mut self.store, hidden);
        shared.is_over.store(true, Ordering::Relaxed);
        if let (Some(instance), Outcome::Returned | Outcome::Exited) = (instance, end.outcome) {
            match suppressions::told(shared, &mut self.store, &instance) {
                Ok(Some(message)) => shared.feeder.send(message),
                Ok(None) => {}
                Err(error) => end.message = Some(error),
            }
        }
        let descriptors = &self.store.data().descriptors;
        if let Some(instance) = instances.first() {
            descriptors.send(&shared.feeder, instance, &symbolizer);
        }
        if end.outcome == Outcome::Returned && matches!(self.entry, Entry::Start) {
            end.exit_code = Some(0);
        }
        let stopped = result.is_err_and(|error| error.downcast_ref() == Some(&Trap::Interrupt));
        Done { end, values, untracked_files: descriptors.untracked(), stopped }
    }

    fn call(
        &mut self,
        shared: &Arc<Shared>,
        values: &mut Vec<String>,
        called: &mut Option<Instance>,
    ) -> wasmtime::Result<()> {
        let link = link(shared, &mut self.linker, &self.module)?;
        if self.options.unknown_imports_trap {
            self.linker.define_unknown_imports_as_traps(self.module.module())?;
            self.linker
                .define_unknown_imports_as_default_values(&mut self.store, self.module.module())?;
        }
        if matches!(self.module.table().transport, Transport::Ring(_)) {
            flush_before_host_calls(shared, &mut self.store);
        }
        self.store.set_epoch_deadline(1);
        let instance = self.linker.instantiate(&mut self.store, self.module.module())?;
        link.attach(&mut self.store, &instance)?;
        *called = Some(instance);
        let Entry::Export { name, parameters, repeat } = &self.entry else {
            return instance
                .get_typed_func::<(), ()>(&mut self.store, "_start")?
                .call(&mut self.store, ());
        };
        if let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut self.store, "_initialize")
            && name != "_initialize"
        {
            initialize.call(&mut self.store, ())?;
        }
        let function = function(&instance, &mut self.store, name)?;
        let mut results = invoke::results(&function.ty(&self.store));
        let mut tracepoints = self.module.table().module.tracepoints.iter();
        let marks_itself = tracepoints.any(|it| it.role == Role::Mark && it.function == *name);
        for run in 1..=*repeat {
            function.call(&mut self.store, parameters, &mut results)?;
            // What it has given us may be a block: we hold it until the next call.
            *lock(&shared.held) = results.iter().filter_map(invoke::address).collect();
            if !marks_itself {
                shared.mark(&mut self.store, format!("{name} #{run}"), 0);
            }
        }
        values.extend(results.iter().map(invoke::show));
        Ok(())
    }
}

impl Done {
    fn finish<S: Sink>(
        mut self,
        stop: Option<Outcome>,
        tracer: Tracer<S>,
    ) -> Result<Ran<S>, Error> {
        if let (true, Some(outcome)) = (self.stopped, stop) {
            self.end.outcome = outcome;
            self.end.message = Some(says(outcome));
        }
        Ok(Ran {
            trace: tracer.end(self.end)?,
            values: self.values,
            untracked_files: self.untracked_files,
            abandoned: false,
        })
    }
}

impl Entry {
    fn new(module: &Module, options: &RunOptions) -> Result<Entry, Error> {
        if let Some(invoke) = &options.invoke {
            let parameters = invoke::parameters(module, &invoke.export, &invoke.args)?;
            let repeat = invoke.repeat.max(1);
            return Ok(Entry::Export { name: invoke.export.clone(), parameters, repeat });
        }
        let exports = invoke::exported_functions(module);
        if exports.iter().any(|name| name == "_start") {
            // `_start` of another type is no program's: the call says so.
            invoke::parameters(module, "_start", &[])?;
            return Ok(Entry::Start);
        }
        Err(Error::NoStart { exports })
    }
}

fn engine(options: &RunOptions) -> Result<Engine, Error> {
    let mut config = Config::new();
    configure(&mut config)
        .max_wasm_stack(options.max_stack)
        .epoch_interruption(options.timeout.is_some() || options.checked_loops)
        .wasm_memory64(true)
        .wasm_tail_call(true)
        .wasm_function_references(true)
        .wasm_gc(true)
        .wasm_exceptions(true)
        .wasm_extended_const(true)
        .wasm_wide_arithmetic(true)
        .wasm_custom_page_sizes(true);
    Engine::new(&config).map_err(|error| Error::Engine(format!("{error:#}")))
}

fn check_memory(table: &SiteTable, limit: Option<u64>) -> Result<(), Error> {
    let own = table.module.memories.iter().filter(|memory| !memory.imported);
    let initial = own
        .map(|memory| memory.initial_pages.saturating_mul(memory.page_size))
        .fold(0, u64::saturating_add);
    match limit {
        Some(limit) if initial > limit => Err(Error::InitialMemory { initial, limit }),
        _ => Ok(()),
    }
}

fn check_imports(
    module: &Module,
    linker: &Linker<Host>,
    store: &mut Store<Host>,
) -> Result<(), Error> {
    let missing = module.imports().filter(|import| {
        import.module() != IMPORT_MODULE
            && linker.get(&mut *store, import.module(), import.name()).is_err()
    });
    let names: Vec<_> = missing.map(|i| format!("{}::{}", i.module(), i.name())).collect();
    if names.is_empty() { Ok(()) } else { Err(Error::MissingImports { names }) }
}

fn function(
    instance: &Instance,
    store: &mut Store<Host>,
    name: &str,
) -> wasmtime::Result<wasmtime::Func> {
    let found = instance.get_func(store, name);
    found.ok_or_else(|| wasmtime::Error::msg(format!("the export `{name}` is gone")))
}

/// Waits for a signal until the deadline. Again and again in between, what was taken from the guest
/// is sent on: one that computes for long does not come by to do it, and when the process is killed
/// the trace file should have it.
fn receive(
    signals: &mpsc::Receiver<Signal>,
    deadline: Option<Instant>,
    send: impl Fn(),
) -> Result<Signal, RecvTimeoutError> {
    loop {
        let left =
            deadline.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
        match signals.recv_timeout(left.min(HEARTBEAT)) {
            Err(RecvTimeoutError::Timeout) if left > HEARTBEAT => send(),
            signal => return signal,
        }
    }
}

fn says(outcome: Outcome) -> String {
    match outcome {
        Outcome::TimedOut => "stopped because its time was up".into(),
        _ => "stopped by an interrupt".into(),
    }
}

fn abandonment(shared: &Shared) -> &'static str {
    if shared.may_hold_records() {
        ", but did not answer: what it recorded since it last called the host is missing"
    } else {
        ", and did not answer"
    }
}
