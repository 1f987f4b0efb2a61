//! What makes no sense, as the booking of events meets it: which kind of anomaly it is, and what
//! is known of the block in question. All of it is off the fast path.

use super::{
    Anomaly, AnomalyKind, Block, Books, Caller, Module,
    blocks::{Alignment, TableId},
};
use crate::profile::StackId;
use seepage_trace::TracepointId;

impl Books {
    #[cold]
    pub(super) fn refused(&mut self, caller: Caller, old: u64, size: u64) {
        self.totals.failed += 1;
        self.contexts.failed(caller.stack, caller.tracepoint);
        let kind = AnomalyKind::FailedAllocation;
        if self.anomalies.count(kind, caller.by()) {
            let anomaly = Anomaly::new(kind, caller.by(), self.totals.events, old);
            self.anomalies.describe(Anomaly { size: Some(size), ..anomaly });
        }
    }

    /// A block is given back or resized as one of another size or alignment.
    #[cold]
    pub(super) fn other_layout(
        &mut self,
        module: &Module,
        caller: Caller,
        addr: u64,
        size: Option<u64>,
        align: Alignment,
        block: Block,
    ) {
        // Only within a family are the two the same thing: `operator new` may round up before it
        // calls `malloc`. What the host gives back of Rust's is as Rust has asked for it.
        let family = |tracepoint: TracepointId| module.families.get(usize::from(tracepoint.0));
        let (by, from) = (usize::from(caller.tracepoint.0), usize::from(block.tracepoint.0));
        if family(caller.tracepoint) != family(block.tracepoint)
            && !module.doors.give_back(by, from)
        {
            return;
        }
        let is_size = size.is_some_and(|size| size != block.size);
        let kind = if is_size { AnomalyKind::SizeMismatch } else { AnomalyKind::AlignmentMismatch };
        if self.anomalies.count(kind, caller.by()) {
            let (size, block_size) = match is_size {
                true => (size, Some(block.size)),
                false => (align.bytes(), block.align.bytes()),
            };
            self.anomalies.describe(Anomaly {
                size,
                block_size,
                allocation: Some(block.stack),
                allocated_by: Some(block.tracepoint),
                ..Anomaly::new(kind, caller.by(), self.totals.events, addr)
            });
        }
    }

    /// Whoever reallocates says what the block's size is.
    #[cold]
    pub(super) fn claim(&mut self, module: &Module, caller: Caller, addr: u64, size: u64) {
        let block = self.blocks.get(module.table, addr);
        if let Some(block) = block.filter(|block| block.size != size) {
            self.other_layout(module, caller, addr, Some(size), Alignment::NONE, block);
        }
    }

    /// A block may go by a door that is not for it, or on the other side.
    pub(super) fn other_way(&mut self, module: &Module, caller: Caller, addr: u64, block: Block) {
        let (by, from) = (usize::from(caller.tracepoint.0), usize::from(block.tracepoint.0));
        let may_be_strangers = module.doors.may_be_strangers(by, from);
        if !may_be_strangers && !self.crossing_frees {
            return;
        }
        let (Some(here), Some(there)) =
            (self.stacks.get(caller.stack), self.stacks.get(block.stack))
        else {
            return;
        };
        let crosses = || {
            let are_known = here.known && there.known && module.has_places();
            self.crossing_frees && are_known && here.is_hosts() != there.is_hosts()
        };
        let kind = if may_be_strangers && module.doors.are_strangers((by, here), (from, there)) {
            AnomalyKind::MismatchedFree
        } else if crosses() {
            AnomalyKind::CrossingFree
        } else {
            return;
        };
        if self.anomalies.count(kind, caller.by()) {
            self.anomalies.describe(Anomaly {
                block_size: Some(block.size),
                allocation: Some(block.stack),
                allocated_by: Some(block.tracepoint),
                ..Anomaly::new(kind, caller.by(), self.totals.events, addr)
            });
        }
    }

    #[cold]
    pub(super) fn overlap(
        &mut self,
        module: &Module,
        caller: Caller,
        addr: u64,
        size: u64,
        earlier: Block,
    ) {
        if module.is_collected_unseen {
            // What was there has gone without a call: nobody's error.
            self.totals.collected.add(earlier.size);
            return;
        }
        self.doubting.overlap();
        let kind = AnomalyKind::Overlap;
        if self.anomalies.count(kind, caller.by()) {
            self.anomalies.describe(Anomaly {
                size: Some(size),
                block_size: Some(earlier.size),
                allocation: Some(earlier.stack),
                allocated_by: Some(earlier.tracepoint),
                ..Anomaly::new(kind, caller.by(), self.totals.events, addr)
            });
        }
    }

    #[cold]
    pub(super) fn no_block(
        &mut self,
        module: &Module,
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
        if kind != AnomalyKind::UnknownRealloc && self.anomalies.knows(interior, caller.by()) {
            self.anomalies.count(interior, caller.by());
            return;
        }
        if self.anomalies.knows(kind, caller.by()) || self.anomalies.is_full() {
            self.anomalies.count(kind, caller.by());
            return;
        }
        let (table, has_places) = (module.table, module.has_places());
        let around = has_places.then(|| self.blocks.around(table, addr)).flatten();
        let around = around.map(|(_, block)| block);
        let kind =
            if around.is_some() && kind != AnomalyKind::UnknownRealloc { interior } else { kind };
        let elsewhere = || self.in_another_module(table, addr).filter(|_| has_places);
        let around = match first_free {
            None => around.or_else(elsewhere),
            Some(_) => around,
        };
        if self.anomalies.count(kind, caller.by()) {
            let had_allocated = first_free.and_then(|_| self.graves.find(table, addr));
            self.anomalies.describe(Anomaly {
                size,
                block_size: around.map(|block| block.size),
                allocation: around.map(|block| block.stack).or(had_allocated),
                allocated_by: around.map(|block| block.tracepoint),
                first_free: first_free.filter(|_| around.is_none()),
                ..Anomaly::new(kind, caller.by(), self.totals.events, addr)
            });
        }
    }

    /// The live block that another module has at an address.
    fn in_another_module(&self, table: TableId, addr: u64) -> Option<Block> {
        let mut others = self.places.iter().filter(|&&other| other != table);
        others.find_map(|&other| self.blocks.get(other, addr))
    }
}
