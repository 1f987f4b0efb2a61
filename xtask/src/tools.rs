//! Running other programs, and getting them where they are missing.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The repository's root: every path in the tables is relative to it.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// A folder below `.cache/`, which git ignores, made if need be.
pub fn cache(name: &str) -> Result<PathBuf> {
    let path = root().join(".cache").join(name);
    std::fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
    Ok(path)
}

pub fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Runs to the end, and fails with the program's own words.
pub fn run(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!(
            "{} of {shown}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether the program is there and answers `--version` (or what stands in its place).
pub fn answers(program: &str, question: &str) -> bool {
    Command::new(program)
        .arg(question)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Installs Debian packages, unless `present` says that what they bring is there already.
pub fn need_debian(packages: &[&str], present: bool) -> Result<()> {
    if present {
        return Ok(());
    }
    eprintln!("installing from Debian: {}", packages.join(" "));
    let advice = || format!("install these packages yourself: {}", packages.join(" "));
    run(command("apt-get").arg("update")).with_context(advice)?;
    let mut install = command("apt-get");
    install.args(["install", "-y", "--no-install-recommends"]).args(packages);
    run(install.env("DEBIAN_FRONTEND", "noninteractive")).with_context(advice)?;
    Ok(())
}
