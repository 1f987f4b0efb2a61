//! The images of the moment that comes next in the trace, put together from their parts.

use crate::{
    heap::space::MAX_BYTES,
    image::{LentMemory, MemoryImage},
    kinds::Image,
};
use seepage_trace::{MemoryPart, ModuleId, State};
use std::sync::{Arc, atomic::AtomicUsize};

/// Pages of lent memories that are kept, at most.
const KEPT_PAGES: usize = 1 << 13;

/// The images of the moment that comes next in the trace, a mark or the end.
#[derive(Clone)]
pub(super) struct Images {
    pub(super) list: Vec<Image>,
    max_pages: usize,
    pages_left: usize,
    /// Pages of lent memories that may still be kept.
    lent_left: Arc<AtomicUsize>,
    /// Images that were larger than allowed.
    pub(super) dropped: u64,
}

impl Images {
    pub(super) fn new(max_pages: usize) -> Images {
        let lent_left = kept(max_pages);
        Images { list: Vec::new(), max_pages, pages_left: max_pages, lent_left, dropped: 0 }
    }

    pub(super) fn begin(&mut self, state: &State) {
        self.outdate(state.module);
        let memory = MemoryImage::new(state.memory_bytes.min(MAX_BYTES));
        self.list.push(Image { state: state.clone(), memory });
    }

    /// The same for a memory that is read where it is.
    pub(super) fn lend(&mut self, state: &State, memory: Arc<dyn LentMemory>) {
        self.outdate(state.module);
        let bytes = state.memory_bytes.min(MAX_BYTES);
        let memory = MemoryImage::lent(memory, bytes, self.lent_left.clone());
        self.list.push(Image { state: state.clone(), memory });
    }

    pub(super) fn add(&mut self, part: &MemoryPart<'_>) {
        let image = self.list.iter_mut().find(|image| image.state.module == part.module);
        let Some(image) = image.filter(|_| part.memory == 0) else { return };
        if image.memory.write(part.addr, &part.bytes, &mut self.pages_left).is_err() {
            // Half an image would make blocks look lost.
            self.outdate(part.module);
            self.dropped += 1;
        }
    }

    pub(super) fn of(&self, module: ModuleId) -> Option<&Image> {
        self.list.iter().find(|image| image.state.module == module)
    }

    /// What happens after an image was taken makes it one of the past.
    pub(super) fn outdate(&mut self, module: ModuleId) {
        self.list.retain(|image| image.state.module != module);
    }

    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.pages_left = self.max_pages;
        self.lent_left = kept(self.max_pages);
    }
}

fn kept(max_pages: usize) -> Arc<AtomicUsize> {
    Arc::new(AtomicUsize::new(max_pages.min(KEPT_PAGES)))
}
