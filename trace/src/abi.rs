//! The interface between the code that is injected into a module and its host.
//!
//! Two transports carry one record. `ring`: the guest stores records into a second memory that it
//! exports as [`RING_MEMORY`], moves the global [`RING_HEAD`], and calls `flush` when the ring is
//! full. `call`: the guest passes a record's fields to the import `event`, one call a record.
//! Records have one of two fixed layouts (see [`RecordLayout`]), so that the guest needs no more
//! than stores, and a host may copy them without reading them.

use crate::ids::{Context, TracepointId};
use alloc::vec::Vec;

/// The module name of everything that an instrumented module imports for tracing.
pub const IMPORT_MODULE: &str = "seepage";
/// Import `(func)`: the ring is full; the host takes all records and sets [`RING_HEAD`] back.
pub const IMPORT_FLUSH: &str = "flush";
/// Import `(func (param i64))`: a context value the guest's cache does not hold. The host captures
/// the stack there and then if it has not seen the value before.
pub const IMPORT_CONTEXT: &str = "context";
/// Import of the `call` transport: one record's fields, in the order of the layout.
pub const IMPORT_EVENT: &str = "event";
/// Import `(func (param i32))`: the moment is to be marked, by the tracepoint of that number. There
/// only if the module has such a tracepoint.
pub const IMPORT_MARK: &str = "mark";
/// Export: the module's `__lsan_default_suppressions`, as its own code would call it.
pub const SUPPRESSIONS: &str = "seepage:suppressions";
/// Export: the memory that holds the ring and the cache of seen contexts.
pub const RING_MEMORY: &str = "seepage:ring";
/// Export: the mutable `i32` global with the address of the next record in [`RING_MEMORY`].
pub const RING_HEAD: &str = "seepage:head";
/// Prefix of the exports under which a host finds the module's own memories, by original index.
pub const MEMORY_EXPORT_PREFIX: &str = "seepage:memory:";
/// Prefix of the exports under which a host finds the mutable globals that may hold an address, by
/// original index: see [`crate::ModuleInfo::globals`].
pub const GLOBAL_EXPORT_PREFIX: &str = "seepage:global:";
/// Name of the custom section that holds the [`crate::SiteTable`].
pub const SECTION: &str = "seepage";

/// Where things are in the ring's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingLayout {
    /// Size of the ring's memory, in pages of 64 KiB.
    pub pages: u32,
    /// Slots of 8 bytes, from address 0: the cache of seen contexts. A power of two.
    pub cache_slots: u32,
    /// Address of the first record.
    pub start: u32,
    /// Address behind the last record that fits.
    pub end: u32,
}

impl RingLayout {
    /// The layout for records of the given form: 32 KiB of cache, the rest of four pages records.
    pub fn new(layout: RecordLayout) -> RingLayout {
        let pages = 4;
        let cache_slots = 4096;
        let start = cache_slots * 8;
        let record = layout.size() as u32;
        let end = start + (pages * 65536 - start) / record * record;
        RingLayout { pages, cache_slots, start, end }
    }
}

/// The form of a record. All fields are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordLayout {
    /// 24 bytes, for 32-bit memories: `head: u32, size: u32, context: u64, addr: u32, old: u32`.
    Narrow,
    /// 40 bytes, as soon as one memory has 64-bit addresses:
    /// `head: u32, zero: u32, size: u64, context: u64, addr: u64, old: u64`.
    Wide,
}

impl RecordLayout {
    /// Bytes of one record.
    pub const fn size(self) -> usize {
        match self {
            RecordLayout::Narrow => 24,
            RecordLayout::Wide => 40,
        }
    }
}

/// What a record says happened. The top byte of a record's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RecordKind {
    /// A block was handed out at `addr` (0: the allocator failed).
    Alloc = 1,
    /// The block at `addr` was given back.
    Free = 2,
    /// The same, and the caller passed the block's `size`.
    FreeSized = 3,
    /// The block at `old` became the block at `addr` (0: failed, `old` is still there).
    Realloc = 4,
    /// The memory of index `old` was asked to grow by `size` pages from `addr` pages
    /// (all ones: refused).
    Grow = 5,
    /// The program said something about its heap: what, by the tracepoint's role, of the block or
    /// the `size` bytes at `addr`.
    Annotation = 6,
    /// Whoever asks for the reallocation that follows says that the block at `addr` has `size`
    /// bytes.
    Claim = 7,
    /// The block at `addr`, which the allocation or reallocation before this has handed out, can hold
    /// `size` bytes: the allocator says so.
    Usable = 8,
}

impl RecordKind {
    /// The kind of that code: a match and not a search, for every event goes by here.
    #[inline(always)]
    const fn from_code(code: u32) -> Option<RecordKind> {
        Some(match code {
            1 => RecordKind::Alloc,
            2 => RecordKind::Free,
            3 => RecordKind::FreeSized,
            4 => RecordKind::Realloc,
            5 => RecordKind::Grow,
            6 => RecordKind::Annotation,
            7 => RecordKind::Claim,
            8 => RecordKind::Usable,
            _ => return None,
        })
    }
}

/// In a record's head, in place of an alignment's logarithm: the caller did not name one.
pub const NO_ALIGNMENT: u8 = 0xff;

/// Composes a record's head: the alignment's binary logarithm in the lowest byte, the tracepoint
/// above it, the kind in the highest.
pub const fn head(kind: RecordKind, tracepoint: TracepointId, align_log2: u8) -> u32 {
    (kind as u32) << 24 | (tracepoint.0 as u32) << 8 | align_log2 as u32
}

/// One event of a guest, as a record says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the fields mean the same in every variant: see the variants
pub enum Event {
    /// A block of `size` bytes was asked for; it is at `addr`, or `addr` is 0 and there is none.
    Alloc { tracepoint: TracepointId, context: Context, addr: u64, size: u64, align: Option<u64> },
    /// The block at `addr` was given back, with the `size` and alignment that the caller believes it
    /// has.
    Free {
        tracepoint: TracepointId,
        context: Context,
        addr: u64,
        size: Option<u64>,
        align: Option<u64>,
    },
    /// The block at `old` (0: none) was resized to `size` bytes and is now at `addr`; `addr` 0 is
    /// a failure that leaves `old` alone, or, with `size` 0, a free.
    Realloc {
        tracepoint: TracepointId,
        context: Context,
        old: u64,
        addr: u64,
        size: u64,
        align: Option<u64>,
    },
    /// Memory `memory` was asked for `delta` pages more. `before` is its size in pages until then,
    /// `None` when it was refused.
    Grow {
        tracepoint: TracepointId,
        context: Context,
        memory: u32,
        before: Option<u64>,
        delta: u64,
    },
    /// The program said something about the block or the `size` bytes at `addr`.
    Annotation { tracepoint: TracepointId, context: Context, addr: u64, size: u64 },
    /// The caller of the reallocation that follows believes that the block at `addr` has `size`
    /// bytes.
    Claim { tracepoint: TracepointId, context: Context, addr: u64, size: u64 },
    /// The allocator says that the block at `addr`, which it has just handed out, can hold `size`
    /// bytes.
    Usable { tracepoint: TracepointId, context: Context, addr: u64, size: u64 },
}

/// The fields of a record, before they mean anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Kind, tracepoint and alignment: see [`head`].
    pub head: u32,
    /// Size in bytes; for a growth, pages.
    pub size: u64,
    /// The calling context.
    pub context: Context,
    /// The block's address.
    pub addr: u64,
    /// The block's earlier address.
    pub old: u64,
}

impl Record {
    /// Reads a record from the front of `bytes`, which must hold at least one.
    #[inline(always)]
    pub fn read(layout: RecordLayout, bytes: &[u8]) -> Option<Record> {
        let u32_at = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        let u64_at = |at: usize| bytes.get(at..at + 8)?.try_into().ok().map(u64::from_le_bytes);
        Some(match layout {
            RecordLayout::Narrow => Record {
                head: u32_at(0)?,
                size: u64::from(u32_at(4)?),
                context: Context(u64_at(8)?),
                addr: u64::from(u32_at(16)?),
                old: u64::from(u32_at(20)?),
            },
            RecordLayout::Wide => Record {
                head: u32_at(0)?,
                size: u64_at(8)?,
                context: Context(u64_at(16)?),
                addr: u64_at(24)?,
                old: u64_at(32)?,
            },
        })
    }

    /// Appends the record to `out`. A narrow record keeps the low halves of its fields.
    #[inline]
    pub fn write(&self, layout: RecordLayout, out: &mut Vec<u8>) {
        // Put together first: five appends would ask five times whether there is room.
        match layout {
            RecordLayout::Narrow => {
                let mut bytes = [0; RecordLayout::Narrow.size()];
                bytes[0..4].copy_from_slice(&self.head.to_le_bytes());
                bytes[4..8].copy_from_slice(&(self.size as u32).to_le_bytes());
                bytes[8..16].copy_from_slice(&self.context.0.to_le_bytes());
                bytes[16..20].copy_from_slice(&(self.addr as u32).to_le_bytes());
                bytes[20..24].copy_from_slice(&(self.old as u32).to_le_bytes());
                out.extend_from_slice(&bytes);
            }
            RecordLayout::Wide => {
                let mut bytes = [0; RecordLayout::Wide.size()];
                bytes[0..4].copy_from_slice(&self.head.to_le_bytes());
                bytes[8..16].copy_from_slice(&self.size.to_le_bytes());
                bytes[16..24].copy_from_slice(&self.context.0.to_le_bytes());
                bytes[24..32].copy_from_slice(&self.addr.to_le_bytes());
                bytes[32..40].copy_from_slice(&self.old.to_le_bytes());
                out.extend_from_slice(&bytes);
            }
        }
    }

    /// What kind of event it is, if that is known.
    #[inline(always)]
    pub fn kind(&self) -> Option<RecordKind> {
        RecordKind::from_code(self.head >> 24)
    }

    /// What wrote it.
    #[inline(always)]
    pub fn tracepoint(&self) -> TracepointId {
        TracepointId((self.head >> 8) as u16)
    }

    /// The binary logarithm of an alignment, if the caller named one that can be.
    #[inline(always)]
    pub fn align_log2(&self) -> Option<u8> {
        let log2 = self.head as u8;
        (u32::from(log2) < u64::BITS).then_some(log2)
    }

    /// What the record says, or nothing if its kind is unknown.
    #[inline(always)]
    pub fn event(&self, layout: RecordLayout) -> Option<Event> {
        let &Record { size, context, addr, old, .. } = self;
        let (kind, tracepoint) = (self.kind()?, self.tracepoint());
        let align = self.align_log2().map(|log2| 1 << log2);
        let refused = match layout {
            RecordLayout::Narrow => u64::from(u32::MAX),
            RecordLayout::Wide => u64::MAX,
        };
        Some(match kind {
            RecordKind::Alloc => Event::Alloc { tracepoint, context, addr, size, align },
            RecordKind::Free => Event::Free { tracepoint, context, addr, size: None, align },
            RecordKind::FreeSized => {
                Event::Free { tracepoint, context, addr, size: Some(size), align }
            }
            RecordKind::Realloc => Event::Realloc { tracepoint, context, old, addr, size, align },
            RecordKind::Grow => Event::Grow {
                tracepoint,
                context,
                memory: old as u32,
                before: (addr != refused).then_some(addr),
                delta: size,
            },
            RecordKind::Annotation => Event::Annotation { tracepoint, context, addr, size },
            RecordKind::Claim => Event::Claim { tracepoint, context, addr, size },
            RecordKind::Usable => Event::Usable { tracepoint, context, addr, size },
        })
    }
}

impl Event {
    /// Appends the event's record to `out`.
    pub fn write(&self, layout: RecordLayout, out: &mut Vec<u8>) {
        let log2 = |align: Option<u64>| align.map_or(NO_ALIGNMENT, |a| a.trailing_zeros() as u8);
        let record = match *self {
            Event::Alloc { tracepoint, context, addr, size, align } => {
                let head = head(RecordKind::Alloc, tracepoint, log2(align));
                Record { head, size, context, addr, old: 0 }
            }
            Event::Free { tracepoint, context, addr, size, align } => {
                let kind = if size.is_some() { RecordKind::FreeSized } else { RecordKind::Free };
                let head = head(kind, tracepoint, log2(align));
                Record { head, size: size.unwrap_or(0), context, addr, old: 0 }
            }
            Event::Realloc { tracepoint, context, old, addr, size, align } => {
                let head = head(RecordKind::Realloc, tracepoint, log2(align));
                Record { head, size, context, addr, old }
            }
            Event::Grow { tracepoint, context, memory, before, delta } => {
                let head = head(RecordKind::Grow, tracepoint, NO_ALIGNMENT);
                let addr = before.unwrap_or(u64::MAX);
                Record { head, size: delta, context, addr, old: u64::from(memory) }
            }
            Event::Annotation { tracepoint, context, addr, size } => {
                let head = head(RecordKind::Annotation, tracepoint, NO_ALIGNMENT);
                Record { head, size, context, addr, old: 0 }
            }
            Event::Claim { tracepoint, context, addr, size } => {
                let head = head(RecordKind::Claim, tracepoint, NO_ALIGNMENT);
                Record { head, size, context, addr, old: 0 }
            }
            Event::Usable { tracepoint, context, addr, size } => {
                let head = head(RecordKind::Usable, tracepoint, NO_ALIGNMENT);
                Record { head, size, context, addr, old: 0 }
            }
        };
        record.write(layout, out);
    }

    /// The calling context in which it happened.
    pub fn context(&self) -> Context {
        match *self {
            Event::Alloc { context, .. }
            | Event::Free { context, .. }
            | Event::Realloc { context, .. }
            | Event::Grow { context, .. }
            | Event::Annotation { context, .. } => context,
            Event::Claim { context, .. } | Event::Usable { context, .. } => context,
        }
    }
}
