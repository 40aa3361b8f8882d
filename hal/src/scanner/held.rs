//! Bytes that may still become a reply, with the time at which each came: a code's first byte decides whom it pays.

use std::time::Duration;

/// A reply that pauses this long in the middle is none.
const PATIENCE: Duration = Duration::from_millis(100);

/// What came and is not sorted yet.
#[derive(Debug, Default)]
pub(crate) struct Held {
    bytes: Vec<u8>,
    times: Vec<Duration>,
}

impl Held {
    /// Takes what came.
    pub(crate) fn push(&mut self, now: Duration, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.times.resize(self.bytes.len(), now);
    }

    /// All of it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// When its first byte came.
    pub(crate) fn began(&self) -> Option<Duration> {
        self.times.first().copied()
    }

    /// When it is to be taken for what it is so far.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.times.last().map(|last| *last + PATIENCE)
    }

    /// Takes the first byte out.
    pub(crate) fn pop(&mut self) -> Option<(Duration, u8)> {
        let first = (*self.times.first()?, *self.bytes.first()?);
        self.take(1);
        Some(first)
    }

    /// Takes so many bytes out.
    pub(crate) fn take(&mut self, length: usize) -> Vec<u8> {
        let length = length.min(self.bytes.len());
        self.times.drain(..length);
        self.bytes.drain(..length).collect()
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.times.clear();
    }
}
