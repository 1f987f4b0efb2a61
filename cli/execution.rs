//! What `run` and `check` have in common: from the module's file to the outcome of its run.

use crate::{
    exit, input,
    options::{
        InstrumentOptions, LeakOptions, ReportOptions, RunOptions, SuppressionOptions, TraceImages,
    },
    probing,
    reporting::{Reporter, Stream, takes_stdout},
    suppressing::Suppressing,
    terminal,
    watched::Watched,
};
use anyhow::{Context, Result, bail};
use seepage_analysis::{Budget, Config, Outcome, Session};
use seepage_instrumenter::Code;
use seepage_report::{Invocation, Verb};
use seepage_runtime::{
    Dir, Images, Interrupt, Invoke, MarkRequest, Output, RunOptions as GuestOptions, Runner,
    SinkError, Symbolize, Tee, TraceWriter, is_instrumented, site_table,
};
use std::{fs::File, path::Path, sync::Arc};

/// What was asked for.
pub(crate) struct Request<'a> {
    pub(crate) verb: Verb,
    pub(crate) run: &'a RunOptions,
    pub(crate) report: &'a ReportOptions,
    pub(crate) leaks: &'a LeakOptions,
    pub(crate) suppress: &'a SuppressionOptions,
    pub(crate) instrument: &'a InstrumentOptions,
    pub(crate) budget: Budget,
    pub(crate) track_fds: bool,
    pub(crate) suspects_fail: bool,
}

/// A run that is over, and not yet reported.
pub(crate) struct Execution {
    pub(crate) outcome: Outcome,
    reporter: Reporter,
    suppressing: Suppressing,
    /// The trace file, and why it is incomplete.
    trace_error: Option<(String, SinkError)>,
    refused_stacks: u64,
    untracked_files: u64,
    abandoned: bool,
}

impl Execution {
    /// Instruments the module if it is not, and runs it to its end.
    pub(crate) fn new(request: &Request<'_>) -> Result<Execution> {
        let Some((target, args)) = request.run.command.split_first() else {
            bail!("no module was given");
        };
        let path = Path::new(target);
        let stdout_is_taken = takes_stdout(request.report)?;
        let suppressing = Suppressing::new(request.suppress)?;
        let bytes = input::module(path)?;
        let (wasm, symbolize) = instrumented(request.instrument, path, bytes)?;
        let wasm: Arc<[u8]> = wasm.into();

        let interrupt = Interrupt::new();
        let mut options = guest_options(request.run, path, args)?;
        options.interrupt = Some(interrupt.clone());
        options.symbolize = symbolize;
        if let Ok(table) = site_table(&wasm) {
            let code = Code::new(wasm.clone(), &table.module);
            options.kept = Some(Arc::new(move |calls| code.kept(calls)));
        }
        if stdout_is_taken {
            options.stdout = Output::Stderr;
        }
        let runner =
            terminal::spinning("compiling", wasm.len() as u64, || Runner::new(&wasm, options))
                .with_context(|| format!("failed to run `{target}`"))?;
        drop(wasm);

        let trace = request.run.trace.as_deref();
        let invocation = Invocation {
            verb: request.verb,
            target: target.clone(),
            trace: trace.map(|trace| trace.display().to_string()),
        };
        let reporter = Reporter::new(request.report, Stream::Stderr, invocation)?;
        let trace_writer = trace.map(trace_writer).transpose()?;
        let config = Config {
            budget: request.budget,
            track_fds: request.track_fds,
            suspects_fail: request.suspects_fail,
            heap_map: request.report.heap_map,
            ..Config::default()
        };
        let config = suppressing.configure(request.leaks.configure(config));
        stop_on_signal(interrupt);
        let ran = runner
            .run(Tee::new(Watched::new(Session::new(config)), trace_writer))
            .with_context(|| format!("failed to run `{target}`"))?;

        let mut values = ran.values.join("\n");
        if !values.is_empty() {
            values.push('\n');
            if stdout_is_taken {
                terminal::print_to_stderr(&values);
            } else {
                terminal::print(&values).context("failed to write the results")?;
            }
        }
        let Tee { first, second, .. } = ran.trace.sink;
        let trace_name = || trace.unwrap_or(Path::new("")).display().to_string();
        Ok(Execution {
            outcome: first.sink.finish(),
            reporter,
            suppressing,
            trace_error: second.error.map(|error| (trace_name(), error)),
            refused_stacks: ran.trace.refused_stacks,
            untracked_files: ran.untracked_files,
            abandoned: ran.abandoned,
        })
    }

    /// Writes the report; gives the exit code, which is `code` if all that was asked for is done.
    pub(crate) fn report(self, code: i32) -> Result<i32> {
        self.reporter.report(&self.outcome)?;
        self.suppressing.conclude(&self.outcome)?;
        if self.abandoned {
            let message = self.outcome.end.message.as_deref().unwrap_or("given up on");
            terminal::warning(&format!("the guest was {message}"));
        }
        if self.refused_stacks > 0 {
            terminal::warning(&format!(
                "{} contexts too many for their stacks to be kept",
                self.refused_stacks
            ));
        }
        if self.untracked_files > 0 {
            terminal::warning(&format!(
                "{} descriptors were opened while too many were open, and not followed",
                self.untracked_files
            ));
        }
        let Some((path, error)) = self.trace_error else { return Ok(code) };
        terminal::warning(&format!("the trace `{path}` is incomplete: {error}"));
        Ok(if code == exit::CLEAN { exit::FAILED } else { code })
    }
}

/// The instrumented module, and for one that was instrumented just now the source of any of its
/// instructions.
fn instrumented(
    options: &InstrumentOptions,
    path: &Path,
    bytes: Vec<u8>,
) -> Result<(Vec<u8>, Option<Box<Symbolize>>)> {
    if is_instrumented(&bytes) {
        if !options.is_default() {
            terminal::warning(&format!(
                "`{}` is instrumented already: --transport, --no-context, --alloc-fn, \
                 --mark-export and --fill change nothing",
                path.display()
            ));
        }
        return Ok((bytes, None));
    }
    let config = options.config(path)?;
    let size = bytes.len() as u64;
    let mut instrumented = terminal::spinning("instrumenting", size, || {
        probing::instrumented(&bytes, options, &config)
    })
    .with_context(|| format!("failed to instrument `{}`", path.display()))?;
    let wasm = std::mem::take(&mut instrumented.wasm);
    Ok((wasm, Some(Box::new(move |offset| instrumented.frames_at(offset)))))
}

fn guest_options(run: &RunOptions, path: &Path, args: &[String]) -> Result<GuestOptions> {
    let mut options = GuestOptions::default();
    options.dirs = run.dir.iter().map(|dir| directory(dir)).collect();
    options.env = run.env.iter().map(|text| variable(text)).collect::<Result<_>>()?;
    options.max_memory = run.max_memory;
    options.timeout = run.timeout;
    options.images = match run.trace_images {
        TraceImages::Off => Images::Off,
        TraceImages::Marks => Images::Marks,
        TraceImages::All => Images::All,
    };
    options.mark_request = mark_on_signal();
    options.unknown_imports_trap = run.unknown_imports_trap;
    if let Some(bytes) = run.max_stack {
        options.max_stack = usize::try_from(bytes).context("--max-stack is too large")?;
    }
    match &run.invoke {
        Some(export) => {
            let (export, args) = (export.clone(), args.to_vec());
            options.invoke = Some(Invoke { export, args, repeat: run.repeat });
        }
        None if run.repeat > 1 => bail!(
            "--repeat calls an export again and again, and `_start` can run only once\n\
             hint: choose an export with --invoke"
        ),
        None => {
            options.args = vec![crate::options::module_name(path)];
            options.args.extend_from_slice(args);
        }
    }
    Ok(options)
}

fn directory(text: &str) -> Dir {
    let (host, guest) = text.split_once("::").unwrap_or((text, text));
    Dir { host: host.into(), guest: guest.into() }
}

fn variable(text: &str) -> Result<(String, String)> {
    if let Some((name, value)) = text.split_once('=') {
        return Ok((name.into(), value.into()));
    }
    match std::env::var(text) {
        Ok(value) => Ok((text.into(), value)),
        Err(error) => bail!("failed to pass on the variable `{text}`: {error}"),
    }
}

fn trace_writer(path: &Path) -> Result<TraceWriter<File>> {
    let created = File::create(path).map(TraceWriter::new);
    created.with_context(|| format!("failed to write the trace to `{}`", path.display()))
}

/// SIGUSR1 marks the moment, where there is such a signal.
fn mark_on_signal() -> MarkRequest {
    let request = MarkRequest::new("SIGUSR1");
    #[cfg(unix)]
    if let Err(error) = signal_hook::flag::register(signal_hook::consts::SIGUSR1, request.flag()) {
        terminal::warning(&format!("SIGUSR1 will make no mark: {error}"));
    }
    request
}

/// The first signal stops the guest, so that the report still comes; the second stops everything.
fn stop_on_signal(interrupt: Interrupt) {
    let handler = move || {
        if interrupt.trigger() {
            std::process::exit(exit::INTERRUPTED);
        }
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        terminal::warning(&format!("Ctrl-C will end the run without a report: {error}"));
    }
}
