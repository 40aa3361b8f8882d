//! One attempt to collect an order's money: the set of its states and the moves between them.
//!
//! ```text
//!  show_code ──┬─ paid ───────────────► settled: paid
//!  take_code ──┤─ refused ────────────► settled: not paid
//!      │       └─ given up ──► reverse ─► settled either way
//!      └─ no answer ─► unknown ─► settled, or reverse when time is up
//!  (after a restart every open attempt begins in unknown, or in reverse if that was begun)
//! ```
//!
//! One call at a time is on its way for an attempt. What asks an attempt to give up while a call is on its way waits
//! for that call: an answer that says paid wins.

pub(crate) mod duty;
pub(crate) mod refund;
pub(crate) mod reverse;
pub(crate) mod show_code;
pub(crate) mod take_code;
pub(crate) mod unknown;

use super::desk::Desk;
use super::effect::CallId;
use super::entry::{Entry, Method, OrderState, ReverseReason};
use super::mutant::{Mutant, is_planted};
use crate::channel::outcome::{CodeAnswer, Doubt, DoubtKind, Outcome, Receipt, Refusal, Reversal, Why};
use crate::channel::{Answer, ChannelId, Instalment, Request, Trade, Wallet};
use crate::ids::AttemptId;
use crate::money::Fen;
use crate::time::{Mono, Wall};
use reverse::Reverse;
use show_code::ShowCode;
use take_code::TakeCode;
use unknown::{Unknown, longest_payable};

/// What never changes about an attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject {
    pub attempt: AttemptId,
    pub channel: ChannelId,
    pub method: Method,
    pub amount: Fen,
    pub begun: Wall,
    pub wallet: Option<Wallet>,
    pub instalment: Option<Instalment>,
}

impl Subject {
    /// What a call about it names. Nothing is known to be paid while it is open.
    pub(crate) const fn trade(&self) -> Trade {
        let Self { attempt, method, amount, begun, .. } = *self;
        Trade { attempt, method, amount, begun, trade_no: None }
    }
}

/// An open attempt.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub subject: Subject,
    phase: Phase,
    on_its_way: Option<OnItsWay>,
    give_up: Option<ReverseReason>,
    /// The channel takes no cancel of a pay code before.
    cancel_from: Mono,
}

#[derive(Debug, Clone)]
struct OnItsWay {
    call: CallId,
    request: Request,
    lost_at: Mono,
}

/// The states.
#[derive(Debug)]
pub(crate) enum Phase {
    ShowCode(ShowCode),
    TakeCode(TakeCode),
    Unknown(Unknown),
    Reverse(Reverse),
}

/// What a state decides after an event.
#[derive(Debug)]
pub(crate) enum Next {
    /// Nothing but what it did itself.
    Stay,
    /// Make this call now.
    Call(Request),
    /// Another state.
    To(Phase, Request),
    /// Undo it.
    Reverse(ReverseReason),
    /// Final: the money was taken.
    Paid(Receipt),
    /// Final: no money was taken.
    NotPaid(Refusal),
}

/// What the order learns of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Nothing final.
    Open,
    /// Settled: paid.
    Paid,
    /// Settled: not paid, for this reason.
    NotPaid(Refusal),
}

impl Attempt {
    /// Gives the attempt its number in the journal and makes its first call.
    pub(crate) fn start(desk: &mut Desk, subject: Subject, phase: Phase, request: Request) -> Self {
        desk.note(Entry::AttemptStarted {
            voucher: None,
            order: desk.order(),
            attempt: subject.attempt,
            channel: subject.channel,
            method: subject.method,
            amount: subject.amount,
            wallet: subject.wallet,
            instalment: subject.instalment,
        });
        let mut attempt = Self::new(desk, subject, phase);
        attempt.call(desk, request);
        attempt
    }

    /// The wait before a cancel is counted from now, after a restart too: nobody knows when the code arrived.
    fn new(desk: &Desk, subject: Subject, phase: Phase) -> Self {
        let wait_ms = match subject.method {
            Method::TakeCode if is_planted(Mutant::CancelNotWaitedFor) => 0,
            Method::TakeCode => desk.pace_of(subject.channel).cancel_after_ms,
            Method::ShowCode => 0,
        };
        Self { subject, phase, on_its_way: None, give_up: None, cancel_from: desk.now().plus(wait_ms) }
    }

    /// Takes up an attempt that was open when the daemon stopped.
    pub(crate) fn restore(desk: &mut Desk, subject: Subject, reversing: Option<ReverseReason>) -> Self {
        let (phase, request) = match reversing {
            Some(_) => Reverse::resume(desk, &subject),
            None => Unknown::enter(desk, &subject),
        };
        let mut attempt = Self::new(desk, subject, phase);
        desk.advance_state(OrderState::Unknown);
        attempt.begin(desk, request);
        attempt
    }

    /// The code to be shown, while it may be.
    pub(crate) fn shown_code(&self) -> Option<&str> {
        match &self.phase {
            Phase::ShowCode(state) if self.give_up.is_none() => state.code(),
            Phase::ShowCode(_) | Phase::TakeCode(_) | Phase::Unknown(_) | Phase::Reverse(_) => None,
        }
    }

    /// Whether the buyer is known to be confirming, or a pay code was sent and not answered finally.
    pub(crate) fn is_confirming(&self) -> bool {
        match &self.phase {
            Phase::ShowCode(state) => state.is_scanned(),
            Phase::TakeCode(_) => true,
            Phase::Unknown(_) | Phase::Reverse(_) => false,
        }
    }

    pub(crate) const fn is_reversing(&self) -> bool {
        matches!(self.phase, Phase::Reverse(_)) || self.give_up.is_some()
    }

    /// Its code was never on the screen: nobody can have paid it.
    pub(crate) const fn was_never_seen(&self) -> bool {
        match &self.phase {
            Phase::ShowCode(state) => state.was_never_seen(),
            Phase::TakeCode(_) | Phase::Unknown(_) | Phase::Reverse(_) => false,
        }
    }

    /// The channel confirmed that nothing was paid so far.
    pub(crate) const fn is_closed(&self) -> bool {
        match &self.phase {
            Phase::Reverse(state) => state.is_closed(),
            Phase::ShowCode(_) | Phase::TakeCode(_) | Phase::Unknown(_) => false,
        }
    }

    pub(crate) const fn is_unknown(&self) -> bool {
        matches!(self.phase, Phase::Unknown(_))
    }

    /// Whether goods may be delivered if it turns out paid now: not when a cancel may still return the money.
    pub(crate) fn may_deliver(&self) -> bool {
        match (&self.phase, self.subject.method) {
            (Phase::Reverse(_), Method::TakeCode) => is_planted(Mutant::GoodsInSpiteOfCancel),
            (Phase::Reverse(_), Method::ShowCode) => true,
            (Phase::ShowCode(_) | Phase::TakeCode(_) | Phase::Unknown(_), _) => true,
        }
    }

    pub(crate) fn awaits(&self, call: CallId) -> bool {
        self.on_its_way.as_ref().is_some_and(|on_its_way| on_its_way.call == call)
    }

    pub(crate) fn call_on_its_way(&self) -> Option<CallId> {
        self.on_its_way.as_ref().map(|on_its_way| on_its_way.call)
    }

    pub(crate) fn deadline(&self) -> Option<Mono> {
        match &self.on_its_way {
            Some(on_its_way) => Some(on_its_way.lost_at),
            None => match &self.phase {
                Phase::ShowCode(state) => state.deadline(),
                Phase::TakeCode(state) => state.deadline(),
                Phase::Unknown(state) => state.deadline(),
                Phase::Reverse(state) => state.deadline(),
            },
        }
    }

    /// Stop trying to collect; what is on its way is waited for first.
    pub(crate) fn give_up(&mut self, desk: &mut Desk, reason: ReverseReason) -> News {
        if self.is_reversing() {
            return News::Open;
        }
        if let Some(call) = self.first_call()
            && desk.withdraw(call)
        {
            let code = "never_sent".to_owned();
            return self.settle_not_paid(desk, Refusal { code, why: Why::Closed });
        }
        self.give_up = Some(reason);
        if self.on_its_way.is_some() {
            return News::Open;
        }
        self.follow(desk, Next::Stay)
    }

    /// The call without which the buyer cannot pay, until it is answered.
    fn first_call(&self) -> Option<CallId> {
        let on_its_way = self.on_its_way.as_ref()?;
        matches!(on_its_way.request, Request::TakeCode(..) | Request::ShowCode(_)).then_some(on_its_way.call)
    }

    pub(crate) fn on_timer(&mut self, desk: &mut Desk) -> News {
        if self.deadline().is_none_or(|at| at > desk.now()) {
            return News::Open;
        }
        if let Some(waiting) = self.on_its_way.as_mut().filter(|waiting| desk.holds(waiting.call)) {
            waiting.lost_at = desk.now().plus(desk.pace().call_limit_ms);
            return News::Open;
        }
        if let Some(lost) = self.on_its_way.clone() {
            let doubt = Doubt::new(DoubtKind::NoReply, "no answer within the call's limit");
            return self.on_answer(desk, lost.call, &Answer::in_doubt(&lost.request, doubt));
        }
        let next = match &mut self.phase {
            Phase::ShowCode(state) => state.on_timer(desk, &self.subject),
            Phase::TakeCode(state) => state.on_timer(&self.subject),
            Phase::Unknown(state) => state.on_timer(&self.subject),
            Phase::Reverse(state) => state.on_timer(&self.subject),
        };
        self.follow(desk, next)
    }

    pub(crate) fn on_answer(&mut self, desk: &mut Desk, call: CallId, answer: &Answer) -> News {
        if !self.awaits(call) {
            return News::Open;
        }
        self.on_its_way = None;
        let next = match answer {
            Answer::Code(answer) => self.on_code(desk, answer),
            Answer::Payment(outcome) if is_mistaken_for_unpaid(outcome) => Next::NotPaid(mistaken()),
            Answer::Payment(outcome) => {
                let outcome = self.with_right_amount(outcome.clone());
                self.on_outcome(desk, outcome)
            }
            Answer::Reversal(reversal) => self.on_reversal(desk, reversal),
            Answer::Refund(_) | Answer::Duty(_) | Answer::Reachable(_) => Next::Stay,
        };
        self.follow(desk, next)
    }

    fn on_code(&mut self, desk: &mut Desk, answer: &CodeAnswer) -> Next {
        let comes_too_late = self.give_up.is_some() && matches!(answer, CodeAnswer::Ready(_) | CodeAnswer::Unknown(_));
        if comes_too_late {
            return Next::Stay;
        }
        match &mut self.phase {
            Phase::ShowCode(state) => state.on_code(desk, &self.subject, answer),
            Phase::TakeCode(_) | Phase::Unknown(_) | Phase::Reverse(_) => Next::Stay,
        }
    }

    fn on_outcome(&mut self, desk: &mut Desk, outcome: Outcome) -> Next {
        match &mut self.phase {
            Phase::ShowCode(state) => state.on_outcome(desk, outcome),
            Phase::TakeCode(state) => state.on_outcome(desk, &self.subject, outcome),
            Phase::Unknown(state) => state.on_outcome(desk, &self.subject, outcome),
            Phase::Reverse(state) => state.on_outcome(desk, &self.subject, outcome),
        }
    }

    fn on_reversal(&mut self, desk: &mut Desk, reversal: &Reversal) -> Next {
        match &mut self.phase {
            Phase::Reverse(state) => state.on_reversal(desk, &self.subject, reversal),
            Phase::ShowCode(_) | Phase::TakeCode(_) | Phase::Unknown(_) => Next::Stay,
        }
    }

    /// A payment of another amount is not the payment of this order.
    fn with_right_amount(&self, outcome: Outcome) -> Outcome {
        match &outcome {
            Outcome::Paid(receipt) if receipt.amount != self.subject.amount => {
                let detail = format!("paid {:?}, asked {:?}", receipt.amount, self.subject.amount);
                Outcome::Unknown(Doubt::new(DoubtKind::WrongOrder, detail))
            }
            Outcome::Paid(_) | Outcome::NotPaid(_) | Outcome::Pending(_) | Outcome::Unknown(_) => outcome,
        }
    }

    fn follow(&mut self, desk: &mut Desk, next: Next) -> News {
        match (next, self.give_up) {
            (Next::Paid(receipt), _) => self.settle_paid(desk, receipt),
            (Next::NotPaid(refusal), _) => self.settle_not_paid(desk, refusal),
            (_, Some(reason)) if !matches!(self.phase, Phase::Reverse(_)) => self.reverse(desk, reason),
            (Next::Reverse(reason), _) => self.reverse(desk, reason),
            (Next::Call(request), _) => self.call(desk, request),
            (Next::To(phase, request), _) => {
                self.phase = phase;
                self.call(desk, request)
            }
            (Next::Stay, _) => News::Open,
        }
    }

    fn reverse(&mut self, desk: &mut Desk, reason: ReverseReason) -> News {
        if let Phase::ShowCode(state) = &self.phase
            && state.was_never_seen()
        {
            let code = "code_never_shown".to_owned();
            return self.settle_not_paid(desk, Refusal { code, why: Why::Closed });
        }
        let seen_until = match &self.phase {
            Phase::ShowCode(state) => state.payable_until(desk),
            Phase::TakeCode(_) => longest_payable(desk, self.subject.method),
            Phase::Unknown(state) => state.payable_until(),
            Phase::Reverse(_) => return News::Open,
        };
        let entry = Entry::ReverseStarted { order: desk.order(), attempt: self.subject.attempt, reason };
        desk.note(entry);
        let (phase, request) = Reverse::enter(&self.subject, seen_until);
        self.phase = phase;
        self.begin(desk, request)
    }

    /// Makes the first call of a phase, or waits until the channel takes a cancel.
    fn begin(&mut self, desk: &mut Desk, request: Request) -> News {
        match &mut self.phase {
            Phase::Reverse(state) if self.cancel_from > desk.now() => {
                state.wait_until(self.cancel_from);
                News::Open
            }
            Phase::Reverse(_) | Phase::ShowCode(_) | Phase::TakeCode(_) | Phase::Unknown(_) => self.call(desk, request),
        }
    }

    fn call(&mut self, desk: &mut Desk, request: Request) -> News {
        if self.is_confirming() {
            desk.advance_state(OrderState::Confirming);
        } else if self.is_unknown() {
            desk.advance_state(OrderState::Unknown);
        }
        let call = desk.call(self.subject.channel, request.clone());
        let lost_at = desk.now().plus(desk.pace().call_limit_ms);
        self.on_its_way = Some(OnItsWay { call, request, lost_at });
        News::Open
    }

    fn settle_paid(&self, desk: &mut Desk, receipt: Receipt) -> News {
        desk.note(Entry::AttemptPaid {
            order: desk.order(),
            attempt: self.subject.attempt,
            trade_no: receipt.trade_no,
            paid_at: receipt.paid_at,
            buyer: receipt.buyer,
            details: receipt.details,
        });
        News::Paid
    }

    fn settle_not_paid(&self, desk: &mut Desk, refusal: Refusal) -> News {
        if refusal.why == Why::Setup {
            desk.refused_setup(self.subject.channel);
        }
        let (order, attempt, code) = (desk.order(), self.subject.attempt, refusal.code.clone());
        desk.note(Entry::AttemptNotPaid { order, attempt, code });
        News::NotPaid(refusal)
    }
}

/// Planted mistakes only.
fn is_mistaken_for_unpaid(outcome: &Outcome) -> bool {
    let Outcome::Unknown(doubt) = outcome else {
        return false;
    };
    (is_planted(Mutant::TimeoutIsNotPaid) && doubt.kind == DoubtKind::NoReply)
        || (is_planted(Mutant::UnlistedIsNotPaid) && doubt.kind == DoubtKind::Unlisted)
}

fn mistaken() -> Refusal {
    Refusal { code: "mistaken".to_owned(), why: Why::Closed }
}
