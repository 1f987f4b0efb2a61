//! Hand-made logs of allocations and drops, as people write them into their bindings.
//!
//! Each object becomes a block, its type the innermost function of its context and the place in the
//! source that function's line; each id becomes an address ([`super::objects`]). The module has no
//! memory, so that nobody takes these addresses for places. What a line says of a drop is not taken
//! for more than it is: the size of an object is that of its allocation, so that what was allocated
//! is what was dropped and what is left.

use super::{
    line::{self, Line, Parsed, Verb},
    objects::{Dropped, Objects, REMEMBERED},
};
use rustc_hash::FxHashSet;
use seepage_trace::{
    Context, End, Event, Frame, Message, ModuleId, ModuleInfo, Outcome, RecordLayout, Records,
    Role, Stack, ThreadId, Tracepoint, TracepointId,
};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

/// By which reports know that the functions of a module's contexts are types.
pub(crate) const FAMILY: &str = "alloc-log";

const ALLOCATE: TracepointId = TracepointId(0);
const DROP: TracepointId = TracepointId(1);
/// No line with an event is longer; what is longer is passed over to its end.
const LONGEST_LINE: usize = 16 * 1024;
/// Records in one message.
const BATCH: usize = 4096;
/// Bytes of all stacks together. What needs more is not told apart.
const MOST_TEXT: usize = 64 << 20;

/// What became of a log's lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// All lines.
    pub lines: u64,
    /// Those that say something.
    pub events: u64,
    /// Those with one of the words, and fields that make no sense behind it.
    pub damaged: u64,
    /// Allocations with the type and id of an object that was not dropped.
    pub same_ids: u64,
    /// Drops that name another size than the allocation.
    pub other_sizes: u64,
}

/// Turns the lines of a log into the messages of a trace.
///
/// ```text
///            push                           push                 finish
/// (nothing) ─────► Module · (Stack) · (Records) … ─────────────────────► Records · End
/// ```
///
/// A log without a line that says something gives no message at all.
pub struct AllocLog {
    name: Arc<str>,
    began: bool,
    /// The line that has not ended yet.
    partial: Vec<u8>,
    objects: Objects,
    contexts: FxHashSet<u64>,
    text_left: usize,
    raw: Vec<u8>,
    counts: LogCounts,
}

/// What kind of stack a line gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stands {
    /// An object is made or dropped there.
    Plain,
    /// A second drop.
    Again,
    /// A drop of what was never allocated.
    ForNothing,
}

impl AllocLog {
    /// `name` is the log's name, as reports show it.
    pub fn new(name: &str) -> AllocLog {
        AllocLog {
            name: name.into(),
            began: false,
            partial: Vec::new(),
            objects: Objects::new(REMEMBERED),
            contexts: FxHashSet::default(),
            text_left: MOST_TEXT,
            raw: Vec::new(),
            counts: LogCounts::default(),
        }
    }

    /// What was read so far.
    pub fn counts(&self) -> LogCounts {
        self.counts
    }

    /// Takes the next bytes of the log, and hands on what they say.
    pub fn push(&mut self, bytes: &[u8], sink: &mut dyn FnMut(&Message<'_>)) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let (line, behind) = (&rest[..end], &rest[end + 1..]);
            if self.partial.is_empty() {
                self.line(line, sink);
            } else {
                self.keep(line);
                let whole = std::mem::take(&mut self.partial);
                self.line(&whole, sink);
                self.partial = whole;
                self.partial.clear();
            }
            rest = behind;
        }
        self.keep(rest);
    }

    /// The log has ended.
    pub fn finish(mut self, sink: &mut dyn FnMut(&Message<'_>)) -> LogCounts {
        if !self.partial.is_empty() {
            let line = std::mem::take(&mut self.partial);
            self.line(&line, sink);
        }
        if self.began {
            self.flush(sink);
            sink(&Message::End(End {
                // The log says no more, and so there is no more to judge by.
                outcome: Outcome::Returned,
                // What a damaged line would have said is missing like a record.
                lost_records: self.counts.damaged,
                ..End::default()
            }));
        }
        self.counts
    }

    /// One byte past the longest line tells that it is too long.
    fn keep(&mut self, bytes: &[u8]) {
        let room = (LONGEST_LINE + 1).saturating_sub(self.partial.len());
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn line(&mut self, line: &[u8], sink: &mut dyn FnMut(&Message<'_>)) {
        self.counts.lines += 1;
        match line::parse(&line[..line.len().min(LONGEST_LINE)]) {
            Parsed::Other => {}
            Parsed::Line(line_read) if line.len() <= LONGEST_LINE => {
                if !self.began {
                    self.began = true;
                    sink(&Message::Module(self.module()));
                }
                self.counts.events += 1;
                self.event(&line_read, sink);
            }
            Parsed::Line(_) | Parsed::Damaged => self.counts.damaged += 1,
        }
    }

    fn event(&mut self, line: &Line<'_>, sink: &mut dyn FnMut(&Message<'_>)) {
        let key = hash((&line.kind, line.id));
        let event = match line.verb {
            Verb::Allocate => {
                let (addr, is_twice) = self.objects.allocate(key, line.size);
                self.counts.same_ids += u64::from(is_twice);
                let context = self.context(line, Stands::Plain, sink);
                Event::Alloc { tracepoint: ALLOCATE, context, addr, size: line.size, align: None }
            }
            Verb::Drop => {
                let (addr, stands) = match self.objects.drop(key, line.size) {
                    Dropped::Live(addr, is_other_size) => {
                        self.counts.other_sizes += u64::from(is_other_size);
                        (addr, Stands::Plain)
                    }
                    Dropped::Again(addr) => (addr, Stands::Again),
                    Dropped::Nothing(addr) => (addr, Stands::ForNothing),
                };
                let context = self.context(line, stands, sink);
                // An object may have grown since: another size is no error of it.
                Event::Free { tracepoint: DROP, context, addr, size: None, align: None }
            }
        };
        event.write(RecordLayout::Wide, &mut self.raw);
        if self.raw.len() >= BATCH * RecordLayout::Wide.size() {
            self.flush(sink);
        }
    }

    /// The context of a line, whose stack is handed on when it is new.
    fn context(
        &mut self,
        line: &Line<'_>,
        stands: Stands,
        sink: &mut dyn FnMut(&Message<'_>),
    ) -> Context {
        let context = Context(hash((&line.kind, &line.place, stands)));
        if self.contexts.contains(&context.0) {
            return context;
        }
        let text = line.kind.len() + line.place.len() + size_of::<Frame>() + self.name.len();
        let Some(left) = self.text_left.checked_sub(text) else { return context };
        self.text_left = left;
        self.contexts.insert(context.0);
        let (file, number, column) = line::place(&line.place);
        let object = Frame {
            file: file.map(Into::into),
            line: number,
            column,
            ..Frame::function(&*line.kind)
        };
        let mut frames = vec![object];
        if stands != Stands::Plain {
            // An error wants evidence: where the log has the first of its kind.
            let id = String::from_utf8_lossy(line.id);
            frames.push(Frame {
                file: Some(self.name.clone()),
                line: u32::try_from(self.counts.lines).ok(),
                ..Frame::function(format!("@DROP of id {id}"))
            });
        }
        sink(&Message::Stack(Stack { module: ModuleId(0), context, frames, truncated: false }));
        context
    }

    fn flush(&mut self, sink: &mut dyn FnMut(&Message<'_>)) {
        if self.raw.is_empty() {
            return;
        }
        sink(&Message::Records(Records {
            module: ModuleId(0),
            thread: ThreadId(0),
            time_ns: 0,
            memories: Vec::new(),
            layout: RecordLayout::Wide,
            raw: (&self.raw[..]).into(),
        }));
        self.raw.clear();
    }

    fn module(&self) -> ModuleInfo {
        let tracepoint = |index, function: &str, role| Tracepoint {
            index,
            function: function.into(),
            role,
            family: FAMILY.into(),
            how: "lines of the log".into(),
        };
        ModuleInfo {
            name: self.name.to_string(),
            tracepoints: vec![
                tracepoint(0, "@ALLOCATE", Role::Malloc),
                tracepoint(1, "@DROP", Role::Free),
            ],
            contexts: true,
            blind_spots: vec![
                "what the log does not mention: objects of other types, and blocks that no object \
                 stands for"
                    .into(),
                "the memory: what points to an object, how it grew, and its fragmentation".into(),
                "how the program ended: the log's last line is taken for its end".into(),
            ],
            ..ModuleInfo::default()
        }
    }
}

/// Of two different things in a log of millions the odds to share one are negligible.
fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}
