//! AssemblyScript by its compiler from npm.

use crate::guests::Variant;
use crate::tools::{cache, command, run};
use anyhow::Result;
use std::path::Path;

const VERSION: &str = "0.28.20";

pub fn build(source: &Path, variant: &Variant, output: &Path) -> Result<()> {
    let folder = cache(&format!("assemblyscript-{VERSION}"))?;
    let compiler = folder.join("node_modules/.bin/asc");
    if !compiler.exists() {
        eprintln!("installing assemblyscript {VERSION} from npm");
        let mut install = command("npm");
        install.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder);
        run(install.arg(format!("assemblyscript@{VERSION}")))?;
    }
    // Without `abort=` the module would import env.abort, and run under no host but its own.
    run(command(&compiler)
        .arg(source)
        .arg("-o")
        .arg(output)
        .args(["--exportRuntime", "--use", "abort="])
        .args(variant.flags))?;
    Ok(())
}
