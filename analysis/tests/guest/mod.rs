//! A made-up guest: says what it does, and gives the messages that its host would have sent.

#![allow(dead_code)] // each test uses its part of it

use seepage_analysis::{Config, Outcome, Session};
use seepage_trace::{
    Context, End, Event, Frame, Frees, Memory, Message, ModuleId, ModuleInfo, RecordLayout,
    Records, Role, Stack, State, ThreadId, Tracepoint, TracepointId,
};

pub const MALLOC: TracepointId = TracepointId(0);
pub const FREE: TracepointId = TracepointId(1);
pub const REALLOC: TracepointId = TracepointId(2);
pub const GROW: TracepointId = TracepointId(3);
pub const NEW: TracepointId = TracepointId(4);

/// A guest under way.
pub struct Guest {
    pub messages: Vec<Message<'static>>,
    events: Vec<Event>,
    contexts: u64,
    time_ns: u64,
    pages: Vec<u64>,
    pub module: ModuleId,
    pub layout: RecordLayout,
}

pub fn module_info(name: &str, family: &str) -> ModuleInfo {
    let tracepoint = |index, role, function: &str, family: &str| Tracepoint {
        index,
        function: function.into(),
        role,
        family: family.into(),
        how: format!("name `{function}`"),
    };
    ModuleInfo {
        id: ModuleId(0),
        name: name.into(),
        bytes: 12_345,
        tracepoints: vec![
            tracepoint(3, Role::Malloc, "malloc", family),
            tracepoint(4, Role::Free, "free", family),
            tracepoint(5, Role::Realloc, "realloc", family),
            tracepoint(0, Role::Grow, "memory.grow", ""),
            tracepoint(9, Role::Malloc, "operator new", "c++"),
        ],
        memories: vec![Memory {
            initial_pages: 2,
            maximum_pages: Some(100),
            page_size: 65_536,
            is_64: false,
            imported: false,
        }],
        contexts: true,
        frees: Frees::Explicit,
        heap_before: false,
        blind_spots: Vec::new(),
        ..ModuleInfo::default()
    }
}

impl Guest {
    pub fn new() -> Guest {
        Guest::of(module_info("app.wasm", "wasi-libc"))
    }

    pub fn of(info: ModuleInfo) -> Guest {
        let pages = info.memories.iter().map(|memory| memory.initial_pages).collect();
        let module = info.id;
        Guest {
            messages: vec![Message::Module(info)],
            events: Vec::new(),
            contexts: 0,
            time_ns: 0,
            pages,
            module,
            layout: RecordLayout::Narrow,
        }
    }

    /// A stack with only names.
    pub fn at(&mut self, functions: &[&str]) -> Context {
        self.stack(functions.iter().map(|&name| Frame::function(name)).collect())
    }

    /// A stack of `function file:line`.
    pub fn lines(&mut self, frames: &[(&str, &str, u32)]) -> Context {
        let frame = |&(function, file, line): &(&str, &str, u32)| Frame {
            file: Some(file.into()),
            line: Some(line),
            column: Some(5),
            ..Frame::function(function)
        };
        self.stack(frames.iter().map(frame).collect())
    }

    pub fn stack(&mut self, frames: Vec<Frame>) -> Context {
        self.contexts += 1;
        let context = Context(self.contexts.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let module = self.module;
        self.flush();
        self.messages.push(Message::Stack(Stack { module, context, frames, truncated: false }));
        context
    }

    pub fn event(&mut self, event: Event) -> &mut Guest {
        self.events.push(event);
        self
    }

    pub fn alloc(&mut self, context: Context, addr: u64, size: u64) -> &mut Guest {
        self.event(Event::Alloc { tracepoint: MALLOC, context, addr, size, align: None })
    }

    pub fn free(&mut self, context: Context, addr: u64) -> &mut Guest {
        self.event(Event::Free { tracepoint: FREE, context, addr, size: None, align: None })
    }

    pub fn free_sized(&mut self, context: Context, addr: u64, size: u64) -> &mut Guest {
        self.event(Event::Free { tracepoint: FREE, context, addr, size: Some(size), align: None })
    }

    pub fn realloc(&mut self, context: Context, old: u64, addr: u64, size: u64) -> &mut Guest {
        self.event(Event::Realloc { tracepoint: REALLOC, context, old, addr, size, align: None })
    }

    pub fn grow(&mut self, context: Context, before: Option<u64>, delta: u64) -> &mut Guest {
        if let Some(before) = before {
            self.pages[0] = before + delta;
        }
        self.event(Event::Grow { tracepoint: GROW, context, memory: 0, before, delta })
    }

    /// The host makes the memory larger.
    pub fn host_grow(&mut self, pages: u64) -> &mut Guest {
        self.pages[0] = pages;
        self.flush()
    }

    pub fn mark(&mut self, name: &str) -> &mut Guest {
        self.flush();
        self.messages.push(Message::Mark { name: name.into() });
        self
    }

    /// Hands over the records so far.
    pub fn flush(&mut self) -> &mut Guest {
        self.time_ns += 1_000_000;
        let mut raw = Vec::new();
        self.events.drain(..).for_each(|event| event.write(self.layout, &mut raw));
        self.messages.push(Message::Records(Records {
            module: self.module,
            thread: ThreadId(0),
            time_ns: self.time_ns,
            memories: self.pages.clone(),
            layout: self.layout,
            raw: raw.into(),
        }));
        self
    }

    pub fn end(&mut self, outcome: seepage_trace::Outcome) -> &mut Guest {
        self.end_with(End { outcome, exit_code: Some(0), ..End::default() })
    }

    /// With an image of a memory in which nothing points anywhere, unless there is another one: what
    /// is live is lost.
    pub fn end_with(&mut self, end: End) -> &mut Guest {
        self.flush();
        if !self.messages.iter().any(|message| matches!(message, Message::State(_))) {
            self.messages.push(Message::State(State {
                module: self.module,
                memory_bytes: 1 << 32,
                ..State::default()
            }));
        }
        let time_ns = self.time_ns + 500_000;
        self.messages.push(Message::End(End { time_ns, ..end }));
        self
    }

    /// Returns, and is judged.
    pub fn judged(&mut self) -> Outcome {
        self.end(seepage_trace::Outcome::Returned);
        analyze(&self.messages, Config::default())
    }
}

pub fn analyze(messages: &[Message<'_>], config: Config) -> Outcome {
    let mut session = Session::new(config);
    messages.iter().for_each(|message| session.feed(message));
    session.finish()
}
