//! We undo an attempt until the channel confirms that no money is with us, or that it was paid after all.
//!
//! | method | call | why |
//! |---|---|---|
//! | we show a code | close | it never touches a paid trade, so a payment that won the race stays a payment |
//! | we take a code | cancel | it closes an unpaid trade and returns the money of a paid one |
//!
//! Some channels take no cancel in the first seconds after the pay code was sent: those are waited for. Neither "no such
//! trade" nor "closed" is an end by itself: a shown code stays payable until it expires, and a pay request or a
//! confirmation may still be on its way. The attempt is asked after until none of it can be.
//!
//! While no undo was answered, undoing and asking take turns: a payment is seen even where the undo stays in doubt, and
//! "no such trade" proves nothing, because the undo may still be what makes an end of it.

use super::unknown::longest_payable;
use super::{Next, Phase, Subject};
use crate::channel::Request;
use crate::channel::outcome::{Outcome, Receipt, Refusal, Reversal, Waiting, Why};
use crate::engine::desk::Desk;
use crate::engine::entry::Method;
use crate::engine::mutant::{Mutant, is_planted};
use crate::engine::retry::Backoff;
use crate::time::Mono;

/// So many undos without an answer, and a payment that is seen is taken for one: it goes back by a refund. A cancel that
/// still arrives moves nothing twice, because no channel returns more than was paid.
const MOST_DOUBTS: u32 = 8;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Undo,
    Ask,
}

/// The state.
#[derive(Debug)]
pub(crate) struct Reverse {
    step: Step,
    /// Until then "no such trade" may still turn into a payment.
    payable_until: Mono,
    /// The channel refused to cancel: a payment must be refunded instead.
    cancel_refused: bool,
    /// The channel answered an undo, whatever it said.
    answered: bool,
    /// Undos without an answer.
    doubts: u32,
    /// The channel said that the trade is closed and unpaid.
    closed: Option<Refusal>,
    next_at: Option<Mono>,
    backoff: Backoff,
}

impl Reverse {
    /// Begin to undo.
    pub(crate) fn enter(subject: &Subject, payable_until: Mono) -> (Phase, Request) {
        let state = Self {
            step: Step::Undo,
            payable_until,
            cancel_refused: false,
            answered: false,
            doubts: 0,
            closed: None,
            next_at: None,
            backoff: Backoff::default(),
        };
        (Phase::Reverse(state), undo(subject))
    }

    /// Go on after a restart.
    pub(crate) fn resume(desk: &Desk, subject: &Subject) -> (Phase, Request) {
        Self::enter(subject, longest_payable(desk, subject.method))
    }

    /// The channel takes no cancel before.
    pub(crate) const fn wait_until(&mut self, from: Mono) {
        self.next_at = Some(from);
    }

    pub(crate) const fn deadline(&self) -> Option<Mono> {
        self.next_at
    }

    /// The channel confirmed that nothing was paid; it is only watched for what should not happen.
    pub(crate) const fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    pub(crate) fn on_timer(&mut self, subject: &Subject) -> Next {
        self.next_at = None;
        match self.step {
            Step::Undo => Next::Call(undo(subject)),
            Step::Ask => Next::Call(Request::Query(subject.trade())),
        }
    }

    pub(crate) fn on_reversal(&mut self, desk: &Desk, subject: &Subject, reversal: &Reversal) -> Next {
        self.answered |= !matches!(reversal, Reversal::Again | Reversal::Unknown(_));
        match reversal {
            // Both are final; the question after them makes sure and tells how the trade stands.
            Reversal::Closed | Reversal::Refunded => self.ask_now(subject),
            Reversal::NoTrade => self.watch(desk),
            Reversal::Ask { .. } => {
                self.cancel_refused = true;
                self.ask_now(subject)
            }
            Reversal::Unknown(_) if is_planted(Mutant::CancelForgottenOnTimeout) => {
                Next::NotPaid(Refusal { code: "cancelled".to_owned(), why: Why::Closed })
            }
            Reversal::Unknown(_) => {
                self.doubts = self.doubts.saturating_add(1);
                self.retry(desk, Step::Ask)
            }
            // It may be under way: a refund beside it would be the second return.
            Reversal::Again => self.retry(desk, Step::Ask),
        }
    }

    pub(crate) fn on_outcome(&mut self, desk: &Desk, subject: &Subject, outcome: Outcome) -> Next {
        match outcome {
            Outcome::Paid(receipt) => self.on_paid(desk, subject, receipt),
            Outcome::NotPaid(refusal) => {
                self.closed = Some(refusal);
                self.watch(desk)
            }
            Outcome::Pending(Waiting::NoTrade) if self.answered => self.watch(desk),
            Outcome::Unknown(_) if self.answered => self.retry(desk, Step::Ask),
            Outcome::Pending(Waiting::NoTrade | Waiting::Confirming) | Outcome::Unknown(_) => {
                self.retry(desk, Step::Undo)
            }
        }
    }

    /// A cancel that was sent may still return the money: only when the channel refuses to cancel, or never says what it
    /// does with one, is it a payment.
    fn on_paid(&mut self, desk: &Desk, subject: &Subject, receipt: Receipt) -> Next {
        match subject.method {
            Method::ShowCode => Next::Paid(receipt),
            Method::TakeCode if self.cancel_refused || self.doubts >= MOST_DOUBTS => Next::Paid(receipt),
            Method::TakeCode => self.retry(desk, Step::Undo),
        }
    }

    fn ask_now(&mut self, subject: &Subject) -> Next {
        self.step = Step::Ask;
        Next::Call(Request::Query(subject.trade()))
    }

    /// The channel knows no trade, or a closed one: done when no payment can come any more, else look again later. A
    /// payment that lands after its trade was closed should not be; if it is, it is caught here.
    fn watch(&mut self, desk: &Desk) -> Next {
        if desk.now() >= self.payable_until || is_planted(Mutant::LatePaymentForgotten) {
            let never_paid = || Refusal { code: "never_paid".to_owned(), why: Why::Closed };
            return Next::NotPaid(self.closed.take().unwrap_or_else(never_paid));
        }
        self.step = Step::Ask;
        self.backoff.reset();
        self.next_at = Some(desk.now().plus(desk.pace().watch_ms).min(self.payable_until));
        Next::Stay
    }

    fn retry(&mut self, desk: &Desk, step: Step) -> Next {
        self.step = step;
        self.next_at = Some(self.backoff.next(desk.now(), desk.pace().retry_ms, desk.pace()));
        Next::Stay
    }
}

fn undo(subject: &Subject) -> Request {
    match subject.method {
        Method::ShowCode => Request::Close(subject.trade()),
        Method::TakeCode => Request::Cancel(subject.trade()),
    }
}
