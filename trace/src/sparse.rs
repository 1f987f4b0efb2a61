//! How a trace file holds a stretch of memory: most of it is zero.
//!
//! A run is so many zeros, then so many bytes as they are. Zeros that are too few to pay for a run
//! of their own stay among the bytes.

use crate::bytes::{Malformed, Reader, Result, write_u64};
use alloc::vec::Vec;

/// Fewer zeros than this do not end a run.
const WORTH_IT: usize = 8;

pub(crate) fn pack(bytes: &[u8], out: &mut Vec<u8>) {
    write_u64(out, bytes.len() as u64);
    let mut rest = bytes;
    while !rest.is_empty() {
        let zeros = leading_zeros(rest);
        let kept = literal(&rest[zeros..]);
        write_u64(out, zeros as u64);
        write_u64(out, kept as u64);
        out.extend(&rest[zeros..zeros + kept]);
        rest = &rest[zeros + kept..];
    }
}

pub(crate) fn unpack(reader: &mut Reader<'_>, most: usize) -> Result<Vec<u8>> {
    let length = usize::try_from(reader.u64()?).map_err(|_| Malformed)?;
    if length > most {
        return Err(Malformed);
    }
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let zeros = usize::try_from(reader.u64()?).map_err(|_| Malformed)?;
        let kept = usize::try_from(reader.u64()?).map_err(|_| Malformed)?;
        let left = length - bytes.len();
        if zeros > left || kept > left - zeros || zeros + kept == 0 {
            return Err(Malformed);
        }
        bytes.resize(bytes.len() + zeros, 0);
        bytes.extend(reader.take(kept)?);
    }
    Ok(bytes)
}

fn leading_zeros(bytes: &[u8]) -> usize {
    bytes.iter().position(|&byte| byte != 0).unwrap_or(bytes.len())
}

/// Bytes up to the next zeros that are worth a run.
fn literal(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let Some(zero) = bytes[at..].iter().position(|&byte| byte == 0) else { return bytes.len() };
        let zeros = leading_zeros(&bytes[at + zero..]);
        if zeros >= WORTH_IT || at + zero + zeros == bytes.len() {
            return at + zero;
        }
        at += zero + zeros;
    }
}
