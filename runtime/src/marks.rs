//! Marks that are not the host's own calls: by the guest, and on request from outside.

use crate::instance::{Shared, lock};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use wasmtime::AsContextMut;

/// Different names that are counted; all others share their numbers.
const MAX_NAMES: usize = 1024;

/// Asks a running guest for a mark, from any thread: it is made when the guest next calls its host
/// or fills its ring. Requests until then are one. All clones are the same.
#[derive(Clone, Debug)]
pub struct MarkRequest {
    name: Arc<str>,
    asked: Arc<AtomicBool>,
}

impl MarkRequest {
    /// Marks of that name, with a number behind it.
    pub fn new(name: &str) -> MarkRequest {
        MarkRequest { name: name.into(), asked: Arc::default() }
    }

    /// Whoever sets it asks for a mark: a signal's handler may.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.asked.clone()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whether there is a request, which is none any more.
    pub(crate) fn take(&self) -> bool {
        self.is_asked() && self.asked.swap(false, Ordering::Relaxed)
    }
}

impl Default for MarkRequest {
    fn default() -> MarkRequest {
        MarkRequest::new("requested")
    }
}

/// Numbers the marks of each name.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    counts: BTreeMap<String, u64>,
}

impl Marks {
    /// What the next mark of that name is called.
    pub(crate) fn next(&mut self, name: &str) -> String {
        let is_known = self.counts.contains_key(name) || self.counts.len() < MAX_NAMES;
        let count = self.counts.entry(if is_known { name.into() } else { String::new() });
        let count = count.or_default();
        *count += 1;
        format!("{name} #{count}")
    }
}

impl Shared {
    /// Marks the moment with a number behind the name, from within a call of the guest or of one of
    /// its own functions.
    pub(crate) fn numbered_mark(&self, store: impl AsContextMut, name: &str) {
        if self.is_over.load(Ordering::Relaxed) {
            return;
        }
        let hidden = self.hidden(&store);
        let name = lock(&self.marks).next(name);
        self.mark(store, name, hidden);
    }

    /// Marks the moment if somebody has asked for it.
    #[inline]
    pub(crate) fn serve(&self, store: impl AsContextMut) {
        if self.request.take() {
            self.numbered_mark(store, self.request.name());
        }
    }
}
