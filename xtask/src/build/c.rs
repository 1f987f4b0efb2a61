//! C and C++ by Debian's clang-19, wasm-ld-19 and wasi-libc.
//!
//! Compiled and linked in two steps: when the clang driver links an optimised program, it also
//! runs whatever wasm-opt it finds in PATH, which drops names.

use crate::guests::{Symbols, Variant};
use crate::tools::{answers, cache, command, need_debian, root, run};
use anyhow::Result;
use std::path::{Path, PathBuf};

const LIBC: &str = "/usr/lib/wasm32-wasi";
const PACKAGES: &[&str] = &[
    "clang-19",
    "lld-19",
    "llvm-19",
    "wasi-libc",
    "libclang-rt-19-dev-wasm32",
    "libc++-19-dev-wasm32",
    "libc++abi-19-dev-wasm32",
];

pub fn build(source: &Path, variant: &Variant, output: &Path) -> Result<()> {
    let libraries = Path::new(LIBC);
    let cpp = is_cpp(source);
    let object = object(source, variant.flags)?;
    let mut inputs = vec![libraries.join("crt1-command.o"), object];
    if cpp {
        inputs.push(libraries.join("libc++.a"));
        inputs.push(libraries.join("libc++abi.a"));
    }
    inputs.push(libraries.join("libc.a"));
    inputs.push(builtins()?);
    match variant.symbols {
        Symbols::Everything => link(variant, &inputs, &[], output).map(drop),
        Symbols::Names => link(variant, &inputs, &["--strip-debug"], output).map(drop),
        Symbols::Nothing => link(variant, &inputs, &["--strip-all"], output).map(drop),
        Symbols::OwnLines => link_with_own_lines(variant, &inputs, output),
    }
}

fn is_cpp(source: &Path) -> bool {
    source.extension().is_some_and(|extension| extension == "cpp")
}

/// Compiles a source.
pub(super) fn object(source: &Path, flags: &[&str]) -> Result<PathBuf> {
    let present = ["clang-19", "wasm-ld-19", "llvm-ar-19"].iter().all(|p| answers(p, "--version"))
        && ["libc.a", "libc++.a"].iter().all(|l| Path::new(LIBC).join(l).exists());
    need_debian(PACKAGES, present)?;

    let cpp = is_cpp(source);
    let object = cache("objects")?.join("guest.o");
    // Relative paths in the DWARF: the module must not depend on where the checkout lies.
    let mut compile = command(if cpp { "clang++-19" } else { "clang-19" });
    compile
        .args(["--target=wasm32-wasi", "-Wall", "-Wextra", "-Werror"])
        .arg(format!("-ffile-prefix-map={}=.", root().display()))
        .args(if cpp { &["-std=c++17", "-fno-exceptions"][..] } else { &["-std=gnu11"] })
        .args(flags)
        .args(library_flags(source)?)
        .arg("-c")
        .arg(source)
        .arg("-o")
        .arg(&object);
    run(&mut compile)?;
    Ok(object)
}

/// mimalloc's sources, as a crate brings them along, for the guests that are named after it.
fn library_flags(source: &Path) -> Result<Vec<String>> {
    let version = match source.file_stem().and_then(|stem| stem.to_str()) {
        Some("mimalloc" | "mimalloc_aligned" | "mimalloc2") => "v2",
        Some("mimalloc3") => "v3",
        _ => return Ok(Vec::new()),
    };
    let name = "libmimalloc-sys-0.1.44";
    let folder = cache("crates")?;
    if !folder.join(name).exists() {
        eprintln!("fetching {name} from crates.io");
        let archive = folder.join("mimalloc.crate");
        let url = format!("https://static.crates.io/crates/libmimalloc-sys/{name}.crate");
        run(command("curl").args(["-sSf", "-o"]).arg(&archive).arg(url))?;
        run(command("tar").arg("-xzf").arg(&archive).arg("-C").arg(&folder))?;
    }
    let sources = folder.join(name).join("c_src/mimalloc").join(version);
    let include = |part: &str| format!("-I{}", sources.join(part).display());
    let flags = [include("include"), include("src"), "-DMI_DEBUG=0".into(), "-w".into()];
    Ok(flags.into())
}

fn builtins() -> Result<PathBuf> {
    let path = run(command("clang-19").args(["--target=wasm32-wasi", "-print-libgcc-file-name"]))?;
    Ok(PathBuf::from(path.trim()))
}

fn link(variant: &Variant, inputs: &[PathBuf], flags: &[&str], output: &Path) -> Result<String> {
    run(command("wasm-ld-19").args(flags).args(variant.link).args(inputs).arg("-o").arg(output))
}

/// Debian's libc brings ten times the DWARF of a guest. The members of the archives that the
/// linker picks are linked into one object without it, and that object is linked with ours.
fn link_with_own_lines(variant: &Variant, inputs: &[PathBuf], output: &Path) -> Result<()> {
    let picked = link(variant, inputs, &["--trace"], output)?;
    let folder = cache("objects/members")?;
    let plain = cache("objects")?.join("libraries.o");
    let mut members = Vec::new();
    for line in picked.lines() {
        let Some((archive, member)) = line.strip_suffix(')').and_then(|l| l.split_once('(')) else {
            continue;
        };
        run(command("llvm-ar-19").current_dir(&folder).args(["x", archive, member]))?;
        members.push(folder.join(member));
    }
    run(command("wasm-ld-19").args(["-r", "--strip-debug"]).args(&members).arg("-o").arg(&plain))?;
    std::fs::remove_dir_all(&folder)?;

    let own = inputs.iter().filter(|path| path.extension().is_some_and(|e| e == "o"));
    let own: Vec<PathBuf> = own.cloned().chain([plain]).collect();
    link(variant, &own, &[], output).map(drop)
}
