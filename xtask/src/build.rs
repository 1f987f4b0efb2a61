//! Builds the guests of the table, each beside its source.

mod assemblyscript;
mod c;
pub mod rust;
mod zig;

use crate::guests::{GUESTS, Guest, Variant};
use crate::tools::{cache, root};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// Above this a guest does not belong into the repository.
const LARGEST: u64 = 350 * 1024;

pub fn all(filter: &str) -> Result<()> {
    let mut built = 0;
    for guest in GUESTS {
        for variant in guest.variants {
            let output = output_of(guest, variant);
            let shown = output.strip_prefix(root()).unwrap_or(&output).display().to_string();
            if !shown.contains(filter) {
                continue;
            }
            // Compilers leave files of their own around what they build: only the module counts.
            // Under its own name, for linkers write that into the name section.
            let module = cache("built")?.join(output.file_name().context("no name")?);
            one(Path::new(guest.source), variant, &module)
                .with_context(|| format!("cannot build {shown}"))?;
            std::fs::write(&output, std::fs::read(&module)?)?;
            let bytes = std::fs::metadata(&output)?.len();
            println!("{bytes:>8} {shown}");
            if bytes > LARGEST {
                bail!("{shown} is too large to be committed");
            }
            built += 1;
        }
    }
    if built == 0 {
        bail!("no guest's path contains {filter:?}");
    }
    Ok(())
}

fn output_of(guest: &Guest, variant: &Variant) -> PathBuf {
    let extension =
        if variant.name.is_empty() { "wasm".to_owned() } else { format!("{}.wasm", variant.name) };
    root().join(guest.source).with_extension(extension)
}

fn one(source: &Path, variant: &Variant, output: &Path) -> Result<()> {
    match source.extension().and_then(|extension| extension.to_str()) {
        Some("c" | "cpp") => c::build(source, variant, output),
        Some("rs") => rust::build(source, variant, output),
        Some("ts") => assemblyscript::build(source, variant, output),
        Some("zig") => zig::build(source, variant, output),
        _ => bail!("no compiler for {}", source.display()),
    }
}
