//! What the buyer chose at the machine's own keys: its controller names slot and price, and waits for the money.

use super::Engine;
use super::effect::{Effect, JobId};
use super::entry::{CancelledBy, Item, Origin, SlotId};
use super::input::{NewOrder, Refused};
use super::order::Order;
use crate::ids::OrderId;
use crate::money::Fen;
use crate::time::Now;

/// A sale as the machine's controller tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The slot.
    pub slot: SlotId,
    /// The price that the buyer sees at the machine; `None`: the controller leaves it to the terminal.
    pub price: Option<Fen>,
}

impl Engine {
    /// Opens an order for what was chosen, in place of what was chosen before. What is refused is told to the machine too: it
    /// must not wait for money.
    pub(super) fn on_chosen(&mut self, now: Now, choice: Choice) -> Result<OrderId, Refused> {
        self.on_choice_ended(now);
        let opened = self.order_of(choice).and_then(|wanted| self.open(now, wanted));
        match &opened {
            Ok(order) => self.choice = Some(*order),
            Err(_) => self.queue.push(Effect::TurnAway),
        }
        opened
    }

    /// The machine does not wait any more, so nothing can be delivered: nobody shall pay.
    pub(super) fn on_choice_ended(&mut self, now: Now) {
        if let Some(order) = self.choice.take() {
            self.cancel(now, order, CancelledBy::Buyer);
        }
    }

    /// The machine sold for coins or notes by itself.
    pub(super) fn on_machine_sold(&mut self, now: Now, choice: Choice) -> Result<OrderId, Refused> {
        let sold = self.order_of(choice)?;
        self.cash_sale(now, sold)
    }

    /// A vend is answered. The machine that was asked for it waits for nothing any more: it delivered, or failed to.
    pub(super) fn on_machine_answered(&mut self, job: JobId) {
        let is_answered = |id: &OrderId| self.orders.get(id).is_some_and(|order| order.is_waiting_for(job));
        self.choice.take_if(|chosen| is_answered(chosen));
    }

    /// After every event: the machine waits exactly as long as its buyer may pay or is being served. One that was never asked
    /// to deliver, because its slot was locked meanwhile or nobody could record that it turns, has to be told.
    pub(super) fn follow_choice(&mut self) {
        let Some(chosen) = self.choice else { return };
        let has_ended = |order: &Order| order.record.is_begun() && !order.is_delivering();
        let is_over = self.orders.get(&chosen).is_none_or(has_ended);
        if is_over || self.session.order() != Some(chosen) {
            self.choice = None;
            self.queue.push(Effect::TurnAway);
        }
    }

    /// The machine's price is what the buyer saw; the terminal's own list names the goods.
    fn order_of(&self, choice: Choice) -> Result<NewOrder, Refused> {
        let Choice { slot, price } = choice;
        let product = self.settings.products.get(&slot);
        let price = price.or(product.map(|product| product.price)).ok_or_else(|| Refused::NoSuchSlot(slot.clone()))?;
        let (code, name) = match product {
            Some(product) => (product.code.clone(), product.name.clone()),
            None => (slot.as_str().to_owned(), format!("货道 {slot}")),
        };
        Ok(NewOrder {
            origin: Origin::Machine,
            amount: price,
            items: vec![Item { slot: Some(slot), code, name, price }],
            subject: None,
            who_scans: self.settings.who_scans,
            pay_within_ms: None,
            down_payment: Fen::ZERO,
            periods: None,
            reference: None,
            idempotency: None,
        })
    }
}
