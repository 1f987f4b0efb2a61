//! Published packages: fetched by their registry's own client, unpacked, and searched for modules.

use crate::tools::{command, run};
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};

/// Base64 of `\0asm` and the version, and of a gzip file's beginning.
const MODULE: &[u8] = b"AGFzbQEAAAA";
const GZIP: &[u8] = b"H4sIA";

/// Fetches a package and unpacks it into a folder, which is emptied first.
pub fn unpack(registry: &str, package: &str, version: &str, folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    match registry {
        "npm" => {
            let mut pack = command("npm");
            pack.args(["pack", "--silent", "--pack-destination"]).arg(folder);
            run(pack.arg(format!("{package}@{version}")))?;
            let archive = only_file(folder)?;
            run(command("tar").arg("-xzf").arg(&archive).arg("-C").arg(folder))?;
            std::fs::remove_file(archive)?;
        }
        "pypi" => {
            let mut download = command("python3");
            download.args(["-m", "pip", "download", "--quiet", "--no-deps", "--dest"]).arg(folder);
            run(download.arg(format!("{package}=={version}")))?;
            let archive = only_file(folder)?;
            run(command("python3").args(["-m", "zipfile", "-e"]).arg(&archive).arg(folder))?;
            std::fs::remove_file(archive)?;
        }
        _ => bail!("no client for this registry"),
    }
    Ok(())
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let mut files = std::fs::read_dir(folder)?;
    let file = files.next().context("the client fetched nothing")??;
    ensure!(files.next().is_none(), "the client fetched more than the package");
    Ok(file.path())
}

pub fn sha256(file: &Path) -> Result<String> {
    let answer = run(command("sha256sum").arg("--binary").arg(file))?;
    Ok(answer.split_whitespace().next().unwrap_or_default().to_owned())
}

/// Moves the module whose digest begins so out of an unpacked package, wherever it is in it.
pub fn find(folder: &Path, path: &str, digest: &str, to: &Path) -> Result<()> {
    let expected = folder.join(path);
    if expected.exists() && sha256(&expected)?.starts_with(digest) {
        std::fs::rename(expected, to)?;
        return Ok(());
    }
    let mut files = Vec::new();
    list(folder, &mut files)?;
    for file in &files {
        let bytes = std::fs::read(file)?;
        for module in embedded(&bytes) {
            std::fs::write(to, module)?;
            if sha256(to)?.starts_with(digest) {
                return Ok(());
            }
        }
    }
    std::fs::remove_file(to).ok();
    bail!("no module in the package has that digest")
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            list(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// The modules in a file: itself, or in base64 within a script, packed or not.
fn embedded(bytes: &[u8]) -> Vec<Vec<u8>> {
    if bytes.starts_with(b"\0asm") {
        return vec![bytes.to_vec()];
    }
    let mut modules = Vec::new();
    let mut at = 0;
    while at + MODULE.len() < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(MODULE) || rest.starts_with(GZIP) {
            let (decoded, length) = base64(rest);
            at += length;
            match decoded.starts_with(b"\0asm") {
                true => modules.push(decoded),
                false => modules.extend(gunzip(&decoded).filter(|m| m.starts_with(b"\0asm"))),
            }
        } else {
            at += 1;
        }
    }
    modules
}

/// Decodes as far as it is base64, and tells how far that is.
fn base64(text: &[u8]) -> (Vec<u8>, usize) {
    let (mut bytes, mut bits, mut count, mut length) = (Vec::new(), 0u32, 0, 0);
    for &letter in text {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            // A long literal may be folded.
            b'\n' | b'\r' | b'\\' => {
                length += 1;
                continue;
            }
            _ => break,
        };
        length += 1;
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    (bytes, length)
}

fn gunzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let file = tempfile(bytes)?;
    let output = command("gzip").args(["-dc"]).arg(&file).output().ok()?;
    std::fs::remove_file(file).ok()?;
    output.status.success().then_some(output.stdout)
}

fn tempfile(bytes: &[u8]) -> Option<PathBuf> {
    let path = crate::tools::cache("discovery").ok()?.join("packed.gz");
    std::fs::write(&path, bytes).ok()?;
    Some(path)
}
