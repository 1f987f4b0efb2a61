//! What the program says of its own heap, in the words of LeakSanitizer's interface.
//!
//! An ignored block is no leak and keeps what it points to; so is every block that is allocated
//! while leaks are off. A region holds addresses, wherever it lies. A reallocation makes a new
//! block, which is ignored only if leaks are off then.

use super::{Books, Module};
use seepage_trace::{Role, Tracepoint, TracepointId};
use std::ops::Range;

/// Regions that are known at once.
const MAX_REGIONS: usize = 4096;

/// What was said in one module.
#[derive(Clone, Debug, Default)]
pub(super) struct Annotations {
    /// By tracepoint.
    roles: Vec<Role>,
    /// How often leaks were switched off and not on again.
    off: u64,
    regions: Vec<Range<u64>>,
}

impl Annotations {
    pub(super) fn new(tracepoints: &[Tracepoint]) -> Annotations {
        let roles = tracepoints.iter().map(|tracepoint| tracepoint.role).collect();
        Annotations { roles, ..Annotations::default() }
    }

    /// Whether what is allocated now is no leak.
    #[inline]
    pub(super) fn are_off(&self) -> bool {
        self.off > 0
    }

    pub(super) fn regions(&self) -> &[Range<u64>] {
        &self.regions
    }
}

impl Books {
    pub(super) fn annotate(
        &mut self,
        module: &mut Module,
        tracepoint: TracepointId,
        addr: u64,
        size: u64,
    ) {
        let Annotations { roles, off, regions } = &mut module.annotations;
        let region = addr..addr.saturating_add(size);
        match roles.get(usize::from(tracepoint.0)) {
            Some(Role::IgnoreObject) => self.blocks.ignore(module.table, addr),
            Some(Role::Disable) => *off += 1,
            Some(Role::Enable) => *off = off.saturating_sub(1),
            Some(Role::RegisterRegion) if regions.len() < MAX_REGIONS => regions.push(region),
            Some(Role::RegisterRegion) => self.drops.regions += 1,
            Some(Role::UnregisterRegion) => {
                if let Some(place) = regions.iter().position(|known| *known == region) {
                    regions.swap_remove(place);
                }
            }
            _ => {}
        }
    }
}
