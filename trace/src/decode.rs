//! Reading a trace.

use crate::{
    abi::RecordLayout,
    bytes::{Malformed, Reader, Result as Read, crc32},
    encode::{ChunkKind, MAGIC},
    ids::{Context, ModuleId, ThreadId},
    message::{
        End, Frame, Frees, HostMemory, Layout, Memory, MemoryPart, Message, ModuleInfo, OpenFile,
        Outcome, Records, Stack, State, Tracepoint,
    },
    pack,
    role::Role,
    sparse,
    version::FORMAT_VERSION,
};
use alloc::{sync::Arc, vec::Vec};
use core::fmt;

/// The longest chunk that is read.
pub const MAX_CHUNK: usize = 16 << 20;

const HEADER: usize = MAGIC.len() + 4;
const CHUNK_HEADER: usize = 9;

/// Why a trace cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The first bytes are not a trace's.
    NotATrace,
    /// It was written by another version.
    Version(u32),
    /// A chunk is damaged.
    Damaged {
        /// Offset of the chunk in the file.
        offset: u64,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::NotATrace => write!(out, "not a seepage trace"),
            DecodeError::Version(version) => write!(
                out,
                "trace format version {version}, but this seepage reads version {FORMAT_VERSION}"
            ),
            DecodeError::Damaged { offset, what } => {
                write!(out, "damaged trace: the chunk at byte {offset} {what}")
            }
        }
    }
}

impl core::error::Error for DecodeError {}

/// Turns the bytes of a trace, pushed in pieces of any size, into messages.
///
/// ```text
///          push            next                       next
/// bytes ──────────► buffer ─────► Ok(Some(message)) … ─────► Ok(None): push more, or it is the end
///                                    └► Err: this trace yields nothing more
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    at: usize,
    /// Offset in the file of `buffer[0]`.
    offset: u64,
    header_read: bool,
    failed: Option<DecodeError>,
    strings: Vec<Arc<str>>,
    unknown_chunks: u64,
}

impl Decoder {
    /// A decoder at the beginning of a trace.
    pub fn new() -> Decoder {
        Decoder::default()
    }

    /// Adds the next bytes of the file.
    pub fn push(&mut self, bytes: &[u8]) {
        self.offset += self.at as u64;
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.extend(bytes);
    }

    /// The next message; `None` when the bytes so far hold no further one.
    ///
    /// # Errors
    /// When the bytes are no trace, or damaged. Every message before the damage has come out.
    #[allow(clippy::should_implement_trait)] // an iterator would hide that `None` may be followed by more
    pub fn next(&mut self) -> Result<Option<Message<'static>>, DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let result = self.advance();
        self.failed = result.as_ref().err().copied();
        result
    }

    /// Bytes that were pushed and are not part of a whole chunk: what a cut-off trace ends with.
    pub fn left_over(&self) -> usize {
        self.buffer.len() - self.at
    }

    /// Chunks of a kind that this version does not know, which were passed over.
    pub fn unknown_chunks(&self) -> u64 {
        self.unknown_chunks
    }

    fn advance(&mut self) -> Result<Option<Message<'static>>, DecodeError> {
        if !self.header_read {
            let bytes = &self.buffer[self.at..];
            let seen = bytes.len().min(MAGIC.len());
            if bytes[..seen] != MAGIC[..seen] {
                return Err(DecodeError::NotATrace);
            }
            let Some(version) = bytes.get(MAGIC.len()..HEADER) else { return Ok(None) };
            let version = version.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte));
            if version != FORMAT_VERSION {
                return Err(DecodeError::Version(version));
            }
            self.header_read = true;
            self.at += HEADER;
        }
        loop {
            let offset = self.offset + self.at as u64;
            let damaged = |what| DecodeError::Damaged { offset, what };
            let bytes = &self.buffer[self.at..];
            let Some(header) = bytes.first_chunk::<CHUNK_HEADER>() else { return Ok(None) };
            let length = u32::from_le_bytes([header[1], header[2], header[3], header[4]]) as usize;
            let crc = u32::from_le_bytes([header[5], header[6], header[7], header[8]]);
            if length > MAX_CHUNK {
                return Err(damaged("claims to be longer than a chunk can be"));
            }
            let Some(payload) = bytes.get(CHUNK_HEADER..CHUNK_HEADER + length) else {
                return Ok(None);
            };
            if crc32(payload) != crc {
                return Err(damaged("has a wrong checksum"));
            }
            let message = read_chunk(header[0], payload, &mut self.strings)
                .map_err(|Malformed| damaged("makes no sense"))?;
            self.at += CHUNK_HEADER + length;
            match message {
                Some(message) => return Ok(Some(message)),
                None => self.unknown_chunks += 1,
            }
        }
    }
}

fn read_chunk(
    kind: u8,
    payload: &[u8],
    strings: &mut Vec<Arc<str>>,
) -> Read<Option<Message<'static>>> {
    let reader = &mut Reader::new(payload);
    let is = |chunk: ChunkKind| kind == chunk as u8;
    let message = if is(ChunkKind::Module) {
        Message::Module(module_body(reader)?)
    } else if is(ChunkKind::Stack) {
        read_strings(reader, strings)?;
        Message::Stack(Stack {
            module: ModuleId(reader.u32()?),
            context: Context(u64::from_le_bytes(
                reader.take(8)?.try_into().map_err(|_| Malformed)?,
            )),
            truncated: reader.bool()?,
            frames: read_frames(reader, strings)?,
        })
    } else if is(ChunkKind::Records) {
        let module = ModuleId(reader.u32()?);
        let thread = ThreadId(reader.u32()?);
        let time_ns = reader.u64()?;
        let memories = reader.list(Reader::u64)?;
        let layout = if reader.bool()? { RecordLayout::Wide } else { RecordLayout::Narrow };
        let raw = pack::unpack(layout, reader)?.into();
        Message::Records(Records { module, thread, time_ns, memories, layout, raw })
    } else if is(ChunkKind::End) {
        read_strings(reader, strings)?;
        Message::End(End {
            outcome: Outcome::from_code(reader.u8()?).ok_or(Malformed)?,
            exit_code: reader.option()?.map(|code| code as u32 as i32),
            message: if reader.bool()? { Some(reader.string()?) } else { None },
            trap_stack: read_frames(reader, strings)?,
            time_ns: reader.u64()?,
            refused_growths: reader.u64()?,
            lost_records: reader.u64()?,
        })
    } else if is(ChunkKind::Mark) {
        Message::Mark { name: reader.string()? }
    } else if is(ChunkKind::State) {
        Message::State(State {
            module: ModuleId(reader.u32()?),
            hidden: reader.u32()?,
            globals: reader.list(Reader::u64)?,
            roots: reader.list(Reader::u64)?,
            memory_bytes: reader.u64()?,
            unchanged: reader.list(|reader| Ok(reader.u64()?..reader.u64()?))?,
        })
    } else if is(ChunkKind::Memory) {
        Message::Memory(MemoryPart {
            module: ModuleId(reader.u32()?),
            memory: reader.u32()?,
            addr: reader.u64()?,
            bytes: sparse::unpack(reader, MemoryPart::MAX)?.into(),
        })
    } else if is(ChunkKind::OpenFile) {
        read_strings(reader, strings)?;
        Message::OpenFile(OpenFile {
            module: ModuleId(reader.u32()?),
            descriptor: reader.u32()?,
            kind: reader.string()?,
            path: reader.string()?,
            frames: read_frames(reader, strings)?,
        })
    } else if is(ChunkKind::Suppressions) {
        Message::Suppressions { origin: reader.string()?, text: reader.string()? }
    } else if is(ChunkKind::Host) {
        Message::Host(HostMemory {
            time_ns: reader.u64()?,
            heap: reader.u64()?,
            buffers: reader.option()?,
            resident: reader.option()?,
            tracer: reader.u64()?,
        })
    } else {
        return Ok(None);
    };
    // A longer payload than its kind has is another format's, whatever the version says.
    if reader.is_empty() { Ok(Some(message)) } else { Err(Malformed) }
}

fn read_strings(reader: &mut Reader<'_>, strings: &mut Vec<Arc<str>>) -> Read<()> {
    strings.extend(reader.list(|reader| Ok(Arc::from(reader.string()?)))?);
    Ok(())
}

fn read_frames(reader: &mut Reader<'_>, strings: &[Arc<str>]) -> Read<Vec<Frame>> {
    let text =
        |id: u64| usize::try_from(id).ok().and_then(|id| strings.get(id)).cloned().ok_or(Malformed);
    let number = |value: Option<u64>| value.map(u32::try_from).transpose().map_err(|_| Malformed);
    reader.list(|reader| {
        let function = text(reader.u64()?)?;
        let file = reader.option()?.map(text).transpose()?;
        let line = number(reader.option()?)?;
        let column = number(reader.option()?)?;
        let flags = reader.u8()?;
        let (inlined, recursion) = (flags & 1 != 0, flags & 2 != 0);
        Ok(Frame { function, file, line, column, inlined, recursion })
    })
}

pub(crate) fn module_body(reader: &mut Reader<'_>) -> Read<ModuleInfo> {
    Ok(ModuleInfo {
        id: ModuleId(reader.u32()?),
        name: reader.string()?,
        bytes: reader.u64()?,
        tracepoints: reader.list(|reader| {
            Ok(Tracepoint {
                index: reader.u32()?,
                role: Role::from_code(reader.u8()?).ok_or(Malformed)?,
                function: reader.string()?,
                family: reader.string()?,
                how: reader.string()?,
            })
        })?,
        memories: reader.list(|reader| {
            let initial_pages = reader.u64()?;
            let maximum_pages = reader.option()?;
            let page_size = reader.u64()?;
            let flags = reader.u8()?;
            let (is_64, imported) = (flags & 1 != 0, flags & 2 != 0);
            Ok(Memory { initial_pages, maximum_pages, page_size, is_64, imported })
        })?,
        contexts: reader.bool()?,
        frees: Frees::from_code(reader.u8()?).ok_or(Malformed)?,
        heap_before: reader.bool()?,
        globals: reader.list(Reader::u32)?,
        layout: layout(reader)?,
        blind_spots: reader.list(Reader::string)?,
    })
}

fn layout(reader: &mut Reader<'_>) -> Read<Layout> {
    let stack_pointer = reader.option()?.map(u32::try_from).transpose().map_err(|_| Malformed)?;
    let stack = match (reader.option()?, reader.option()?) {
        (Some(start), Some(end)) => Some(start..end),
        (None, None) => None,
        _ => return Err(Malformed),
    };
    Ok(Layout { stack_pointer, stack, static_end: reader.option()? })
}
