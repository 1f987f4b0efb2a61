//! The groups of options that several subcommands share.

use crate::units;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum, builder::PossibleValuesParser};
use seepage_analysis::{Budget, Config, LeakKind, LeakKinds};
use seepage_instrumenter::{AllocFn, Config as InstrumentConfig, Contexts, Fill, TransportKind};
use seepage_report::formats;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// How to instrument.
#[derive(Args, Debug)]
#[command(next_help_heading = "Instrumentation")]
pub(crate) struct InstrumentOptions {
    /// How records leave the guest
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Transport::Ring)]
    pub(crate) transport: Transport,

    /// Leave out calling contexts: faster, and without stacks
    #[arg(long)]
    pub(crate) no_context: bool,

    /// A function that is an allocator's, e.g. `pool_alloc=malloc` or `f123=free`
    ///
    /// NAME is a function's name, an export, or `f123` for the function of that index. ROLE is
    /// malloc, calloc, realloc, free, memalign, aligned_alloc or posix_memalign, with the meaning
    /// of the parameters behind it where they are not as in C: `pool_alloc=malloc(_,size)`. May be
    /// repeated.
    #[arg(long, value_name = "NAME=ROLE")]
    pub(crate) alloc_fn: Vec<AllocFn>,

    /// The JavaScript that loads the module: it may tell which export is malloc
    #[arg(long, value_name = "FILE")]
    pub(crate) glue: Option<PathBuf>,

    /// The same module before it was stripped, for its names and lines
    #[arg(long, value_name = "FILE")]
    pub(crate) debug_file: Option<PathBuf>,

    /// An export whose every return to the host marks the moment
    #[arg(long, value_name = "NAME")]
    pub(crate) mark_export: Vec<String>,

    /// Fill new blocks with a byte, and freed ones with it or another, e.g. `0xaa,0xdd`
    ///
    /// Shows reads of what was never written or is freed. What a block's size is not known of is
    /// left as it is, and said to be.
    #[arg(long, value_name = "BYTE[,BYTE]")]
    pub(crate) fill: Option<Fill>,

    /// Do not try candidates in a sandbox when names and code leave the allocator open
    #[arg(long)]
    pub(crate) no_probe: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transport {
    /// Through a ring in a second memory
    Ring,
    /// One call of an import a record, for engines without multi-memory
    Call,
}

impl InstrumentOptions {
    pub(crate) fn config(&self, module: &Path) -> Result<InstrumentConfig> {
        let unreadable = |path: &Path| format!("failed to read `{}`", path.display());
        let read = |path: &PathBuf| fs::read(path).with_context(|| unreadable(path));
        let glue = self.glue.as_ref().map(read).transpose()?;
        Ok(InstrumentConfig {
            module_name: module_name(module),
            transport: match self.transport {
                Transport::Ring => TransportKind::Ring,
                Transport::Call => TransportKind::Call,
            },
            contexts: if self.no_context { Contexts::Off } else { Contexts::On },
            alloc_fns: self.alloc_fn.clone(),
            mark_exports: self.mark_export.clone(),
            fill: self.fill,
            // Threads of wasmtime would write records that have no order.
            shared_memory: false,
            glue: glue.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            companion: self.debug_file.as_ref().map(read).transpose()?,
        })
    }

    /// Whether something was asked for that only instrumenting can give.
    pub(crate) fn is_default(&self) -> bool {
        self.transport == Transport::Ring
            && !self.no_context
            && self.alloc_fn.is_empty()
            && self.mark_export.is_empty()
            && self.fill.is_none()
            && self.glue.is_none()
            && self.debug_file.is_none()
    }
}

/// What a module is called: its file's name.
pub(crate) fn module_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// How to run.
#[derive(Args, Debug)]
#[command(next_help_heading = "Running")]
pub(crate) struct RunOptions {
    /// Let the guest use a directory, under the same name or another
    #[arg(long, value_name = "HOST[::GUEST]")]
    pub(crate) dir: Vec<String>,

    /// Set a variable of the guest's environment, or pass one on
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub(crate) env: Vec<String>,

    /// Call this export instead of `_start`; what follows the module are its arguments
    #[arg(long, value_name = "EXPORT")]
    pub(crate) invoke: Option<String>,

    /// Call the export of --invoke this often, in one instance
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat: u32,

    /// Refuse the guest more memory than this, e.g. 64MiB
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    pub(crate) max_memory: Option<u64>,

    /// Bytes of stack for the guest's frames, e.g. 16MiB [default: 1MiB]
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    pub(crate) max_stack: Option<u64>,

    /// Stop the guest after this time, e.g. 10s or 500ms
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub(crate) timeout: Option<Duration>,

    /// Run although imports are missing; calling one traps
    #[arg(long)]
    pub(crate) unknown_imports_trap: bool,

    /// Write the trace to a file, for `seepage analyze`
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,

    /// The moments of which the trace has the memory, to tell what points to a block
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = TraceImages::Marks)]
    pub(crate) trace_images: TraceImages,

    /// The module, and after it everything is the guest's
    #[arg(value_name = "MODULE> [ARGS", trailing_var_arg = true, required = true, num_args = 1..)]
    pub(crate) command: Vec<String>,
}

/// Of which moments images are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceImages {
    /// Of none: nothing is told lost from reachable
    Off,
    /// Of the end, and of marks up to 1 GiB altogether
    Marks,
    /// Of the end and of every mark
    All,
}

/// What to report, and where to.
#[derive(Args, Debug)]
#[command(next_help_heading = "Report")]
pub(crate) struct ReportOptions {
    /// The report's format [default: by the extension of --output, else text]
    #[arg(short, long, value_name = "FORMAT",
        value_parser = PossibleValuesParser::new(formats::LIST.iter().map(|format| format.name)))]
    pub(crate) format: Option<String>,

    /// Write the report to a file; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Draw the memory as cells: at the end, at the peak, at marks with an image
    #[arg(long)]
    pub(crate) heap_map: bool,

    /// Calling contexts to show in a list of the text report
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<usize>,
}

/// What counts as a leak, and what as misuse.
#[derive(Args, Debug)]
#[command(next_help_heading = "Leaks")]
pub(crate) struct LeakOptions {
    /// The kinds of live blocks that are leaks
    ///
    /// definite: nothing points there; indirect: only lost blocks do; possible: something may;
    /// reachable: something does; all: every block that is live at exit.
    #[arg(long, value_name = "KINDS", value_enum, value_delimiter = ',',
        default_values_t = [Kind::Definite, Kind::Indirect])]
    pub(crate) leak_kinds: Vec<Kind>,

    /// Look for addresses of blocks at every byte, not only at multiples of their size: slower, and
    /// for programs with packed structures
    #[arg(long)]
    pub(crate) unaligned: bool,

    /// Take it for a heap error when one side frees what the other has allocated
    ///
    /// The sides are the host and the module. Off by default, for hosts and modules hand memory
    /// over to each other, as wasm-bindgen and components do.
    #[arg(long, help_heading = "Heap errors")]
    pub(crate) crossing_frees: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Definite,
    Indirect,
    Possible,
    Reachable,
    All,
}

impl LeakOptions {
    pub(crate) fn configure(&self, config: Config) -> Config {
        Config {
            leak_kinds: self.kinds(),
            unaligned: self.unaligned,
            crossing_frees: self.crossing_frees,
            ..config
        }
    }

    fn kinds(&self) -> LeakKinds {
        let kinds = self.leak_kinds.iter().flat_map(|kind| match kind {
            Kind::Definite => vec![LeakKind::DefinitelyLost],
            Kind::Indirect => vec![LeakKind::IndirectlyLost],
            Kind::Possible => vec![LeakKind::PossiblyLost],
            Kind::Reachable => vec![LeakKind::StillReachable],
            Kind::All => LeakKind::ALL.to_vec(),
        });
        LeakKinds::new(&kinds.collect::<Vec<_>>())
    }
}

/// What not to hear of.
#[derive(Args, Debug)]
#[command(next_help_heading = "Suppressions")]
pub(crate) struct SuppressionOptions {
    /// Leave what the rules in this file match out of the verdict; may be repeated
    ///
    /// A line `leak:PATTERN` matches a function, file or module anywhere in the stack, as in
    /// LeakSanitizer's files; blocks are read as Valgrind writes them.
    #[arg(long, value_name = "FILE")]
    pub(crate) suppressions: Vec<PathBuf>,

    /// Leave out the built-in rules and the module's own; those of --suppressions apply
    #[arg(long)]
    pub(crate) no_suppressions: bool,

    /// Write a rule for every leak, to standard error or a file, for --suppressions
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pub(crate) gen_suppressions: Option<Option<PathBuf>>,
}

/// What `check` lets pass.
#[derive(Args, Debug)]
#[command(next_help_heading = "Check")]
pub(crate) struct CheckOptions {
    /// Let so many bytes of leaks be [default: 0]
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    pub(crate) max_leak: Option<u64>,

    /// Let at most so many bytes be live at once
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    pub(crate) max_peak: Option<u64>,

    /// Let the memories have at most so many pages of 64 KiB
    #[arg(long, value_name = "N")]
    pub(crate) max_pages: Option<u64>,

    /// Make descriptors that are opened and never closed a leak
    #[arg(long)]
    pub(crate) track_fds: bool,
    /// Take containers that only grow for growth, and not for mere suspects
    #[arg(long)]
    pub(crate) fail_on_suspects: bool,

    /// Exit with this code for every finding
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..=255))]
    pub(crate) error_exitcode: Option<i32>,
}

impl CheckOptions {
    pub(crate) fn budget(&self) -> Budget {
        Budget { max_leak: self.max_leak, max_peak: self.max_peak, max_pages: self.max_pages }
    }
}
