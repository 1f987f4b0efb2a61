//! The analyses: each looks at the figures of a run and says what it finds.
//!
//! To add one, write a file with an [`Analysis`] and put it in [`LIST`]. An analysis knows neither
//! the others nor any output format. A claim carries its evidence, and an analysis that cannot
//! tell says so with [`Findings::abstain`]. One that needs more than the final figures gets it
//! from the heap model, which alone sees the events: as [`crate::Rise`] does for `growth`.

pub(crate) mod budget;
mod containers;
mod fragmentation;
mod growth;
pub(crate) mod leaks;
mod misuse;
mod open_files;
pub(crate) mod self_check;

pub(crate) use crate::words::{plural, thousands};
use crate::{
    config::Config,
    finding::{Abstention, Finding},
    heap::anomalies::Anomaly,
    open_files::OpenFiles,
    outcome::Drops,
    profile::Profile,
};
use seepage_trace::{End, Frees, ModuleId, ModuleInfo};

/// Every analysis, in the order in which they speak.
pub(crate) const LIST: &[&dyn Analysis] = &[
    &misuse::Misuse,
    &leaks::Leaks,
    &open_files::OpenFilesCheck,
    &growth::Growth,
    &budget::BudgetCheck,
    &fragmentation::FragmentationCheck,
    &containers::Containers,
];

/// Something that judges a run.
pub(crate) trait Analysis {
    /// The name under which its findings go.
    fn name(&self) -> &'static str;
    /// Looks at a run.
    fn run(&self, view: &View<'_>, findings: &mut Findings);
}

/// What an analysis may look at.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) config: &'a Config,
    pub(crate) modules: &'a [ModuleInfo],
    pub(crate) end: &'a End,
    pub(crate) profile: &'a Profile,
    pub(crate) anomalies: &'a [Anomaly],
    pub(crate) open_files: &'a [OpenFiles],
    pub(crate) drops: &'a Drops,
}

impl View<'_> {
    /// Who gives back what a module allocates.
    fn frees(&self, id: ModuleId) -> Frees {
        let module = self.modules.iter().find(|module| module.id == id);
        module.map_or(Frees::Explicit, |module| module.frees)
    }

    /// Whether there was an image of a module's memory at the end.
    fn has_image(&self, id: ModuleId) -> bool {
        self.profile.reachability.as_ref().is_some_and(|found| found.modules.contains(&id))
    }

    /// Whether blocks may be gone that the books still hold.
    fn misses_frees(&self) -> bool {
        self.modules.iter().any(|module| module.frees == Frees::Unseen)
            && self.profile.totals.live.blocks > 0
    }
}

/// Where findings go.
pub(crate) struct Findings {
    pub(crate) list: Vec<Finding>,
    pub(crate) abstentions: Vec<Abstention>,
    /// What is worth saying though it is no finding.
    pub(crate) remarks: Vec<String>,
    /// Findings beyond the cap.
    pub(crate) dropped: u64,
    cap: usize,
}

impl Findings {
    pub(crate) fn new(cap: usize) -> Findings {
        Findings { list: Vec::new(), abstentions: Vec::new(), remarks: Vec::new(), dropped: 0, cap }
    }

    /// Makes a claim. The first of a kind is always kept: it decides the verdict.
    pub(crate) fn claim(&mut self, finding: Finding) {
        let first = self.list.iter().all(|known| known.kind != finding.kind);
        if first || self.list.len() < self.cap {
            self.list.push(finding);
        } else {
            self.dropped += 1;
        }
    }

    /// Says something that changes no verdict.
    pub(crate) fn remark(&mut self, remark: String) {
        self.remarks.push(remark);
    }

    /// Says why there is no claim.
    pub(crate) fn abstain(&mut self, abstention: Abstention) {
        self.abstentions.push(abstention);
    }
}
