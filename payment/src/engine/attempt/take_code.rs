//! We take the buyer's pay code: it is sent once, and if the buyer has to confirm, the attempt is asked after at the
//! channel's documented pace until its time is up (Alipay: every 3 to 6 s, about 60 s in all, then cancel at once).

use super::unknown::Unknown;
use super::{Next, Phase, Subject};
use crate::channel::outcome::{Outcome, Waiting};
use crate::channel::{Offer, Request};
use crate::engine::desk::Desk;
use crate::engine::entry::ReverseReason;
use crate::redact::PayCode;
use crate::time::Mono;

/// The state.
#[derive(Debug)]
pub(crate) struct TakeCode {
    until: Mono,
    next_at: Option<Mono>,
}

impl TakeCode {
    /// Send the pay code.
    pub(crate) fn enter(desk: &Desk, subject: &Subject, offer: Offer, code: PayCode) -> (Phase, Request) {
        let until = desk.now().plus(desk.pace_of(subject.channel).confirm_total_ms);
        let state = Self { until, next_at: None };
        (Phase::TakeCode(state), Request::TakeCode(offer, code))
    }

    pub(crate) const fn deadline(&self) -> Option<Mono> {
        self.next_at
    }

    pub(crate) const fn until(&self) -> Mono {
        self.until
    }

    pub(crate) fn on_outcome(&mut self, desk: &mut Desk, subject: &Subject, outcome: Outcome) -> Next {
        match outcome {
            Outcome::Paid(receipt) => Next::Paid(receipt),
            Outcome::NotPaid(refusal) => Next::NotPaid(refusal),
            Outcome::Pending(Waiting::Confirming) => self.wait_or_reverse(desk, subject),
            Outcome::Pending(Waiting::NoTrade) | Outcome::Unknown(_) => {
                let (phase, request) = Unknown::after_code(desk, subject, self);
                Next::To(phase, request)
            }
        }
    }

    fn wait_or_reverse(&mut self, desk: &Desk, subject: &Subject) -> Next {
        let next = desk.now().plus(desk.pace_of(subject.channel).confirm_poll_ms);
        if desk.now() >= self.until {
            return Next::Reverse(ReverseReason::NoAnswer);
        }
        self.next_at = Some(next.min(self.until));
        Next::Stay
    }

    pub(crate) fn on_timer(&mut self, subject: &Subject) -> Next {
        self.next_at = None;
        Next::Call(Request::Query(subject.trade()))
    }
}
