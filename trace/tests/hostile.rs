//! Bytes that are no trace, or were one: an error at most, never a panic, and never more memory
//! than the bytes are worth.

mod generate;

use generate::{message, table};
use proptest::{collection::vec, prelude::*, sample::Index};
use seepage_trace::{DecodeError, Decoder, Encoder, Message, SiteTable, decode::MAX_CHUNK};

/// Reads until there is no more, or an error; gives the number of messages.
fn drain(bytes: &[u8]) -> (usize, Option<DecodeError>) {
    let mut decoder = Decoder::new();
    decoder.push(bytes);
    let mut count = 0;
    loop {
        match decoder.next() {
            Ok(Some(message)) => {
                count += 1;
                if let Message::Records(records) = message {
                    assert!(records.events().count() <= records.len());
                    // A packed record has two bytes at least, and a raw one 40 at most.
                    assert!(records.raw.len() <= bytes.len() * 20);
                }
            }
            Ok(None) => return (count, None),
            Err(error) => {
                assert_eq!(decoder.next(), Err(error), "an error stays");
                decoder.push(bytes);
                assert_eq!(decoder.next(), Err(error), "an error stays");
                assert!(!error.to_string().contains('\n'));
                return (count, Some(error));
            }
        }
    }
}

fn trace(messages: &[Message<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes);
    messages.iter().for_each(|message| encoder.message(message, &mut bytes));
    bytes
}

/// A chunk whose checksum is right, whatever is in it.
fn chunk(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend((payload.len() as u32).to_le_bytes());
    let crc = payload.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { 0xedb8_8320 ^ crc >> 1 } else { crc >> 1 }
        })
    });
    bytes.extend((!crc).to_le_bytes());
    bytes.extend(payload);
    bytes
}

/// Changes some bytes: sets, removes or repeats them.
fn mutate(bytes: &mut Vec<u8>, changes: &[(Index, u8, u8)]) {
    for (at, value, how) in changes {
        if bytes.is_empty() {
            return;
        }
        let at = at.index(bytes.len());
        match how % 4 {
            0 => bytes[at] = *value,
            1 => bytes[at] ^= 1 << (value % 8),
            2 => drop(bytes.drain(at..(at + usize::from(*value)).min(bytes.len()))),
            _ => bytes.insert(at, *value),
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<(Index, u8, u8)>> {
    vec((any::<Index>(), any::<u8>(), any::<u8>()), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..400)) {
        drain(&bytes);
        drain(&[&trace(&[])[..], &bytes].concat());
        let _ = SiteTable::decode(&bytes);
        let _ = SiteTable::decode(&[&[1], &bytes[..]].concat());
    }

    /// With a checksum that holds, it is the payload's own sense that is tried.
    #[test]
    fn any_payload(kind in 0..8u8, payload in vec(any::<u8>(), 0..200)) {
        drain(&[trace(&[]), chunk(kind, &payload)].concat());
    }

    #[test]
    fn a_mutated_payload(message in message(), changes in changes()) {
        let bytes = trace(&[message]);
        let (kind, mut payload) = (bytes[12], bytes[12 + 9..].to_vec());
        mutate(&mut payload, &changes);
        drain(&[trace(&[]), chunk(kind, &payload)].concat());
    }

    /// What came before the damage comes out.
    #[test]
    fn a_mutated_trace(messages in vec(message(), 1..5), changes in changes()) {
        let mut bytes = trace(&messages);
        mutate(&mut bytes, &changes);
        drain(&bytes);
    }

    #[test]
    fn damage_is_found(messages in vec(message(), 2..5), at in any::<Index>(), bit in 0..8u8) {
        let mut bytes = trace(&messages);
        let last = trace(&messages[..messages.len() - 1]).len();
        // Behind the last chunk's kind and length, which the checksum does not cover.
        let at = last + 5 + at.index(bytes.len() - last - 5);
        bytes[at] ^= 1 << bit;
        let (count, error) = drain(&bytes);
        prop_assert_eq!(count, messages.len() - 1);
        let damaged = matches!(error, Some(DecodeError::Damaged { offset, .. }) if offset == last as u64);
        prop_assert!(damaged, "{:?}", error);
    }

    #[test]
    fn a_mutated_site_table(table in table(), changes in changes()) {
        let mut bytes = table.encode();
        mutate(&mut bytes, &changes);
        if let Ok(table) = SiteTable::decode(&bytes) {
            // It may be nonsense, but it must be safe to ask.
            for site in &table.sites {
                let _ = table.frames(0, Some(site.offset));
            }
            let _ = table.frames(0, None);
        }
    }

    #[test]
    fn a_cut_site_table(table in table(), at in any::<Index>()) {
        let bytes = table.encode();
        prop_assert!(SiteTable::decode(&bytes[..at.index(bytes.len())]).is_err());
    }
}

#[test]
fn a_chunk_cannot_claim_more_than_there_may_be() {
    let mut bytes = trace(&[]);
    let start = bytes.len() as u64;
    bytes.push(3);
    bytes.extend((MAX_CHUNK as u32 + 1).to_le_bytes());
    bytes.extend([0; 4]);
    let (_, error) = drain(&bytes);
    let what = "claims to be longer than a chunk can be";
    assert_eq!(error, Some(DecodeError::Damaged { offset: start, what }));
}

#[test]
fn an_unknown_chunk_is_passed_over() {
    let mark = Message::Mark { name: "here".into() };
    let whole = trace(std::slice::from_ref(&mark));
    let (header, mark_chunk) = whole.split_at(12);
    let mut decoder = Decoder::new();
    decoder.push(&[header, &chunk(200, b"of the future"), mark_chunk].concat());
    assert_eq!(decoder.next(), Ok(Some(mark)));
    assert_eq!(decoder.next(), Ok(None));
    assert_eq!((decoder.unknown_chunks(), decoder.left_over()), (1, 0));
}

#[test]
fn other_files_and_versions_are_named() {
    assert_eq!(drain(b"\0asm\x01\0\0\0").1, Some(DecodeError::NotATrace));
    assert_eq!(drain(b"s").1, None, "it may become one");
    let mut bytes = trace(&[]);
    bytes[8] = 99;
    assert_eq!(drain(&bytes).1, Some(DecodeError::Version(99)));
    assert!(DecodeError::Version(99).to_string().contains("99"));
    let error = SiteTable::decode(&[99]).unwrap_err();
    assert!(error.contains("format version 99"), "{error}");
    assert_eq!(SiteTable::decode(&[]).unwrap_err(), "the section is empty");
}
