//! What a run is to be like.

use crate::{
    embed::DEFAULT_STACKS, end::Symbolize, image::Images, interrupt::Interrupt,
    locals::KeptInLocals, marks::MarkRequest,
};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

/// How a module is run. The default runs `_start` with no arguments, no variables and no
/// directories, with the process's own standard streams, and without limits.
#[non_exhaustive]
pub struct RunOptions {
    /// The guest's arguments; the first is the program's name.
    pub args: Vec<String>,
    /// The guest's environment.
    pub env: Vec<(String, String)>,
    /// Directories that the guest may use.
    pub dirs: Vec<Dir>,
    /// The guest's standard input.
    pub stdin: Stdin,
    /// The guest's standard output.
    pub stdout: Output,
    /// The guest's standard error.
    pub stderr: Output,
    /// What to call instead of `_start`.
    pub invoke: Option<Invoke>,
    /// How many bytes all memories of the guest may have together.
    pub max_memory: Option<u64>,
    /// Bytes of stack for wasm frames.
    pub max_stack: usize,
    /// How long the guest may run.
    pub timeout: Option<Duration>,
    /// Stops the guest from outside: at its next call of the host, or, if none comes, by giving up
    /// on it. A call of its allocator is one of the host over the transport of calls; over the ring
    /// only when the ring is full. See [`RunOptions::checked_loops`].
    pub interrupt: Option<Interrupt>,
    /// Whether loops look if they are to stop, so that a guest that only computes can be stopped
    /// as well, and says where it was. A timeout implies it. It can double the time of a loop of
    /// a few instructions.
    pub checked_loops: bool,
    /// Calls of imports that nobody provides trap, instead of keeping the module from running.
    pub unknown_imports_trap: bool,
    /// Stacks that are captured whole: see [`crate::Tracer::with_stacks`].
    pub stacks: usize,
    /// Of which moments images are taken.
    pub images: Images,
    /// Marks that are asked for from outside.
    pub mark_request: MarkRequest,
    /// Names the source of instructions that are no traced calls, for a trap's stack.
    pub symbolize: Option<Box<Symbolize>>,
    /// Knows the module's code: see [`crate::TracedModule::asking`].
    pub kept: Option<Arc<KeptInLocals>>,
}

/// A directory that the guest may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dir {
    /// Where it is.
    pub host: PathBuf,
    /// What the guest calls it.
    pub guest: String,
}

/// An export to call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invoke {
    /// Its name.
    pub export: String,
    /// Its arguments, as text: numbers of the types that it takes.
    pub args: Vec<String>,
    /// How often to call it. 0 is as good as 1.
    pub repeat: u32,
}

/// Where the guest's standard input comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stdin {
    /// From the process's own.
    #[default]
    Inherit,
    /// It is these bytes.
    Bytes(Vec<u8>),
}

/// Where one of the guest's output streams goes.
#[derive(Clone, Debug, Default)]
pub enum Output {
    /// To the stream of the same name of the process.
    #[default]
    Inherit,
    /// To the process's standard error.
    Stderr,
    /// Nowhere.
    Discard,
    /// Into memory.
    Capture(Capture),
}

/// What a guest has written. All clones see the same.
#[derive(Clone, Debug)]
pub struct Capture {
    pipe: Arc<Mutex<MemoryOutputPipe>>,
}

impl Capture {
    /// A place for up to `capacity` bytes; the guest cannot write more.
    pub fn new(capacity: usize) -> Capture {
        Capture { pipe: Arc::new(Mutex::new(MemoryOutputPipe::new(capacity))) }
    }

    /// What has been written so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.pipe().contents().to_vec()
    }

    pub(crate) fn pipe(&self) -> MemoryOutputPipe {
        self.pipe.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            args: Vec::new(),
            env: Vec::new(),
            dirs: Vec::new(),
            stdin: Stdin::default(),
            stdout: Output::default(),
            stderr: Output::default(),
            invoke: None,
            max_memory: None,
            // wasmtime's own is half a megabyte. Instrumented frames are a little larger than the
            // original's, and what fitted must still fit.
            max_stack: 1 << 20,
            timeout: None,
            interrupt: None,
            checked_loops: false,
            unknown_imports_trap: false,
            stacks: DEFAULT_STACKS,
            images: Images::default(),
            mark_request: MarkRequest::default(),
            symbolize: None,
            kept: None,
        }
    }
}
