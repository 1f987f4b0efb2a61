//! Any bytes as a trace, in pieces of any size, and as a module's section: what decodes encodes to
//! what decodes to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seepage_trace::{Decoder, Encoder, Message, SiteTable};

fn messages(bytes: &[u8], piece: usize) -> Vec<Message<'static>> {
    let mut decoder = Decoder::new();
    let mut messages = Vec::new();
    for piece in bytes.chunks(piece.max(1)) {
        decoder.push(piece);
        while let Ok(Some(message)) = decoder.next() {
            messages.push(message);
        }
    }
    messages
}

fn encoded(messages: &[Message<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes);
    messages.iter().for_each(|message| encoder.message(message, &mut bytes));
    bytes
}

fuzz_target!(|input: (u8, &[u8])| {
    let (piece, bytes) = input;
    let all = messages(bytes, usize::MAX);
    assert_eq!(messages(bytes, piece.into()), all);
    assert_eq!(messages(&encoded(&all), usize::MAX), all);
    if let Ok(table) = SiteTable::decode(bytes) {
        for site in &table.sites {
            let _ = table.frames(0, Some(site.offset));
        }
        let _ = table.frames(0, None);
    }
});
