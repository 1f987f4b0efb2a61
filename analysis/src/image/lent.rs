//! A memory that is read where it is, instead of being brought along in parts: for a host in whose own
//! memory there is no room for a second one.

use super::PAGE;
use rustc_hash::FxHashMap;
use std::{
    fmt::Debug,
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Stretches up to this length are fetched alone where there is no room for their page.
const ALONE: usize = 4096;

/// A guest's memory, which nobody writes to while it is lent.
pub trait LentMemory: Debug + Send + Sync {
    /// Copies what stands at an address. All of it is below the size that the memory was said to have.
    fn read(&self, addr: u64, into: &mut [u8]);
}

/// One page of a memory of so many bytes; `None` if there are only zeros.
pub(super) fn page(memory: &dyn LentMemory, number: u64, bytes: u64) -> Option<Box<[u8]>> {
    let start = number * PAGE;
    let mut page = vec![0; PAGE as usize];
    let used = bytes.saturating_sub(start).min(PAGE) as usize;
    memory.read(start, &mut page[..used]);
    page.iter().any(|&byte| byte != 0).then(|| page.into_boxed_slice())
}

/// Bytes that were fetched.
pub(super) enum Piece {
    /// A page that is kept, and which part of it was asked for.
    Page(Arc<[u8]>, Range<usize>),
    Alone(Vec<u8>),
}

/// A lent memory, with the pages that have been looked at while there is room for them.
#[derive(Debug)]
pub(super) struct Lent {
    memory: Arc<dyn LentMemory>,
    bytes: u64,
    /// `None` for a page of zeros.
    pages: Mutex<FxHashMap<u64, Option<Arc<[u8]>>>>,
    /// Pages that may still be kept, of all lent memories together.
    room: Arc<AtomicUsize>,
}

impl Piece {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Piece::Page(page, part) => page.get(part.clone()).unwrap_or_default(),
            Piece::Alone(bytes) => bytes,
        }
    }
}

impl Lent {
    pub(super) fn new(memory: Arc<dyn LentMemory>, bytes: u64, room: Arc<AtomicUsize>) -> Lent {
        Lent { memory, bytes, pages: Mutex::default(), room }
    }

    /// What stands in a range within one page; `None` for nothing but zeros, and behind the end.
    pub(super) fn piece(&self, range: Range<u64>) -> Option<Piece> {
        let (number, start) = (range.start / PAGE, (range.start % PAGE) as usize);
        let end = range.end.min(self.bytes).min((number + 1).saturating_mul(PAGE));
        let length = usize::try_from(end.checked_sub(range.start)?).ok()?;
        let part = start..start + length;
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = pages.get(&number) {
            return page.clone().map(|page| Piece::Page(page, part));
        }
        let take = |left: usize| left.checked_sub(1);
        let has_room = self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok();
        if !has_room && length <= ALONE {
            let mut bytes = vec![0; length];
            self.memory.read(range.start, &mut bytes);
            return Some(Piece::Alone(bytes));
        }
        let page = page(&*self.memory, number, self.bytes).map(Arc::from);
        if has_room && page.is_none() {
            self.room.fetch_add(1, Ordering::Relaxed);
        }
        if has_room || page.is_none() {
            pages.insert(number, page.clone());
        }
        page.map(|page| Piece::Page(page, part))
    }

    /// The word of `size` bytes at an address, wherever it is aligned.
    pub(super) fn word(&self, addr: u64, size: u64) -> u64 {
        let end = addr.saturating_add(size);
        let border = (addr / PAGE + 1).saturating_mul(PAGE).min(end);
        let mut word = [0; 8];
        for part in [addr..border, border..end] {
            let at = (part.start - addr) as usize;
            if let Some(piece) = (!part.is_empty()).then(|| self.piece(part)).flatten() {
                let bytes = piece.bytes();
                word[at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
        u64::from_le_bytes(word)
    }
}
