//! What is known of cancels that Allinpay received.
//!
//! A cancel has a number of its own, always the same for the same attempt. Sent a second time it is only answered that the
//! number is known (3888): then the cancel itself is asked after. And whether the cancelled payment's own state changes is
//! not said anywhere, so a cancel that was done is remembered while its attempt is asked after once more. All of it can be
//! lost: the next cancel finds it again.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::ids::AttemptId;

/// Far more than one machine has open at a time.
const MOST: usize = 64;

/// How far a cancel came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Its number is known to Allinpay; how it went is not known here.
    Received,
    /// Its money went back.
    Done,
}

#[derive(Debug, Default)]
pub(super) struct Cancels(Mutex<VecDeque<(AttemptId, Known)>>);

impl Cancels {
    pub(super) fn of(&self, attempt: AttemptId) -> Option<Known> {
        let list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.iter().find(|(known, _)| *known == attempt).map(|(_, known)| *known)
    }

    pub(super) fn note(&self, attempt: AttemptId, known: Known) {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|(other, _)| *other != attempt);
        if list.len() == MOST {
            list.pop_front();
        }
        list.push_back((attempt, known));
    }
}

/// The number of an attempt's cancel: the attempt's own with `C` for its first letter. In statements the return of the
/// money stands under it.
#[must_use]
pub fn cancel_number(attempt: AttemptId) -> String {
    let mut number = attempt.as_str().to_owned();
    number.replace_range(..1, "C");
    number
}

/// The attempt whose cancel has this number, if it is one.
#[must_use]
pub fn cancelled_attempt(number: &str) -> Option<AttemptId> {
    format!("{}{}", AttemptId::LETTER, number.strip_prefix('C')?).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_always_the_same_and_nobody_elses() {
        let one = AttemptId::from_entropy([1; 16]);
        assert_eq!(cancel_number(one), cancel_number(one));
        assert_eq!(cancel_number(one).len(), 26);
        assert_eq!(cancel_number(one)[1..], one.as_str()[1..]);
        assert!(cancel_number(one).starts_with('C'));
        assert_ne!(cancel_number(one), cancel_number(AttemptId::from_entropy([2; 16])));
        assert_eq!(cancelled_attempt(&cancel_number(one)), Some(one));
        assert_eq!(cancelled_attempt(one.as_str()), None);
        assert_eq!(cancelled_attempt("C1"), None);
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let cancels = Cancels::default();
        let attempt = |n: u8| AttemptId::from_entropy([n; 16]);
        for n in 0..65 {
            cancels.note(attempt(n), Known::Received);
        }
        cancels.note(attempt(1), Known::Done);
        assert_eq!(cancels.of(attempt(0)), None);
        assert_eq!(cancels.of(attempt(1)), Some(Known::Done));
        assert_eq!(cancels.of(attempt(64)), Some(Known::Received));
    }
}
