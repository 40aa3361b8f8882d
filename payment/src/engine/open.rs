//! Taking orders, codes and refunds in: every check before anything changes.

use super::effect::{Beep, Effect};
use super::entry::{Entry, Item, Origin, SlotId, VoucherUse};
use super::faults::Fault;
use super::input::{Done, MOST_ITEMS, NewOrder, Refused};
use super::offer::subject_of;
use super::order::Order;
use super::session::Session;
use super::view::{CodeTrouble, PayTrouble};
use super::{CODES_REMEMBERED, Engine};
use crate::channel::route::Route;
use crate::channel::{ChannelId, Instalment};
use crate::ids::{AttemptId, OrderId};
use crate::instalment::ant_number;
use crate::money::{Fen, LARGEST_ORDER};
use crate::redact::PayCode;
use crate::time::Now;
use crate::voucher::{Voucher, VoucherRefused};

/// The least and the most time that an order may give its buyer, in milliseconds. A code lives two hours at most.
const PAY_WITHIN_MS: std::ops::RangeInclusive<u64> = 1_000..=7_200_000;

impl Engine {
    /// The product in `slot`, ordered at the keypad.
    pub(super) fn buy(&mut self, now: Now, slot: SlotId) -> Result<OrderId, Refused> {
        let product = self.settings.products.get(&slot).ok_or_else(|| Refused::NoSuchSlot(slot.clone()))?.clone();
        let item = Item { slot: Some(slot), code: product.code, name: product.name, price: product.price };
        self.open(
            now,
            NewOrder {
                origin: Origin::Keypad,
                amount: product.price,
                items: vec![item],
                subject: None,
                who_scans: self.settings.who_scans,
                pay_within_ms: None,
                down_payment: Fen::ZERO,
                periods: None,
                reference: None,
                idempotency: None,
            },
        )
    }

    /// Opens an order and puts it in front of the machine.
    pub(super) fn open(&mut self, now: Now, wanted: NewOrder) -> Result<OrderId, Refused> {
        self.check_order(&wanted)?;
        let pay_within_ms = wanted.pay_within_ms.unwrap_or(self.settings.pace.pay_within_ms);
        let instalment = self.plan_of(&wanted)?;
        let wanted = self.with_guide_number(now, wanted);
        let order = self.mint.order();
        let entry = opening(order, wanted, pay_within_ms, instalment);
        if let Some(opened) = Order::open(&mut self.office(now), entry, pay_within_ms) {
            self.orders.insert(order, opened);
            self.session = Session::Order { order, leave_at: None };
        }
        Ok(order)
    }

    /// An order in instalments without a number of its caller gets one in the guide's style, where the operator wants it.
    fn with_guide_number(&mut self, now: Now, wanted: NewOrder) -> NewOrder {
        if !self.settings.guide_numbers || wanted.periods.is_none() || wanted.reference.is_some() {
            return wanted;
        }
        let number = ant_number(now.wall, self.mint.word());
        NewOrder { reference: number.map(|number| number.as_str().to_owned()), ..wanted }
    }

    fn check_order(&self, wanted: &NewOrder) -> Result<(), Refused> {
        if let Some(order) = self.session.order() {
            return Err(Refused::Busy(order));
        }
        check_amounts(wanted)?;
        if let Some(ms) = wanted.pay_within_ms.filter(|ms| !PAY_WITHIN_MS.contains(ms)) {
            return Err(Refused::PayWithin(ms));
        }
        let slots: Vec<&SlotId> = wanted.items.iter().filter_map(|item| item.slot.as_ref()).collect();
        let codes = self.takes_codes(wanted.who_scans, wanted.origin, wanted.amount);
        if let Some(fault) = self.blocked_by(codes, !slots.is_empty()) {
            return Err(Refused::OutOfService(fault));
        }
        if wanted.down_payment.is_positive() && !slots.is_empty() {
            return Err(Refused::DownPayment);
        }
        for (before, slot) in slots.iter().enumerate() {
            self.check_slot(slot, wanted.origin)?;
            let of_it = slots.iter().take(before + 1).filter(|other| other == &slot).count();
            self.check_stock(slot, of_it, wanted.origin)?;
        }
        if !wanted.who_scans.shows_code() && !self.has_scanner() && wanted.origin != Origin::Api {
            return Err(Refused::NoScanner);
        }
        Ok(())
    }

    /// The plan that the caller wants, if this terminal offers it and its lender can be reached.
    fn plan_of(&self, wanted: &NewOrder) -> Result<Option<Instalment>, Refused> {
        let Some(periods) = wanted.periods else {
            return Ok(None);
        };
        let plan = self.plan(wanted.amount, periods)?;
        self.no_lender(wanted.who_scans, wanted.origin).map_or(Ok(Some(plan)), Err)
    }

    /// A machine that chooses by itself knows its slots.
    fn check_slot(&self, slot: &SlotId, origin: Origin) -> Result<(), Refused> {
        if origin != Origin::Machine && !self.settings.products.contains_key(slot) {
            return Err(Refused::NoSuchSlot(slot.clone()));
        }
        if self.faults.has(&Fault::Slot(slot.clone())) {
            return Err(Refused::SlotBlocked(slot.clone()));
        }
        Ok(())
    }

    /// What a machine that chooses by itself offers is there, whatever was counted.
    fn check_stock(&self, slot: &SlotId, wanted: usize, origin: Origin) -> Result<(), Refused> {
        let holds = |stock| usize::try_from(stock).is_ok_and(|stock| stock >= wanted);
        let is_there = origin == Origin::Machine || self.slots.count(slot).stock.is_none_or(holds);
        if is_there { Ok(()) } else { Err(Refused::SoldOut(slot.clone())) }
    }

    /// A line from the machine's own scanner.
    pub(super) fn on_scanned(&mut self, now: Now, line: &str) -> Result<Done, Refused> {
        let order = self.session.order().filter(|_| self.wants_scan()).ok_or(Refused::NotWaiting)?;
        let done = self.try_code(now, order, self.settings.routes.route(line));
        if let Err(refused) = &done {
            let trouble = trouble_of(refused);
            self.with_order(now, order, |order, _| order.trouble = Some(trouble));
        }
        self.queue.push(Effect::Beep(if done.is_ok() { Beep::Taken } else { Beep::Bad }));
        done.map(Done::Trying)
    }

    /// A code for a certain order, through the API.
    pub(super) fn on_code_given(&mut self, now: Now, order: OrderId, line: &str) -> Result<AttemptId, Refused> {
        let known = self.orders.get(&order).ok_or(Refused::NoSuchOrder(order))?;
        if !known.wants_code() {
            return Err(Refused::NotWaiting);
        }
        // Nobody knows whether a person typed it.
        self.try_code(now, order, self.settings.routes.route_keyed(line))
    }

    fn try_code(&mut self, now: Now, id: OrderId, route: Route) -> Result<AttemptId, Refused> {
        let mut made = None;
        match route {
            Route::Wallet { wallet, mut channels, code } => {
                let order = self.orders.get(&id).ok_or(Refused::NoSuchOrder(id))?;
                channels.retain(|channel| order.may_use(*channel, Some(wallet)));
                if channels.is_empty() {
                    return Err(Refused::WalletNotTaken(wallet.name()));
                }
                let channel = self.accept_code(&channels, &code)?;
                self.with_order(now, id, |order, office| made = Some(order.take_code(office, channel, wallet, code)));
            }
            Route::Voucher(code) => {
                let voucher = self.accept_voucher(now, id, &code)?;
                self.with_order(now, id, |order, office| made = Some(order.take_voucher(office, voucher)));
            }
            Route::KnownElsewhere(wallet) => return Err(Refused::WalletNotTaken(wallet)),
            Route::CardNumber => return Err(Refused::CardNumber),
            Route::NotAPayCode => return Err(Refused::NotAPayCode),
        }
        made.ok_or(Refused::NoSuchOrder(id))
    }

    /// A code that the operator signed, for this terminal and this moment, with enough left for the order.
    fn accept_voucher(&mut self, now: Now, id: OrderId, code: &PayCode) -> Result<VoucherUse, Refused> {
        let limits = self.settings.vouchers.as_ref().ok_or(Refused::WalletNotTaken(ChannelId::Voucher.name()))?;
        let amount = self.orders.get(&id).ok_or(Refused::NoSuchOrder(id))?.record.amount;
        let voucher = Voucher::read(code, &limits.operator_key)?;
        self.purse.check(&voucher, amount, limits, now.wall)?;
        Ok(voucher.into_use())
    }

    /// A code read for the first time, and the first of `channels` that works. It is sent to that one only.
    fn accept_code(&mut self, channels: &[ChannelId], code: &PayCode) -> Result<ChannelId, Refused> {
        let Some(channel) = self.faults.usable(channels) else {
            return Err(Refused::OutOfService(self.faults.why_unusable(channels)));
        };
        let fingerprint = code.fingerprint();
        if self.codes_seen.contains(&fingerprint) {
            return Err(Refused::CodeUsed);
        }
        self.codes_seen.truncate(CODES_REMEMBERED - 1);
        self.codes_seen.push_front(fingerprint);
        Ok(channel)
    }
}

/// The entry that opens an order.
pub(super) fn opening(order: OrderId, wanted: NewOrder, pay_within_ms: u64, instalment: Option<Instalment>) -> Entry {
    Entry::OrderOpened {
        order,
        amount: wanted.amount,
        currency: "CNY".to_owned(),
        subject: wanted.subject.unwrap_or_else(|| subject_of(&wanted.items)),
        items: wanted.items,
        who_scans: wanted.who_scans,
        origin: wanted.origin,
        pay_within_ms,
        down_payment: wanted.down_payment,
        instalment,
        reference: wanted.reference,
        idempotency: wanted.idempotency,
    }
}

pub(super) fn check_amounts(wanted: &NewOrder) -> Result<(), Refused> {
    if !wanted.amount.is_positive() || wanted.amount > LARGEST_ORDER {
        return Err(Refused::Amount(wanted.amount));
    }
    if wanted.items.len() > MOST_ITEMS {
        return Err(Refused::TooManyItems(wanted.items.len()));
    }
    if let Some(odd) = wanted.items.iter().find(|item| !item.price.is_positive() || item.price > LARGEST_ORDER) {
        return Err(Refused::Amount(odd.price));
    }
    let items: Fen = wanted.items.iter().map(|item| item.price).sum();
    let sum: Fen = [wanted.amount, wanted.down_payment].into_iter().sum();
    if wanted.down_payment < Fen::ZERO || wanted.down_payment > LARGEST_ORDER {
        return Err(Refused::Amount(wanted.down_payment));
    }
    if !wanted.items.is_empty() && items != sum {
        return Err(Refused::SumDiffers { items, amount: sum });
    }
    Ok(())
}

/// What the buyer at the scanner is told. Only codes are refused there, for the reasons that a code can have.
fn trouble_of(refused: &Refused) -> PayTrouble {
    match refused {
        Refused::CodeUsed => PayTrouble::RefreshCode,
        Refused::OutOfService(_) => PayTrouble::WalletDown,
        Refused::Voucher(refused) => PayTrouble::Code(code_trouble(refused)),
        Refused::NotAPayCode
        | Refused::CardNumber
        | Refused::NoPlan(_)
        | Refused::NoInstalments
        | Refused::DownPayment
        | Refused::TooLateToChoose(_)
        | Refused::WalletNotTaken(_)
        | Refused::Busy(_)
        | Refused::NoSuchSlot(_)
        | Refused::SlotBlocked(_)
        | Refused::SoldOut(_)
        | Refused::Amount(_)
        | Refused::SumDiffers { .. }
        | Refused::TooManyItems(_)
        | Refused::PayWithin(_)
        | Refused::NoScanner
        | Refused::NoSuchOrder(_)
        | Refused::AlreadyPaid(_)
        | Refused::NotPaid(_)
        | Refused::PaidInCash(_)
        | Refused::Delivering(_)
        | Refused::RefundUnderWay(_)
        | Refused::TooMuch { .. }
        | Refused::RefundTooLate { .. }
        | Refused::NameWanted
        | Refused::SamePerson(_)
        | Refused::NotAsked(_)
        | Refused::NoDuty(_)
        | Refused::NotWaiting => PayTrouble::NotAPayCode,
    }
}

const fn code_trouble(refused: &VoucherRefused) -> CodeTrouble {
    match refused {
        VoucherRefused::Damaged | VoucherRefused::Forged | VoucherRefused::Malformed(_) => CodeTrouble::Invalid,
        VoucherRefused::Expired => CodeTrouble::Expired,
        VoucherRefused::Elsewhere => CodeTrouble::Elsewhere,
        VoucherRefused::Used => CodeTrouble::Used,
        VoucherRefused::TooLittle { .. } => CodeTrouble::TooLittle,
        VoucherRefused::NoClock
        | VoucherRefused::AboveSale { .. }
        | VoucherRefused::Unsettled { .. }
        | VoucherRefused::TooMany => CodeTrouble::NotNow,
    }
}
