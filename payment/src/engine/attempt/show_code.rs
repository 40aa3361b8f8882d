//! We show a code: it is made, shown with a countdown, and asked after until it is paid or given up.
//!
//! At Alipay a code that nobody scanned is no trade yet, and no call can kill it (Alipay face-to-face payment,
//! precreate): so giving up a shown code means watching it until it has expired.

use super::{Next, Phase, Subject};
use crate::channel::outcome::{CodeAnswer, Outcome, Refusal, Waiting, Why};
use crate::channel::{Offer, Request};
use crate::engine::desk::Desk;
use crate::engine::entry::OrderState;
use crate::engine::mutant::{Mutant, is_planted};
use crate::engine::retry::Backoff;
use crate::time::Mono;

/// So many times a code is asked for before the buyer is told that there is none.
const MOST_TRIES: u32 = 3;

/// The state.
#[derive(Debug)]
pub(crate) struct ShowCode {
    offer: Offer,
    code: Option<String>,
    scanned: bool,
    asked: Mono,
    tries: u32,
    next_at: Option<Mono>,
    backoff: Backoff,
}

impl ShowCode {
    /// Ask for a code.
    pub(crate) fn enter(desk: &Desk, offer: Offer) -> (Phase, Request) {
        let request = Request::ShowCode(offer.clone());
        let state = Self {
            offer,
            code: None,
            scanned: false,
            asked: desk.now(),
            tries: 1,
            next_at: None,
            backoff: Backoff::default(),
        };
        (Phase::ShowCode(state), request)
    }

    pub(crate) fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    pub(crate) const fn is_scanned(&self) -> bool {
        self.scanned
    }

    /// Nobody can pay a code that was never on the screen.
    pub(crate) const fn was_never_seen(&self) -> bool {
        self.code.is_none() && !self.scanned
    }

    pub(crate) const fn deadline(&self) -> Option<Mono> {
        self.next_at
    }

    /// Until when somebody may still pay it.
    pub(crate) fn payable_until(&self, desk: &Desk) -> Mono {
        self.asked.plus(self.offer.valid_ms).plus(desk.pace().late_margin_ms)
    }

    pub(crate) fn on_code(&mut self, desk: &mut Desk, subject: &Subject, answer: &CodeAnswer) -> Next {
        match answer {
            CodeAnswer::Ready(code) => {
                self.code = Some(code.clone());
                // The channel counts from the request's arrival, which was not later than this.
                self.asked = desk.now();
                self.backoff.reset();
                self.next_at = Some(desk.now().plus(desk.pace().code_poll_ms));
                Next::Stay
            }
            CodeAnswer::Refused(refusal) => Next::NotPaid(refusal.clone()),
            CodeAnswer::Ask { .. } => Next::Call(Request::Query(subject.trade())),
            CodeAnswer::Unknown(_) if self.tries < MOST_TRIES => {
                self.next_at = Some(self.backoff.next(desk.now(), desk.pace().retry_ms, desk.pace()));
                Next::Stay
            }
            CodeAnswer::Unknown(_) => no_code(),
        }
    }

    pub(crate) fn on_outcome(&mut self, desk: &mut Desk, outcome: Outcome) -> Next {
        let pace = *desk.pace();
        let tells_nothing = matches!(outcome, Outcome::Pending(Waiting::NoTrade) | Outcome::Unknown(_));
        if tells_nothing && self.was_never_seen() && self.tries >= MOST_TRIES {
            return no_code();
        }
        match outcome {
            Outcome::Paid(receipt) => return Next::Paid(receipt),
            Outcome::NotPaid(refusal) => return Next::NotPaid(refusal),
            Outcome::Pending(waiting) => {
                if waiting == Waiting::Confirming {
                    self.scanned = true;
                    desk.advance_state(OrderState::Confirming);
                }
                self.backoff.reset();
                self.next_at = Some(desk.now().plus(pace.code_poll_ms));
            }
            Outcome::Unknown(_) => self.next_at = Some(self.backoff.next(desk.now(), pace.code_poll_ms, &pace)),
        }
        Next::Stay
    }

    pub(crate) fn on_timer(&mut self, desk: &mut Desk, subject: &Subject) -> Next {
        self.next_at = None;
        if self.code.is_some() || self.scanned {
            return Next::Call(Request::Query(subject.trade()));
        }
        self.tries += 1;
        self.asked = desk.now();
        if is_planted(Mutant::NewNumberOnRetry) {
            self.offer.attempt = desk.new_attempt();
        }
        Next::Call(Request::ShowCode(self.offer.clone()))
    }
}

/// Nobody has seen a code under this number, so nobody can have paid it: the next channel gets its turn.
fn no_code() -> Next {
    Next::NotPaid(Refusal { code: "no_code".to_owned(), why: Why::NewNumber })
}
