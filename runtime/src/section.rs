//! Finding the site table in an instrumented module: a walk over the section headers, no more.

use crate::error::Error;
use seepage_trace::{SiteTable, abi::SECTION};

const HEADER: [u8; 8] = *b"\0asm\x01\0\0\0";
const COMPONENT_HEADER: [u8; 8] = *b"\0asm\x0d\0\x01\0";

/// Whether the bytes are a module that carries a site table, usable or not.
pub fn is_instrumented(wasm: &[u8]) -> bool {
    matches!(find(wasm), Ok(Some(_)))
}

/// The site table that an instrumented module carries.
///
/// # Errors
/// When the bytes are no instrumented module, or one of another format version.
pub fn site_table(wasm: &[u8]) -> Result<SiteTable, Error> {
    let section = find(wasm)?.ok_or(Error::NotInstrumented)?;
    SiteTable::decode(section).map_err(Error::Section)
}

fn find(wasm: &[u8]) -> Result<Option<&[u8]>, Error> {
    if wasm.starts_with(&COMPONENT_HEADER) {
        return Err(Error::Component);
    }
    let mut rest = wasm.strip_prefix(&HEADER).ok_or(Error::NotWasm)?;
    while let Some((&id, after)) = rest.split_first() {
        let (section, after) = sized(after).ok_or(Error::NotWasm)?;
        rest = after;
        if id == 0
            && let Some((name, content)) = sized(section)
            && name == SECTION.as_bytes()
        {
            return Ok(Some(content));
        }
    }
    Ok(None)
}

/// Splits off what a LEB128 length announces.
fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0usize;
    for (index, &byte) in bytes.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return bytes[index + 1..].split_at_checked(length);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bytes_make_it_panic() {
        let module = b"\0asm\x01\0\0\0\0\x09\x07seepageX";
        assert_eq!(find(module).unwrap(), Some(&b"X"[..]));
        for end in 0..module.len() {
            assert!(!is_instrumented(&module[..end]), "cut after {end} bytes");
        }
        for length in [0x7f, 0xff] {
            assert!(
                find(&[&HEADER[..], &[0, length, length, length, length, length]].concat())
                    .is_err()
            );
        }
    }
}
