//! The sinks that come with the library: a trace file, the live analysis, and both at once.

use crate::collector::{Sink, SinkError};
use seepage_analysis::Session;
use seepage_trace::{Encoder, Message};
use std::io::Write;

impl Sink for Session {
    fn message(&mut self, message: &Message<'_>) -> Result<(), SinkError> {
        self.feed(message);
        Ok(())
    }
}

/// Keeps nothing: for measuring what tracing itself costs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Discard;

impl Sink for Discard {
    fn message(&mut self, _: &Message<'_>) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Collects the messages as they come. For tests and small guests: it grows with the trace.
impl Sink for Vec<Message<'static>> {
    fn message(&mut self, message: &Message<'_>) -> Result<(), SinkError> {
        self.push(match message {
            Message::Records(records) => {
                let raw = records.raw.to_vec().into();
                Message::Records(seepage_trace::Records {
                    raw,
                    memories: records.memories.clone(),
                    ..*records
                })
            }
            Message::Module(module) => Message::Module(module.clone()),
            Message::Stack(stack) => Message::Stack(stack.clone()),
            Message::State(state) => Message::State(state.clone()),
            Message::Memory(part) => Message::Memory(seepage_trace::MemoryPart {
                bytes: part.bytes.to_vec().into(),
                ..*part
            }),
            Message::OpenFile(file) => Message::OpenFile(file.clone()),
            Message::Suppressions { origin, text } => {
                Message::Suppressions { origin: origin.clone(), text: text.clone() }
            }
            Message::Host(host) => Message::Host(*host),
            Message::Mark { name } => Message::Mark { name: name.clone() },
            Message::End(end) => Message::End(end.clone()),
        });
        Ok(())
    }
}

/// Writes a trace file. Each message is written and flushed as a whole chunk, so that what a killed
/// process leaves behind decodes.
#[derive(Debug)]
pub struct TraceWriter<W> {
    out: W,
    encoder: Encoder,
    bytes: Vec<u8>,
}

impl<W: Write> TraceWriter<W> {
    /// A trace in `out`, which begins with the first message: also when not even the header can be
    /// written, that is an error of the sink's, and costs no run.
    pub fn new(out: W) -> TraceWriter<W> {
        let mut bytes = Vec::new();
        let encoder = Encoder::new(&mut bytes);
        TraceWriter { out, encoder, bytes }
    }
}

impl<W: Write + Send + 'static> Sink for TraceWriter<W> {
    fn message(&mut self, message: &Message<'_>) -> Result<(), SinkError> {
        self.encoder.message(message, &mut self.bytes);
        let written = self.out.write_all(&self.bytes).and_then(|()| self.out.flush());
        self.bytes.clear();
        Ok(written?)
    }
}

/// Feeds two sinks. One that fails is left out from then on, and its error kept; the other goes on.
#[derive(Debug)]
pub struct Tee<A, B> {
    /// The first sink.
    pub first: Kept<A>,
    /// The second.
    pub second: Kept<B>,
}

/// A sink that is fed until it fails.
#[derive(Debug)]
pub struct Kept<S> {
    /// The sink.
    pub sink: S,
    /// Why it stopped, if it did.
    pub error: Option<SinkError>,
}

impl<A, B> Tee<A, B> {
    /// Feeds both sinks.
    pub fn new(first: A, second: B) -> Tee<A, B> {
        Tee { first: Kept::new(first), second: Kept::new(second) }
    }
}

impl<A: Sink, B: Sink> Sink for Tee<A, B> {
    fn message(&mut self, message: &Message<'_>) -> Result<(), SinkError> {
        self.first.feed(message);
        self.second.feed(message);
        Ok(())
    }
}

impl<S> Kept<S> {
    fn new(sink: S) -> Kept<S> {
        Kept { sink, error: None }
    }
}

impl<S: Sink> Kept<S> {
    fn feed(&mut self, message: &Message<'_>) {
        if self.error.is_none() {
            self.error = self.sink.message(message).err();
        }
    }
}

impl<S: Sink> Sink for Option<S> {
    fn message(&mut self, message: &Message<'_>) -> Result<(), SinkError> {
        self.as_mut().map_or(Ok(()), |sink| sink.message(message))
    }
}
