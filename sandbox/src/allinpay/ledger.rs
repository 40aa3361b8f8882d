//! The truth as a test or a person reads it: a copy of one moment.

use super::buyers::App;
use super::order::{Order, Origin, Refund, RefundState, Why};
use super::world::World;

/// How an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TradeState {
    /// Unpaid; somebody may still pay.
    Waiting,
    /// Paid; stays so after partial refunds.
    Paid,
    /// Paid and wholly undone by a cancel.
    Cancelled,
    /// Unpaid and closed by the merchant.
    Closed,
    /// Unpaid and its time is over.
    Expired,
    /// The payment failed.
    Failed,
}

/// Who was charged and what went back, for every order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// All orders that a buyer met, by `out_trade_no`.
    pub trades: Vec<LedgerEntry>,
    /// All codes that can still be paid, by `out_trade_no`.
    pub open_codes: Vec<OpenCode>,
}

/// One order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The merchant's number: `reqsn`, `reqTraceNum`.
    pub out_trade_no: String,
    /// The channel's number: `trxid`, `respTraceNum`.
    pub trade_no: String,
    /// Name of the buyer who paid, or who met it last.
    pub buyer: String,
    /// With which app.
    pub app: App,
    /// What the buyer read.
    pub subject: String,
    /// What was asked, in fen.
    pub amount_fen: i64,
    /// How it stands.
    pub state: TradeState,
    /// What was taken from the buyer, in fen.
    pub charged_fen: i64,
    /// What went back, in fen.
    pub refunded_fen: i64,
    /// What was confirmed of a guaranteed order, in fen.
    pub confirmed_fen: i64,
    /// Every return of money that was done, oldest first.
    pub refunds: Vec<RefundEntry>,
}

/// Money that went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundEntry {
    /// The merchant's number of the refund or cancel; `None` when the channel sent late money back by itself.
    pub out_request_no: Option<String>,
    /// How much.
    pub fen: i64,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
}

/// A code that nobody has paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCode {
    /// The merchant's number.
    pub out_trade_no: String,
    /// The text of the QR.
    pub text: String,
    /// What is asked, in fen.
    pub amount_fen: i64,
    /// From when on it is dead, milliseconds since 1970.
    pub expires_at_ms: i64,
}

impl LedgerEntry {
    /// What the merchant keeps.
    #[must_use]
    pub const fn net_fen(&self) -> i64 {
        self.charged_fen - self.refunded_fen
    }
}

impl Ledger {
    /// The order with this number, if a buyer ever met it.
    #[must_use]
    pub fn trade(&self, out_trade_no: &str) -> Option<&LedgerEntry> {
        self.trades.iter().find(|trade| trade.out_trade_no == out_trade_no)
    }

    /// What all buyers paid.
    #[must_use]
    pub fn charged_fen(&self) -> i64 {
        self.trades.iter().map(|trade| trade.charged_fen).sum()
    }

    /// What went back to all buyers.
    #[must_use]
    pub fn refunded_fen(&self) -> i64 {
        self.trades.iter().map(|trade| trade.refunded_fen).sum()
    }

    /// What the merchant keeps.
    #[must_use]
    pub fn net_fen(&self) -> i64 {
        self.charged_fen() - self.refunded_fen()
    }

    pub(crate) fn of(world: &World, now: i64) -> Self {
        let orders = || world.orders.values();
        Self {
            trades: orders().filter_map(entry).collect(),
            open_codes: orders().filter(|order| order.deadline > now).filter_map(open_code).collect(),
        }
    }
}

fn open_code(order: &Order) -> Option<OpenCode> {
    match &order.origin {
        Origin::Code { text, .. } if order.is_waiting() => Some(OpenCode {
            out_trade_no: order.terms.number.clone(),
            text: text.clone(),
            amount_fen: order.terms.amount_fen,
            expires_at_ms: order.deadline,
        }),
        Origin::Code { .. } | Origin::PayCode => None,
    }
}

fn entry(order: &Order) -> Option<LedgerEntry> {
    let (buyer, app) = order.payer.as_ref().or_else(|| order.openers.last())?;
    Some(LedgerEntry {
        out_trade_no: order.terms.number.clone(),
        trade_no: order.trade_no.clone(),
        buyer: buyer.clone(),
        app: *app,
        subject: order.terms.subject.clone(),
        amount_fen: order.terms.amount_fen,
        state: order.state,
        charged_fen: order.charged_fen,
        refunded_fen: order.refunded_fen(),
        confirmed_fen: order.confirmed_fen(),
        refunds: order.refunds.iter().filter(|refund| moved(refund)).map(refund_entry).collect(),
    })
}

/// Undoing what nobody had paid moves nothing.
fn moved(refund: &Refund) -> bool {
    refund.state == RefundState::Done && refund.fen > 0
}

fn refund_entry(refund: &Refund) -> RefundEntry {
    let number = (refund.why != Why::TooLate).then(|| refund.number.clone());
    RefundEntry { out_request_no: number, fen: refund.fen, at_ms: refund.at }
}
