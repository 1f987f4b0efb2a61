//! Trace files: readable whatever happens to their writer, and no reason for a run to fail.

mod support;

use seepage_runtime::{Ran, Runner, Sink, Tee, TraceWriter};
use seepage_trace::{Decoder, Message};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};
use support::{Messages, allocate, command, events, options};

/// A disk of a given size.
struct Disk {
    content: Vec<u8>,
    size: usize,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.content.len() + bytes.len() > self.size {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.content.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn run_into<S: Sink>(sink: S) -> Ran<S> {
    Runner::new(&command(&allocate(50_000)), options()).unwrap().run(sink).unwrap()
}

fn decode(bytes: &[u8]) -> Messages {
    let mut decoder = Decoder::new();
    decoder.push(bytes);
    let mut messages = Messages::new();
    while let Some(message) = decoder.next().unwrap() {
        messages.push(message);
    }
    messages
}

struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_trace_file_holds_the_run() {
    let file: Arc<Mutex<Vec<u8>>> = Arc::default();
    let ran = run_into(Tee::new(TraceWriter::new(Shared(file.clone())), Messages::new()));
    let bytes = file.lock().unwrap();
    assert_eq!(decode(&bytes), ran.trace.sink.second.sink);

    // What a killed process leaves behind is cut anywhere.
    let whole = decode(&bytes).len();
    for end in (12..bytes.len()).step_by(bytes.len() / 50) {
        assert!(decode(&bytes[..end]).len() < whole);
    }
}

#[test]
fn a_full_disk_stops_the_file_and_nothing_else() {
    let disk = Disk { content: Vec::new(), size: 100_000 };
    let ran = run_into(Tee::new(TraceWriter::new(disk), Messages::new()));
    let error = ran.trace.sink.first.error.unwrap();
    let error = error.downcast::<io::Error>().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(ran.trace.sink.second.error.is_none());
    assert_eq!(events(&ran.trace.sink.second.sink).len(), 50_000);
    assert!(matches!(ran.trace.sink.second.sink.last(), Some(Message::End(_))));
}

#[test]
fn a_sink_that_fails_alone_is_reported_too() {
    let disk = Disk { content: Vec::new(), size: 20 };
    let ran = run_into(TraceWriter::new(disk));
    assert!(ran.trace.sink_error.is_some());
    assert_eq!(ran.trace.end.exit_code, Some(0));
}
