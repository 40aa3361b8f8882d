//! The truth as a test or a person reads it: a copy of one moment.

use super::order::{Order, Refund, RefundState, TradeState};
use super::world::World;

/// Who was charged and what went back, for every order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// All orders, paid or not, by account and `out_trade_no`.
    pub trades: Vec<LedgerEntry>,
    /// All codes that can still be scanned for the first time.
    pub open_codes: Vec<OpenCode>,
}

/// One order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Who gets the money: the merchant, or the shop in the partner forms.
    pub payee: String,
    /// The merchant's number.
    pub out_trade_no: String,
    /// The gateway's number, 28 digits; the merchant learns it when the order is paid.
    pub transaction_id: String,
    /// Name of the buyer, once there is one.
    pub buyer: Option<String>,
    /// What the buyer read.
    pub subject: String,
    /// What was asked.
    pub amount_fen: i64,
    /// How it stands.
    pub state: TradeState,
    /// What was taken from the buyer.
    pub charged_fen: i64,
    /// What reached the buyer again.
    pub refunded_fen: i64,
    /// What was taken from the merchant and has not reached the buyer.
    pub on_its_way_fen: i64,
    /// Every return of money, oldest first.
    pub refunds: Vec<RefundEntry>,
    /// How often its delivery was uploaded.
    pub deliveries: usize,
}

/// Money that went back, or is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundEntry {
    /// `out_refund_no`; `None` when a reverse returned the money.
    pub out_refund_no: Option<String>,
    /// The gateway's number.
    pub refund_id: String,
    /// How much.
    pub fen: i64,
    /// How it stands.
    pub state: RefundState,
    /// When it was asked for, milliseconds since 1970.
    pub at_ms: i64,
}

/// A code that nobody has scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCode {
    /// The merchant's number.
    pub out_trade_no: String,
    /// The `code_url`.
    pub text: String,
    /// What is asked.
    pub amount_fen: i64,
    /// From when on it is dead, milliseconds since 1970.
    pub expires_at_ms: i64,
}

impl LedgerEntry {
    /// What the merchant keeps.
    #[must_use]
    pub const fn net_fen(&self) -> i64 {
        self.charged_fen - self.refunded_fen - self.on_its_way_fen
    }
}

impl Ledger {
    /// The order with this number.
    #[must_use]
    pub fn trade(&self, out_trade_no: &str) -> Option<&LedgerEntry> {
        self.trades.iter().find(|trade| trade.out_trade_no == out_trade_no)
    }

    /// The same books, of one merchant or shop alone.
    #[must_use]
    pub fn of_payee(&self, payee: &str) -> Self {
        let trades = self.trades.iter().filter(|trade| trade.payee == payee).cloned().collect();
        Self { trades, open_codes: Vec::new() }
    }

    /// What all buyers paid.
    #[must_use]
    pub fn charged_fen(&self) -> i64 {
        self.trades.iter().map(|trade| trade.charged_fen).sum()
    }

    /// What reached all buyers again.
    #[must_use]
    pub fn refunded_fen(&self) -> i64 {
        self.trades.iter().map(|trade| trade.refunded_fen).sum()
    }

    /// What the merchants keep.
    #[must_use]
    pub fn net_fen(&self) -> i64 {
        self.trades.iter().map(LedgerEntry::net_fen).sum()
    }

    pub(crate) fn of(world: &World, now: i64) -> Self {
        Self {
            trades: world.orders.values().map(entry).collect(),
            open_codes: world.orders.values().filter_map(|order| open_code(order, now)).collect(),
        }
    }
}

fn open_code(order: &Order, now: i64) -> Option<OpenCode> {
    let code = order.code.as_ref()?;
    let expires_at_ms = code.expires_at.min(order.payable_until);
    let open = order.buyer.is_none() && order.is_waiting() && expires_at_ms > now;
    open.then(|| OpenCode {
        out_trade_no: order.terms.key.number.clone(),
        text: code.text.clone(),
        amount_fen: order.terms.total_fen,
        expires_at_ms,
    })
}

fn entry(order: &Order) -> LedgerEntry {
    let sum = |wanted: fn(RefundState) -> bool| {
        order.refunds.iter().filter(|refund| wanted(refund.state)).map(|refund| refund.fen).sum()
    };
    LedgerEntry {
        payee: order.terms.key.account.payee().to_owned(),
        out_trade_no: order.terms.key.number.clone(),
        transaction_id: order.transaction_id.clone(),
        buyer: order.buyer.clone(),
        subject: order.terms.description.clone(),
        amount_fen: order.terms.total_fen,
        state: order.state,
        charged_fen: order.charged_fen,
        refunded_fen: sum(|state| state == RefundState::Success),
        on_its_way_fen: sum(|state| matches!(state, RefundState::Processing | RefundState::Abnormal)),
        refunds: order.refunds.iter().map(refund_entry).collect(),
        deliveries: order.deliveries.len(),
    }
}

fn refund_entry(refund: &Refund) -> RefundEntry {
    RefundEntry {
        out_refund_no: refund.number.clone(),
        refund_id: refund.refund_id.clone(),
        fen: refund.fen,
        state: refund.state,
        at_ms: refund.created_at,
    }
}
