//! `seepage inspect`: what would be hooked, and what not.

use crate::{exit, input, options::InstrumentOptions, probing, terminal};
use anyhow::{Context, Result};
use clap::ValueEnum;
use seepage_instrumenter::{
    AllocatorFunction, Inspection,
    probe::{Check, Probing},
};
use seepage_report::formats::printable_json;
use serde_json::{Value, json};
use std::{
    borrow::Cow,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// What `--format json` is called in its `schema` field.
const SCHEMA: &str = "seepage-inspection/1";

/// Longer lists are cut in the text: the JSON has them whole.
const LISTED: usize = 12;

/// Show a module's allocator, and what seepage would not see
#[derive(clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct Inspect {
    /// How to say it
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    format: Format,

    /// Write it to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Try the allocator in a sandbox also where it is known, to see the checks
    #[arg(long, conflicts_with = "no_probe")]
    probe: bool,

    #[command(flatten)]
    instrument: InstrumentOptions,

    /// The module
    #[arg(value_name = "MODULE")]
    module: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Inspect {
    pub(crate) fn execute(&self) -> Result<i32> {
        let name = self.module.display();
        let bytes = input::module(&self.module)?;
        let config = self.instrument.config(&self.module)?;
        let (inspection, probing) =
            probing::inspected(&bytes, &self.instrument, &config, self.probe)
                .with_context(|| format!("failed to inspect `{name}`"))?;
        let rendered = match self.format {
            Format::Text => text(&inspection, probing.as_ref(), &self.module),
            Format::Json => printable_json(&json(&inspection, probing.as_ref())),
        };
        match &self.output {
            Some(path) => fs::write(path, rendered)
                .with_context(|| format!("failed to write `{}`", path.display()))?,
            None => terminal::print(&rendered)?,
        }
        Ok(exit::CLEAN)
    }
}

fn text(inspection: &Inspection, probing: Option<&Probing>, path: &Path) -> String {
    let module = &inspection.module;
    let mut out = format!(
        "{}: {}, {} functions ({} imported, {} named), {} DWARF\n",
        name(&module.name),
        bytes(module.bytes),
        module.functions,
        module.imported_functions,
        module.named_functions,
        if module.dwarf { "with" } else { "no" },
    );
    let mut line = |label: &str, text: String| {
        // Writing to a string cannot fail.
        _ = writeln!(out, "  {:<11} {text}", name(label));
    };
    for (index, memory) in module.memories.iter().enumerate() {
        let maximum = match memory.maximum_pages {
            Some(pages) => format!("at most {pages}"),
            None => "no maximum".into(),
        };
        let width = if memory.is_64 { ", 64-bit" } else { "" };
        let imported = if memory.imported { ", imported" } else { "" };
        line(
            "memory",
            format!("{index}: {} pages, {maximum}{width}{imported}", memory.initial_pages),
        );
    }
    for producer in &module.producers {
        line(&producer.field, format!("{} {}", name(&producer.name), name(&producer.version)));
    }
    line("features", list(&module.features));
    line("imports", list(&module.import_modules));
    line("exports", list(&module.exported_functions));
    let sections: Vec<_> =
        module.custom_sections.iter().map(|(name, size)| format!("{name} {size}")).collect();
    line("sections", list(&sections));
    out.push('\n');
    _ = writeln!(out, "allocator: {}", inspection.verdict.name());
    functions(&mut out, &inspection.allocators);
    if !inspection.candidates.is_empty() {
        out.push_str("\ncandidates, not hooked:\n");
        functions(&mut out, &inspection.candidates);
    }
    if let Some(probing) = probing.filter(|it| !matches!(it, Probing::NotNeeded)) {
        _ = writeln!(out, "\nprobe: {}", probing.outcome());
        if let Probing::CouldNotRun(why) = probing {
            _ = writeln!(out, "  {}", name(why.lines().next().unwrap_or_default()));
        }
        for Check { function, check } in probing.checks() {
            let mark = if check.passed { "ok" } else { "no" };
            let function = function.map_or(String::new(), |index| format!("f{index}"));
            _ = writeln!(out, "  {mark}  {function:<6} {:<8} {}", check.name, name(&check.detail));
        }
    }
    if !inspection.annotations.is_empty() {
        out.push_str("\nwhat the program says of its heap:\n");
        for it in &inspection.annotations {
            let role = it.role.name();
            _ = writeln!(
                out,
                "  f{:<6} {role:<22} {}, {}",
                it.index,
                name(&it.name),
                name(&it.how)
            );
        }
    }
    if !inspection.blind_spots.is_empty() {
        out.push_str("\nseepage would not see:\n");
        for spot in &inspection.blind_spots {
            _ = writeln!(out, "  - {}", name(spot));
        }
    }
    _ = writeln!(out, "\nnext: seepage run {}", name(&path.display().to_string()));
    out
}

fn functions(out: &mut String, functions: &[AllocatorFunction]) {
    for function in functions {
        _ = writeln!(
            out,
            "  f{:<6} {:<18} {} ({}), {} call{}, {}",
            function.index,
            function.role.name(),
            name(&function.name),
            function.parameters,
            function.calls,
            if function.calls == 1 { "" } else { "s" },
            function.family,
        );
        for evidence in &function.evidence {
            _ = writeln!(out, "          {}", name(evidence));
        }
    }
}

fn list<T: AsRef<str>>(items: &[T]) -> String {
    if items.is_empty() {
        return "none".into();
    }
    let mut text: Vec<_> = items.iter().take(LISTED).map(|item| name(item.as_ref())).collect();
    if items.len() > LISTED {
        text.push(format!("… {} more", items.len() - LISTED).into());
    }
    text.join(", ")
}

fn bytes(count: u64) -> String {
    match count {
        0..1024 => format!("{count} B"),
        1024..1_048_576 => format!("{:.1} KiB", count as f64 / 1024.0),
        _ => format!("{:.1} MiB", count as f64 / 1_048_576.0),
    }
}

/// Names are the module's, and a module may be hostile.
fn name(text: &str) -> Cow<'_, str> {
    terminal::name(text, 200)
}

fn json(inspection: &Inspection, probing: Option<&Probing>) -> Value {
    let module = &inspection.module;
    let function = |it: &AllocatorFunction| {
        json!({
            "function": it.index,
            "name": it.name,
            "role": it.role.name(),
            "family": it.family,
            "verdict": it.certainty.name(),
            "how": it.how,
            "evidence": it.evidence,
            "parameters": it.parameters,
            "calls": it.calls,
        })
    };
    json!({
        "schema": SCHEMA,
        "verdict": inspection.verdict.name(),
        "allocators": inspection.allocators.iter().map(function).collect::<Vec<_>>(),
        "candidates": inspection.candidates.iter().map(function).collect::<Vec<_>>(),
        "probe": {
            "outcome": probing.map_or("not run", Probing::outcome),
            "checks": probing
                .map(Probing::checks)
                .unwrap_or_default()
                .iter()
                .map(|Check { function, check }| json!({
                    "function": function,
                    "name": check.name,
                    "passed": check.passed,
                    "detail": check.detail,
                }))
                .collect::<Vec<_>>(),
        },
        "not_hooked": inspection.not_hooked.iter().map(|it| json!({
            "function": it.index,
            "name": it.name,
            "family": it.family,
            "why": it.why,
        })).collect::<Vec<_>>(),
        "annotations": inspection.annotations.iter().map(|it| json!({
            "function": it.index,
            "name": it.name,
            "role": it.role.name(),
            "how": it.how,
        })).collect::<Vec<_>>(),
        "blind_spots": inspection.blind_spots,
        "module": {
            "name": module.name,
            "bytes": module.bytes,
            "functions": module.functions,
            "imported_functions": module.imported_functions,
            "named_functions": module.named_functions,
            "growers": module.growers,
            "dwarf": module.dwarf,
            "memories": module.memories.iter().map(|memory| json!({
                "initial_pages": memory.initial_pages,
                "maximum_pages": memory.maximum_pages,
                "is_64": memory.is_64,
                "imported": memory.imported,
            })).collect::<Vec<_>>(),
            "features": module.features,
            "producers": module.producers.iter().map(|producer| json!({
                "field": producer.field,
                "name": producer.name,
                "version": producer.version,
            })).collect::<Vec<_>>(),
            "import_modules": module.import_modules,
            "exported_functions": module.exported_functions,
            "custom_sections": module.custom_sections.iter().map(|(name, size)| json!({
                "name": name,
                "bytes": size,
            })).collect::<Vec<_>>(),
        },
    })
}
