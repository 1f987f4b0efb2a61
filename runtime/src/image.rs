//! Images of a guest: what its memory and its globals hold at a mark or at the end.
//!
//! An image is what leak kinds are judged by. It is sent in front of the mark or end that it
//! belongs to, in parts, and stretches of zeros are left out, so that a memory that was grown and
//! never used costs nothing.

use crate::{
    collector::Feeder,
    instance::{GuestMemory, Handles},
};
use seepage_trace::{MemoryPart, Message, ModuleId, State};
use std::ops::Range;
use wasmtime::{AsContextMut, Global, Val};

/// Of which moments an image is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Images {
    /// Of none: what is live at the end is then all that can be said.
    Off,
    /// Of the end, and of marks while [`MARKS_BUDGET`] lasts.
    #[default]
    Marks,
    /// Of the end and of every mark.
    All,
}

/// Bytes of memory of which images are taken at marks with [`Images::Marks`], altogether.
pub const MARKS_BUDGET: u64 = 1 << 30;

/// A stretch that is looked at whole: all of it is zero, or it is sent.
const STRETCH: usize = 4096;

/// What a memory held before its module ran.
#[derive(Debug, Default)]
pub(crate) struct Baseline {
    /// Stretches that are not all zero, by address.
    stretches: Vec<(usize, Box<[u8]>)>,
}

impl Baseline {
    pub(crate) fn take(store: impl AsContextMut, handles: &Handles) -> Baseline {
        let Some(GuestMemory::Own(memory)) = handles.memories.first() else {
            return Baseline::default();
        };
        let stretches = memory.data(&store).chunks(STRETCH).enumerate();
        let used = stretches.filter(|(_, stretch)| !is_empty(stretch));
        Baseline { stretches: used.map(|(at, bytes)| (at * STRETCH, bytes.into())).collect() }
    }

    /// Stretches of whole words that are still the same, by address.
    fn unchanged(&self, memory: &[u8], word: usize) -> Vec<Range<u64>> {
        let mut unchanged: Vec<Range<u64>> = Vec::new();
        for (start, before) in &self.stretches {
            let now = memory.get(*start..start + before.len()).unwrap_or_default();
            let words = before.chunks_exact(word).zip(now.chunks_exact(word));
            for (index, (before, now)) in words.enumerate() {
                if before != now {
                    continue;
                }
                let at = (start + index * word) as u64;
                match unchanged.last_mut() {
                    Some(last) if last.end == at => last.end += word as u64,
                    _ => unchanged.push(at..at + word as u64),
                }
            }
        }
        unchanged
    }
}

fn is_empty(stretch: &[u8]) -> bool {
    stretch.iter().all(|&byte| byte == 0)
}

/// Sends the image of one instance.
pub(crate) fn send(
    feeder: &Feeder,
    mut store: impl AsContextMut,
    module: ModuleId,
    handles: &Handles,
    baseline: &Baseline,
    hidden: u32,
    roots: Vec<u64>,
) {
    let globals = handles.globals.iter().map(|global| value(global, &mut store)).collect();
    let memory = match handles.memories.first() {
        Some(GuestMemory::Own(memory)) => memory.data(&store),
        // Others may write to a shared memory at this moment.
        Some(GuestMemory::Shared(_)) | None => &[],
    };
    let memory_bytes = memory.len() as u64;
    let is_64 = match handles.memories.first() {
        Some(GuestMemory::Own(memory)) => memory.ty(&store).is_64(),
        _ => false,
    };
    let unchanged = baseline.unchanged(memory, if is_64 { 8 } else { 4 });
    let state = State { module, hidden, globals, roots, memory_bytes, unchanged };
    feeder.send(Message::State(state));
    let mut at = 0;
    while at < memory.len() {
        let stretches = memory[at..].chunks(STRETCH);
        at += stretches.take_while(|stretch| is_empty(stretch)).map(<[u8]>::len).sum::<usize>();
        let stretches = memory[at..].chunks(STRETCH).take(MemoryPart::MAX / STRETCH);
        let length: usize =
            stretches.take_while(|stretch| !is_empty(stretch)).map(<[u8]>::len).sum();
        if length > 0 {
            let bytes = memory[at..at + length].to_vec().into();
            feeder.send(Message::Memory(MemoryPart { module, memory: 0, addr: at as u64, bytes }));
            at += length;
        }
    }
}

/// How large the memory of an image would be.
pub(crate) fn size(store: impl AsContextMut, handles: &Handles) -> u64 {
    match handles.memories.first() {
        Some(GuestMemory::Own(memory)) => memory.data_size(store) as u64,
        _ => 0,
    }
}

fn value(global: &Global, store: impl AsContextMut) -> u64 {
    match global.get(store) {
        Val::I32(value) => u64::from(value as u32),
        Val::I64(value) => value as u64,
        _ => 0,
    }
}
