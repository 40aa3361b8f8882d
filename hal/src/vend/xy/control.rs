//! Jobs, choices and reports over the link.

use std::{collections::BTreeMap, time::Duration};

use super::{
    command,
    link::{Heard, Link, Ticket},
    words::{self, Delivery},
};
use crate::{
    board::{VendSpec, XyDrive, XySpec},
    event::{DeviceEvent, VendResult},
    vend::{
        Job,
        bus::Protocol,
        desk::{Desk, Order},
    },
};

/// A machine that asks nothing for this long is away.
const AWAY_AFTER: Duration = Duration::from_secs(3);
/// A slot's state is answered at one of the next questions, or not at all.
const CHECK_WITHIN: Duration = Duration::from_secs(4);
/// Both sides may ask for everything anew; a second request this soon is the answer to ours.
const SYNC_PAUSE: Duration = Duration::from_secs(5);

/// Whether the machine can be told to deliver.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// The port is closed.
    Closed,
    /// It has asked nothing, or nothing lately.
    Silent,
    /// It asks; our request to tell everything anew is on its way.
    Syncing(Ticket),
    /// It has acknowledged that.
    Ready,
}

/// How far an order is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The slot's state was asked for; the order to deliver was not given.
    Checking,
    /// The order to deliver waits for its POLL, is on its way or has arrived.
    Ordered { ticket: Ticket, acknowledged: bool },
}

struct Current {
    order: Order,
    stage: Stage,
    until: Duration,
}

/// What the machine told of a slot.
#[derive(Clone, Copy, PartialEq, Eq)]
struct SlotReport {
    price: u32,
    stock: u8,
    capacity: u8,
    status: u8,
}

/// The protocol's state.
pub(crate) struct Xy {
    spec: XySpec,
    desk: Desk,
    link: Link,
    presence: Presence,
    /// When the machine's absence is told, while it was not.
    grace: Option<Duration>,
    synced: Duration,
    current: Option<Current>,
    /// What the buyer chose at the machine and has not paid.
    chosen: Option<u16>,
    /// Slots whose last delivery ended without a report: until then a report would be of that one.
    owed: Vec<(u16, Duration)>,
    slots: BTreeMap<u16, SlotReport>,
}

impl Xy {
    pub(crate) fn new(spec: &VendSpec) -> Self {
        Self {
            spec: spec.xy.clone(),
            desk: Desk::new(spec),
            link: Link::default(),
            presence: Presence::Closed,
            grace: None,
            synced: Duration::ZERO,
            current: None,
            chosen: None,
            owed: Vec::new(),
            slots: BTreeMap::new(),
        }
    }

    fn vend_time(&self) -> Duration {
        Duration::from_millis(self.spec.vend_ms.into())
    }

    /// Asks for everything anew. The check before it may carry the number of the last packet before a restart of ours, and be
    /// taken for its repeat; the request behind it then certainly is not.
    fn sync(&mut self, now: Duration) {
        if let Some(number) = self.desk.first_number() {
            self.link.say(command::CHECK, &number.to_be_bytes());
        }
        self.presence = Presence::Syncing(self.link.say(command::SYNC, &[]));
        self.synced = now;
    }

    fn away(&mut self, why: &str) {
        self.grace = None;
        self.end_choice();
        // What was not sent yet is taken back; what was may still be reported.
        if let Some(current) = &self.current {
            let sent = match current.stage {
                Stage::Checking => false,
                Stage::Ordered { ticket, .. } => !self.link.take_back(ticket),
            };
            if !sent {
                self.end(VendResult::NotDropped, "the controller fell silent before it was told to deliver");
            }
        }
        self.desk.down(why);
    }

    fn end_choice(&mut self) {
        if self.chosen.take().is_some() {
            self.desk.tell(DeviceEvent::ChoiceEnded);
        }
    }

    fn end(&mut self, result: VendResult, told: &str) {
        if let Some(current) = self.current.take() {
            self.desk.ended(current.order.job, result, told);
        }
    }

    /// Nobody can tell any more, and the machine may still report it.
    fn lose(&mut self, now: Duration, told: &str) {
        if let Some(current) = &self.current {
            self.owed.push((current.order.number, now + self.vend_time()));
        }
        self.end(VendResult::Unknown, told);
    }

    fn next(&mut self, now: Duration) {
        while self.current.is_none() && self.presence == Presence::Ready {
            let Some(order) = self.desk.next_order() else { return };
            self.begin(now, order);
        }
    }

    fn begin(&mut self, now: Duration, order: Order) {
        self.owed.retain(|(_, until)| *until > now);
        // The choice is being paid: it ends with the delivery.
        self.chosen = None;
        let (number, price) = (order.number, order.price);
        if self.owed.iter().any(|(owed, _)| *owed == number) {
            let told = "the report of this slot's last delivery is still missing; nothing was sent";
            return self.desk.ended(order.job, VendResult::NotDropped, told);
        }
        if let Some(known) = self.slots.get(&number).filter(|known| i64::from(known.price) != price) {
            tracing::warn!(number, paid = price, shown = known.price, "the controller shows another price in fen");
        }
        self.current = Some(Current { order, stage: Stage::Checking, until: now + CHECK_WITHIN });
        if self.spec.check {
            self.link.say(command::CHECK, &number.to_be_bytes());
        } else {
            self.order_delivery(now);
        }
    }

    fn order_delivery(&mut self, now: Duration) {
        let until = now + self.vend_time();
        let Some(current) = &mut self.current else { return };
        let [high, low] = current.order.number.to_be_bytes();
        let ticket = match self.spec.drive {
            XyDrive::Direct => {
                let text = [u8::from(self.spec.drop_sensor), u8::from(self.spec.lift), high, low];
                self.link.say_once(command::DRIVE, &text)
            }
            XyDrive::Buy => self.link.say_once(command::BUY, &[high, low]),
        };
        current.stage = Stage::Ordered { ticket, acknowledged: false };
        current.until = until;
    }

    fn hear(&mut self, now: Duration) {
        while let Some(heard) = self.link.heard() {
            match heard {
                Heard::Taken(ticket) => self.taken(now, ticket),
                Heard::GivenUp(ticket) if self.presence == Presence::Syncing(ticket) => {
                    self.presence = Presence::Silent
                }
                // The order to deliver may have arrived all the same: its report is waited for.
                Heard::GivenUp(_) => {}
                Heard::Said(command, text) => self.said(now, command, &text),
            }
        }
        if self.presence == Presence::Silent && self.link.last_packet() == now && self.current.is_none() {
            self.sync(now);
        }
        self.next(now);
    }

    fn taken(&mut self, now: Duration, which: Ticket) {
        if self.presence == Presence::Syncing(which) {
            self.presence = Presence::Ready;
            self.grace = None;
            self.desk.up();
        }
        let until = now + self.vend_time();
        if let Some(Current { stage: Stage::Ordered { ticket, acknowledged }, until: at, .. }) = &mut self.current
            && *ticket == which
        {
            *acknowledged = true;
            *at = until;
        }
    }

    fn said(&mut self, now: Duration, command: u8, text: &[u8]) {
        match command {
            command::CHECKED => self.checked(now, text),
            command::DELIVERY => self.delivery(text),
            command::CHOICE => self.choice(text),
            command::SLOT => self.slot_report(text),
            command::SYNC if now >= self.synced + SYNC_PAUSE && self.current.is_none() => {
                self.link.say(command::SYNC, &[]);
                self.synced = now;
            }
            command::MONEY => {
                tracing::info!(kind = text.first(), fen = words::long(text, 1), "money came into the machine");
            }
            _ => tracing::debug!(command, ?text, "the controller says"),
        }
    }

    fn checked(&mut self, now: Duration, text: &[u8]) {
        let asked = self.current.as_ref().filter(|current| current.stage == Stage::Checking);
        let Some(asked) = asked.map(|current| current.order.number) else { return };
        let (Some(code), Some(number)) = (text.first(), words::word(text, 1)) else { return };
        if number == asked {
            match words::why_not(*code) {
                None => self.order_delivery(now),
                Some(why) => self.end(VendResult::NotDropped, why),
            }
        }
    }

    fn delivery(&mut self, text: &[u8]) {
        let (Some(code), Some(number)) = (text.first(), words::word(text, 1)) else { return };
        let report = words::delivery(*code);
        tracing::info!(number, code, ?report, "delivery");
        let ours = self.current.as_ref().filter(|current| current.order.number == number);
        let ticket = ours.and_then(|current| match current.stage {
            Stage::Ordered { ticket, .. } if !self.link.waits(ticket) => Some(ticket),
            Stage::Ordered { .. } | Stage::Checking => None,
        });
        match (ticket, report) {
            (Some(ticket), report) => {
                self.link.settle(ticket);
                if let Delivery::Over(result, told) = report {
                    self.end(result, told);
                }
            }
            // Late, or of a delivery that was not ours.
            (None, Delivery::Over(..)) => self.owed.retain(|(owed, _)| *owed != number),
            (None, Delivery::Under(_)) => {}
        }
    }

    fn choice(&mut self, text: &[u8]) {
        let Some(number) = words::word(text, 0) else { return };
        if number == 0 {
            return self.end_choice();
        }
        if self.current.is_some() || self.presence != Presence::Ready || self.chosen == Some(number) {
            return;
        }
        // Another key: the machine does not wait for the one before any more.
        self.end_choice();
        let Some(name) = self.desk.name_of(number).map(str::to_owned) else {
            tracing::warn!(number, "the buyer chose a slot that the board does not name");
            self.link.say(command::CHOICE, &[0, 0]);
            return;
        };
        let price = self.slots.get(&number).map(|known| known.price.into());
        self.chosen = Some(number);
        self.desk.tell(DeviceEvent::Chosen { slot: Some(name), price });
    }

    fn slot_report(&mut self, text: &[u8]) {
        let (Some(number), Some(price)) = (words::word(text, 0), words::long(text, 2)) else { return };
        let byte = |place: usize| text.get(place).copied().unwrap_or_default();
        let report = SlotReport { price, stock: byte(6), capacity: byte(7), status: byte(10) };
        if self.slots.insert(number, report) != Some(report) {
            let SlotReport { price, stock, capacity, status } = report;
            tracing::info!(number, price, stock, capacity, status, "slot");
        }
    }

    fn overdue(&mut self, now: Duration) {
        let Some(current) = self.current.as_ref().filter(|current| current.until <= now) else { return };
        match current.stage {
            Stage::Checking => self.end(VendResult::NotDropped, "the controller did not say how the slot is"),
            Stage::Ordered { ticket, .. } if self.link.take_back(ticket) => {
                self.end(VendResult::NotDropped, "the controller asked for nothing; it was not told to deliver");
            }
            Stage::Ordered { acknowledged: true, .. } => {
                self.lose(now, "the controller took the order and never said how it ended");
            }
            Stage::Ordered { acknowledged: false, .. } => {
                self.lose(now, "the controller never acknowledged the order; it may have delivered");
            }
        }
    }

    fn why_away(&self, now: Duration) -> &'static str {
        if now.saturating_sub(self.link.last_packet()) >= AWAY_AFTER {
            "the vending controller asks for nothing: look at its power and cable, at the baud in [vend.xy], and whether it is set \
             to an upper computer"
        } else {
            "the vending controller asks but does not acknowledge: look at the line towards it"
        }
    }
}

impl Protocol for Xy {
    fn opened(&mut self, now: Duration) {
        self.link.reset(now);
        self.presence = Presence::Silent;
        self.grace = Some(now + AWAY_AFTER);
    }

    fn closed(&mut self, now: Duration, why: &str) {
        self.away(why);
        self.lose(now, "the port went away after the order was sent");
        self.link.reset(now);
        self.presence = Presence::Closed;
    }

    fn received(&mut self, now: Duration, bytes: &[u8]) {
        self.link.received(now, bytes);
        self.hear(now);
    }

    fn wanted(&mut self, now: Duration, job: Job) {
        if self.desk.wanted(job) && self.chosen.take().is_some() {
            self.link.say(command::CHOICE, &[0, 0]);
        }
        self.next(now);
    }

    fn woken(&mut self, now: Duration) {
        self.overdue(now);
        if self.presence == Presence::Ready && now >= self.link.last_packet() + AWAY_AFTER {
            self.presence = Presence::Silent;
            self.away(self.why_away(now));
        }
        if self.grace.is_some_and(|grace| grace <= now) {
            self.away(self.why_away(now));
        }
        self.next(now);
    }

    fn due(&self) -> Option<Duration> {
        let silence = (self.presence == Presence::Ready).then(|| self.link.last_packet() + AWAY_AFTER);
        let delivery = self.current.as_ref().map(|current| current.until);
        [silence, self.grace, delivery].into_iter().flatten().min()
    }

    fn to_send(&mut self) -> Option<Vec<u8>> {
        self.link.next_bytes()
    }

    fn happened(&mut self) -> Option<DeviceEvent> {
        self.desk.happened()
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
