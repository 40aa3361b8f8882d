//! The dialogue with a printer: what came and what is wanted goes in, what is to be sent and what happened comes out. No
//! clock, no port.
//!
//! A receipt goes out piece by piece, each followed by `GS r`, and the next goes only after the answer. So a printer that runs
//! out of paper holds one piece at most when its time is over, and even that it is told to forget.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    Paper, Receipt,
    escpos::{self, ARE_YOU_THROUGH, FORGET, HOW_ARE_YOU, KEEP_TELLING},
    status::{Answer, Answers, Condition},
};
use crate::{board::PrinterSpec, event::PrinterState};

/// A real-time question is answered within this time, or nobody is there.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// A piece that takes longer is asked after.
const PIECE_WITHIN: Duration = Duration::from_secs(3);
/// How often a printer that does not print is looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How often one that is well is looked at: nobody tells of a cable that was pulled out.
const LOOK_EVERY: Duration = Duration::from_secs(15);

const NO_ANSWER: &str = "the printer does not answer: look at its power, its cable and its speed; one that never answers \
                         needs status = false";

struct Job {
    pieces: VecDeque<Vec<u8>>,
    started: bool,
    until: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// The port is gone.
    Closed,
    /// For the answer to "how are you".
    Health { until: Duration },
    /// For the answer to "are you through".
    Piece { until: Duration },
    /// For something to print.
    Idle { look_at: Duration },
    /// For a person.
    Trouble { look_at: Duration },
}

/// One printer.
pub(crate) struct Session {
    paper: Paper,
    answers_questions: bool,
    patience: Duration,
    jobs: VecDeque<Job>,
    wait: Wait,
    /// A piece is with the printer.
    outstanding: bool,
    /// The port went away in the middle of a receipt.
    torn: bool,
    answers: Answers,
    told: Option<PrinterState>,
    send: VecDeque<Vec<u8>>,
    events: VecDeque<PrinterState>,
    dropped: Arc<AtomicU64>,
}

impl Session {
    /// `dropped` counts the receipts that were not printed, or not to their end.
    pub(crate) fn new(spec: &PrinterSpec, dropped: Arc<AtomicU64>) -> Self {
        Self {
            paper: Paper::of(spec),
            answers_questions: spec.status,
            patience: Duration::from_millis(spec.patience_ms.into()),
            jobs: VecDeque::new(),
            wait: Wait::Closed,
            outstanding: false,
            torn: false,
            answers: Answers::default(),
            told: None,
            send: VecDeque::new(),
            events: VecDeque::new(),
            dropped,
        }
    }

    /// The port is open; nothing is known of the printer yet.
    pub(crate) fn opened(&mut self, now: Duration) {
        if std::mem::take(&mut self.torn) {
            self.forget();
        }
        if self.answers_questions {
            self.send.push_back(KEEP_TELLING.to_vec());
            self.ask(now);
        } else {
            self.tell(PrinterState::Up);
            self.go_on(now);
        }
    }

    /// The port is gone, and `why`, with what to do. What was being printed is torn.
    pub(crate) fn closed(&mut self, now: Duration, why: &str) {
        self.wait = Wait::Closed;
        self.outstanding = false;
        self.send.clear();
        if self.jobs.front().is_some_and(|job| job.started) {
            self.drop_first();
            self.torn = true;
        }
        self.tell(PrinterState::Down { reason: why.to_owned() });
        self.expire(now);
    }

    /// A receipt is to be printed, within the board's patience.
    pub(crate) fn wanted(&mut self, now: Duration, receipt: &Receipt) {
        let pieces = escpos::encode(receipt, &self.paper).into();
        self.jobs.push_back(Job { pieces, started: false, until: now + self.patience });
        if matches!(self.wait, Wait::Idle { .. }) {
            self.go_on(now);
        }
    }

    /// Bytes came, cut anywhere.
    pub(crate) fn received(&mut self, now: Duration, bytes: &[u8]) {
        for byte in bytes {
            match self.answers.take(*byte) {
                Some(Answer::Condition(condition)) => self.judge(now, condition),
                Some(Answer::Through) => self.through(now),
                None => {}
            }
        }
    }

    /// Something is due.
    pub(crate) fn woken(&mut self, now: Duration) {
        self.expire(now);
        match self.wait {
            Wait::Health { until } if until <= now => {
                self.tell(PrinterState::Down { reason: NO_ANSWER.into() });
                self.wait = Wait::Trouble { look_at: now + LOOK_AGAIN };
            }
            Wait::Piece { until: at } | Wait::Idle { look_at: at } | Wait::Trouble { look_at: at } if at <= now => {
                self.ask(now);
            }
            Wait::Closed | Wait::Health { .. } | Wait::Piece { .. } | Wait::Idle { .. } | Wait::Trouble { .. } => {}
        }
    }

    /// When [`woken`](Self::woken) is to be called.
    pub(crate) fn due(&self) -> Option<Duration> {
        let look = match self.wait {
            Wait::Health { until: at }
            | Wait::Piece { until: at }
            | Wait::Idle { look_at: at }
            | Wait::Trouble { look_at: at } => Some(at),
            Wait::Closed => None,
        };
        // A printer that gives no answers is not asked.
        let look = look.filter(|_| self.answers_questions);
        look.into_iter().chain(self.jobs.front().map(|job| job.until)).min()
    }

    /// The next bytes to send, in order.
    pub(crate) fn next_to_send(&mut self) -> Option<Vec<u8>> {
        self.send.pop_front().or_else(|| self.next_unasked())
    }

    /// The next thing that happened, in order.
    pub(crate) fn happened(&mut self) -> Option<PrinterState> {
        self.events.pop_front()
    }

    fn ask(&mut self, now: Duration) {
        if self.answers_questions {
            self.answers.start();
            self.send.push_back(HOW_ARE_YOU.to_vec());
            self.wait = Wait::Health { until: now + ANSWER_WITHIN };
        }
    }

    fn through(&mut self, now: Duration) {
        if std::mem::take(&mut self.outstanding) && matches!(self.wait, Wait::Piece { .. }) {
            self.go_on(now);
        }
    }

    fn judge(&mut self, now: Duration, condition: Condition) {
        match condition.trouble() {
            Some(reason) => {
                self.tell(PrinterState::Down { reason: reason.into() });
                self.wait = Wait::Trouble { look_at: now + LOOK_AGAIN };
            }
            None => {
                self.tell(if condition.paper_low { PrinterState::PaperLow } else { PrinterState::Up });
                if self.outstanding {
                    self.wait = Wait::Piece { until: now + PIECE_WITHIN };
                } else {
                    self.go_on(now);
                }
            }
        }
    }

    /// Sends the next piece of what waits.
    fn go_on(&mut self, now: Duration) {
        self.expire(now);
        while self.jobs.front().is_some_and(|job| job.pieces.is_empty()) {
            self.jobs.pop_front();
        }
        let asked = self.answers_questions;
        let Some(job) = self.jobs.front_mut().filter(|_| asked) else {
            self.wait = Wait::Idle { look_at: now + LOOK_EVERY };
            return;
        };
        let mut piece = job.pieces.pop_front().unwrap_or_default();
        // The first piece sets the printer back, and with it what it tells.
        if !std::mem::replace(&mut job.started, true) {
            piece.extend_from_slice(KEEP_TELLING);
        }
        piece.extend_from_slice(ARE_YOU_THROUGH);
        self.send.push_back(piece);
        self.outstanding = true;
        self.wait = Wait::Piece { until: now + PIECE_WITHIN };
    }

    /// A printer that gives no answers gets one piece after the other, as fast as its port takes them.
    fn next_unasked(&mut self) -> Option<Vec<u8>> {
        if self.answers_questions || self.wait == Wait::Closed {
            return None;
        }
        let job = self.jobs.front_mut()?;
        job.started = true;
        let piece = job.pieces.pop_front();
        if job.pieces.is_empty() {
            self.jobs.pop_front();
        }
        piece
    }

    /// Drops what waited too long. Every receipt has the same patience, so the first is the oldest.
    fn expire(&mut self, now: Duration) {
        while let Some(job) = self.jobs.front().filter(|job| job.until <= now) {
            let torn = job.started;
            self.drop_first();
            if torn {
                self.outstanding = false;
                self.forget();
            }
        }
    }

    /// Counts the first receipt as not printed.
    fn drop_first(&mut self) {
        self.jobs.pop_front();
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Half a receipt is cut off, and what the printer holds of it is not printed any more.
    fn forget(&mut self) {
        self.send.push_back(FORGET.to_vec());
        self.send.push_back(escpos::cut(&self.paper).to_vec());
    }

    fn tell(&mut self, state: PrinterState) {
        if self.told.as_ref() != Some(&state) {
            self.told = Some(state.clone());
            self.events.push_back(state);
        }
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
