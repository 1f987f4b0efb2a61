//! The analysis of a run, and a warning while it goes on as soon as it will come to nothing.

use crate::terminal;
use seepage_analysis::{Outcome, Session};
use seepage_runtime::{Sink, SinkError};
use seepage_trace::Message;

/// A session that speaks up.
pub(crate) struct Watched {
    session: Session,
    is_told: bool,
}

impl Watched {
    pub(crate) fn new(session: Session) -> Watched {
        Watched { session, is_told: false }
    }

    pub(crate) fn finish(self) -> Outcome {
        self.session.finish()
    }
}

impl Sink for Watched {
    fn message(&mut self, message: &Message<'_>) -> Result<(), SinkError> {
        self.session.feed(message);
        if !self.is_told
            && let Some(doubt) = self.session.alarm()
        {
            self.is_told = true;
            terminal::warning(&format!("there will be no verdict: {}", doubt.reason));
        }
        Ok(())
    }
}
