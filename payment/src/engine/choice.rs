//! What the buyer chose at the machine's own keys: its controller names slot and price, and waits for the money.

use super::Engine;
use super::effect::Effect;
use super::entry::{CancelledBy, Item, Origin, SlotId, WhoScans};
use super::input::{NewOrder, Refused};
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
    /// Opens an order for what was chosen. What is refused is told to the machine too: it must not wait for money.
    pub(super) fn on_chosen(&mut self, now: Now, choice: Choice) -> Result<OrderId, Refused> {
        let opened = self.order_of(choice, self.settings.who_scans).and_then(|wanted| self.open(now, wanted));
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
        let sold = self.order_of(choice, self.settings.who_scans)?;
        self.cash_sale(now, sold)
    }

    /// After every event: the machine waits exactly as long as its buyer may pay or is being served. Once it has delivered
    /// or failed to, it waits for nothing.
    pub(super) fn follow_choice(&mut self) {
        let Some(order) = self.choice else { return };
        let is_served = self.orders.get(&order).is_some_and(|order| order.record.is_begun() && !order.is_delivering());
        if is_served {
            self.choice = None;
        } else if self.session.order() != Some(order) {
            self.choice = None;
            self.queue.push(Effect::TurnAway);
        }
    }

    /// The machine's price is what the buyer saw; the terminal's own list names the goods.
    fn order_of(&self, choice: Choice, who_scans: WhoScans) -> Result<NewOrder, Refused> {
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
            who_scans,
            pay_within_ms: None,
            down_payment: Fen::ZERO,
            periods: None,
            reference: None,
            idempotency: None,
        })
    }
}
