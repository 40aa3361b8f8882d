//! No life may log an ERROR: what the simulator does to a terminal is foreseen, and a foreseen trouble is a warning.

use std::fmt::{Debug, Write};
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// The errors that were logged, each with the name of its thread: the journal has threads of its own.
static LOGGED: Mutex<Vec<String>> = Mutex::new(Vec::new());
static LISTENING: OnceLock<bool> = OnceLock::new();

/// Hears every ERROR of this process and keeps it.
struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut words = Words(event.metadata().target().to_owned());
        event.record(&mut words);
        LOGGED.lock().unwrap_or_else(PoisonError::into_inner).push(words.0);
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing into a text cannot fail.
        let _written = write!(self.0, " {field}={value:?}");
    }
}

/// Begins to listen. `false` when somebody else hears this process's log already, and errors are not seen.
pub fn listen() -> bool {
    *LISTENING.get_or_init(|| tracing::subscriber::set_global_default(Listener).is_ok())
}

/// The errors since the last call, of all lives of this process.
#[must_use]
pub fn take() -> Vec<String> {
    std::mem::take(&mut *LOGGED.lock().unwrap_or_else(PoisonError::into_inner))
}
