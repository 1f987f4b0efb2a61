//! Tracing in somebody else's host: your own `Engine`, `Linker` and `Store`.
//!
//! The tracer gives an instance the functions that instrumented code imports, and asks for nothing
//! else of the store's data. One tracer serves one store, with as many instances of as many
//! modules as there are; each instance is a module of its own in the trace, since each has its own
//! heap.

use crate::{
    collector::{Collector, Sink, SinkError},
    end,
    error::Error,
    image::{Images, MARKS_BUDGET},
    instance::{Instance, Shared, lock},
    locals::{self, KeptInLocals},
    marks::MarkRequest,
    section::site_table,
    stacks::MAX_FRAMES,
};
use seepage_trace::{
    Context, End, Message, ModuleId, ModuleInfo, SiteTable,
    abi::{
        IMPORT_CONTEXT, IMPORT_EVENT, IMPORT_FLUSH, IMPORT_MARK, IMPORT_MODULE, Record,
        RecordLayout,
    },
    sites::Transport,
    stacks::Budget,
};
use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use wasmtime::{AsContextMut, CallHook, Caller, Config, Engine, Linker, Module, Store};

pub use seepage_trace::stacks::DEFAULT_STACKS;

/// Sets what tracing wants of an engine: backtraces deep enough for recursion, and the second
/// memory that holds the ring.
pub fn configure(config: &mut Config) -> &mut Config {
    config.wasm_backtrace_max_frames(NonZeroUsize::new(MAX_FRAMES)).wasm_multi_memory(true)
}

/// An instrumented module, compiled.
#[derive(Clone)]
pub struct TracedModule {
    module: Module,
    table: Arc<SiteTable>,
    kept: Option<Arc<KeptInLocals>>,
}

impl TracedModule {
    /// Compiles an instrumented module for an engine that [`configure`] has seen.
    ///
    /// # Errors
    /// When the module is not instrumented, or the engine does not take it.
    pub fn new(engine: &Engine, wasm: &[u8]) -> Result<TracedModule, Error> {
        let table = Arc::new(site_table(wasm)?);
        let compile = |error| Error::Compile(format!("{error:#}"));
        let module = Module::from_binary(engine, wasm).map_err(compile)?;
        Ok(TracedModule { module, table, kept: None })
    }

    /// The same, with somebody who knows its code, such as the instrumenter's `Code`. Without, all that
    /// is lost when a guest exits in the middle of its calls is only possibly lost.
    #[must_use]
    pub fn asking(mut self, kept: Arc<KeptInLocals>) -> TracedModule {
        self.kept = Some(kept);
        self
    }

    pub(crate) fn kept(&self) -> Option<&KeptInLocals> {
        self.kept.as_deref()
    }

    /// The compiled module.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// What instrumentation left in it.
    pub fn table(&self) -> &SiteTable {
        &self.table
    }
}

/// Collects the trace of the instances of one store.
pub struct Tracer<S> {
    shared: Arc<Shared>,
    collector: Collector<S>,
}

/// What a tracer leaves behind.
#[derive(Debug)]
#[non_exhaustive]
pub struct Finished<S> {
    /// How the guest ended; the trace's last message.
    pub end: End,
    /// The sink, with everything in it.
    pub sink: S,
    /// Why the sink stopped early, if it did.
    pub sink_error: Option<SinkError>,
    /// New contexts that were left without a stack, for there were too many.
    pub refused_stacks: u64,
}

/// One instance's part of a tracer, from before it is instantiated.
pub struct Link {
    shared: Arc<Shared>,
    instance: Arc<Instance>,
}

impl<S: Sink> Tracer<S> {
    /// Starts the thread that feeds `sink`.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn new(sink: S) -> Result<Tracer<S>, Error> {
        Tracer::with_stacks(sink, DEFAULT_STACKS)
    }

    /// The same with another cap on the stacks that are captured whole. Four times as many are
    /// captured with their innermost calls; contexts beyond have none.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn with_stacks(sink: S, stacks: usize) -> Result<Tracer<S>, Error> {
        Tracer::with(sink, stacks, Images::default())
    }

    /// The same, with images of other moments than the default's.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn with(sink: S, stacks: usize, images: Images) -> Result<Tracer<S>, Error> {
        Tracer::with_requests(sink, stacks, images, MarkRequest::default())
    }

    /// The same, with marks that somebody else asks for.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn with_requests(
        sink: S,
        stacks: usize,
        images: Images,
        request: MarkRequest,
    ) -> Result<Tracer<S>, Error> {
        let collector = Collector::start(sink)?;
        let shared = Arc::new(Shared {
            feeder: collector.feeder(),
            start: Instant::now(),
            budget: Mutex::new(Budget::new(stacks)),
            instances: Mutex::default(),
            images,
            held: Mutex::default(),
            image_budget: Mutex::new(MARKS_BUDGET),
            request,
            marks: Mutex::default(),
            stop: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            in_host: AtomicBool::new(false),
        });
        Ok(Tracer { shared, collector })
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// Gives the next instance of `module` its tracing imports. Call it once for each instance;
    /// it shadows what an earlier call has defined.
    ///
    /// # Errors
    /// When the linker does not take them.
    pub fn link<T: 'static>(
        &self,
        linker: &mut Linker<T>,
        module: &TracedModule,
    ) -> Result<Link, Error> {
        link(&self.shared, linker, module)
    }

    /// Links and instantiates in one step.
    ///
    /// # Errors
    /// As wasmtime's own: an import is missing, or the start function trapped.
    pub fn instantiate<T: 'static>(
        &self,
        store: &mut Store<T>,
        linker: &Linker<T>,
        module: &TracedModule,
    ) -> wasmtime::Result<wasmtime::Instance> {
        let mut linker = linker.clone();
        let link = self.link(&mut linker, module)?;
        let instance = linker.instantiate(&mut *store, module.module())?;
        link.attach(store, &instance)?;
        Ok(instance)
    }

    /// Empties the rings whenever the guest calls a host function, so that nothing is missing from
    /// the trace if the function never returns. It takes the store's call hook.
    pub fn flush_before_host_calls<T: 'static>(&self, store: &mut Store<T>) {
        flush_before_host_calls(&self.shared, store);
    }

    /// Takes what the guest has written so far and hands it to the sink.
    pub fn flush(&self, store: impl AsContextMut) {
        self.shared.drain(store);
        self.shared.send();
    }

    /// Says which addresses the host holds, such as what an export has returned: the blocks there
    /// are held, in this store's modules, until the next call of this function.
    pub fn hold(&self, addresses: impl IntoIterator<Item = u64>) {
        *lock(&self.shared.held) = addresses.into_iter().collect();
    }

    /// Flushes, and marks a quiescent moment: between two requests, say. No call of the guest may
    /// be under way.
    pub fn mark(&self, store: impl AsContextMut, name: impl Into<String>) {
        self.shared.mark(store, name.into(), 0);
    }

    /// Flushes and ends the trace. `result` is what the last call of the guest came back with,
    /// trap or not.
    ///
    /// # Errors
    /// When the thread that feeds the sink has panicked.
    pub fn finish<R>(
        self,
        mut store: impl AsContextMut,
        result: &wasmtime::Result<R>,
    ) -> Result<Finished<S>, Error> {
        self.shared.drain(&mut store);
        let tables = self.shared.instances();
        let symbolizer = end::Symbolizer { modules: &tables, instruction: None };
        let end = end::of(result.as_ref().err(), &symbolizer);
        end_image(&self.shared, store, locals::at_end(result.as_ref().err(), &symbolizer));
        self.end(end)
    }

    /// Ends the trace without the store, with what has been taken from it.
    pub(crate) fn end(self, mut end: End) -> Result<Finished<S>, Error> {
        self.shared.send();
        end.time_ns = self.shared.elapsed_ns();
        end.lost_records = self.shared.lost();
        let (sink, sink_error) = self.collector.finish(end.clone())?;
        let refused_stacks = lock(&self.shared.budget).refused();
        Ok(Finished { end, sink, sink_error, refused_stacks })
    }
}

impl Link {
    /// Takes note of the instance, so that its ring can be emptied. Call it after instantiation.
    ///
    /// # Errors
    /// When the instance is not of the module that was linked.
    pub fn attach(
        self,
        mut store: impl AsContextMut,
        instance: &wasmtime::Instance,
    ) -> Result<(), Error> {
        self.instance.attach(&mut store, |store, name| instance.get_export(store, name))?;
        self.instance.take_baseline(&self.shared, store);
        Ok(())
    }
}

/// The image of the end, if images are wanted.
pub(crate) fn end_image(shared: &Shared, store: impl AsContextMut, hidden: u32) {
    if shared.images != Images::Off {
        shared.send();
        shared.image(store, hidden);
    }
}

pub(crate) fn link<T: 'static>(
    shared: &Arc<Shared>,
    linker: &mut Linker<T>,
    module: &TracedModule,
) -> Result<Link, Error> {
    let instance = {
        let mut instances = lock(&shared.instances);
        let id = ModuleId(u32::try_from(instances.len()).unwrap_or(u32::MAX));
        let instance = Instance::new(id, module.clone());
        instances.push(Arc::new(instance));
        // Still under the lock, so that modules come in the order of their numbers.
        let info = ModuleInfo { id, ..module.table.module.clone() };
        shared.feeder.send(Message::Module(info));
        instances[id.0 as usize].clone()
    };
    let link = Link { shared: shared.clone(), instance };
    linker.allow_shadowing(true);
    link.define(linker).map_err(|error| Error::Link(format!("{error:#}")))?;
    linker.allow_shadowing(false);
    Ok(link)
}

pub(crate) fn flush_before_host_calls<T: 'static>(shared: &Arc<Shared>, store: &mut Store<T>) {
    let shared = shared.clone();
    store.call_hook(move |mut store, hook| {
        match hook {
            CallHook::CallingHost => {
                shared.drain(&mut store);
                shared.serve(store);
                shared.in_host.store(true, Ordering::Relaxed);
                shared.check()?;
            }
            CallHook::ReturningFromHost => shared.in_host.store(false, Ordering::Relaxed),
            _ => {}
        }
        Ok(())
    });
}

impl Link {
    fn define<T: 'static>(&self, linker: &mut Linker<T>) -> wasmtime::Result<()> {
        let tap = self.tap();
        let mark = move |mut caller: Caller<'_, T>, tracepoint: u32| {
            tap.attach_caller(&mut caller)?;
            tap.shared.numbered_mark(&mut caller, tap.instance.tracepoint(tracepoint));
            wasmtime::Result::Ok(())
        };
        linker.func_wrap(IMPORT_MODULE, IMPORT_MARK, mark)?;
        let table = self.instance.table();
        match (table.transport, table.layout) {
            (Transport::Ring(_), _) => {
                let tap = self.tap();
                linker.func_wrap(
                    IMPORT_MODULE,
                    IMPORT_FLUSH,
                    move |mut caller: Caller<'_, T>| {
                        tap.attach_caller(&mut caller)?;
                        tap.instance.drain(&tap.shared, &mut caller);
                        tap.shared.serve(&mut caller);
                        wasmtime::Result::Ok(())
                    },
                )?;
                let tap = self.tap();
                let context = move |mut caller: Caller<'_, T>, context: u64| {
                    tap.attach_caller(&mut caller)?;
                    tap.instance.capture(&tap.shared, &caller, Context(context));
                    wasmtime::Result::Ok(())
                };
                linker.func_wrap(IMPORT_MODULE, IMPORT_CONTEXT, context)?;
            }
            (Transport::Call, RecordLayout::Narrow) => {
                let tap = self.tap();
                let event =
                    move |caller: Caller<'_, T>, head, size: u32, context, addr: u32, old: u32| {
                        let [size, addr, old] = [size, addr, old].map(u64::from);
                        tap.event(
                            caller,
                            Record { head, size, context: Context(context), addr, old },
                        )
                    };
                linker.func_wrap(IMPORT_MODULE, IMPORT_EVENT, event)?;
            }
            (Transport::Call, RecordLayout::Wide) => {
                let tap = self.tap();
                let event = move |caller: Caller<'_, T>, head, size, context, addr, old| {
                    tap.event(caller, Record { head, size, context: Context(context), addr, old })
                };
                linker.func_wrap(IMPORT_MODULE, IMPORT_EVENT, event)?;
            }
        }
        Ok(())
    }

    fn tap(&self) -> Link {
        Link { shared: self.shared.clone(), instance: self.instance.clone() }
    }

    /// A start function allocates before there is an instance to attach to.
    fn attach_caller<T: 'static>(&self, caller: &mut Caller<'_, T>) -> Result<(), Error> {
        self.instance.attach(caller, |caller, name| caller.get_export(name))
    }

    fn event<T: 'static>(&self, mut caller: Caller<'_, T>, record: Record) -> wasmtime::Result<()> {
        if self.instance.table().module.contexts {
            self.instance.capture(&self.shared, &caller, record.context);
        }
        if self.instance.record(&self.shared, &record) {
            self.attach_caller(&mut caller)?;
            self.instance.drain(&self.shared, &mut caller);
        }
        if self.shared.request.is_asked() {
            self.attach_caller(&mut caller)?;
            self.shared.serve(&mut caller);
        }
        Ok(self.shared.check()?)
    }
}
