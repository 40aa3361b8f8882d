//! A model of one channel for one merchant: its ledger, its moods, what buyers do with their phones, and how it fails. The
//! rules of each channel are in [`alipay`](super::alipay), [`wechat`](super::wechat) and [`acquirer`](super::acquirer).

use std::collections::{BTreeMap, BTreeSet};

use payment::channel::outcome::{Details, DutyOutcome, Outcome, Receipt, Why};
use payment::channel::{Answer, ChannelId, Duty, Offer, Request};
use payment::ids::{AttemptId, RefundId};
use payment::money::Fen;

use super::failures::{Interface, Meaning, No, answer, leaves_open};
use super::ledger::{Phones, Standing, Trade, Wallet};
use super::verdict::must;
use crate::dice::Dice;

/// What the merchant's account or the channel itself does to calls.
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
    /// So many refunds are taken and fail under their number.
    pub fails_refunds: u32,
    /// So many cancels of paid trades are refused. That is no word about one that arrives later.
    pub refuses_cancels: u32,
    /// Payments are told with another amount.
    pub tells_wrong_amounts: bool,
    /// So many cancels are answered "again" and do nothing.
    pub again: u32,
    /// The channel closes what the buyer does not confirm within this; never when it is nothing.
    pub confirm_within_ms: Option<u64>,
    /// What is paid is told as on its way for so long.
    pub pending_ms: u64,
    /// It does not want to hear of deliveries.
    pub refuses_duties: bool,
    /// So many words of a delivery are answered "again".
    pub duties_again: u32,
    /// So many of 100 calls fail with some code, where that is no lie.
    pub fails: u64,
}

/// The channel.
#[derive(Debug, Clone)]
pub struct Channel {
    /// Which one.
    pub id: ChannelId,
    /// The ledger.
    pub trades: BTreeMap<AttemptId, Trade>,
    /// How it is disposed.
    pub mood: Mood,
    /// The deliveries that it was told of.
    pub told: BTreeMap<AttemptId, Duty>,
    /// The codes that it said, as [`Interface::name`] has them.
    pub said: BTreeSet<String>,
    /// WeChat Pay takes pay codes by its newer version here.
    pub new: bool,
    dice: Dice,
}

impl Channel {
    /// A channel in a good mood, whose words are drawn from this seed.
    #[must_use]
    pub fn new(id: ChannelId, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let new = dice.one_in(2);
        let (trades, told, said) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { id, trades, mood: Mood::default(), told, said, new, dice }
    }

    // ---- what buyers do ----

    /// The phone scans a shown code; the trade begins.
    pub fn scan(&mut self, attempt: AttemptId, now: u64) -> bool {
        let until = self.confirms_until(now);
        let Some(trade) = self.trades.get_mut(&attempt) else {
            return false;
        };
        let fits = match trade.standing {
            Standing::Code { valid_until } if trade.seen && now <= valid_until => Some(valid_until),
            Standing::Code { .. } | Standing::Confirming { .. } | Standing::Paid | Standing::Closed => None,
        };
        if let Some(valid_until) = fits {
            // Alipay begins a trade of its own; elsewhere the order dies with its code.
            let until = if self.id == ChannelId::Alipay { until } else { until.min(valid_until) };
            trade.standing = Standing::Confirming { until };
        }
        fits.is_some()
    }

    /// The buyer confirms on the phone.
    pub fn confirm(&mut self, attempt: AttemptId, now: u64) -> bool {
        let trade = self.trades.get_mut(&attempt);
        let confirming = |trade: &&mut Trade| matches!(trade.standing, Standing::Confirming { until } if now <= until);
        trade.filter(confirming).map(|trade| trade.pay(now)).is_some()
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
        trade.filter(|trade| trade.may_land(now)).map(|trade| trade.pay(now)).is_some()
    }

    /// The trades that a buyer could still do something with.
    pub fn payable(&self) -> impl Iterator<Item = AttemptId> + '_ {
        let begun = |trade: &Trade| match trade.standing {
            Standing::Code { .. } => trade.seen,
            Standing::Confirming { .. } => true,
            Standing::Paid | Standing::Closed => false,
        };
        self.trades.iter().filter(move |(_, trade)| begun(trade)).map(|(attempt, _)| *attempt)
    }

    pub(super) fn confirms_until(&self, now: u64) -> u64 {
        self.mood.confirm_within_ms.map_or(u64::MAX, |ms| now + ms)
    }

    // ---- what the terminal asks ----

    /// Carries one call out. `sent` is when the terminal sent it.
    pub fn execute(&mut self, request: &Request, phones: &mut Phones, sent: u64, now: u64) -> Answer {
        self.close_expired(now);
        let answer = match self.fails(request, now) {
            Some((code, done)) => {
                if done {
                    let _unsaid = self.carry_out(request, phones, sent, now);
                }
                Err(No::With(code))
            }
            None => self.carry_out(request, phones, sent, now),
        };
        answer.unwrap_or_else(|no| self.say(request, no))
    }

    fn carry_out(&mut self, request: &Request, phones: &mut Phones, sent: u64, now: u64) -> Result<Answer, No> {
        match request {
            Request::Duty(duty) => Ok(Answer::Duty(self.is_told(duty))),
            Request::Probe => Ok(Answer::Reachable(true)),
            Request::ShowCode(_)
            | Request::TakeCode(..)
            | Request::Query(_)
            | Request::Cancel(_)
            | Request::Close(_)
            | Request::Refund(_)
            | Request::RefundQuery(_) => match self.id {
                ChannelId::Wechat => self.as_wechat(request, phones, now),
                ChannelId::AllinpayVsp => self.as_acquirer(request, phones, now),
                ChannelId::Alipay | ChannelId::AllinpayYst | ChannelId::Voucher => {
                    self.as_alipay(request, phones, sent, now)
                }
            },
        }
    }

    /// Whether the call fails: with which code, and whether it is carried out nonetheless.
    fn fails(&mut self, request: &Request, now: u64) -> Option<(&'static str, bool)> {
        let interface = Interface::of(self.id, request, self.new)?;
        if self.dice.roll(100) >= self.mood.fails {
            return None;
        }
        let meaning = *self.dice.pick(&interface.meanings());
        let code = *self.dice.pick(&interface.codes(meaning));
        let done = leaves_open(meaning, request) && self.dice.one_in(2);
        if !self.is_no_lie(meaning, request, now) {
            return None;
        }
        if spends_number(self.id, meaning, request) {
            self.spend_number(request, now);
        }
        Some((code, done))
    }

    /// Whether the ledger allows a code of this meaning as the answer. A doubt is always allowed: the terminal asks, and
    /// learns the truth.
    fn is_no_lie(&self, meaning: Meaning, request: &Request, now: u64) -> bool {
        let trade = attempt_of(request).and_then(|attempt| self.trades.get(&attempt));
        let is_code = |trade: &Trade| matches!(trade.standing, Standing::Code { .. });
        match meaning {
            Meaning::Unlisted | Meaning::Trouble | Meaning::Again | Meaning::Ask | Meaning::Paying => true,
            Meaning::NoTrade => trade.is_none_or(is_code),
            // How a trade stands is told of the trade itself.
            Meaning::Refused(_) if matches!(request, Request::Query(_)) => {
                trade.is_some_and(|trade| trade.standing == Standing::Closed)
            }
            // Final: nothing was taken, and nobody can pay a code that nobody has seen.
            Meaning::Refused(_) => trade.is_none_or(|trade| is_code(trade) && !trade.seen),
            Meaning::NotMoved => refund_of(request).is_none_or(|refund| !is_over(trade, refund, now)),
            Meaning::ShortOfFunds | Meaning::Rejected | Meaning::Absent => !has_refund(request, trade),
            Meaning::Failed if matches!(request, Request::Refund(_)) => trade.is_some() && !has_refund(request, trade),
            Meaning::Failed => {
                trade.zip(refund_of(request)).is_some_and(|(trade, refund)| trade.has_failed(refund, now))
            }
        }
    }

    /// The refund failed, and its number is spent.
    pub(super) fn spend_number(&mut self, request: &Request, now: u64) {
        if let Request::Refund(wanted) = request
            && let Some(trade) = self.trades.get_mut(&wanted.trade.attempt)
        {
            let spent = super::ledger::Returned { amount: wanted.amount, moves_at: now, fails: true };
            trade.refunds.entry(wanted.refund).or_insert(spent);
        }
    }

    /// What a code means is not this model's to say: the adapter's own rules do.
    fn say(&mut self, request: &Request, no: No) -> Answer {
        let Some(interface) = Interface::of(self.id, request, self.new) else {
            return Answer::Reachable(true);
        };
        let code = match no {
            No::With(code) => code,
            No::Some(meaning) => *self.dice.pick(&Self::codes_like(interface, meaning)),
        };
        self.said.insert(interface.name(code));
        answer(interface, request, code)
    }

    /// Its codes of a meaning. Not every channel has a word for every reason.
    fn codes_like(interface: Interface, meaning: Meaning) -> Vec<&'static str> {
        let reasons = [meaning, Meaning::Refused(Why::Buyer), Meaning::Refused(Why::NewNumber)];
        let words = reasons.into_iter().map(|meaning| interface.codes(meaning));
        words.into_iter().find(|codes| !codes.is_empty()).unwrap_or_default()
    }

    fn close_expired(&mut self, now: u64) {
        for trade in self.trades.values_mut() {
            if matches!(trade.standing, Standing::Confirming { until } if until < now) {
                trade.standing = Standing::Closed;
            }
            if self.id == ChannelId::Alipay {
                trade.close_if_returned(now);
            }
        }
    }

    /// Whether this code is refused, by the mood.
    pub(super) fn refuses_code(&mut self) -> Option<No> {
        if self.mood.refuses_setup {
            return Some(No::Some(Meaning::Refused(Why::Setup)));
        }
        let (left, why) = self.mood.refuses_codes.filter(|(left, _)| *left > 0)?;
        self.mood.refuses_codes = Some((left - 1, why));
        Some(No::Some(Meaning::Refused(why)))
    }

    /// A pay code makes a trade, unless its wallet refuses.
    pub(super) fn begin_taken(&mut self, offer: &Offer, wallet: Wallet, lands_until: u64, now: u64) -> Result<(), No> {
        let standing = match wallet {
            Wallet::Refuses(why) => return Err(No::Some(Meaning::Refused(why))),
            Wallet::PaysAtOnce => Standing::Paid,
            Wallet::Confirms => Standing::Confirming { until: self.confirms_until(now) },
        };
        let mut trade = Trade::new(offer.amount, standing, lands_until);
        trade.instalment = offer.instalment;
        trade.arrived = Some(now);
        if standing == Standing::Paid {
            trade.pay(now);
        }
        self.trades.insert(offer.attempt, trade);
        Ok(())
    }

    /// What it tells of a payment.
    pub(super) fn paid(&self, attempt: AttemptId, trade: &Trade) -> Outcome {
        Outcome::Paid(Receipt {
            trade_no: format!("2026{attempt}"),
            amount: Fen::new(trade.amount.get() + i64::from(self.mood.tells_wrong_amounts)),
            paid_at: None,
            buyer: (self.id == ChannelId::Wechat).then(|| "openid-of-a-test".to_owned()),
            details: Details { wallet: self.id.own_wallet(), ..Details::default() },
        })
    }

    /// A delivery is told. The same again changes nothing, and it must be the same.
    fn is_told(&mut self, duty: &Duty) -> DutyOutcome {
        if self.mood.refuses_duties {
            return DutyOutcome::Refused { code: "10060001".to_owned() };
        }
        if self.mood.duties_again > 0 {
            self.mood.duties_again -= 1;
            return DutyOutcome::Again;
        }
        let known = self.told.entry(duty.trade.attempt).or_insert_with(|| duty.clone());
        let same = (known.kind, known.amount, &known.trade) == (duty.kind, duty.amount, &duty.trade);
        must!(same, Broken, "{:?} is told of a delivery twice, and not the same: {known:?}, {duty:?}", self.id);
        DutyOutcome::Done
    }
}

/// Whether a refund that fails so has used its number up (Allinpay VSP).
const fn spends_number(channel: ChannelId, meaning: Meaning, request: &Request) -> bool {
    matches!(channel, ChannelId::AllinpayVsp)
        && matches!(request, Request::Refund(_))
        && matches!(meaning, Meaning::ShortOfFunds | Meaning::Failed)
}

fn is_over(trade: Option<&Trade>, refund: RefundId, now: u64) -> bool {
    trade.is_some_and(|trade| trade.has_moved(refund, now) || trade.has_failed(refund, now))
}

/// Whether the ledger has the refund that is asked for.
fn has_refund(request: &Request, trade: Option<&Trade>) -> bool {
    refund_of(request).is_some_and(|refund| trade.is_some_and(|trade| trade.refunds.contains_key(&refund)))
}

/// The name of a call.
#[must_use]
pub const fn name_of(request: &Request) -> &'static str {
    match request {
        Request::ShowCode(_) => "show code",
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

/// The refund that a call is about.
#[must_use]
pub const fn refund_of(request: &Request) -> Option<RefundId> {
    match request {
        Request::Refund(wanted) | Request::RefundQuery(wanted) => Some(wanted.refund),
        Request::ShowCode(_)
        | Request::TakeCode(..)
        | Request::Query(_)
        | Request::Cancel(_)
        | Request::Close(_)
        | Request::Duty(_)
        | Request::Probe => None,
    }
}
