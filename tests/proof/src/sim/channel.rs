//! A model of Alipay for one merchant, with its ledger, its rules for repeated numbers and its moods.

use std::collections::{BTreeMap, BTreeSet};

use payment::channel::alipay::codes::Class;
use payment::channel::alipay::failed;
use payment::channel::alipay::wire::Method;
use payment::channel::outcome::{
    CodeAnswer, Details, DutyOutcome, Outcome, Receipt, RefundOutcome, Refusal, Reversal, Waiting, Why,
};
use payment::channel::{Answer, Offer, RefundOrder, Request};
use payment::ids::{AttemptId, RefundId};
use payment::money::Fen;

use super::failures::{self, No};
use crate::dice::Dice;

/// How long a pay code lives.
pub const PAY_CODE_MS: u64 = 60_000;

/// How long after a pay code was read its payment may still land although the trade was closed.
const LANDS_WITHIN_MS: u64 = 80_000;

/// There is no trade under this number.
const NO_TRADE: No = No::With("ACQ.TRADE_NOT_EXIST");

/// How a trade stands at Alipay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A code was made and nobody scanned it: no trade yet.
    Code {
        /// Until when it may be scanned.
        valid_until: u64,
    },
    /// The buyer sees the cashier, until Alipay closes the trade by itself.
    Confirming {
        /// Until then.
        until: u64,
    },
    /// The money was taken.
    Paid,
    /// Closed, unpaid or given back.
    Closed,
}

/// A refund in the ledger.
#[derive(Debug, Clone, Copy)]
pub struct Returned {
    amount: Fen,
    /// A refund may be taken now and move later.
    moves_at: u64,
}

/// A trade in the ledger.
#[derive(Debug, Clone)]
pub struct Trade {
    /// What was asked.
    pub amount: Fen,
    /// How it stands.
    pub standing: Standing,
    /// What was taken.
    pub charged: Fen,
    /// What went back, by its number.
    pub refunds: BTreeMap<RefundId, Returned>,
    /// What a cancel gave back.
    pub cancelled_back: Fen,
    /// Its code was on the screen.
    pub seen: bool,
    /// Until then a confirmation that was on its way may land in spite of our close.
    pub lands_until: u64,
    /// We closed it while the buyer was confirming.
    raced: bool,
}

/// What a pay code of the buyer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wallet {
    /// Pays without asking.
    PaysAtOnce,
    /// Asks the buyer first.
    Confirms,
    /// Refuses, with this code.
    Refuses(&'static str),
}

/// What the merchant's account or Alipay itself does to calls.
#[derive(Debug, Clone, Default)]
pub struct Mood {
    /// The merchant's set-up is refused.
    pub refuses_setup: bool,
    /// So many codes are refused, with this kind.
    pub refuses_codes: Option<(u32, Why)>,
    /// Refunds are refused.
    pub refuses_refunds: bool,
    /// The merchant's balance is short.
    pub short_of_funds: bool,
    /// Refunds move so much later.
    pub refunds_take_ms: u64,
    /// So many refunds are taken and not carried out.
    pub drops_refunds: u32,
    /// So many cancels of paid trades are refused. That is no word about one that arrives later.
    pub refuses_cancels: u32,
    /// Payments are told with another amount.
    pub tells_wrong_amounts: bool,
    /// So many cancels are answered "again" and do nothing.
    pub again: u32,
    /// Alipay closes what the buyer does not confirm within this; never when it is nothing.
    pub confirm_within_ms: Option<u64>,
    /// So many of 100 calls fail with some code, where that is no lie.
    pub fails: u64,
}

/// The channel.
#[derive(Debug, Clone)]
pub struct Alipay {
    /// The ledger.
    pub trades: BTreeMap<AttemptId, Trade>,
    wallets: BTreeMap<String, (Wallet, u64)>,
    /// How it is disposed.
    pub mood: Mood,
    /// The codes that it said, as [`failures::name`] has them.
    pub said: BTreeSet<String>,
    dice: Dice,
}

impl Trade {
    fn new(amount: Fen, standing: Standing, lands_until: u64) -> Self {
        let (charged, cancelled_back) = (Fen::ZERO, Fen::ZERO);
        Self {
            amount,
            standing,
            charged,
            refunds: BTreeMap::new(),
            cancelled_back,
            seen: false,
            lands_until,
            raced: false,
        }
    }

    fn returned(&self) -> Fen {
        self.refunds.values().map(|returned| returned.amount).chain([self.cancelled_back]).sum()
    }

    /// What the buyer has paid when all that was taken in has moved.
    #[must_use]
    pub fn net(&self) -> Fen {
        Fen::new(self.charged.get() - self.returned().get())
    }

    /// Whether this refund has moved by now.
    fn has_moved(&self, refund: RefundId, now: u64) -> bool {
        self.refunds.get(&refund).is_some_and(|returned| returned.moves_at <= now)
    }

    /// What is back with the buyer by now, by whichever call.
    #[must_use]
    pub fn is_back(&self, now: u64) -> Fen {
        let moved = self.refunds.values().filter(|returned| returned.moves_at <= now);
        moved.map(|returned| returned.amount).chain([self.cancelled_back]).sum()
    }

    /// A cancel returns all that is not back yet; a refund that was to move later has nothing left to move.
    fn cancel(&mut self, now: u64) {
        self.refunds.retain(|_, returned| returned.moves_at <= now);
        self.cancelled_back = self.net();
        self.standing = Standing::Closed;
    }

    /// A trade whose money is all back is closed.
    fn close_if_returned(&mut self, now: u64) {
        let moved = self.refunds.values().all(|returned| returned.moves_at <= now);
        if self.standing == Standing::Paid && moved && self.net() == Fen::ZERO {
            self.standing = Standing::Closed;
        }
    }

    /// Closed while the buyer confirms: who is first?
    const fn race(&mut self) {
        self.standing = Standing::Closed;
        self.raced = true;
    }

    fn pay(&mut self) {
        self.standing = Standing::Paid;
        self.charged = self.amount;
        self.raced = false;
    }
}

impl Alipay {
    /// A channel in a good mood, whose words are drawn from this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            trades: BTreeMap::new(),
            wallets: BTreeMap::new(),
            mood: Mood::default(),
            said: BTreeSet::new(),
            dice: Dice::new(seed),
        }
    }

    /// The phone makes a pay code.
    pub fn make_pay_code(&mut self, code: &str, wallet: Wallet, now: u64) {
        self.wallets.insert(code.to_owned(), (wallet, now + PAY_CODE_MS));
    }

    /// The phone scans a shown code; the trade begins.
    pub fn scan(&mut self, attempt: AttemptId, now: u64) -> bool {
        let until = self.confirms_until(now);
        let Some(trade) = self.trades.get_mut(&attempt) else {
            return false;
        };
        let fits = trade.seen && matches!(trade.standing, Standing::Code { valid_until } if now <= valid_until);
        if fits {
            trade.standing = Standing::Confirming { until };
        }
        fits
    }

    /// The buyer confirms on the phone.
    pub fn confirm(&mut self, attempt: AttemptId, now: u64) -> bool {
        let trade = self.trades.get_mut(&attempt);
        let confirming = |trade: &&mut Trade| matches!(trade.standing, Standing::Confirming { until } if now <= until);
        trade.filter(confirming).map(Trade::pay).is_some()
    }

    /// The buyer refuses on the phone.
    pub fn refuse(&mut self, attempt: AttemptId) {
        if let Some(trade) = self.trades.get_mut(&attempt)
            && matches!(trade.standing, Standing::Confirming { .. })
        {
            trade.standing = Standing::Closed;
        }
    }

    /// A confirmation that was on its way lands although we closed the trade meanwhile. It should not be; it is charged.
    pub fn lands_despite_close(&mut self, attempt: AttemptId, now: u64) -> bool {
        let trade = self.trades.get_mut(&attempt);
        let may = |trade: &&mut Trade| trade.standing == Standing::Closed && trade.raced && now < trade.lands_until;
        trade.filter(may).map(Trade::pay).is_some()
    }

    /// The trades that a buyer could still do something with.
    #[must_use]
    pub fn payable(&self) -> Vec<AttemptId> {
        let begun = |trade: &Trade| match trade.standing {
            Standing::Code { .. } => trade.seen,
            Standing::Confirming { .. } => true,
            Standing::Paid | Standing::Closed => false,
        };
        self.trades.iter().filter(|(_, trade)| begun(trade)).map(|(attempt, _)| *attempt).collect()
    }

    fn confirms_until(&self, now: u64) -> u64 {
        self.mood.confirm_within_ms.map_or(u64::MAX, |ms| now + ms)
    }

    /// Carries one call out. `sent` is when the terminal sent it.
    pub fn execute(&mut self, request: &Request, sent: u64, now: u64) -> Answer {
        self.close_expired(now);
        let answer = match self.fails(request) {
            Some((code, done)) => {
                if done {
                    let _unsaid = self.carry_out(request, sent, now);
                }
                Err(No::With(code))
            }
            None => self.carry_out(request, sent, now),
        };
        answer.unwrap_or_else(|no| self.say(request, no))
    }

    fn carry_out(&mut self, request: &Request, sent: u64, now: u64) -> Result<Answer, No> {
        match request {
            Request::ShowCode(offer) => self.show_code(offer, now).map(Answer::Code),
            Request::TakeCode(offer, code) => self.take_code(offer, code.expose(), sent, now).map(Answer::Payment),
            Request::Query(trade) => self.query(trade.attempt).map(Answer::Payment),
            Request::Cancel(trade) => self.cancel(trade.attempt, now).map(Answer::Reversal),
            Request::Close(trade) => self.close(trade.attempt).map(Answer::Reversal),
            Request::Refund(refund) => self.refund(refund, now).map(Answer::Refund),
            Request::RefundQuery(refund) => Ok(Answer::Refund(self.refund_query(refund, now))),
            // Alipay asks for none.
            Request::Duty(_) => Ok(Answer::Duty(DutyOutcome::Done)),
            Request::Probe => Ok(Answer::Reachable(true)),
        }
    }

    /// Whether the call fails: with which code, and whether it is carried out nonetheless.
    fn fails(&mut self, request: &Request) -> Option<(&'static str, bool)> {
        if *request == Request::Probe || self.dice.roll(100) >= self.mood.fails {
            return None;
        }
        let method = Method::of(request);
        let class = *self.dice.pick(&failures::classes(method));
        let code = *self.dice.pick(&failures::codes(method, class));
        let trade = attempt_of(request).and_then(|attempt| self.trades.get(&attempt));
        let done = failures::leaves_open(class, request) && self.dice.one_in(2);
        is_no_lie(class, request, trade).then_some((code, done))
    }

    /// What a code means is not this model's to say: the adapter's own function does.
    fn say(&mut self, request: &Request, no: No) -> Answer {
        let method = Method::of(request);
        let code = match no {
            No::With(code) => code,
            No::Some(class) => *self.dice.pick(&failures::codes(method, Some(class))),
        };
        self.said.insert(failures::name(method, code));
        failed(request, &failures::spelled(code))
    }

    fn close_expired(&mut self, now: u64) {
        for trade in self.trades.values_mut() {
            if matches!(trade.standing, Standing::Confirming { until } if until < now) {
                trade.standing = Standing::Closed;
            }
            trade.close_if_returned(now);
        }
    }

    fn show_code(&mut self, offer: &Offer, now: u64) -> Result<CodeAnswer, No> {
        if self.mood.refuses_setup {
            return Err(No::Some(Class::Refused(Why::Setup)));
        }
        if let Some((left, why)) = self.mood.refuses_codes.take_if(|(left, _)| *left > 0) {
            self.mood.refuses_codes = Some((left - 1, why));
            return Err(No::Some(Class::Refused(why)));
        }
        let valid_until = now + offer.valid_ms.next_multiple_of(60_000);
        let made = || Trade::new(offer.amount, Standing::Code { valid_until }, valid_until);
        let trade = self.trades.entry(offer.attempt).or_insert_with(made);
        match trade.standing {
            Standing::Code { .. } => Ok(CodeAnswer::Ready(format!("https://qr.alipay.com/{}", offer.attempt))),
            Standing::Confirming { .. } | Standing::Paid => Err(No::With("ACQ.TRADE_HAS_SUCCESS")),
            Standing::Closed => Err(No::With("ACQ.TRADE_HAS_CLOSE")),
        }
    }

    fn take_code(&mut self, offer: &Offer, code: &str, sent: u64, now: u64) -> Result<Outcome, No> {
        if self.mood.refuses_setup {
            return Err(No::Some(Class::Refused(Why::Setup)));
        }
        if self.trades.contains_key(&offer.attempt) {
            return self.query(offer.attempt);
        }
        // A pay code is single use.
        let wallet = self.wallets.remove(code).filter(|(_, until)| now <= *until);
        let standing = match wallet {
            None => return Err(No::With("ACQ.PAYMENT_AUTH_CODE_INVALID")),
            Some((Wallet::Refuses(code), _)) => return Err(No::With(code)),
            Some((Wallet::PaysAtOnce, _)) => Standing::Paid,
            Some((Wallet::Confirms, _)) => Standing::Confirming { until: self.confirms_until(now) },
        };
        let mut trade = Trade::new(offer.amount, standing, sent + LANDS_WITHIN_MS);
        if standing == Standing::Paid {
            trade.pay();
        }
        self.trades.insert(offer.attempt, trade);
        self.query(offer.attempt)
    }

    fn query(&self, attempt: AttemptId) -> Result<Outcome, No> {
        let trade = self.trades.get(&attempt).ok_or(NO_TRADE)?;
        match trade.standing {
            Standing::Code { .. } => Err(NO_TRADE),
            Standing::Confirming { .. } => Ok(Outcome::Pending(Waiting::Confirming)),
            Standing::Paid => Ok(Outcome::Paid(Receipt {
                trade_no: format!("2026{attempt}"),
                amount: Fen::new(trade.amount.get() + i64::from(self.mood.tells_wrong_amounts)),
                paid_at: None,
                buyer: None,
                details: Details::default(),
            })),
            // Not a code of the table: the trade's own state.
            Standing::Closed => Ok(Outcome::NotPaid(Refusal { code: "TRADE_CLOSED".to_owned(), why: Why::Closed })),
        }
    }

    fn cancel(&mut self, attempt: AttemptId, now: u64) -> Result<Reversal, No> {
        if self.mood.again > 0 {
            self.mood.again -= 1;
            return Err(No::Some(Class::Again));
        }
        let mood = &mut self.mood;
        let trade = self.trades.get_mut(&attempt).ok_or(NO_TRADE)?;
        match trade.standing {
            Standing::Code { .. } => Err(NO_TRADE),
            Standing::Paid if mood.refuses_cancels > 0 => {
                mood.refuses_cancels -= 1;
                Err(No::Some(Class::Ask))
            }
            Standing::Paid => {
                trade.cancel(now);
                Ok(Reversal::Refunded)
            }
            Standing::Confirming { .. } => {
                trade.race();
                Ok(Reversal::Closed)
            }
            Standing::Closed => Ok(Reversal::Closed),
        }
    }

    fn close(&mut self, attempt: AttemptId) -> Result<Reversal, No> {
        let trade = self.trades.get_mut(&attempt).ok_or(NO_TRADE)?;
        match trade.standing {
            Standing::Code { .. } => Err(NO_TRADE),
            Standing::Confirming { .. } => {
                trade.race();
                Ok(Reversal::Closed)
            }
            Standing::Paid | Standing::Closed => Err(No::Some(Class::Ask)),
        }
    }

    fn refund(&mut self, wanted: &RefundOrder, now: u64) -> Result<RefundOutcome, No> {
        if self.mood.short_of_funds {
            return Err(No::Some(Class::ShortOfFunds));
        }
        let trade = self.trades.get_mut(&wanted.trade.attempt).ok_or(NO_TRADE)?;
        match trade.refunds.get(&wanted.refund) {
            // Nothing moved this time.
            Some(known) if known.amount == wanted.amount => return Ok(RefundOutcome::NotMoved),
            Some(_) => return Err(No::With("ACQ.DISCORDANT_REPEAT_REQUEST")),
            None => {}
        }
        if self.mood.refuses_refunds {
            return Err(No::Some(Class::Rejected));
        }
        match trade.standing {
            Standing::Code { .. } => Err(NO_TRADE),
            Standing::Confirming { .. } | Standing::Closed => Err(No::Some(Class::Ask)),
            Standing::Paid if wanted.amount > trade.net() => Err(No::With("ACQ.REFUND_FEE_ERROR")),
            Standing::Paid if self.mood.drops_refunds > 0 => {
                self.mood.drops_refunds -= 1;
                Ok(RefundOutcome::NotMoved)
            }
            Standing::Paid => {
                let later = self.mood.refunds_take_ms;
                trade.refunds.insert(wanted.refund, Returned { amount: wanted.amount, moves_at: now + later });
                trade.close_if_returned(now);
                Ok(if later == 0 { RefundOutcome::Done } else { RefundOutcome::NotMoved })
            }
        }
    }

    fn refund_query(&self, wanted: &RefundOrder, now: u64) -> RefundOutcome {
        let moved = self.trades.get(&wanted.trade.attempt).is_some_and(|trade| trade.has_moved(wanted.refund, now));
        if moved { RefundOutcome::Done } else { RefundOutcome::Absent }
    }
}

/// Whether the ledger allows a code of this class as the answer. A doubt is always allowed: the terminal asks, and learns
/// the truth.
fn is_no_lie(class: Option<Class>, request: &Request, trade: Option<&Trade>) -> bool {
    match class {
        None | Some(Class::Trouble | Class::Again | Class::Ask) => true,
        Some(Class::NoTrade) => trade.is_none_or(|trade| matches!(trade.standing, Standing::Code { .. })),
        // Final: nothing was taken, and nobody can pay a code that nobody has seen.
        Some(Class::Refused(_)) => {
            trade.is_none_or(|trade| matches!(trade.standing, Standing::Code { .. }) && !trade.seen)
        }
        Some(Class::ShortOfFunds | Class::Rejected) => !has_refund(request, trade),
    }
}

/// Whether the ledger has the refund that is asked for.
fn has_refund(request: &Request, trade: Option<&Trade>) -> bool {
    match request {
        Request::Refund(wanted) | Request::RefundQuery(wanted) => {
            trade.is_some_and(|trade| trade.refunds.contains_key(&wanted.refund))
        }
        Request::ShowCode(_)
        | Request::TakeCode(..)
        | Request::Query(_)
        | Request::Cancel(_)
        | Request::Close(_)
        | Request::Duty(_)
        | Request::Probe => false,
    }
}

/// The name of a call.
#[must_use]
pub const fn name_of(request: &Request) -> &'static str {
    match request {
        Request::ShowCode(_) => "precreate",
        Request::TakeCode(..) => "pay",
        Request::Query(_) => "query",
        Request::Cancel(_) => "cancel",
        Request::Close(_) => "close",
        Request::Refund(_) => "refund",
        Request::RefundQuery(_) => "refund query",
        Request::Duty(_) => "duty",
        Request::Probe => "probe",
    }
}

/// The attempt that a call is about.
#[must_use]
pub const fn attempt_of(request: &Request) -> Option<AttemptId> {
    match request {
        Request::ShowCode(offer) | Request::TakeCode(offer, _) => Some(offer.attempt),
        Request::Query(trade) | Request::Cancel(trade) | Request::Close(trade) => Some(trade.attempt),
        Request::Refund(refund) | Request::RefundQuery(refund) => Some(refund.trade.attempt),
        Request::Duty(duty) => Some(duty.trade.attempt),
        Request::Probe => None,
    }
}
