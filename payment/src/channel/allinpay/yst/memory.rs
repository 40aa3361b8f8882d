//! What this run has learned of the attempts: closing needs Allinpay's own number (`orgRespTraceNum`), and a few calls are
//! made in two steps. Everything here may be forgotten: a forgotten number is asked for again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{PoisonError, RwLock};

use crate::ids::AttemptId;

/// More attempts than a terminal has open at a time, many times over; the oldest is forgotten first.
const MOST: usize = 1024;

/// Whether the next call acts, or asks what the last one did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Step {
    #[default]
    Act,
    Ask,
}

/// What is known of one attempt.
#[derive(Debug, Clone, Default)]
struct Known {
    trade_no: Option<String>,
    /// It is being undone, and what comes next.
    undo: Option<Step>,
    confirm: Step,
}

#[derive(Debug, Default)]
struct Notes {
    known: BTreeMap<AttemptId, Known>,
    oldest_first: VecDeque<AttemptId>,
}

#[derive(Debug, Default)]
pub(super) struct Memory(RwLock<Notes>);

impl Memory {
    /// Allinpay's number of the order that this attempt made. The first one stays: later answers may name another order.
    pub(super) fn learn(&self, attempt: AttemptId, trade_no: &str) {
        self.note(attempt, |known| {
            known.trade_no.get_or_insert_with(|| trade_no.to_owned());
        });
    }

    /// Allinpay's number of the order, when this run has learned it.
    pub(super) fn trade_no(&self, attempt: AttemptId) -> Option<String> {
        self.read(attempt).trade_no
    }

    /// The number to close with, when it is known and it is not the turn to ask. Closing and asking take turns: a close that
    /// was not understood, or whose answer was lost, is not repeated blindly.
    pub(super) fn close_with(&self, attempt: AttemptId) -> Option<String> {
        self.note(attempt, |known| {
            let acts = known.undo != Some(Step::Ask) && known.trade_no.is_some();
            known.undo = Some(if acts { Step::Ask } else { Step::Act });
            known.trade_no.clone().filter(|_| acts)
        })
    }

    /// Whether this run has begun to undo the attempt.
    pub(super) fn is_undone(&self, attempt: AttemptId) -> bool {
        self.read(attempt).undo.is_some()
    }

    /// What the next call about the attempt's confirmation does.
    pub(super) fn confirm(&self, attempt: AttemptId) -> Step {
        self.read(attempt).confirm
    }

    pub(super) fn confirm_next(&self, attempt: AttemptId, step: Step) {
        self.note(attempt, |known| known.confirm = step);
    }

    fn read(&self, attempt: AttemptId) -> Known {
        let notes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        notes.known.get(&attempt).cloned().unwrap_or_default()
    }

    fn note<T>(&self, attempt: AttemptId, change: impl FnOnce(&mut Known) -> T) -> T {
        let mut notes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if !notes.known.contains_key(&attempt) {
            notes.make_room();
            notes.oldest_first.push_back(attempt);
        }
        change(notes.known.entry(attempt).or_default())
    }
}

impl Notes {
    fn make_room(&mut self) {
        while self.oldest_first.len() >= MOST {
            if let Some(oldest) = self.oldest_first.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(number: u128) -> AttemptId {
        AttemptId::from_entropy(number.to_be_bytes())
    }

    #[test]
    fn the_oldest_attempts_are_forgotten_and_no_others() {
        let memory = Memory::default();
        for number in 0..MOST as u128 + 2 {
            memory.learn(attempt(number), "1");
        }
        let known = |number| memory.read(attempt(number)).trade_no.is_some();
        assert_eq!([known(0), known(1), known(2), known(MOST as u128 + 1)], [false, false, true, true]);
    }

    #[test]
    fn closing_and_asking_take_turns_once_the_number_is_known() {
        let memory = Memory::default();
        assert_eq!(memory.close_with(attempt(1)), None);
        memory.learn(attempt(1), "77");
        memory.learn(attempt(1), "78");
        assert_eq!(memory.close_with(attempt(1)).as_deref(), Some("77"));
        assert_eq!(memory.close_with(attempt(1)), None);
        assert_eq!(memory.close_with(attempt(1)).as_deref(), Some("77"));
    }
}
