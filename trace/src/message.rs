//! What a trace says, message by message: the one thing that every host hands to the analyses,
//! live or from a file.

use crate::{
    abi::{Event, Record, RecordLayout},
    ids::{Context, ModuleId, ThreadId},
    role::Role,
};
use alloc::{borrow::Cow, string::String, sync::Arc, vec::Vec};
use core::ops::Range;

/// One message of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A module begins to run; comes before anything else about it.
    Module(ModuleInfo),
    /// The stack behind a context value; comes before the first record that carries the value.
    Stack(Stack),
    /// A stretch of records of one thread.
    Records(Records<'a>),
    /// What holds addresses outside the linear memory. With the [`Message::Memory`] parts behind it
    /// this is an image of the module at the [`Message::Mark`] or [`Message::End`] that follows.
    State(State),
    /// A part of the last [`State`]'s memory.
    Memory(MemoryPart<'a>),
    /// A file that the guest has open at its end.
    OpenFile(OpenFile),
    /// Rules that a module brings with it about what is no leak of its own.
    Suppressions {
        /// Where the rules come from, as in `__lsan_default_suppressions`.
        origin: String,
        /// The rules, a line each.
        text: String,
    },
    /// What the host takes for itself.
    Host(HostMemory),
    /// A moment that somebody marked, such as the return of an invoked export.
    Mark {
        /// What the moment is called.
        name: String,
    },
    /// The guest has ended. The last message; a trace without it was cut off.
    End(End),
}

/// A hooked function, or the growth of a memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracepoint {
    /// Index of the function in the original module (for a growth: of the memory).
    pub index: u32,
    /// Its name as a person knows it.
    pub function: String,
    /// What it does.
    pub role: Role,
    /// The family of allocators it belongs to.
    pub family: String,
    /// How it was recognised.
    pub how: String,
}

/// A linear memory of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Size at the start, in pages.
    pub initial_pages: u64,
    /// Declared maximum, in pages.
    pub maximum_pages: Option<u64>,
    /// Bytes of a page: 65,536, unless the module declares other pages.
    pub page_size: u64,
    /// Whether its addresses have 64 bits.
    pub is_64: bool,
    /// Whether the host brings it.
    pub imported: bool,
}

/// What is where in the first memory, as far as the module tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The global that points to the end of the live part of the stack in memory.
    pub stack_pointer: Option<u32>,
    /// Where that stack is: it grows downwards from the end.
    pub stack: Option<Range<u64>>,
    /// Where the last initialised or zeroed static variable ends.
    pub static_end: Option<u64>,
}

/// Who gives blocks back, as far as the records can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Frees {
    /// The program itself: a block that is live at the end was not freed.
    #[default]
    Explicit,
    /// A garbage collector in the module, seen at work: what is live at the end may only be
    /// waiting for it.
    Collected,
    /// Nobody who can be seen: all that was ever allocated seems to be live.
    Unseen,
}

impl Frees {
    const ALL: [Frees; 3] = [Frees::Explicit, Frees::Collected, Frees::Unseen];

    pub(crate) fn code(self) -> u8 {
        Frees::ALL.iter().position(|&frees| frees == self).unwrap_or(0) as u8
    }

    pub(crate) fn from_code(code: u8) -> Option<Frees> {
        Frees::ALL.get(usize::from(code)).copied()
    }
}

/// What a trace knows of the module that ran.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ModuleInfo {
    /// The number by which records name it.
    pub id: ModuleId,
    /// File or module name, as the user knows it.
    pub name: String,
    /// Size of the original, in bytes.
    pub bytes: u64,
    /// The hooked functions; records name them by index.
    pub tracepoints: Vec<Tracepoint>,
    /// The module's memories, imported ones first.
    pub memories: Vec<Memory>,
    /// Whether records carry calling contexts.
    pub contexts: bool,
    /// Who gives blocks back.
    pub frees: Frees,
    /// The module begins with a heap in use, as a snapshot of a running program does: blocks from
    /// before the trace may be given back in it.
    pub heap_before: bool,
    /// The mutable globals that can hold an address, by index in the original.
    pub globals: Vec<u32>,
    /// What is where in its memory.
    pub layout: Layout,
    /// What seepage cannot see in this module, a sentence each.
    pub blind_spots: Vec<String>,
}

/// How a blind spot ends that names a function which takes and gives blocks unseen.
pub const WORKS_UNSEEN: &str = ", which is not hooked, works on the same heap";

impl ModuleInfo {
    /// Whether a function that is not hooked takes and gives blocks of the heap that is traced.
    pub fn works_unseen(&self) -> bool {
        self.blind_spots.iter().any(|it| it.ends_with(WORKS_UNSEEN))
    }
}

/// What holds addresses outside the linear memory, at some moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The module.
    pub module: ModuleId,
    /// How many addresses the calls under way may hold in locals and operands, which nobody can
    /// read: [`State::UNBOUNDED`] if there is no telling.
    pub hidden: u32,
    /// Values of [`ModuleInfo::globals`], in their order.
    pub globals: Vec<u64>,
    /// Other addresses that something outside the memory holds: locals, objects of the host.
    pub roots: Vec<u64>,
    /// Size of the first memory, in bytes.
    pub memory_bytes: u64,
    /// Stretches of the first memory that hold what they held before the module began to run:
    /// constants, which are no address of a block. By address.
    pub unchanged: Vec<Range<u64>>,
}

impl State {
    /// As many as there are.
    pub const UNBOUNDED: u32 = u32::MAX;
}

/// A stretch of a linear memory. What no part of an image holds is zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryPart<'a> {
    /// The module.
    pub module: ModuleId,
    /// The memory's index in the module.
    pub memory: u32,
    /// Where the stretch begins.
    pub addr: u64,
    /// What is there, at most [`MemoryPart::MAX`] bytes.
    pub bytes: Cow<'a, [u8]>,
}

impl MemoryPart<'_> {
    /// The longest stretch.
    pub const MAX: usize = 1 << 20;
}

/// A file, directory or other descriptor that was opened and not closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFile {
    /// The module that opened it.
    pub module: ModuleId,
    /// The number by which the guest knows it.
    pub descriptor: u32,
    /// What it is, such as `file` or `directory`.
    pub kind: String,
    /// Under which path it was opened.
    pub path: String,
    /// The calls that opened it, innermost first.
    pub frames: Vec<Frame>,
}

/// One line of a stack, innermost first. A frame that was inlined stands before the frame that it
/// was inlined into.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The function's name, demangled, or `wasm-function[N]` with its index in the original.
    pub function: Arc<str>,
    /// The source file, where DWARF tells.
    pub file: Option<Arc<str>>,
    /// The line in it, from 1.
    pub line: Option<u32>,
    /// The column in it, from 1.
    pub column: Option<u32>,
    /// The function's code was inlined into the next frame's.
    pub inlined: bool,
    /// Calls of mutually recursive functions stand between this frame and the next, left out.
    pub recursion: bool,
}

impl Frame {
    /// A frame of which only the function is known.
    pub fn function(name: impl Into<Arc<str>>) -> Frame {
        Frame {
            function: name.into(),
            file: None,
            line: None,
            column: None,
            inlined: false,
            recursion: false,
        }
    }
}

/// Memory of a host that has a heap of its own, such as a JavaScript engine, in bytes. It is no part
/// of what the modules have: that is in the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostMemory {
    /// The host's clock, in nanoseconds since the guest began.
    pub time_ns: u64,
    /// What is in use of the host's heap, collectable or not.
    pub heap: u64,
    /// Buffers that the heap's objects own, where that is known.
    pub buffers: Option<u64>,
    /// All that the process has in RAM, where that is known.
    pub resident: Option<u64>,
    /// What whoever traces has taken besides.
    pub tracer: u64,
}

/// The stack for which a context value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The module whose guest code counts the context.
    pub module: ModuleId,
    /// The value.
    pub context: Context,
    /// The frames, innermost first, without the allocator's own.
    pub frames: Vec<Frame>,
    /// The host could not give the whole stack.
    pub truncated: bool,
}

/// A stretch of records of one thread, in the order in which things happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records<'a> {
    /// The module that wrote them.
    pub module: ModuleId,
    /// The thread that wrote them.
    pub thread: ThreadId,
    /// The host's clock when it took them, in nanoseconds since the guest began.
    pub time_ns: u64,
    /// Size of each memory at that moment, in pages: shows growth by the host.
    pub memories: Vec<u64>,
    /// The form of [`Self::raw`].
    pub layout: RecordLayout,
    /// The records as the guest wrote them.
    pub raw: Cow<'a, [u8]>,
}

impl Records<'_> {
    /// How many records there are.
    pub fn len(&self) -> usize {
        self.raw.len() / self.layout.size()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The events. Records of unknown kind are left out: [`Self::len`] counts them.
    pub fn events(&self) -> impl Iterator<Item = Event> + '_ {
        let layout = self.layout;
        self.raw
            .chunks_exact(layout.size())
            .filter_map(move |bytes| Record::read(layout, bytes)?.event(layout))
    }
}

/// How a guest ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It returned.
    Returned,
    /// It called `proc_exit`.
    Exited,
    /// It trapped.
    Trapped,
    /// It was stopped when its time was up.
    TimedOut,
    /// The user stopped it.
    Interrupted,
    /// It trapped after it had been refused memory for want of it.
    MemoryLimit,
    /// The host could not start or continue it.
    Failed,
    /// Nothing is known: the trace has no end.
    Unknown,
}

impl Outcome {
    /// All outcomes, in the order of their numbers in the format.
    pub const ALL: [Outcome; 8] = [
        Outcome::Returned,
        Outcome::Exited,
        Outcome::Trapped,
        Outcome::TimedOut,
        Outcome::Interrupted,
        Outcome::MemoryLimit,
        Outcome::Failed,
        Outcome::Unknown,
    ];

    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Returned => "returned",
            Outcome::Exited => "exited",
            Outcome::Trapped => "trapped",
            Outcome::TimedOut => "timed-out",
            Outcome::Interrupted => "interrupted",
            Outcome::MemoryLimit => "memory-limit",
            Outcome::Failed => "failed",
            Outcome::Unknown => "unknown",
        }
    }

    pub(crate) fn code(self) -> u8 {
        Outcome::ALL.iter().position(|&outcome| outcome == self).unwrap_or(0) as u8
    }

    pub(crate) fn from_code(code: u8) -> Option<Outcome> {
        Outcome::ALL.get(usize::from(code)).copied()
    }
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// How the guest ended.
    pub outcome: Outcome,
    /// The guest's exit code, where it has one.
    pub exit_code: Option<i32>,
    /// What the host says of it, such as a trap's message.
    pub message: Option<String>,
    /// The stack on which it trapped, innermost first.
    pub trap_stack: Vec<Frame>,
    /// The host's clock, in nanoseconds since the guest began.
    pub time_ns: u64,
    /// Growths that the host refused because of a limit.
    pub refused_growths: u64,
    /// Records that could not be taken from the guest.
    pub lost_records: u64,
}

impl Default for End {
    fn default() -> End {
        End {
            outcome: Outcome::Unknown,
            exit_code: None,
            message: None,
            trap_stack: Vec::new(),
            time_ns: 0,
            refused_growths: 0,
            lost_records: 0,
        }
    }
}
