//! Rust by rustup's toolchain; where its wasm targets are neither installed nor to be had, by
//! Debian's rustc, which builds std from Debian's sources.
//!
//! All the guests are targets of the one package in tests/programs/rust.

use crate::guests::{Symbols, Variant};
use crate::tools::{answers, cache, command, need_debian, root, run};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

const PACKAGE: &str = "tests/programs/rust";
const WASI: &str = "wasm32-wasip1";
pub const UNKNOWN: &str = "wasm32-unknown-unknown";
const DEBIAN_LIBC: &str = "/usr/lib/wasm32-wasi";

pub fn build(source: &Path, variant: &Variant, output: &Path) -> Result<()> {
    let name = source.file_stem().and_then(|stem| stem.to_str()).context("no name")?;
    // A library for no host in particular says so in its name.
    let library = name.ends_with("_unknown");
    let target = if library { UNKNOWN } else { WASI };
    let Some((profile, rustc_flags)) = variant.flags.split_first() else {
        bail!("a Rust variant begins with its profile");
    };

    let mut flags: Vec<String> = rustc_flags.iter().map(|&flag| flag.to_owned()).collect();
    flags.push(format!("--remap-path-prefix={}=.", root().display()));
    flags.push(
        match variant.symbols {
            Symbols::Everything => "-Cstrip=none",
            Symbols::Names | Symbols::OwnLines => "-Cstrip=debuginfo",
            Symbols::Nothing => "-Cstrip=symbols",
        }
        .to_owned(),
    );
    flags.extend(variant.link.iter().map(|flag| format!("-Clink-arg={flag}")));
    // What a program has in C is in a file of the same name.
    let c_half = source.with_extension("c");
    if c_half.exists() {
        flags.push(format!("-Clink-arg={}", super::c::object(&c_half, &["-O1", "-g"])?.display()));
    }

    let mut cargo = cargo_for(target, &mut flags)?;
    let folder = cache("rust")?;
    cargo
        .current_dir(root().join(PACKAGE))
        .env("CARGO_TARGET_DIR", &folder)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .args(["build", "--quiet", "--target", target, "--profile", profile])
        .args([if library { "--example" } else { "--bin" }, name]);
    run(&mut cargo)?;
    let built = folder.join(target).join(profile).join(if library { "examples" } else { "" });
    std::fs::copy(built.join(name).with_extension("wasm"), output)?;
    Ok(())
}

/// Prints how to build for a target on this machine: a cargo, variables for it, arguments, and
/// flags for rustc, one a line. Gets what is missing.
pub fn how_to(target: &str) -> Result<()> {
    let mut flags = Vec::new();
    let cargo = if rustup_has(target) {
        command("cargo")
    } else {
        let cargo = debian_cargo(target, &mut flags);
        // The test harness names functions for threads, which Debian's libc lacks and nobody calls.
        flags.push("-Clink-arg=--unresolved-symbols=ignore-all".to_owned());
        cargo.with_context(|| format!("no rustc for {target}"))?
    };
    println!("cargo {}", cargo.get_program().display());
    for (name, value) in cargo.get_envs() {
        println!("env {}={}", name.display(), value.unwrap_or_default().display());
    }
    cargo.get_args().for_each(|arg| println!("arg {}", arg.display()));
    flags.iter().for_each(|flag| println!("flag {flag}"));
    Ok(())
}

/// A cargo that can build for the target, and the flags that rustc needs with it. Gets what is
/// missing.
pub fn cargo_for(target: &str, flags: &mut Vec<String>) -> Result<Command> {
    if rustup_has(target) {
        return Ok(command("cargo"));
    }
    debian_cargo(target, flags).with_context(|| format!("no rustc for {target}"))
}

/// Whether rustup's rustc can build for the target, after a try to fetch what it lacks.
fn rustup_has(target: &str) -> bool {
    let installed = || {
        run(command("rustc").args(["--print", "target-libdir", "--target", target]))
            .is_ok_and(|folder| Path::new(folder.trim()).exists())
    };
    installed() || run(command("rustup").args(["target", "add", target])).is_ok() && installed()
}

/// Debian's cargo with Debian's rustc, set up to build std for the target as well.
fn debian_cargo(target: &str, flags: &mut Vec<String>) -> Result<Command> {
    let sources = Path::new("/usr/lib/rustlib/src");
    let present = sources.exists() && answers("/usr/bin/rustc", "--version");
    need_debian(&["rustc-web", "rust-web-src", "cargo-web", "wasi-libc"], present)?;
    if target == WASI {
        flags.push("-Clink-self-contained=no".to_owned());
        flags.push(format!("-Clink-arg=-L{DEBIAN_LIBC}"));
        flags.push(format!("-Clink-arg={DEBIAN_LIBC}/crt1-command.o"));
        flags.push("-Clink-arg=-lc".to_owned());
    }
    let linker = format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_"));
    let mut cargo = command("/usr/bin/cargo");
    cargo
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", "/usr/bin/rustc")
        .env(linker, rust_lld()?)
        .arg("-Zbuild-std=std,panic_abort");
    Ok(cargo)
}

/// The linker that comes with rustup's toolchain: Debian's rustc brings none for wasm.
fn rust_lld() -> Result<String> {
    let sysroot = run(command("rustc").args(["--print", "sysroot"]))?;
    let version = run(command("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("no host")?;
    Ok(format!("{}/lib/rustlib/{host}/bin/rust-lld", sysroot.trim()))
}
