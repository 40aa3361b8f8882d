//! Paying with the operator's member or voucher code, and giving its allowance back: nobody has to be asked.
//!
//! A code is spent by the commit that begins its attempt and says that it is paid. Until that is durable the order is as
//! it was, so a code whose record the disk refuses is not spent, and nothing is delivered for it.

use super::Order;
use crate::channel::ChannelId;
use crate::channel::outcome::Details;
use crate::engine::desk::{Desk, Office};
use crate::engine::entry::{Entry, Method, VoucherUse};
use crate::engine::record::OrderRecord;
use crate::ids::{AttemptId, RefundId};

/// A code that is being spent: its record is on the way to the disk.
#[derive(Debug)]
pub(super) struct Taking {
    attempt: AttemptId,
    voucher: VoucherUse,
    /// What the order is once that is durable.
    record: OrderRecord,
}

impl Order {
    /// Pays with a code that was checked.
    pub(crate) fn take_voucher(&mut self, office: &mut Office, voucher: VoucherUse) -> AttemptId {
        self.trouble = None;
        let mut record = self.record.clone();
        let mut desk = Desk { office, record: &mut record };
        let (order, attempt, amount) = (desk.order(), desk.new_attempt(), desk.record.amount);
        let (trade_no, spent) = (voucher.code.clone(), Some(voucher.clone()));
        let (channel, method) = (ChannelId::Voucher, Method::TakeCode);
        desk.note(Entry::AttemptStarted {
            order,
            attempt,
            channel,
            method,
            amount,
            voucher: spent,
            wallet: None,
            instalment: None,
        });
        desk.note(Entry::AttemptPaid {
            order,
            attempt,
            trade_no,
            paid_at: None,
            buyer: None,
            details: Details::default(),
        });
        office.purse.take(&voucher, amount);
        self.taking = Some(Taking { attempt, voucher, record });
        attempt
    }

    /// Whether a code is being spent on it.
    pub(crate) const fn is_taking(&self) -> bool {
        self.taking.is_some()
    }

    /// Records became durable: if the code's are among them, the order is paid.
    pub(crate) fn on_recorded(&mut self, office: &mut Office) {
        if office.queue.has_record_of(self.record.order) {
            return;
        }
        let Some(taking) = self.taking.take() else {
            return;
        };
        office.purse.on_written(taking.record.amount);
        self.record = taking.record;
        self.on_paid(taking.attempt, true);
        self.settle(office);
    }

    /// The disk refused: the code is not spent.
    pub(crate) fn forget_taking(&mut self, office: &mut Office) {
        if let Some(taking) = self.taking.take() {
            office.queue.forget_attempt(taking.attempt);
            office.purse.untake(&taking.voucher.code, taking.record.amount);
        }
    }

    /// What a code paid is its allowance again, as soon as that is decided.
    pub(super) fn give_allowance_back(&mut self, office: &mut Office, refund: RefundId) {
        let mut desk = Desk { office, record: &mut self.record };
        let order = desk.order();
        desk.note(Entry::RefundDone { order, refund });
        let given = self.record.refunds.iter().find(|known| known.refund == refund);
        let voucher = given.and_then(|given| self.record.attempt(given.attempt)?.voucher.as_ref());
        if let (Some(given), Some(voucher)) = (given, voucher) {
            office.purse.give_back(&voucher.code, given.amount);
        }
    }

    /// An attempt whose payment is not in the same commit spent nothing.
    pub(super) fn note_never_taken(&mut self, office: &mut Office, attempt: AttemptId) {
        let mut desk = Desk { office, record: &mut self.record };
        let order = desk.order();
        desk.note(Entry::AttemptNotPaid { order, attempt, code: "never_taken".to_owned() });
    }
}
