//! `seepage instrument`: write the rewritten module, to be run by whatever host provides the
//! tracing imports.

use crate::{exit, input, options::InstrumentOptions, probing, terminal};
use anyhow::{Context, Result};
use seepage_instrumenter::Inspection;
use std::{
    borrow::Cow,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::PathBuf,
};

/// Write the instrumented module to a file
#[derive(clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct Instrument {
    /// Where to write it; `-` is standard output
    #[arg(short, long, value_name = "FILE", required_unless_present = "dry_run")]
    output: Option<PathBuf>,

    /// Say what would be hooked, and write nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    instrument: InstrumentOptions,

    /// The module
    #[arg(value_name = "MODULE")]
    module: PathBuf,
}

impl Instrument {
    pub(crate) fn execute(&self) -> Result<i32> {
        let name = self.module.display();
        let bytes = input::module(&self.module)?;
        let config = self.instrument.config(&self.module)?;
        let size = bytes.len() as u64;
        let instrumented = terminal::spinning("instrumenting", size, || {
            probing::instrumented(&bytes, &self.instrument, &config)
        })
        .with_context(|| format!("failed to instrument `{name}`"))?;
        terminal::print_to_stderr(&summary(&instrumented.inspection, &instrumented.wasm));
        if let (Some(output), false) = (&self.output, self.dry_run) {
            let written = if output.as_os_str() == "-" {
                pipe(&instrumented.wasm)
            } else {
                fs::write(output, &instrumented.wasm)
            };
            written.with_context(|| format!("failed to write `{}`", output.display()))?;
        }
        Ok(exit::CLEAN)
    }
}

fn pipe(wasm: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(wasm).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// A name in it is the module's choice.
fn name(text: &str) -> Cow<'_, str> {
    terminal::name(text, 200)
}

fn summary(inspection: &Inspection, wasm: &[u8]) -> String {
    let mut text = String::new();
    let count = inspection.allocators.len();
    let functions = if count == 1 { "function" } else { "functions" };
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{}: {count} allocator {functions} hooked; {} bytes became {}",
        name(&inspection.module.name),
        inspection.module.bytes,
        wasm.len(),
    );
    for function in &inspection.allocators {
        let role = function.role.name();
        let _ = writeln!(
            text,
            "  {role:<16} {}  ({}, {})",
            name(&function.name),
            function.family,
            name(&function.how)
        );
    }
    if inspection.module.dwarf {
        let _ = writeln!(
            text,
            "  left out         DWARF: the lines that reports need are in the `seepage` section"
        );
    }
    for blind_spot in &inspection.blind_spots {
        let _ = writeln!(text, "  not seen: {}", name(blind_spot));
    }
    text
}
