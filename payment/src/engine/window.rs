//! The customer's window: how the session follows its order, and what is seen.

use super::Engine;
use super::effect::{Beep, Effect};
use super::entry::{CancelledBy, Ending, Origin, RefundReason, SlotId};
use super::faults::{Fault, service_fault};
use super::mutant::{Mutant, is_planted};
use super::order::Order;
use super::record::{AttemptRecord, OrderRecord};
use super::session::{Session, choose_view};
use super::view::{ChooseTrouble, CodeView, MoneyWord, ServiceFault, SorryWhat, View};
use crate::channel::ChannelId;
use crate::ids::OrderId;
use crate::money::Fen;
use crate::time::{Mono, Now};

impl Engine {
    /// What the buyer sees now.
    #[must_use]
    pub fn view(&self, now: Mono) -> View {
        match &self.session {
            Session::Result { view, .. } => view.clone(),
            Session::Order { order, .. } => {
                self.orders.get(order).map_or_else(|| self.idle_view(), |order| self.order_view(order, now))
            }
            Session::Choosing { typed, .. } if self.blocking_fault().is_none() => {
                choose_view(typed, &self.settings, |slot| self.why_unsold(slot))
            }
            Session::Idle | Session::Choosing { .. } => self.idle_view(),
        }
    }

    /// Why nothing is sold from this slot.
    fn why_unsold(&self, slot: &SlotId) -> Option<ChooseTrouble> {
        if self.faults.has(&Fault::Slot(slot.clone())) {
            return Some(ChooseTrouble::SlotBlocked);
        }
        self.slots.count(slot).is_sold_out().then_some(ChooseTrouble::SoldOut)
    }

    fn idle_view(&self) -> View {
        match self.blocking_fault() {
            Some(fault) => View::OutOfService { reason: service_fault(&fault) },
            None => View::Idle { codes_only: self.codes_only() },
        }
    }

    /// Why no wallet can pay now.
    fn codes_only(&self) -> Option<ServiceFault> {
        self.faults.without_channel(&self.settings.channels).as_ref().map(service_fault)
    }

    /// The fault for which no wallet can pay, while member and voucher codes are still taken.
    #[must_use]
    pub fn codes_only_because(&self) -> Option<Fault> {
        let sells = self.blocking_fault().is_none();
        sells.then(|| self.faults.without_channel(&self.settings.channels)).flatten()
    }

    /// When the countdown on the screen goes down by one, if there is one.
    #[must_use]
    pub fn next_second(&self, now: Mono) -> Option<Mono> {
        let order = self.session.order().and_then(|id| self.orders.get(&id))?;
        let until = order.pay_until()?;
        let left_ms = now.until(until);
        (left_ms > 0).then(|| now.plus((left_ms - 1) % 1_000 + 1))
    }

    /// The fault that keeps the machine from selling what it has.
    #[must_use]
    pub fn blocking_fault(&self) -> Option<Fault> {
        let vends = self.settings.machine_chooses || !self.settings.products.is_empty();
        // Without goods of its own it sells what the API orders, and the API reads codes itself.
        let cheapest = self.settings.products.values().map(|product| product.price).min().unwrap_or(Fen::new(1));
        let codes = self.codes_have_room(cheapest) && !vends;
        let codes = codes || self.takes_codes(self.settings.who_scans, Origin::Keypad, cheapest);
        self.blocked_by(codes, vends)
    }

    fn order_view(&self, order: &Order, now: Mono) -> View {
        let amount = order.record.amount;
        if let Some(item) = order.delivering_item() {
            return delivering_view(&order.record, item);
        }
        if !order.is_payable() {
            return View::Checking { amount };
        }
        let seconds_left = order.pay_until().map_or(0, |until| now.until(until).div_ceil(1_000));
        if order.is_confirming() {
            return View::Confirming { amount, seconds_left };
        }
        if order.is_in_doubt() {
            return View::Checking { amount };
        }
        View::Pay {
            name: order.record.subject.clone(),
            amount,
            seconds_left,
            codes: order.shown_codes().into_iter().map(CodeView::of).collect(),
            plans: self.plan_views(order),
            code_coming: order.is_fetching_code(),
            wallets: self.ways_to_pay(&order.record),
            codes_only: self.codes_only(),
            scanner: self.scanner_armed,
            trouble: order.trouble,
        }
    }

    /// The wallets that can be reached, and member and voucher codes where they can be read.
    fn ways_to_pay(&self, record: &OrderRecord) -> Vec<ChannelId> {
        let agreed = |channel: ChannelId| record.instalment.is_none() || channel.takes_instalments();
        let channels = self.settings.channels.iter();
        let wallets = channels.filter(|channel| agreed(**channel) && !self.faults.blocks_channel(**channel));
        let codes = self.takes_codes(record.who_scans, record.origin, record.amount).then_some(ChannelId::Voucher);
        wallets.copied().chain(codes).collect()
    }

    /// The session of an order ends when the order does, or when the buyer has waited long enough for certainty.
    pub(super) fn follow_order(&mut self, now: Now) {
        let Session::Order { order: id, leave_at } = self.session.clone() else {
            return;
        };
        let Some(order) = self.orders.get(&id) else {
            self.session = Session::Idle;
            return;
        };
        if let Some(view) = verdict(order) {
            // Whatever comes of it later, the buyer has been told and leaves: goods must not fall for the next one.
            self.with_order(now, id, |order, _| order.attended = false);
            self.show_result(now, view);
        } else if order.is_payable() || order.is_delivering() {
            self.session = Session::Order { order: id, leave_at: None };
        } else if leave_at.is_none() {
            let leave_at = Some(now.mono.plus(self.settings.pace.release_ms));
            self.session = Session::Order { order: id, leave_at };
        }
    }

    /// A deadline of the session came.
    pub(super) fn on_session_over(&mut self, now: Now) {
        match self.session.clone() {
            Session::Order { order, .. } => self.release(now, order),
            Session::Idle | Session::Choosing { .. } | Session::Result { .. } => self.session = Session::Idle,
        }
    }

    /// The buyer has waited long enough: the next customer may buy, and this order goes on in the background. From now
    /// on a payment of it is late and goes back.
    fn release(&mut self, now: Now, id: OrderId) {
        self.with_order(now, id, |order, office| {
            order.attended = is_planted(Mutant::LeftBuyerIsServed);
            order.cancel(office, CancelledBy::Restart);
        });
        let Some(order) = self.orders.get(&id) else {
            self.session = Session::Idle;
            return;
        };
        let record = &order.record;
        let what = record.cancelled.map_or(SorryWhat::NoAnswer, what_of);
        let (what, money) = match what {
            SorryWhat::Cancelled | SorryWhat::Expired | SorryWhat::Refused => (what, MoneyWord::ComesBackIfTaken),
            SorryWhat::NotDelivered | SorryWhat::NoAnswer => (SorryWhat::NoAnswer, MoneyWord::ComesBackIfTaken),
        };
        let view = sorry(record, what, money, record.amount);
        self.show_result(now, view);
    }

    fn show_result(&mut self, now: Now, view: View) {
        let good = matches!(view, View::Thanks { .. });
        let pace = &self.settings.pace;
        let until = now.mono.plus(if good { pace.thanks_ms } else { pace.sorry_ms });
        self.queue.push(Effect::Beep(if good { Beep::Paid } else { Beep::Bad }));
        self.session = Session::Result { view, until };
    }
}

/// How it went, once that is certain for the buyer.
fn verdict(order: &Order) -> Option<View> {
    let record = &order.record;
    if record.winner().is_some() {
        return (!order.is_delivering()).then(|| paid_verdict(record));
    }
    let over = record.cancelled.filter(|_| order.is_surely_unpaid());
    over.map(|by| sorry(record, what_of(by), MoneyWord::NothingTaken, record.amount))
}

fn paid_verdict(record: &OrderRecord) -> View {
    let back: Fen = record.refunds.iter().filter(|refund| refund.moves_money()).map(|refund| refund.amount).sum();
    if !record.is_given_back() {
        let amount = record.winner().and_then(AttemptRecord::buyer_paid).unwrap_or(record.amount);
        return View::Thanks { amount, saved: record.amount.less(amount), change: Fen::ZERO };
    }
    if record.refunds.iter().any(|refund| refund.reason == RefundReason::Change) {
        return View::Thanks { amount: record.delivered_worth(), saved: Fen::ZERO, change: back };
    }
    let money = if record.ending == Some(Ending::Refunded) { MoneyWord::Refunded } else { MoneyWord::BeingRefunded };
    let what = if record.paid_in_time { SorryWhat::NotDelivered } else { SorryWhat::NoAnswer };
    sorry(record, what, money, back)
}

const fn what_of(by: CancelledBy) -> SorryWhat {
    match by {
        CancelledBy::Buyer | CancelledBy::Api => SorryWhat::Cancelled,
        CancelledBy::Timeout => SorryWhat::Expired,
        CancelledBy::Refused | CancelledBy::Fault => SorryWhat::Refused,
        CancelledBy::Restart => SorryWhat::NoAnswer,
    }
}

fn sorry(record: &OrderRecord, what: SorryWhat, money: MoneyWord, amount: Fen) -> View {
    View::Sorry { what, money, amount, number: last_six(record.order) }
}

/// The last six characters of an order number: enough to find it, short enough to read out.
fn last_six(order: OrderId) -> String {
    order.as_str().chars().skip(20).collect()
}

fn delivering_view(record: &OrderRecord, item: usize) -> View {
    let name = record.items.get(item).map(|item| item.item.name.clone()).unwrap_or_default();
    let of = record.items.iter().filter(|item| item.item.slot.is_some()).count();
    let before = record.items.iter().take(item).filter(|item| item.item.slot.is_some()).count();
    View::Delivering { name, item: before + 1, of }
}
