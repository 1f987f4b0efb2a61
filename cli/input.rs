//! Reading a module's file. What is no module is not read to its end: it may have none.

use anyhow::{Context, Result};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// Enough to tell a module from anything else, and to say what it is instead.
const HEAD: u64 = 64;
/// Offsets in a module have 32 bits.
const LARGEST: u64 = 1 << 32;

/// The bytes of a module; of another file its first ones, which are refused for what they are.
pub(crate) fn module(path: &Path) -> Result<Vec<u8>> {
    read(path).with_context(|| format!("failed to read `{}`", path.display()))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut bytes)?;
    if bytes.starts_with(b"\0asm") {
        let size = file.metadata()?.len().min(LARGEST);
        bytes.reserve_exact(usize::try_from(size).unwrap_or(0).saturating_sub(bytes.len()));
        file.take(LARGEST).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
