//! Writing a trace.

use crate::{
    abi::RecordLayout,
    bound,
    bytes::{crc32, write_option, write_str, write_u64},
    message::{
        End, Frame, HostMemory, MemoryPart, Message, ModuleInfo, OpenFile, Records, Stack, State,
    },
    pack, sparse,
    version::FORMAT_VERSION,
};
use alloc::{collections::BTreeMap, string::String, sync::Arc, vec::Vec};

/// The first bytes of a trace file.
pub const MAGIC: [u8; 8] = *b"seepage\0";

/// The number that stands in front of each kind of chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ChunkKind {
    Module = 1,
    Stack = 2,
    Records = 3,
    End = 4,
    Mark = 5,
    State = 6,
    Memory = 7,
    OpenFile = 8,
    Suppressions = 9,
    Host = 10,
}

/// Turns messages into the bytes of a trace file.
///
/// It holds only the strings that it has written, each of which stands in the file once.
#[derive(Debug, Default)]
pub struct Encoder {
    strings: BTreeMap<Arc<str>, u64>,
    payload: Vec<u8>,
}

impl Encoder {
    /// Begins a trace: appends the file's header to `out`.
    pub fn new(out: &mut Vec<u8>) -> Encoder {
        out.extend(MAGIC);
        out.extend(FORMAT_VERSION.to_le_bytes());
        Encoder::default()
    }

    /// Appends one message to `out`, as whole chunks: what has been appended decodes. Only records
    /// and memory ever become more than one chunk, and so more than one message, if there is very
    /// much of them. Others that would not fit into one lose what [FORMAT.md] says.
    ///
    /// [FORMAT.md]: https://docs.rs/crate/seepage-trace/latest/source/FORMAT.md
    pub fn message(&mut self, message: &Message<'_>, out: &mut Vec<u8>) {
        self.payload.clear();
        let kind = match message {
            Message::Module(module) => {
                let shorter = bound::module(module);
                write_module(&mut self.payload, shorter.as_ref().unwrap_or(module));
                ChunkKind::Module
            }
            Message::Stack(stack) => {
                self.write_stack(stack);
                ChunkKind::Stack
            }
            Message::Records(records) => {
                let most = pack::MAX_PACKED * records.layout.size();
                let mut raw = &*records.raw;
                while raw.len() > most {
                    let (front, rest) = raw.split_at(most);
                    write_records(&mut self.payload, records, front);
                    self.finish_chunk(ChunkKind::Records, out);
                    raw = rest;
                }
                write_records(&mut self.payload, records, raw);
                ChunkKind::Records
            }
            Message::Mark { name } => {
                write_str(&mut self.payload, &bound::text(name));
                ChunkKind::Mark
            }
            Message::State(state) => {
                write_state(&mut self.payload, state);
                ChunkKind::State
            }
            Message::Memory(part) => {
                let pieces = part.bytes.chunks(MemoryPart::MAX).enumerate();
                for (number, piece) in pieces {
                    let addr = part.addr.wrapping_add((number * MemoryPart::MAX) as u64);
                    write_memory(&mut self.payload, part, addr, piece);
                    self.finish_chunk(ChunkKind::Memory, out);
                }
                return;
            }
            Message::OpenFile(file) => {
                self.write_open_file(file);
                ChunkKind::OpenFile
            }
            Message::Suppressions { origin, text } => {
                write_str(&mut self.payload, origin);
                write_str(&mut self.payload, text);
                ChunkKind::Suppressions
            }
            Message::Host(host) => {
                write_host(&mut self.payload, host);
                ChunkKind::Host
            }
            Message::End(end) => {
                self.write_end(end);
                ChunkKind::End
            }
        };
        self.finish_chunk(kind, out);
    }

    fn finish_chunk(&mut self, kind: ChunkKind, out: &mut Vec<u8>) {
        out.push(kind as u8);
        out.extend((self.payload.len() as u32).to_le_bytes());
        out.extend(crc32(&self.payload).to_le_bytes());
        out.extend(&self.payload);
        self.payload.clear();
    }

    fn write_stack(&mut self, stack: &Stack) {
        let frames = &stack.frames[..bound::frames(&stack.frames)];
        let new = self.new_strings(frames);
        let out = &mut self.payload;
        write_strings(out, &new);
        write_u64(out, stack.module.0.into());
        out.extend(stack.context.0.to_le_bytes());
        out.push((stack.truncated || frames.len() < stack.frames.len()).into());
        write_frames(out, &self.strings, frames);
    }

    fn write_open_file(&mut self, file: &OpenFile) {
        let new = self.new_strings(&file.frames);
        let out = &mut self.payload;
        write_strings(out, &new);
        write_u64(out, file.module.0.into());
        write_u64(out, file.descriptor.into());
        write_str(out, &file.kind);
        write_str(out, &file.path);
        write_frames(out, &self.strings, &file.frames);
    }

    fn write_end(&mut self, end: &End) {
        let frames = &end.trap_stack[..bound::frames(&end.trap_stack)];
        let new = self.new_strings(frames);
        let out = &mut self.payload;
        write_strings(out, &new);
        out.push(end.outcome.code());
        write_option(out, end.exit_code.map(|code| u64::from(code as u32)));
        out.push(end.message.is_some().into());
        if let Some(message) = &end.message {
            write_str(out, &bound::text(message));
        }
        write_frames(out, &self.strings, frames);
        write_u64(out, end.time_ns);
        write_u64(out, end.refused_growths);
        write_u64(out, end.lost_records);
    }

    fn new_strings(&mut self, frames: &[Frame]) -> Vec<Arc<str>> {
        let mut new = Vec::new();
        for text in frames.iter().flat_map(|frame| [Some(&frame.function), frame.file.as_ref()]) {
            let Some(text) = text else { continue };
            if !self.strings.contains_key(text) {
                self.strings.insert(text.clone(), self.strings.len() as u64);
                new.push(text.clone());
            }
        }
        new
    }
}

fn write_strings(out: &mut Vec<u8>, strings: &[Arc<str>]) {
    write_u64(out, strings.len() as u64);
    strings.iter().for_each(|text| write_str(out, text));
}

fn write_frames(out: &mut Vec<u8>, strings: &BTreeMap<Arc<str>, u64>, frames: &[Frame]) {
    write_u64(out, frames.len() as u64);
    for frame in frames {
        let id = |text: &Arc<str>| strings.get(text).copied().unwrap_or(0);
        write_u64(out, id(&frame.function));
        write_option(out, frame.file.as_ref().map(id));
        write_option(out, frame.line.map(u64::from));
        write_option(out, frame.column.map(u64::from));
        out.push(u8::from(frame.inlined) | u8::from(frame.recursion) << 1);
    }
}

fn write_module(out: &mut Vec<u8>, module: &ModuleInfo) {
    write_u64(out, module.id.0.into());
    write_str(out, &module.name);
    write_u64(out, module.bytes);
    write_u64(out, module.tracepoints.len() as u64);
    for tracepoint in &module.tracepoints {
        write_u64(out, tracepoint.index.into());
        out.push(tracepoint.role.code());
        write_str(out, &tracepoint.function);
        write_str(out, &tracepoint.family);
        write_str(out, &tracepoint.how);
    }
    write_u64(out, module.memories.len() as u64);
    for memory in &module.memories {
        write_u64(out, memory.initial_pages);
        write_option(out, memory.maximum_pages);
        write_u64(out, memory.page_size);
        out.push(u8::from(memory.is_64) | u8::from(memory.imported) << 1);
    }
    out.push(module.contexts.into());
    out.push(module.frees.code());
    out.push(module.heap_before.into());
    write_numbers(out, module.globals.iter().map(|&index| index.into()));
    write_option(out, module.layout.stack_pointer.map(u64::from));
    write_option(out, module.layout.stack.as_ref().map(|stack| stack.start));
    write_option(out, module.layout.stack.as_ref().map(|stack| stack.end));
    write_option(out, module.layout.static_end);
    write_u64(out, module.blind_spots.len() as u64);
    module.blind_spots.iter().map(String::as_str).for_each(|text| write_str(out, text));
}

/// Appends a module's description without a chunk around it: the section in an instrumented
/// module holds the same.
pub(crate) fn module_body(out: &mut Vec<u8>, module: &ModuleInfo) {
    write_module(out, module);
}

fn write_numbers(out: &mut Vec<u8>, numbers: impl ExactSizeIterator<Item = u64>) {
    write_u64(out, numbers.len() as u64);
    numbers.for_each(|number| write_u64(out, number));
}

fn write_host(out: &mut Vec<u8>, host: &HostMemory) {
    write_u64(out, host.time_ns);
    write_u64(out, host.heap);
    write_option(out, host.buffers);
    write_option(out, host.resident);
    write_u64(out, host.tracer);
}

fn write_state(out: &mut Vec<u8>, state: &State) {
    write_u64(out, state.module.0.into());
    write_u64(out, state.hidden.into());
    write_numbers(out, state.globals.iter().copied());
    write_numbers(out, state.roots.iter().copied());
    write_u64(out, state.memory_bytes);
    write_u64(out, state.unchanged.len() as u64);
    for stretch in &state.unchanged {
        write_u64(out, stretch.start);
        write_u64(out, stretch.end);
    }
}

fn write_memory(out: &mut Vec<u8>, part: &MemoryPart<'_>, addr: u64, bytes: &[u8]) {
    write_u64(out, part.module.0.into());
    write_u64(out, part.memory.into());
    write_u64(out, addr);
    sparse::pack(bytes, out);
}

fn write_records(out: &mut Vec<u8>, records: &Records<'_>, raw: &[u8]) {
    write_u64(out, records.module.0.into());
    write_u64(out, records.thread.0.into());
    write_u64(out, records.time_ns);
    write_u64(out, records.memories.len() as u64);
    records.memories.iter().for_each(|&pages| write_u64(out, pages));
    out.push((records.layout == RecordLayout::Wide).into());
    pack::pack(records.layout, raw, out);
}
