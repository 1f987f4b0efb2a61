//! How a trace file holds records: about four bytes each instead of 24 or 40.
//!
//! Within one chunk a record is a number that names its (head, context) pair, by order of first
//! appearance, with one bit that says "same size as that pair's last record"; then the size if it
//! is another, the address as a difference to the record before, and for a reallocation or growth
//! the `old` field as a difference to the address. Nothing is kept from one chunk to the next, so
//! a reader can begin at any chunk.

use crate::{
    abi::{Record, RecordKind, RecordLayout},
    bytes::{Malformed, Reader, Result, write_i64, write_u64},
    ids::Context,
};
use alloc::{collections::BTreeMap, vec::Vec};

/// More records than a chunk may hold; bounds what a small hostile chunk can expand to.
pub(crate) const MAX_RECORDS: usize = 1 << 20;

/// As many records as are packed into one chunk. A packed one has 46 bytes at most, so that the
/// chunk stays below [`crate::decode::MAX_CHUNK`].
pub(crate) const MAX_PACKED: usize = 1 << 18;

fn has_old(head: u32) -> bool {
    let kind = head >> 24;
    kind == RecordKind::Realloc as u32 || kind == RecordKind::Grow as u32
}

pub(crate) fn pack(layout: RecordLayout, raw: &[u8], out: &mut Vec<u8>) {
    let mut pairs: BTreeMap<(u32, u64), usize> = BTreeMap::new();
    let mut sizes: Vec<u64> = Vec::new();
    let mut last_addr = 0u64;
    write_u64(out, (raw.len() / layout.size()) as u64);
    for bytes in raw.chunks_exact(layout.size()) {
        let Some(record) = Record::read(layout, bytes) else { continue };
        let next = sizes.len();
        let pair = *pairs.entry((record.head, record.context.0)).or_insert(next);
        let is_new = pair == next;
        if is_new {
            sizes.push(0);
        }
        let same_size = sizes[pair] == record.size;
        write_u64(out, (pair as u64) << 1 | u64::from(same_size));
        if is_new {
            out.extend(record.head.to_le_bytes());
            out.extend(record.context.0.to_le_bytes());
        }
        if !same_size {
            write_u64(out, record.size);
            sizes[pair] = record.size;
        }
        write_i64(out, record.addr.wrapping_sub(last_addr).rotate_right(2) as i64);
        if has_old(record.head) {
            write_i64(out, record.old.wrapping_sub(record.addr) as i64);
        }
        last_addr = record.addr;
    }
}

pub(crate) fn unpack(layout: RecordLayout, reader: &mut Reader<'_>) -> Result<Vec<u8>> {
    let count = reader.count()?;
    if count > MAX_RECORDS {
        return Err(Malformed);
    }
    let mut raw = Vec::with_capacity(count * layout.size());
    let mut pairs: Vec<(u32, Context, u64)> = Vec::new();
    let mut last_addr = 0u64;
    for _ in 0..count {
        let code = reader.u64()?;
        let index = usize::try_from(code >> 1).map_err(|_| Malformed)?;
        if index == pairs.len() {
            let head = reader.take(4)?.try_into().map_err(|_| Malformed)?;
            let context = reader.take(8)?.try_into().map_err(|_| Malformed)?;
            pairs.push((u32::from_le_bytes(head), Context(u64::from_le_bytes(context)), 0));
        }
        let (head, context, size) = pairs.get_mut(index).ok_or(Malformed)?;
        if code & 1 == 0 {
            *size = reader.u64()?;
        }
        let addr = last_addr.wrapping_add((reader.i64()? as u64).rotate_left(2));
        let old = if has_old(*head) { addr.wrapping_add(reader.i64()? as u64) } else { 0 };
        Record { head: *head, size: *size, context: *context, addr, old }.write(layout, &mut raw);
        last_addr = addr;
    }
    Ok(raw)
}
