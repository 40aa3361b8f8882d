//! We do not know whether money was taken. The attempt is asked after under its own number until the channel answers
//! finally; when the time for that is up it is undone, never forgotten and never taken for unpaid.

use super::take_code::TakeCode;
use super::{Next, Phase, Subject};
use crate::channel::Request;
use crate::channel::outcome::{Outcome, Waiting};
use crate::engine::desk::Desk;
use crate::engine::entry::{Method, ReverseReason};
use crate::engine::offer::code_valid_ms;
use crate::engine::retry::Backoff;
use crate::time::Mono;

/// The state.
#[derive(Debug)]
pub(crate) struct Unknown {
    until: Mono,
    payable_until: Mono,
    next_at: Option<Mono>,
    backoff: Backoff,
}

impl Unknown {
    /// After a restart: nobody knows how far it came, so the whole time is counted again.
    pub(crate) fn enter(desk: &Desk, subject: &Subject) -> (Phase, Request) {
        let until = desk.now().plus(desk.pace_of(subject.channel).confirm_total_ms);
        let state = Self {
            until,
            payable_until: longest_payable(desk, subject.method),
            next_at: None,
            backoff: Backoff::default(),
        };
        (Phase::Unknown(state), Request::Query(subject.trade()))
    }

    /// After a pay request without a final answer.
    pub(crate) fn after_code(desk: &Desk, subject: &Subject, sent: &TakeCode) -> (Phase, Request) {
        let state = Self {
            until: sent.until(),
            payable_until: longest_payable(desk, subject.method),
            next_at: None,
            backoff: Backoff::default(),
        };
        (Phase::Unknown(state), Request::Query(subject.trade()))
    }

    pub(crate) const fn deadline(&self) -> Option<Mono> {
        self.next_at
    }

    pub(crate) const fn payable_until(&self) -> Mono {
        self.payable_until
    }

    pub(crate) fn on_outcome(&mut self, desk: &Desk, subject: &Subject, outcome: Outcome) -> Next {
        match (outcome, subject.method) {
            (Outcome::Paid(receipt), _) => Next::Paid(receipt),
            (Outcome::NotPaid(refusal), _) => Next::NotPaid(refusal),
            // Nobody scanned it, and it is on no screen any more.
            (Outcome::Pending(Waiting::NoTrade), Method::ShowCode) => Next::Reverse(ReverseReason::NoAnswer),
            (Outcome::Pending(_), _) => {
                self.backoff.reset();
                self.ask_later(desk, subject)
            }
            (Outcome::Unknown(_), _) => self.ask_later(desk, subject),
        }
    }

    fn ask_later(&mut self, desk: &Desk, subject: &Subject) -> Next {
        if desk.now() >= self.until {
            return Next::Reverse(ReverseReason::NoAnswer);
        }
        let pace = desk.pace_of(subject.channel);
        let at = self.backoff.next(desk.now(), pace.confirm_poll_ms, pace);
        self.next_at = Some(at.min(self.until));
        Next::Stay
    }

    pub(crate) fn on_timer(&mut self, subject: &Subject) -> Next {
        self.next_at = None;
        Next::Call(Request::Query(subject.trade()))
    }
}

/// The longest that an attempt whose request may have left until now can still be paid.
pub(crate) fn longest_payable(desk: &Desk, method: Method) -> Mono {
    let pace = desk.pace();
    match method {
        Method::ShowCode => desk.now().plus(code_valid_ms(desk)).plus(pace.late_margin_ms),
        Method::TakeCode => desk.now().plus(pace.in_flight_ms),
    }
}
