//! The people who give money back: one cancels or asks, another one decides, and some try to do both.

use payment::engine::entry::{IdempotencyKey, Said};
use payment::engine::input::{Done, Input, RefundWanted};
use payment::ids::{OrderId, RefundId};
use payment::money::Fen;

use super::verdict::must;
use super::world::World;

/// Who works here. Some spell a colleague's name, or their own, in another way.
const NAMES: [&str; 5] = ["anna", " Anna ", "ANNA", "bo", "Bo "];

/// Whether two names are one person's.
#[must_use]
pub fn is_one_person(one: &Said, other: &Said) -> bool {
    one.by.trim().to_lowercase() == other.by.trim().to_lowercase()
}

impl World {
    /// Somebody cancels an order or wants money of it back; most often of a new one, sometimes twice.
    pub(super) fn operates(&mut self) {
        let Some(order) = self.some_order() else {
            return;
        };
        if self.dice.one_in(3) {
            self.fault("cancelled through the API");
            let _answer = self.input(Input::Cancel { order });
            return;
        }
        let amount = *self.dice.pick(&[None, Some(1), Some(100), Some(1_000_000)]);
        let key = format!("k{}", self.number());
        for _ in 0..=self.dice.roll(2) {
            self.fault("refund through the API");
            self.refunds(order, amount, &key);
            let ms = *self.dice.pick(&[0, 100, 20_000]);
            self.run(ms);
        }
        if self.dice.one_in(2) {
            self.decides();
        }
    }

    fn some_order(&mut self) -> Option<OrderId> {
        if self.dice.one_in(2) {
            return self.memory.newest();
        }
        let orders: Vec<OrderId> = self.memory.orders().collect();
        (!orders.is_empty()).then(|| *self.dice.pick(&orders))
    }

    /// Money goes back, once for one key, as the API does it: a closed order is read from the journal first.
    fn refunds(&mut self, order: OrderId, amount: Option<i64>, key: &str) {
        if !self.loads(order) {
            return;
        }
        let runs = self.runs;
        let idempotency = Some(IdempotencyKey { key: key.to_owned(), body_sha256: "0".repeat(64) });
        let said = (!self.dice.one_in(5)).then(|| self.somebody());
        let amount = amount.map(Fen::new);
        let done = self.input(Input::Refund(RefundWanted { order, amount, idempotency, said }));
        let Ok(Done::Refunding(refund)) = done else {
            return;
        };
        // What a dead process was about to say nobody heard.
        let written = self.memory.refunds.contains_key(&refund) || self.memory.asked.contains_key(&refund);
        if self.runs == runs && written {
            let root = self.memory.root_of(refund);
            let known = *self.memory.keys.entry(key.to_owned()).or_insert(root);
            must!(known == root, Doubled, "one request made two refunds, {known} and {refund}");
        }
    }

    fn somebody(&mut self) -> Said {
        Said { by: (*self.dice.pick(&NAMES)).to_owned(), why: "the buyer is right".to_owned() }
    }

    /// As the API does it: a closed order is read from the journal first. `false` when nothing runs.
    fn loads(&mut self, order: OrderId) -> bool {
        let Some(store) = &self.store else {
            return false;
        };
        let entries = self.disk.order(store, order.as_str());
        self.engine.load(self.now(), &entries);
        true
    }

    /// Somebody decides about a refund that was asked for: most often another person, and at times one who may not.
    pub(super) fn decides(&mut self) {
        let open = self.memory.asked.keys().filter(|refund| !self.memory.decided.contains_key(refund));
        let open: Vec<RefundId> = open.copied().collect();
        if open.is_empty() {
            return;
        }
        let refund = *self.dice.pick(&open);
        let Some(order) = self.memory.order_of_asked(refund) else {
            return;
        };
        if !self.loads(order) {
            return;
        }
        let said = self.somebody();
        let approved = !self.dice.one_in(3);
        let same = is_one_person(&self.memory.asked[&refund], &said);
        let kind = match (same, approved) {
            (true, _) => "decided by the one who asked",
            (false, true) => "refund approved",
            (false, false) => "refund declined",
        };
        self.fault(kind);
        let done = self.input(Input::RefundDecided { order, refund, approved, said });
        must!(done.is_err() || !same, Broken, "{refund} was decided about by the one who asked for it");
    }
}
