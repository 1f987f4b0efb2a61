//! Zig by the compiler PyPI carries.

use crate::guests::{Symbols, Variant};
use crate::tools::{cache, command, run};
use anyhow::Result;
use std::path::Path;

/// Zig's standard library changes with each version, and the guests with it.
const VERSION: &str = "0.14.1";

pub fn build(source: &Path, variant: &Variant, output: &Path) -> Result<()> {
    let packages = cache(&format!("ziglang-{VERSION}"))?;
    if !packages.join("ziglang").exists() {
        eprintln!("installing ziglang {VERSION} from PyPI");
        let mut install = command("python3");
        install.args(["-m", "pip", "install", "--quiet", "--target"]).arg(&packages);
        run(install.arg(format!("ziglang=={VERSION}")))?;
    }
    let mut zig = command("python3");
    zig.env("PYTHONPATH", &packages)
        .args(["-m", "ziglang", "build-exe", "-target", "wasm32-wasi"])
        .args(variant.flags)
        .arg(if variant.symbols == Symbols::Nothing { "-fstrip" } else { "-fno-strip" })
        .arg("--global-cache-dir")
        .arg(cache("zig")?)
        .arg("--cache-dir")
        .arg(cache("zig")?)
        .arg(format!("-femit-bin={}", output.display()))
        .arg(source);
    if source.file_stem().is_some_and(|stem| stem == "truth_c_allocator") {
        zig.arg("-lc");
    }
    run(&mut zig)?;
    // Zig's DWARF is thirty times the code: std whole, used or not.
    if variant.symbols == Symbols::Names {
        run(command("llvm-strip-19").arg("--strip-debug").arg(output))?;
    }
    Ok(())
}
