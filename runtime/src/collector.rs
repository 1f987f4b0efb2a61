//! The consumer's side: messages go through a bounded channel to a thread of their own, so that
//! the guest does not wait for the analysis.
//!
//! ```text
//! guest's thread                             consumer's thread
//!   copy ring ──► batch ──► [ channel, 32 messages ] ──► Sink::message
//!                   ▲                                        │
//!                   └───────────── empty buffers ◄───────────┘
//! ```
//!
//! When the channel is full the guest waits: no record is ever dropped here. What is sent first
//! arrives first, so a stack arrives before the records that name its context.

use crate::error::Error;
use seepage_trace::{End, Message};
use std::{
    borrow::Cow,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

/// Messages on the way at once. With buffers of one ring each, about seven megabytes.
const CAPACITY: usize = 32;

/// Why a [`Sink`] cannot go on.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// What consumes a trace.
pub trait Sink: Send + 'static {
    /// Takes the next message.
    ///
    /// # Errors
    /// After an error the sink is given no further message; the run goes on, and the error comes
    /// out at its end.
    fn message(&mut self, message: &Message<'_>) -> Result<(), SinkError>;
}

/// The thread that feeds a sink.
pub(crate) struct Collector<S> {
    feeder: Feeder,
    thread: JoinHandle<(S, Option<SinkError>)>,
}

/// The end of the channel that the guest's side holds.
#[derive(Clone)]
pub(crate) struct Feeder {
    sender: SyncSender<Message<'static>>,
    spare: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl<S: Sink> Collector<S> {
    pub(crate) fn start(sink: S) -> Result<Collector<S>, Error> {
        let (sender, receiver) = sync_channel(CAPACITY);
        let spare = Arc::new(Mutex::new(Vec::new()));
        let feeder = Feeder { sender, spare: spare.clone() };
        let thread = std::thread::Builder::new()
            .name("seepage-consumer".into())
            .spawn(move || consume(sink, &receiver, &spare))
            .map_err(Error::Thread)?;
        Ok(Collector { feeder, thread })
    }

    pub(crate) fn feeder(&self) -> Feeder {
        self.feeder.clone()
    }

    /// Sends the last message and waits until everything has been consumed. Whatever a guest that
    /// was given up on still sends is ignored.
    pub(crate) fn finish(self, end: End) -> Result<(S, Option<SinkError>), Error> {
        self.feeder.send(Message::End(end));
        self.thread.join().map_err(|_| Error::Consumer)
    }
}

impl Feeder {
    /// Hands a message over; waits while the channel is full.
    pub(crate) fn send(&self, message: Message<'static>) {
        // It fails only when the consumer is gone: after the end, or after a panic that
        // `Collector::finish` reports.
        let _ = self.sender.send(message);
    }

    /// An empty buffer, used before where there is one.
    pub(crate) fn buffer(&self) -> Vec<u8> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }
}

fn consume<S: Sink>(
    mut sink: S,
    receiver: &Receiver<Message<'static>>,
    spare: &Mutex<Vec<Vec<u8>>>,
) -> (S, Option<SinkError>) {
    let mut error = None;
    for message in receiver {
        if error.is_none() {
            error = sink.message(&message).err();
        }
        match message {
            Message::End(_) => break,
            Message::Records(records) => {
                if let Cow::Owned(mut buffer) = records.raw {
                    buffer.clear();
                    let mut spare = spare.lock().unwrap_or_else(PoisonError::into_inner);
                    if spare.len() < CAPACITY {
                        spare.push(buffer);
                    }
                }
            }
            _ => {}
        }
    }
    (sink, error)
}
