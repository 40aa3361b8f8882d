//! A mailbox of one: the newest value wins, so a slow device never makes its caller wait.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
struct Slot<T> {
    value: Option<T>,
    closed: bool,
}

/// Holds the newest value that a device thread has not taken yet.
#[derive(Debug)]
pub(crate) struct Latest<T> {
    slot: Mutex<Slot<T>>,
    filled: Condvar,
}

impl<T> Latest<T> {
    pub(crate) fn new() -> Self {
        Self { slot: Mutex::new(Slot { value: None, closed: false }), filled: Condvar::new() }
    }

    fn slot(&self) -> MutexGuard<'_, Slot<T>> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces whatever was waiting.
    pub(crate) fn put(&self, value: T) {
        self.slot().value = Some(value);
        self.filled.notify_one();
    }

    /// Replaces whatever was waiting by what it makes of it.
    pub(crate) fn put_after(&self, make: impl FnOnce(Option<T>) -> T) {
        let mut slot = self.slot();
        let waiting = slot.value.take();
        slot.value = Some(make(waiting));
        drop(slot);
        self.filled.notify_one();
    }

    /// Ends the taker's loop once the waiting value is taken.
    pub(crate) fn close(&self) {
        self.slot().closed = true;
        self.filled.notify_all();
    }

    /// Waits for a value; `None` once closed and empty.
    pub(crate) fn take(&self) -> Option<T> {
        let mut slot = self.slot();
        loop {
            if let Some(value) = slot.value.take() {
                return Some(value);
            }
            if slot.closed {
                return None;
            }
            slot = self.filled.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits at most `pause` for a newer value than the one the taker holds.
    pub(crate) fn take_within(&self, pause: std::time::Duration) -> Option<T> {
        let slot = self.slot();
        let (mut slot, _) = self
            .filled
            .wait_timeout_while(slot, pause, |slot| slot.value.is_none() && !slot.closed)
            .unwrap_or_else(PoisonError::into_inner);
        slot.value.take()
    }

    /// Whether [`close`](Self::close) was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.slot().closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_value_wins_and_the_last_one_is_delivered_before_the_end() {
        let latest = Latest::new();
        latest.put(1);
        latest.put(2);
        latest.close();
        assert_eq!(latest.take(), Some(2));
        assert_eq!(latest.take(), None);
    }
}
