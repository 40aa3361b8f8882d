//! Money goes back. The refund has its own number, journalled before its first call; the same number is sent until the
//! channel confirms that the money moved. A refusal makes it owed: visible, and tried again for ever.
//!
//! A channel may also end a refund under its number for good without moving money (WeChat Pay: CLOSED): then it is made
//! again under another number, and the journal links the two.
//!
//! A call that was taken is no proof (Alipay: only `fund_change=Y` or the refund query's `REFUND_SUCCESS` is), so what
//! did not move at once is asked after, and sent again under the same number when the channel has never heard of it.

use crate::channel::outcome::{Outcome, RefundOutcome, Why};
use crate::channel::{Answer, ChannelId, RefundOrder, Request, Trade};
use crate::engine::desk::Desk;
use crate::engine::effect::CallId;
use crate::engine::entry::{Entry, IdempotencyKey, RefundReason, Said};
use crate::engine::mutant::{Mutant, is_planted};
use crate::engine::record::{RefundRecord, RefundStage};
use crate::engine::retry::Backoff;
use crate::engine::settings::Pace;
use crate::ids::{AttemptId, OrderId, RefundId};
use crate::money::Fen;
use crate::time::{Mono, Wall};

/// So many times the channel may know nothing of the refund before the trade itself is asked after.
const MOST_ABSENT: u32 = 3;

/// The longest wait before a refund that failed is made again. Each time is two entries, for ever: so it doubles to a day.
const RENEW_MAX_MS: u64 = 86_400_000;

/// What to ask next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Send,
    AskRefund,
    AskTrade,
    /// It failed under its number: the next call is made under another.
    Renew,
}

/// What a refund's start says.
#[derive(Debug, Clone)]
pub(crate) struct RefundStart {
    pub attempt: AttemptId,
    pub refund: RefundId,
    pub amount: Fen,
    pub reason: RefundReason,
    pub idempotency: Option<IdempotencyKey>,
    pub said: Option<Said>,
    pub instead_of: Option<RefundId>,
}

impl RefundStart {
    pub(crate) fn of(record: &RefundRecord) -> Self {
        Self {
            attempt: record.attempt,
            refund: record.refund,
            amount: record.amount,
            reason: record.reason,
            idempotency: record.idempotency.clone(),
            said: record.said.clone(),
            instead_of: None,
        }
    }

    pub(crate) fn entry(&self, order: OrderId) -> Entry {
        let Self { attempt, refund, amount, reason, idempotency, said, instead_of } = self.clone();
        Entry::RefundStarted { order, attempt, refund, amount, reason, idempotency, said, instead_of }
    }

    fn order(&self, trade: Trade, begun: Wall) -> RefundOrder {
        let reason = reason_text(self.reason).to_owned();
        RefundOrder { trade, refund: self.refund, begun, amount: self.amount, reason, confirmed: None }
    }
}

/// An open refund.
#[derive(Debug)]
pub(crate) struct Refund {
    channel: ChannelId,
    wanted: RefundOrder,
    start: RefundStart,
    step: Step,
    absent: u32,
    /// How often it was sent under this number, as far as is known.
    sent: u32,
    on_its_way: Option<(CallId, Mono)>,
    next_at: Option<Mono>,
    backoff: Backoff,
}

impl Refund {
    /// Journal a new refund; its first call leaves as soon as the entry is durable.
    pub(crate) fn start(desk: &mut Desk, start: RefundStart) -> Option<Self> {
        let attempt = desk.record.attempt(start.attempt)?;
        let (channel, trade) = (attempt.channel, attempt.trade());
        let begun = desk.office.now.wall;
        desk.note(start.entry(desk.order()));
        let mut state = Self::waiting(channel, start.order(trade, begun), start);
        state.send(desk);
        Some(state)
    }

    /// Take up a refund that was open when the daemon stopped: ask first, it may be done. One that failed waits again.
    pub(crate) fn restore(desk: &mut Desk, channel: ChannelId, trade: Trade, record: &RefundRecord) -> Self {
        let start = RefundStart::of(record);
        // Nobody knows whether it left before.
        let sent = 1;
        let mut state = Self { sent, ..Self::waiting(channel, start.order(trade, record.begun), start) };
        if record.stage == RefundStage::Failed {
            state.renew_later(desk);
        } else {
            state.step = Step::AskRefund;
            state.send(desk);
        }
        state
    }

    fn waiting(channel: ChannelId, wanted: RefundOrder, start: RefundStart) -> Self {
        Self {
            channel,
            wanted,
            start,
            step: Step::Send,
            absent: 0,
            sent: 0,
            on_its_way: None,
            next_at: None,
            backoff: Backoff::default(),
        }
    }

    pub(crate) const fn channel(&self) -> ChannelId {
        self.channel
    }

    pub(crate) const fn attempt(&self) -> AttemptId {
        self.start.attempt
    }

    pub(crate) fn awaits(&self, call: CallId) -> bool {
        self.on_its_way.is_some_and(|(on_its_way, _)| on_its_way == call)
    }

    pub(crate) fn deadline(&self) -> Option<Mono> {
        self.on_its_way.map(|(_, lost_at)| lost_at).or(self.next_at)
    }

    pub(crate) fn on_timer(&mut self, desk: &mut Desk) {
        if self.deadline().is_none_or(|at| at > desk.now()) {
            return;
        }
        match self.on_its_way.take() {
            Some((waiting, _)) if desk.holds(waiting) => self.wait_for(desk, waiting),
            Some(_lost) => self.ask_later(desk),
            None if is_planted(Mutant::FreshRefundNumber) => self.send_afresh(desk),
            None => self.send(desk),
        }
    }

    /// A planted mistake.
    fn send_afresh(&mut self, desk: &mut Desk) {
        self.wanted.refund = desk.new_refund();
        self.step = Step::Send;
        self.send(desk);
    }

    /// Takes the answer in; `true` when the money is back.
    pub(crate) fn on_answer(&mut self, desk: &mut Desk, answer: &Answer) -> bool {
        self.on_its_way = None;
        match answer {
            Answer::Refund(outcome) => self.on_outcome(desk, outcome),
            Answer::Payment(outcome) => self.on_trade(desk, outcome),
            Answer::Code(_) | Answer::Reversal(_) | Answer::Duty(_) | Answer::Reachable(_) => {
                self.ask_later(desk);
                false
            }
        }
    }

    fn on_outcome(&mut self, desk: &mut Desk, outcome: &RefundOutcome) -> bool {
        match outcome {
            RefundOutcome::Done => return self.done(desk),
            RefundOutcome::NotMoved if is_planted(Mutant::RefundTakenIsDone) => return self.done(desk),
            RefundOutcome::NotMoved => {
                self.step = Step::AskRefund;
                self.next_at = Some(self.backoff.next(desk.now(), self.pace(desk).refund_query_ms, desk.pace()));
            }
            RefundOutcome::Absent => self.on_absent(desk),
            RefundOutcome::ShortOfFunds | RefundOutcome::Refused { .. } if self.is_dropped() => return true,
            RefundOutcome::ShortOfFunds => self.owe(desk, "short_of_funds"),
            RefundOutcome::Refused { code } => self.owe(desk, code),
            RefundOutcome::Failed { .. } if is_planted(Mutant::FailedRefundIsDropped) => return true,
            // The refusal of a repeat says nothing about the first, which may still move the money: its own query does.
            RefundOutcome::Failed { code } if self.step == Step::Send && self.sent > 1 => {
                self.note_owed(desk, code);
                self.ask_later(desk);
            }
            RefundOutcome::Failed { code } => self.fail(desk, code),
            RefundOutcome::Unknown(_) => self.ask_later(desk),
        }
        false
    }

    /// Not received or failed: once more under the same number. Again and again: perhaps the trade is closed, and the
    /// channel's own cancel returned the money.
    fn on_absent(&mut self, desk: &mut Desk) {
        self.absent += 1;
        self.step = if self.absent.is_multiple_of(MOST_ABSENT) { Step::AskTrade } else { Step::Send };
        let gap = self.pace(desk).refund_gap_ms;
        self.next_at = Some(self.backoff.next(desk.now(), gap, desk.pace()));
    }

    /// A trade that is closed after it was paid has given all its money back. Any other "not paid" contradicts the payment
    /// and proves nothing.
    fn on_trade(&mut self, desk: &mut Desk, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::NotPaid(refusal) if refusal.why == Why::Closed => return self.done(desk),
            Outcome::NotPaid(_) => self.ask_later(desk),
            Outcome::Paid(_) | Outcome::Pending(_) => {
                self.step = Step::Send;
                self.next_at = Some(self.backoff.next(desk.now(), self.pace(desk).refund_gap_ms, desk.pace()));
            }
            Outcome::Unknown(_) => self.ask_later(desk),
        }
        false
    }

    fn done(&self, desk: &mut Desk) -> bool {
        let entry = Entry::RefundDone { order: desk.order(), refund: self.wanted.refund };
        desk.note(entry);
        true
    }

    /// The channel refuses for now. The trade is asked after before the next try: it may be closed.
    fn owe(&mut self, desk: &mut Desk, code: &str) {
        self.note_owed(desk, code);
        self.step = if self.step == Step::AskTrade { Step::Send } else { Step::AskTrade };
        self.next_at = Some(self.backoff.next(desk.now(), self.pace(desk).refund_query_ms, desk.pace()));
    }

    /// Once for each code: the journal does not grow with the tries.
    fn note_owed(&self, desk: &mut Desk, code: &str) {
        let known = desk.record.refunds.iter().find(|known| known.refund == self.wanted.refund);
        if known.is_none_or(|known| known.owed.as_deref() != Some(code)) {
            let (order, refund, code) = (desk.order(), self.wanted.refund, code.to_owned());
            desk.note(Entry::RefundOwed { order, refund, code });
        }
    }

    /// This number is spent, and the money is still owed: another one returns it.
    fn fail(&mut self, desk: &mut Desk, code: &str) {
        let (order, refund, code) = (desk.order(), self.wanted.refund, code.to_owned());
        desk.note(Entry::RefundFailed { order, refund, code });
        self.renew_later(desk);
    }

    /// The wait doubles with every number that is spent already, over restarts too.
    fn renew_later(&mut self, desk: &Desk) {
        let spent = |known: &&RefundRecord| known.attempt == self.wanted.trade.attempt && known.is_replaced();
        let spent = u32::try_from(desk.record.refunds.iter().filter(spent).count()).unwrap_or(u32::MAX);
        let factor = 1_u64.checked_shl(spent).unwrap_or(u64::MAX);
        let wait_ms = self.pace(desk).refund_gap_ms.saturating_mul(factor).min(RENEW_MAX_MS);
        self.step = Step::Renew;
        self.next_at = Some(desk.now().plus(wait_ms));
    }

    fn renew(&mut self, desk: &mut Desk) {
        let refund = desk.new_refund();
        self.start = RefundStart { refund, instead_of: Some(self.wanted.refund), ..self.start.clone() };
        desk.note(self.start.entry(desk.order()));
        self.wanted = self.start.order(self.wanted.trade.clone(), desk.office.now.wall);
        self.absent = 0;
        self.sent = 0;
        // Perhaps it failed because a cancel that was on its way returned the money: the trade tells.
        self.step = Step::AskTrade;
    }

    fn pace<'a>(&self, desk: &'a Desk) -> &'a Pace {
        desk.pace_of(self.channel)
    }

    /// A planted mistake: ten tries are enough.
    fn is_dropped(&self) -> bool {
        is_planted(Mutant::OwedIsDropped) && self.backoff.tries() > 10
    }

    fn ask_later(&mut self, desk: &Desk) {
        self.step = Step::AskRefund;
        self.next_at = Some(self.backoff.next(desk.now(), desk.pace().retry_ms, desk.pace()));
    }

    fn send(&mut self, desk: &mut Desk) {
        self.next_at = None;
        if self.step == Step::Renew {
            self.renew(desk);
        }
        self.sent += u32::from(self.step == Step::Send);
        self.wanted.confirmed = desk.record.confirmed_of(self.wanted.trade.attempt);
        let request = match self.step {
            Step::Send | Step::Renew => Request::Refund(self.wanted.clone()),
            Step::AskRefund => Request::RefundQuery(self.wanted.clone()),
            Step::AskTrade => Request::Query(self.wanted.trade.clone()),
        };
        let call = desk.call(self.channel, request);
        self.wait_for(desk, call);
    }

    fn wait_for(&mut self, desk: &Desk, call: CallId) {
        self.on_its_way = Some((call, desk.now().plus(desk.pace().call_limit_ms)));
    }
}

/// The reason that the buyer reads.
const fn reason_text(reason: RefundReason) -> &'static str {
    match reason {
        RefundReason::Undelivered => "商品未送出，自动退款",
        RefundReason::Change => "找零，自动退款",
        RefundReason::Late => "订单已结束，自动退款",
        RefundReason::PaidTwice => "重复付款，自动退款",
        RefundReason::Operator => "商家退款",
    }
}
