//! Reading and writing the few shapes the formats are made of: LEB128 numbers, strings, options.

use alloc::{string::String, vec::Vec};

/// What was read makes no sense; the decoder that asked knows where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

pub(crate) type Result<T> = core::result::Result<T, Malformed>;

pub(crate) fn write_u64(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn write_i64(out: &mut Vec<u8>, value: i64) {
    write_u64(out, (value << 1 ^ value >> 63) as u64);
}

pub(crate) fn write_str(out: &mut Vec<u8>, text: &str) {
    write_u64(out, text.len() as u64);
    out.extend(text.as_bytes());
}

pub(crate) fn write_option(out: &mut Vec<u8>, value: Option<u64>) {
    match value {
        None => out.push(0),
        Some(value) => {
            out.push(1);
            write_u64(out, value);
        }
    }
}

/// A cursor over bytes that may be anything.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (front, rest) = self.rest.split_at_checked(count).ok_or(Malformed)?;
        self.rest = rest;
        Ok(front)
    }

    #[inline]
    pub(crate) fn u8(&mut self) -> Result<u8> {
        let (&byte, rest) = self.rest.split_first().ok_or(Malformed)?;
        self.rest = rest;
        Ok(byte)
    }

    #[inline]
    pub(crate) fn u64(&mut self) -> Result<u64> {
        let mut value = 0u64;
        let mut shift = 0;
        // What fits into nine bytes cannot be too large.
        while shift < 63 {
            let byte = self.u8()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
            shift += 7;
        }
        match self.u8()? {
            byte @ 0..=1 => Ok(value | u64::from(byte) << 63),
            _ => Err(Malformed),
        }
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        self.u64()?.try_into().map_err(|_| Malformed)
    }

    #[inline]
    pub(crate) fn i64(&mut self) -> Result<i64> {
        let value = self.u64()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(crate) fn bool(&mut self) -> Result<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }

    pub(crate) fn option(&mut self) -> Result<Option<u64>> {
        Ok(if self.bool()? { Some(self.u64()?) } else { None })
    }

    pub(crate) fn string(&mut self) -> Result<String> {
        let length = self.count()?;
        let text = core::str::from_utf8(self.take(length)?).map_err(|_| Malformed)?;
        Ok(text.into())
    }

    /// A count of things of at least one byte each, so never more than the bytes that are left:
    /// a hostile count must not decide how much memory is reserved.
    pub(crate) fn count(&mut self) -> Result<usize> {
        let count = self.u64()?;
        usize::try_from(count).ok().filter(|&count| count <= self.rest.len()).ok_or(Malformed)
    }

    pub(crate) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Reader<'a>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let count = self.count()?;
        (0..count).map(|_| item(self)).collect()
    }
}

/// CRC-32 (IEEE 802.3, reflected), as zip and PNG use it.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    /// By how many bytes follow a byte in a group of eight, and by the byte: what it contributes.
    const TABLES: [[u32; 256]; 8] = {
        let mut tables = [[0u32; 256]; 8];
        let mut index = 0;
        while index < 256 {
            let mut value = index as u32;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { 0xedb8_8320 ^ value >> 1 } else { value >> 1 };
                bit += 1;
            }
            tables[0][index] = value;
            index += 1;
        }
        let mut following = 1;
        while following < 8 {
            let mut index = 0;
            while index < 256 {
                let before = tables[following - 1][index];
                tables[following][index] = tables[0][(before & 0xff) as usize] ^ before >> 8;
                index += 1;
            }
            following += 1;
        }
        tables
    };
    let (groups, rest) = bytes.as_chunks::<8>();
    let crc = groups.iter().fold(!0, |crc: u32, group| {
        let mixed = u64::from_le_bytes(*group) ^ u64::from(crc);
        let part = |at: usize| TABLES[7 - at][usize::from((mixed >> (8 * at)) as u8)];
        (0..8).fold(0, |sum, at| sum ^ part(at))
    });
    !rest.iter().fold(crc, |crc, &byte| TABLES[0][usize::from(crc as u8 ^ byte)] ^ crc >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn numbers_come_back() {
        for value in [0, 1, 127, 128, 16383, 16384, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut out = vec![];
            write_u64(&mut out, value);
            write_i64(&mut out, value as i64);
            let mut reader = Reader::new(&out);
            assert_eq!(reader.u64(), Ok(value));
            assert_eq!(reader.i64(), Ok(value as i64));
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn an_overlong_number_is_malformed() {
        assert_eq!(Reader::new(&[0xff; 11]).u64(), Err(Malformed));
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x7f]).u32(), Err(Malformed));
    }

    #[test]
    fn a_count_cannot_exceed_what_is_there() {
        let mut out = vec![];
        write_u64(&mut out, 1 << 40);
        assert_eq!(Reader::new(&out).list(|reader| reader.u8()), Err(Malformed));
    }

    #[test]
    fn crc_of_the_check_string() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b"1234567"), 0x5003_699f, "less than a group of eight");
        assert_eq!(crc32(b""), 0);
    }
}
