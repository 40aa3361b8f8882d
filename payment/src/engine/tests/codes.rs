//! The operator and its codes: what they say, and what the journal says was spent of them.

use super::world::{World, settings};
use crate::channel::ChannelId;
use crate::engine::entry::{Entry, VoucherUse, WhoScans};
use crate::engine::input::{Done, Input, Refused};
use crate::engine::settings::{Settings, VoucherSettings};
use crate::ids::{AttemptId, OrderId, RefundId};
use crate::money::Fen;
use crate::redact::PayCode;
use crate::voucher::{Kind, OperatorKey, Voucher, VoucherSpent};

pub const TERMINAL: &str = "VM-0001";

fn operator() -> OperatorKey {
    OperatorKey::from_seed(&[42; 32])
}

/// A machine that takes member and voucher codes.
pub fn taking_codes(who_scans: WhoScans) -> Settings {
    let vouchers = VoucherSettings {
        terminal: TERMINAL.to_owned(),
        operator_key: operator().public(),
        per_sale_max: Fen::new(1_000),
        unsettled_max: Fen::new(3_000),
    };
    Settings { vouchers: Some(vouchers), ..settings(who_scans) }
}

pub fn voucher(id: &str, kind: Kind, fen: i64) -> Voucher {
    let terminals = vec!["VM-0000".to_owned(), TERMINAL.to_owned()];
    Voucher { id: id.to_owned(), kind, amount: Fen::new(fen), expires_ms: 1_900_000_000_000, terminals }
}

pub fn signed(voucher: &Voucher) -> PayCode {
    operator().sign(voucher).expect("not too long")
}

pub fn member(id: &str, fen: i64) -> PayCode {
    signed(&voucher(id, Kind::Member, fen))
}

pub fn once(id: &str, fen: i64) -> PayCode {
    signed(&voucher(id, Kind::Voucher, fen))
}

/// One payment by a code.
#[derive(Debug)]
pub struct CodeUse {
    pub of: VoucherUse,
    pub order: OrderId,
    attempt: AttemptId,
    /// Place of its payment.
    seq: usize,
    pub paid: i64,
    /// Less what went back.
    pub net: i64,
}

impl World {
    /// A machine that takes member and voucher codes.
    pub fn with_codes(who_scans: WhoScans) -> Self {
        Self::begin(taking_codes(who_scans), Some(0))
    }

    /// Shows a code to the scanner.
    pub fn show_code(&mut self, code: &PayCode) -> Result<Done, Refused> {
        self.input(Input::Scanned(code.expose().to_owned()))
    }

    /// All payments by codes, as the journal tells them.
    pub fn code_uses(&self) -> Vec<CodeUse> {
        let mut uses: Vec<CodeUse> = Vec::new();
        let mut begun: Option<(AttemptId, &VoucherUse, Fen)> = None;
        let mut refunds: Vec<(RefundId, AttemptId, Fen)> = Vec::new();
        for (seq, stored) in self.stored.iter().enumerate() {
            match &stored.entry {
                Entry::AttemptStarted { attempt, amount, channel, voucher: Some(of), .. } => {
                    assert_eq!(*channel, ChannelId::Voucher);
                    begun = Some((*attempt, of, *amount));
                }
                Entry::AttemptPaid { order, attempt, trade_no, .. } => {
                    if let Some((_, of, amount)) = begun.take_if(|(begun, ..)| begun == attempt) {
                        assert_eq!(*trade_no, of.code);
                        let (paid, net) = (amount.get(), amount.get());
                        uses.push(CodeUse { of: of.clone(), order: *order, attempt: *attempt, seq, paid, net });
                    }
                }
                Entry::RefundStarted { refund, attempt, amount, .. } => refunds.push((*refund, *attempt, *amount)),
                Entry::RefundDone { refund, .. } => {
                    let known = refunds.iter().find(|(known, ..)| known == refund).expect("a refund is begun first");
                    let of_it = uses.iter_mut().filter(|used| used.attempt == known.1);
                    of_it.for_each(|used| used.net -= known.2.get());
                }
                Entry::OrderOpened { .. }
                | Entry::AttemptStarted { voucher: None, .. }
                | Entry::CashTaken { .. }
                | Entry::AttemptNotPaid { .. }
                | Entry::ReverseStarted { .. }
                | Entry::OrderCancelled { .. }
                | Entry::VendStarted { .. }
                | Entry::VendEnded { .. }
                | Entry::RefundOwed { .. }
                | Entry::RefundAsked { .. }
                | Entry::RefundDecided { .. }
                | Entry::RefundFailed { .. }
                | Entry::DutyBegun { .. }
                | Entry::DutyDone { .. }
                | Entry::DutyRefused { .. }
                | Entry::OrderClosed { .. } => {}
            }
        }
        assert!(begun.is_none(), "an attempt by a code and its payment are one commit");
        uses
    }

    /// What was spent of each code, as the journal tells it at a start.
    pub fn spent(&self) -> Vec<VoucherSpent> {
        let mut spent: Vec<VoucherSpent> = Vec::new();
        for used in self.code_uses() {
            let VoucherUse { code, once, expires_ms, .. } = used.of;
            let used_once = once && used.net > 0;
            match spent.iter_mut().find(|known| known.code == code) {
                Some(known) => {
                    known.spent = Fen::new(known.spent.get() + used.net);
                    known.used_once |= used_once;
                }
                None => spent.push(VoucherSpent { code, spent: Fen::new(used.net), used_once, expires_ms }),
            }
        }
        spent
    }

    /// What is spent of this code.
    pub fn spent_of(&self, code: &str) -> i64 {
        self.code_uses().iter().filter(|used| used.of.code == code).map(|used| used.net).sum()
    }

    /// What the buyers of `order` have spent of codes.
    pub fn net_of_codes(&self, order: OrderId) -> i64 {
        self.code_uses().iter().filter(|used| used.order == order).map(|used| used.net).sum()
    }

    /// What was taken by codes, and the hub does not have it.
    pub fn unsettled(&self) -> i64 {
        self.code_uses().iter().filter(|used| used.seq >= self.acknowledged).map(|used| used.paid).sum()
    }

    pub fn tell_unsettled(&mut self) {
        if self.engine.settings().vouchers.is_some() {
            self.tell(Input::Unsettled(Fen::new(self.unsettled())));
        }
    }

    /// The hub has everything.
    pub fn hub_acknowledges(&mut self) {
        self.acknowledged = self.stored.len();
        self.input(Input::Unsettled(Fen::new(self.unsettled()))).expect("never refused");
    }
}
