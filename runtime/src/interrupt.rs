//! Stopping a guest from outside.

use crate::instance::lock;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
    mpsc::Sender,
};

/// Stops the run that it was given to, from any thread: from a Ctrl-C handler, say. All clones are
/// the same.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    triggered: AtomicBool,
    wake: Mutex<Option<Sender<Signal>>>,
}

/// What the thread that waits for a guest is told.
#[derive(Debug)]
pub(crate) enum Signal {
    Interrupted,
    Done(Box<crate::runner::Done>),
}

impl Interrupt {
    /// An interrupt that nobody has triggered yet.
    pub fn new() -> Interrupt {
        Interrupt::default()
    }

    /// Stops the guest; one that has not begun stops as soon as it does. Says whether it was
    /// triggered before.
    pub fn trigger(&self) -> bool {
        let before = self.inner.triggered.swap(true, Ordering::SeqCst);
        if let Some(wake) = &*lock(&self.inner.wake) {
            // A run that is over listens no more.
            let _ = wake.send(Signal::Interrupted);
        }
        before
    }

    /// Has `wake` told of the interruption, be it past or future.
    pub(crate) fn watch(&self, wake: Sender<Signal>) {
        let mut slot = lock(&self.inner.wake);
        if self.inner.triggered.load(Ordering::SeqCst) {
            let _ = wake.send(Signal::Interrupted);
        }
        *slot = Some(wake);
    }
}
