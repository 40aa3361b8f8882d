//! An order: what the channel knows of one sale, and the money that went back.

use super::buyers::App;
use super::ledger::TradeState;

/// How an order came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A code for the screen. `apps` is who can open it.
    Code { text: String, apps: Vec<App>, aggregated: bool },
    /// The merchant sent the buyer's pay code.
    PayCode,
}

/// What the merchant asked for.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// The merchant's number: `reqsn`, `reqTraceNum`.
    pub(crate) number: String,
    pub(crate) amount_fen: i64,
    pub(crate) subject: String,
    pub(crate) notify_url: Option<String>,
    /// Where the gateway's name for the means of payment stands: `paytype`, `payMode`.
    pub(crate) means: String,
    /// What protocols keep beside: `termno`, payees.
    pub(crate) termno: String,
    pub(crate) payees: Vec<Payee>,
    /// Money stays in the guarantee account until it is confirmed.
    pub(crate) guaranteed: bool,
}

/// A member who gets money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payee {
    pub(crate) sign_num: String,
    pub(crate) fen: i64,
}

/// Why money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Cancel,
    Refund,
    /// The channel sends back by itself what came too late.
    TooLate,
}

/// How a return of money stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundState {
    Pending,
    Done,
    Failed,
}

#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) number: String,
    pub(crate) trade_no: String,
    pub(crate) why: Why,
    pub(crate) fen: i64,
    pub(crate) state: RefundState,
    /// What the channel says of it when it failed.
    pub(crate) failure: &'static str,
    pub(crate) at: i64,
    pub(crate) notify_url: Option<String>,
    /// From whose share it comes, in a guaranteed order: confirmed payees, or nobody for money not yet confirmed.
    pub(crate) from_payees: Vec<Payee>,
}

/// A confirmation of a guaranteed order.
#[derive(Debug, Clone)]
pub(crate) struct Confirm {
    pub(crate) number: String,
    pub(crate) trade_no: String,
    pub(crate) payees: Vec<Payee>,
    pub(crate) at: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) trade_no: String,
    pub(crate) terms: Terms,
    pub(crate) origin: Origin,
    pub(crate) state: TradeState,
    pub(crate) created_at: i64,
    /// When the unpaid order ends by itself.
    pub(crate) deadline: i64,
    /// Buyers who opened it or whose pay code made it, with the app.
    pub(crate) openers: Vec<(String, App)>,
    pub(crate) refused_by: Vec<String>,
    /// Who paid.
    pub(crate) payer: Option<(String, App)>,
    pub(crate) paid_at: Option<i64>,
    /// When it ended without money.
    pub(crate) ended_at: Option<i64>,
    pub(crate) charged_fen: i64,
    pub(crate) refunds: Vec<Refund>,
    pub(crate) confirms: Vec<Confirm>,
}

impl Order {
    pub(crate) fn is_waiting(&self) -> bool {
        self.state == TradeState::Waiting
    }

    /// What went back.
    pub(crate) fn refunded_fen(&self) -> i64 {
        self.sum(|refund| refund.state == RefundState::Done)
    }

    /// What can still go back: pending returns have their money set aside.
    pub(crate) fn returnable_fen(&self) -> i64 {
        self.charged_fen - self.sum(|refund| refund.state != RefundState::Failed)
    }

    fn sum(&self, counts: impl Fn(&Refund) -> bool) -> i64 {
        self.refunds.iter().filter(|refund| counts(refund)).map(|refund| refund.fen).sum()
    }

    /// What was confirmed of a guaranteed order.
    pub(crate) fn confirmed_fen(&self) -> i64 {
        self.confirms.iter().flat_map(|confirm| &confirm.payees).map(|payee| payee.fen).sum()
    }

    /// What still lies in the guarantee account: returns that name no payee come from there.
    pub(crate) fn guaranteed_fen(&self) -> i64 {
        let standing = self.refunds.iter().filter(|refund| refund.state != RefundState::Failed);
        let returned: i64 = standing.filter(|refund| refund.from_payees.is_empty()).map(|refund| refund.fen).sum();
        self.charged_fen - self.confirmed_fen() - returned
    }

    /// What a payee holds of this order: confirmed and not given back.
    pub(crate) fn held_fen(&self, sign_num: &str) -> i64 {
        self.confirmed_of(sign_num) - self.returned_by(sign_num)
    }

    /// What was confirmed for a payee.
    pub(crate) fn confirmed_of(&self, sign_num: &str) -> i64 {
        let confirmed = self.confirms.iter().flat_map(|confirm| &confirm.payees);
        confirmed.filter(|payee| payee.sign_num == sign_num).map(|payee| payee.fen).sum()
    }

    fn returned_by(&self, sign_num: &str) -> i64 {
        let standing = self.refunds.iter().filter(|refund| refund.state != RefundState::Failed);
        let returned = standing.flat_map(|refund| &refund.from_payees);
        returned.filter(|payee| payee.sign_num == sign_num).map(|payee| payee.fen).sum()
    }

    /// The return under this number, if it is one of this order.
    pub(crate) fn refund(&self, number: &str) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.number == number)
    }
}
