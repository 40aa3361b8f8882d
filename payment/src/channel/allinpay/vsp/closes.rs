//! Which shown codes are being closed.
//!
//! It can be lost: after a restart the engine closes before it asks, and a close that is not done is sent again before each
//! further question.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::ids::AttemptId;

/// More than one machine closes while it asks after one of them, many times over; the oldest is forgotten first.
const MOST: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Closes(Mutex<VecDeque<AttemptId>>);

impl Closes {
    /// A close of this attempt's code is about to leave.
    pub(super) fn begin(&self, attempt: AttemptId) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|known| *known != attempt);
        if list.len() == MOST {
            list.pop_front();
        }
        list.push_back(attempt);
    }

    /// Whether one may have left.
    pub(super) fn has_begun(&self, attempt: AttemptId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first_and_a_close_sent_again_is_new() {
        let closes = Closes::default();
        let attempt = |number: u128| AttemptId::from_entropy(number.to_be_bytes());
        closes.begin(attempt(0));
        closes.begin(attempt(1));
        closes.begin(attempt(0));
        for number in 2..=MOST as u128 {
            closes.begin(attempt(number));
        }
        let begun = |number| closes.has_begun(attempt(number));
        assert_eq!([begun(0), begun(1), begun(2), begun(MOST as u128)], [true, false, true, true]);
    }
}
