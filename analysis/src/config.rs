//! What a caller may set: budgets, suppressions, and how much the model may remember.
//!
//! Every list that grows with the guest has its limit here. What a limit cuts off is counted in
//! [`crate::Drops`].

use crate::{profile::LeakKind, suppressions::Rule};

/// How to analyse a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What the guest may use before that is a finding.
    pub budget: Budget,
    /// The kinds of live blocks that are leaks.
    pub leak_kinds: LeakKinds,
    /// Whether addresses of blocks are looked for at every byte, not only at multiples of their size.
    pub unaligned: bool,
    /// Whether it is an error when the host frees what the module has allocated, or the other way
    /// round.
    pub crossing_frees: bool,
    /// Whether descriptors that are open at the end are leaks.
    pub track_fds: bool,
    /// Whether the built-in [`crate::suppressions`] apply.
    pub builtin_suppressions: bool,
    /// The user's rules, which are tried after the built-in ones.
    pub suppressions: Vec<Rule>,
    /// Whether the rules apply that a module brings along.
    pub module_suppressions: bool,
    /// Whether containers that only grow are growth, and no mere suspects.
    pub suspects_fail: bool,
    /// Whether maps of the memory are drawn.
    pub heap_map: bool,
    /// How much is remembered.
    pub caps: Caps,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            budget: Budget::default(),
            leak_kinds: LeakKinds::default(),
            unaligned: false,
            crossing_frees: false,
            track_fds: false,
            builtin_suppressions: true,
            suppressions: Vec::new(),
            module_suppressions: true,
            suspects_fail: false,
            heap_map: false,
            caps: Caps::default(),
        }
    }
}

/// A set of leak kinds. The default is what nothing can free any more: definitely and indirectly
/// lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeakKinds {
    kinds: [bool; 4],
}

impl LeakKinds {
    /// Every kind: each live block is a leak, whatever points to it.
    pub const ALL: LeakKinds = LeakKinds { kinds: [true; 4] };

    /// The given kinds.
    pub fn new(kinds: &[LeakKind]) -> LeakKinds {
        LeakKinds { kinds: LeakKind::ALL.map(|kind| kinds.contains(&kind)) }
    }

    /// Whether a kind is among them.
    pub fn contains(self, kind: LeakKind) -> bool {
        self.kinds[kind as usize]
    }
}

impl Default for LeakKinds {
    fn default() -> LeakKinds {
        LeakKinds::new(&[LeakKind::DefinitelyLost, LeakKind::IndirectlyLost])
    }
}

/// Limits that the user sets. `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Bytes that may be live at exit, suppressed ones not counted.
    pub max_leak: Option<u64>,
    /// Bytes that may be live at once.
    pub max_peak: Option<u64>,
    /// Pages of 64 KiB that all linear memories together may have.
    pub max_pages: Option<u64>,
}

/// How many of each thing are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Modules.
    pub modules: usize,
    /// Different stacks.
    pub stacks: usize,
    /// Frames of one stack.
    pub frames: usize,
    /// Frames of all stacks together.
    pub all_frames: usize,
    /// Live blocks.
    pub blocks: usize,
    /// Stretches of 64 KiB of guest addresses in which blocks have been. Each costs 32 KiB.
    pub table_pages: usize,
    /// Blocks at addresses that are not multiples of 8, live or freed.
    pub odd_blocks: usize,
    /// Pages of 64 KiB of all images together.
    pub image_pages: usize,
    /// Live blocks of a module up to which retained sizes are told.
    pub retained: usize,
    /// Blocks that a replay follows at once.
    pub replayed: usize,
    /// Growths of a memory.
    pub grows: usize,
    /// Different anomalies.
    pub anomalies: usize,
    /// Points of the timeline, and of that of the host's memory.
    pub timeline: usize,
    /// Marks that are listed.
    pub marks: usize,
    /// Places that left descriptors open.
    pub open_files: usize,
    /// Maps of the memory.
    pub heap_maps: usize,
    /// Findings.
    pub findings: usize,
    /// Suppressions that modules bring along.
    pub module_rules: usize,
}

impl Default for Caps {
    fn default() -> Caps {
        Caps {
            modules: 1024,
            stacks: 1 << 20,
            frames: 512,
            all_frames: 1 << 24,
            blocks: 1 << 27,
            table_pages: 65_536,
            odd_blocks: 1 << 20,
            image_pages: 1 << 17,
            retained: 1 << 26,
            replayed: 1 << 26,
            grows: 4096,
            anomalies: 1024,
            timeline: 512,
            marks: 512,
            open_files: 1024,
            heap_maps: 64,
            findings: 1024,
            module_rules: 1024,
        }
    }
}
