//! From an outcome to a report: names instead of numbers, stacks in full, a fixed order.
//!
//! It computes nothing but positions and sums of what it lists. The same outcome gives the same
//! report, and what the caller's limits leave out is stated in it.

mod heap_map;
mod host;
mod memory;
mod reachability;

use crate::schema::{self, Count, Frame, Report, VerdictKind};
use seepage_analysis::{Anomaly, ContextCost, Outcome, StackId, Suppressed, Verdict};
use seepage_trace::{ModuleId, ModuleInfo, Role, TracepointId};
use std::cmp::Reverse;

/// What a report says beyond the outcome, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The version of the program that writes it.
    pub tool_version: String,
    /// The most contexts that are listed.
    pub max_contexts: usize,
}

impl Context {
    /// The usual limits.
    pub fn new(tool_version: impl Into<String>) -> Context {
        Context { tool_version: tool_version.into(), max_contexts: 1000 }
    }
}

/// Makes a report of an outcome.
pub fn assemble(outcome: &Outcome, context: &Context) -> Report {
    let mut modules = outcome.modules.iter().map(module);
    let (contexts, order, left_out) = contexts(outcome, context.max_contexts);
    let (loss_records, records_left_out) =
        reachability::loss_records(outcome, context.max_contexts);
    let (types, types_left_out) = types(outcome, context.max_contexts);
    let kind = verdict(outcome.verdict());
    let profile = &outcome.profile;
    Report {
        schema: schema::SCHEMA.into(),
        tool: schema::Tool { name: "seepage".into(), version: context.tool_version.clone() },
        module: modules.next().unwrap_or_else(|| module(&ModuleInfo::default())),
        modules: modules.collect(),
        guest: guest(outcome),
        verdict: schema::Verdict { kind, exit: kind, reasons: outcome.reasons() },
        totals: totals(outcome),
        high_water: schema::HighWater {
            clock: profile.peak.clock,
            time_ns: profile.peak.time_ns,
            pages: profile.peak.pages,
        },
        leaks: outcome.profile.reachability.as_ref().map(reachability::leaks),
        loss_records,
        held: reachability::held(outcome),
        memory: memory::memory(outcome, context.max_contexts),
        contexts,
        types,
        timeline: profile.timeline.iter().map(point).collect(),
        host: outcome.host.as_ref().map(host::host),
        objects: None,
        marks: profile.marks.iter().map(mark).collect(),
        sizes: profile
            .sizes
            .iter()
            .map(|bucket| {
                let Count { blocks, bytes } = count(bucket.allocated);
                schema::SizeBucket { from: bucket.from, to: bucket.to, blocks, bytes }
            })
            .collect(),
        lifetimes: profile
            .lifetimes
            .iter()
            .map(|bucket| {
                let Count { blocks, bytes } = count(bucket.freed);
                schema::LifetimeBucket { from: bucket.from, to: bucket.to, blocks, bytes }
            })
            .collect(),
        heap_maps: heap_map::heap_maps(outcome, &order),
        suppressions: outcome.suppressed.iter().map(suppression).collect(),
        open_files: open_files(outcome),
        heap_errors: anomalies(outcome).into_iter().filter(|anomaly| anomaly.error).collect(),
        anomalies: anomalies(outcome),
        findings: findings(outcome),
        abstentions: outcome
            .abstentions
            .iter()
            .map(|abstention| schema::Abstention {
                analysis: abstention.analysis.into(),
                reason: abstention.reason.clone(),
                blocks: abstention.count.blocks,
                bytes: abstention.count.bytes,
            })
            .collect(),
        what_if: outcome.what_if.as_ref().map(what_if),
        dropped: schema::Dropped {
            loss_records: records_left_out,
            types: types_left_out,
            ..dropped(outcome, left_out)
        },
    }
}

fn module(info: &ModuleInfo) -> schema::Module {
    schema::Module {
        name: info.name.clone(),
        bytes: info.bytes,
        allocators: info
            .tracepoints
            .iter()
            .filter(|it| it.role.is_allocators() || it.role == Role::Grow)
            .map(|tracepoint| schema::Allocator {
                function: tracepoint.function.clone(),
                index: tracepoint.index,
                role: tracepoint.role.name().into(),
                family: tracepoint.family.clone(),
                how: tracepoint.how.clone(),
            })
            .collect(),
        memories: info
            .memories
            .iter()
            .map(|memory| schema::MemoryDeclaration {
                initial_pages: memory.initial_pages,
                maximum_pages: memory.maximum_pages,
                page_size: memory.page_size,
                is_64: memory.is_64,
                imported: memory.imported,
            })
            .collect(),
        contexts: info.contexts,
        blind_spots: info.blind_spots.clone(),
    }
}

fn guest(outcome: &Outcome) -> schema::Guest {
    let end = &outcome.end;
    schema::Guest {
        outcome: end.outcome.name().into(),
        exit_code: end.exit_code,
        message: end.message.clone(),
        trap_stack: frames(&end.trap_stack),
        duration_ns: end.time_ns,
        refused_growths: end.refused_growths,
    }
}

fn verdict(verdict: Verdict) -> VerdictKind {
    match verdict {
        Verdict::HeapError => VerdictKind::HeapError,
        Verdict::Leak => VerdictKind::Leak,
        Verdict::Growth => VerdictKind::Growth,
        Verdict::Budget => VerdictKind::Budget,
        Verdict::Blind => VerdictKind::Blind,
        Verdict::Inconclusive => VerdictKind::Inconclusive,
        Verdict::Clean => VerdictKind::Clean,
    }
}

fn totals(outcome: &Outcome) -> schema::Totals {
    let totals = &outcome.profile.totals;
    let unsuppressed = outcome.live();
    schema::Totals {
        allocated: count(totals.allocated),
        freed: count(totals.freed),
        collected: count(totals.collected),
        live: count(totals.live),
        peak: count(outcome.profile.peak.live),
        temporary: count(totals.temporary),
        suppressed: Count {
            blocks: totals.live.blocks.wrapping_sub(unsuppressed.blocks),
            bytes: totals.live.bytes.wrapping_sub(unsuppressed.bytes),
        },
        live_contexts: outcome.live_contexts(),
        reallocated: totals.reallocs,
        failed: totals.failed,
        heap_errors: outcome.heap_errors(),
        events: totals.events,
    }
}

/// The contexts that allocated or failed to, in the report's order, which they are, and how many are
/// left out.
fn contexts(outcome: &Outcome, max: usize) -> (Vec<schema::Context>, Vec<StackId>, u64) {
    let mut list: Vec<(StackId, &ContextCost)> = (0u32..)
        .map(StackId)
        .zip(&outcome.profile.contexts)
        .filter(|(_, context)| context.cost.allocated.blocks > 0 || context.failed > 0)
        .collect();
    // Numbers first: comparing frames is for the few that are alike. The sort is stable, so
    // contexts that differ in nothing stay in the order of their first appearance.
    list.sort_by(|(_, one), (_, other)| {
        let key = |context: &ContextCost| {
            let cost = &context.cost;
            Reverse((cost.live.bytes, cost.peak.bytes, cost.allocated.bytes))
        };
        let names = |context: &ContextCost| -> Vec<_> {
            let frames = context.frames.iter();
            frames.map(|frame| (frame.function.clone(), frame.line, frame.column)).collect()
        };
        key(one).cmp(&key(other)).then_with(|| names(one).cmp(&names(other)))
    });
    let left_out = list.len().saturating_sub(max) as u64;
    list.truncate(max);
    let order = list.iter().map(|(id, _)| *id).collect();
    (list.into_iter().map(|(_, cost)| context(outcome, cost)).collect(), order, left_out)
}

fn types(outcome: &Outcome, max: usize) -> (Vec<schema::TypeCost>, u64) {
    let types = outcome.types();
    let left_out = types.len().saturating_sub(max) as u64;
    let cost = |cost: seepage_analysis::TypeCost| schema::TypeCost {
        name: cost.name.map(|name| name.to_string()),
        allocated: count(cost.allocated),
        dropped: count(cost.dropped),
        leaked: count(cost.leaked),
    };
    (types.into_iter().take(max).map(cost).collect(), left_out)
}

fn context(outcome: &Outcome, cost: &ContextCost) -> schema::Context {
    let module = outcome.modules.iter().find(|module| module.id == cost.module);
    let function = |id: &seepage_trace::TracepointId| {
        Some(module?.tracepoints.get(usize::from(id.0))?.function.clone())
    };
    let rises = outcome.profile.bytes_rise.steps > 0;
    schema::Context {
        module: place(outcome, cost.module),
        frames: frames(&cost.frames),
        known: cost.known,
        truncated: cost.truncated,
        allocator: cost.tracepoints.iter().filter_map(function).collect(),
        allocated: count(cost.cost.allocated),
        live: count(cost.cost.live),
        peak: count(cost.cost.peak),
        temporary: count(cost.cost.temporary),
        failed: cost.failed,
        mean_lifetime: cost.lifetime_sum.checked_div(cost.freed_blocks),
        growth: rises.then(|| schema::Growth {
            from: count(cost.live_at_rise),
            to: count(cost.live_at_mark),
        }),
        suppressed_by: cost
            .suppressed_by
            .and_then(|index| outcome.suppressed.get(index))
            .map(|suppressed| suppressed.rule.name.clone()),
    }
}

fn suppression(suppressed: &Suppressed) -> schema::Suppression {
    let rule = &suppressed.rule;
    let place = rule.origin.place();
    let listed = || place.as_ref().map(|place| format!("listed in {place}"));
    let own = Some(rule.reason.clone()).filter(|reason| !reason.is_empty());
    schema::Suppression {
        rule: rule.name.clone(),
        reason: own.or_else(listed).unwrap_or_default(),
        blocks: suppressed.live.blocks,
        bytes: suppressed.live.bytes,
        // A built-in rule's limit tells it from the program: nobody set it to be told of it.
        beyond: (place.is_some() && suppressed.is_exceeded()).then(|| count(suppressed.beyond)),
        place,
    }
}

fn open_files(outcome: &Outcome) -> Vec<schema::OpenFiles> {
    let files = outcome.open_files.iter().map(|files| schema::OpenFiles {
        kind: files.kind.clone(),
        count: files.count,
        paths: files.paths.clone(),
        module: place(outcome, files.module),
        frames: files.stack.map(|stack| stack_frames(outcome, stack)).unwrap_or_default(),
    });
    files.collect()
}

fn anomalies(outcome: &Outcome) -> Vec<schema::Anomaly> {
    let stack = |stack: Option<StackId>| stack.map(|stack| stack_frames(outcome, stack));
    let side = |stack: Option<StackId>| Some(outcome.side(stack?)?.name().to_owned());
    let other_module = |anomaly: &Anomaly| {
        let owner = outcome.context(anomaly.allocation?)?.module;
        let is_other = owner != outcome.context(anomaly.stack)?.module;
        is_other.then(|| place(outcome, owner))
    };
    let function = |stack: Option<StackId>, tracepoint: Option<TracepointId>| {
        Some(outcome.function(stack?, tracepoint?)?.to_owned())
    };
    outcome
        .anomalies
        .iter()
        .map(|anomaly| schema::Anomaly {
            kind: anomaly.kind.name().into(),
            error: anomaly.kind.is_error(),
            count: anomaly.count,
            clock: anomaly.clock,
            address: anomaly.address,
            size: anomaly.size,
            block_size: anomaly.block_size,
            function: function(Some(anomaly.stack), Some(anomaly.by)),
            side: side(Some(anomaly.stack)),
            frames: stack_frames(outcome, anomaly.stack),
            allocated_by: function(anomaly.allocation, anomaly.allocated_by),
            allocation_side: side(anomaly.allocation),
            allocation_module: other_module(anomaly),
            allocation_frames: stack(anomaly.allocation),
            first_free_side: side(anomaly.first_free),
            first_free_frames: stack(anomaly.first_free),
        })
        .collect()
}

fn findings(outcome: &Outcome) -> Vec<schema::Finding> {
    outcome
        .findings
        .iter()
        .map(|finding| schema::Finding {
            analysis: finding.analysis.into(),
            kind: finding.kind.name().into(),
            verdict: finding.kind.verdict().into(),
            summary: finding.summary.clone(),
            blocks: finding.count.blocks,
            bytes: finding.count.bytes,
            frames: finding.stack.map(|stack| stack_frames(outcome, stack)),
            related: finding.contexts.iter().map(|&id| stack_frames(outcome, id)).collect(),
            rate: finding.rate.map(|rate| schema::Rate {
                operation: rate.operation.name().into(),
                operations: rate.operations,
                bytes: rate.bytes,
                bytes_per_operation: rate.bytes_per_operation,
            }),
        })
        .collect()
}

fn what_if(what_if: &seepage_analysis::WhatIf) -> schema::WhatIf {
    schema::WhatIf {
        without: what_if.without.clone(),
        model: what_if.model.clone(),
        removed: count(what_if.removed),
        pages_now: what_if.pages_now,
        pages_modelled: what_if.pages_modelled,
        pages_then: what_if.pages_then,
        error_pages: what_if.error_pages(),
        beyond_error: what_if.is_beyond_error(),
        dropped: what_if.dropped,
    }
}

fn dropped(outcome: &Outcome, contexts: u64) -> schema::Dropped {
    let drops = &outcome.drops;
    schema::Dropped {
        contexts,
        types: 0,
        modules: drops.modules,
        stacks: drops.stacks,
        blocks: drops.blocks,
        frees: drops.frees,
        images: drops.images,
        loss_records: 0,
        grows: drops.grows,
        looks: drops.looks,
        anomalies: drops.anomalies,
        regions: drops.regions,
        open_files: drops.open_files,
        findings: drops.findings,
        heap_maps: drops.heap_maps,
        records: drops.lost_records,
        unknown_records: drops.unknown_records,
        unknown_contexts: drops.unknown_contexts,
    }
}

fn point(point: &seepage_analysis::Point) -> schema::Point {
    schema::Point {
        clock: point.clock,
        time_ns: point.time_ns,
        live: count(point.live),
        max_bytes: point.max_bytes,
        pages: point.pages,
    }
}

fn mark(mark: &seepage_analysis::Mark) -> schema::Mark {
    schema::Mark {
        name: mark.name.clone(),
        clock: mark.clock,
        live: count(mark.live),
        pages: mark.pages,
        leaks: (mark.found.as_ref()).and_then(|found| {
            let kinds = found.kinds.as_ref()?;
            Some(reachability::kind_counts(kinds, found.suppressed))
        }),
        not_judged: mark.not_judged.map(|why| why.reason().into()),
        account: mark.found.as_ref().map(|found| memory::account(&found.account)),
    }
}

fn count(count: seepage_analysis::Count) -> Count {
    Count { blocks: count.blocks, bytes: count.bytes }
}

fn place(outcome: &Outcome, id: ModuleId) -> u64 {
    outcome.modules.iter().position(|module| module.id == id).unwrap_or(0) as u64
}

fn stack_frames(outcome: &Outcome, stack: StackId) -> Vec<Frame> {
    outcome.context(stack).map(|context| frames(&context.frames)).unwrap_or_default()
}

/// A stack as the report has it.
pub fn frames(frames: &[seepage_trace::Frame]) -> Vec<Frame> {
    frames
        .iter()
        .map(|frame| Frame {
            function: frame.function.to_string(),
            file: frame.file.as_ref().map(|file| file.to_string()),
            line: frame.line,
            column: frame.column,
            inlined: frame.inlined,
            recursion: frame.recursion,
        })
        .collect()
}
