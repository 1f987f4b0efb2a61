//! The npm package: its wasm by cargo, its JavaScript by its own scripts.

use crate::build::rust::{UNKNOWN, cargo_for};
use crate::tools::{answers, cache, command, need_debian, root, run};
use anyhow::{Context, Result, ensure};
use std::process::Command;

const PACKAGE: &str = "js";
const WASM: &str = "js/dist/seepage.wasm";

/// Builds all of `js/dist`.
pub fn build() -> Result<()> {
    need_debian(&["nodejs", "npm"], answers("npm", "--version"))?;
    wasm()?;
    // Scripts of packages that are only there for development do not run.
    npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"])?;
    npm(&["run", "--silent", "build"])
}

/// Builds it, and runs its tests, with every Node that is supported and in a browser.
pub fn test() -> Result<()> {
    need_debian(&["chromium"], answers("chromium", "--version"))?;
    build()?;
    // What the stories of the README are compared with.
    run(command("cargo").args(["build", "--quiet", "--bin", "seepage"]))?;
    npm(&["test", "--", "--all"])
}

fn wasm() -> Result<()> {
    let mut flags = vec![format!("--remap-path-prefix={}=.", root().display())];
    let mut cargo = cargo_for(UNKNOWN, &mut flags)?;
    let folder = cache("js")?;
    cargo
        .current_dir(root().join("js/bindings"))
        .env("CARGO_TARGET_DIR", &folder)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .args(["build", "--release", "--locked", "--target", UNKNOWN]);
    run(&mut cargo)?;
    let built = folder.join(UNKNOWN).join("release/seepage_js.wasm");
    let output = root().join(WASM);
    std::fs::create_dir_all(output.parent().context("no folder")?)?;
    let bytes = std::fs::copy(built, &output)?;
    println!("{bytes:>8} {WASM}");
    Ok(())
}

fn npm(arguments: &[&str]) -> Result<()> {
    let mut npm: Command = command("npm");
    let status = npm.args(arguments).current_dir(root().join(PACKAGE)).status();
    let status = status.context("npm cannot be started")?;
    ensure!(status.success(), "npm {}: {status}", arguments.join(" "));
    Ok(())
}
