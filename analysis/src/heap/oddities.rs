//! What makes no sense, as the booking of events meets it: which kind of anomaly it is, and what
//! is known of the block in question. All of it is off the fast path.

use super::{Anomaly, AnomalyKind, Block, Caller, Heap};
use crate::profile::StackId;
use seepage_trace::TracepointId;

impl Heap {
    #[cold]
    pub(super) fn refused(&mut self, caller: Caller, old: u64, size: u64) {
        self.totals.failed += 1;
        self.contexts.failed(caller.stack, caller.tracepoint);
        let kind = AnomalyKind::FailedAllocation;
        if self.anomalies.count(kind, caller.stack) {
            let anomaly = Anomaly::new(kind, caller.stack, self.totals.events, old);
            self.anomalies.describe(Anomaly { size: Some(size), ..anomaly });
        }
    }

    #[cold]
    pub(super) fn other_size(
        &mut self,
        caller: Caller,
        addr: u64,
        size: Option<u64>,
        block: Block,
    ) {
        // Only within a family are the two sizes the same thing: `operator new` may round up
        // before it calls `malloc`.
        let families = &self.modules[caller.module].families;
        let family = |tracepoint: TracepointId| families.get(usize::from(tracepoint.0));
        let kind = AnomalyKind::SizeMismatch;
        if family(caller.tracepoint) == family(block.tracepoint)
            && self.anomalies.count(kind, caller.stack)
        {
            self.anomalies.describe(Anomaly {
                size,
                block_size: Some(block.size),
                allocation: Some(block.stack),
                ..Anomaly::new(kind, caller.stack, self.totals.events, addr)
            });
        }
    }

    #[cold]
    pub(super) fn overlap(&mut self, caller: Caller, addr: u64, size: u64, earlier: Block) {
        self.doubting.overlap();
        let kind = AnomalyKind::Overlap;
        if self.anomalies.count(kind, caller.stack) {
            self.anomalies.describe(Anomaly {
                size: Some(size),
                block_size: Some(earlier.size),
                allocation: Some(earlier.stack),
                ..Anomaly::new(kind, caller.stack, self.totals.events, addr)
            });
        }
    }

    #[cold]
    pub(super) fn no_block(
        &mut self,
        kind: AnomalyKind,
        caller: Caller,
        addr: u64,
        size: Option<u64>,
        first_free: Option<StackId>,
    ) {
        if self.drops.blocks > 0 {
            self.drops.frees += 1;
            return;
        }
        if first_free.is_none() {
            self.doubting.unknown();
        }
        // Blocks are not searched for every time: a program that frees wrongly in a loop is one
        // entry, and the kind that its first free had.
        let interior = AnomalyKind::InteriorFree;
        if kind != AnomalyKind::UnknownRealloc && self.anomalies.knows(interior, caller.stack) {
            self.anomalies.count(interior, caller.stack);
            return;
        }
        if self.anomalies.knows(kind, caller.stack) || self.anomalies.is_full() {
            self.anomalies.count(kind, caller.stack);
            return;
        }
        let has_places = self.modules[caller.module].has_places();
        let around = has_places.then(|| self.blocks.around(caller.table, addr)).flatten();
        let around = around.map(|(_, block)| block);
        let kind =
            if around.is_some() && kind != AnomalyKind::UnknownRealloc { interior } else { kind };
        if self.anomalies.count(kind, caller.stack) {
            self.anomalies.describe(Anomaly {
                size,
                block_size: around.map(|block| block.size),
                allocation: around.map(|block| block.stack),
                first_free: first_free.filter(|_| around.is_none()),
                ..Anomaly::new(kind, caller.stack, self.totals.events, addr)
            });
        }
    }
}
