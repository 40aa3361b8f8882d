//! No life may log an ERROR: what the simulator does to a terminal is foreseen, and a foreseen trouble is a warning.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// What is said when nobody can listen.
pub const DEAF: &str = "another part of this process hears its log: that no life logs an ERROR cannot be seen";

/// The errors that were logged.
type Heard = Arc<Mutex<Vec<String>>>;

/// Those of the whole process: the journal has threads of its own. `None` when somebody else hears its log.
static LOGGED: OnceLock<Option<Heard>> = OnceLock::new();

/// Hears every ERROR and keeps it.
#[derive(Default)]
struct Listener(Heard);

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
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(words.0);
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

fn taken(heard: &Heard) -> Vec<String> {
    std::mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner))
}

fn logged() -> Option<&'static Heard> {
    let begin = || {
        let listener = Listener::default();
        let heard = Arc::clone(&listener.0);
        tracing::subscriber::set_global_default(listener).is_ok().then_some(heard)
    };
    LOGGED.get_or_init(begin).as_ref()
}

/// Begins to listen. `false` when somebody else hears this process's log already, and errors are not seen: whoever counts
/// on them says [`DEAF`] and fails.
#[must_use]
pub fn listen() -> bool {
    logged().is_some()
}

/// The errors since the last call, of all lives of this process.
#[must_use]
pub fn take() -> Vec<String> {
    logged().map(taken).unwrap_or_default()
}

/// Does something, and tells the errors that this thread logged meanwhile; those the process does not hear.
#[cfg(test)]
pub fn of_this_thread<T>(what: impl FnOnce() -> T) -> (T, Vec<String>) {
    let listener = Listener::default();
    let heard = Arc::clone(&listener.0);
    let done = tracing::subscriber::with_default(listener, what);
    (done, taken(&heard))
}
